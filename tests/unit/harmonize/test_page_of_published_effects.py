"""The page on published effects is true: its codebook is read, and pools what its table has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import Variable, load
from metastudy.harmonize.decoders import InvalidValue, finding
from metastudy.harmonize.harmonize import harmonize_file

PAGE = (ROOT / "docs" / "published_effects.md").read_text("utf-8")
HEAD = "id,paper,compared,outcome,country,m1,sd1,n1,m0,sd0,n0\n"


def test_the_codebook_of_the_page_reads_a_table_of_its_columns(tmp_path: Path) -> None:
    folder = tmp_path / "trials"
    folder.mkdir()
    text = PAGE.partition("```yaml\n")[2].partition("```")[0]
    (folder / "codebook.yaml").write_text(text, encoding="utf-8")
    rows = "e1,one,asked against not,turnout,DK,103,5.5,50,100,4.5,50\n"
    (folder / yaml.safe_load(text)["file"]["name"]).write_text(HEAD + rows, encoding="utf-8")
    (tmp_path / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    codebook = load(folder, VOCABULARY, tmp_path / "manifest.yaml")
    effect = harmonize_file(codebook, b"").tables["effects"].iloc[0]
    assert effect["standardiser"] == "control_sd"
    assert effect["estimate"] == pytest.approx(3 / 4.5 * (1 - 3 / (4 * 49 - 1)))


def test_a_minus_as_it_is_printed_is_a_minus_and_a_comma_is_named() -> None:
    read = finding(Variable("d", "finding", field="estimate"), VOCABULARY)
    assert read("\u22120.25") == read("\u20130.25") == read("-0.25") == -0.25
    with pytest.raises(InvalidValue) as unfit:
        read("0,25")
    assert "decimal: ','" in unfit.value.fix
    metric = finding(Variable("m", "finding", field="metric"), VOCABULARY)
    with pytest.raises(InvalidValue) as unfit:
        metric("odds_ratio")
    assert unfit.value.fix == "write log_odds as the metric, and odds_ratio under reported_as"
