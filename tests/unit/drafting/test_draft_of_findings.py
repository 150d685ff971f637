"""A table of effects is drafted as one, under the names that programs and papers give columns."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.drafting.draft import draft, open_points
from metastudy.drafting.findings import fields
from metastudy.harmonize.harmonize import harmonize_file

ARMS = ["mean_treatment", "sd_treatment", "n_treatment", "mean_control", "sd_control", "n_control"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["author", "yi", "vi"], ["citation", "estimate", "variance"]),
        (["Study", "TE", "seTE"], ["citation", "estimate", "se"]),
        (["m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"], ARMS),
        (["mean.e", "sd.e", "n.e", "mean.c", "sd.c", "n.c"], ARMS),
        (
            ["ai", "n1i", "ci", "n2i"],
            ["events_treatment", "n_treatment", "events_control", "n_control"],
        ),
        (
            ["Study", "Estimate", "CI lower", "CI upper"],
            ["citation", "estimate", "ci_lower", "ci_upper"],
        ),
        (["slab", "ri", "ni"], ["citation", "r", "n"]),
        (ARMS, ARMS),
        # Columns of surveys and experiments, of which none is an effect.
        (["id", "condition", "item_1", "age", "n"], []),
        (["respondent", "t", "p", "m1", "m2"], []),
        (["study", "estimate", "year"], []),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_names_that_programs_give_them(
    names: list[str], expected: list[str]
) -> None:
    assert list(fields(names).values()) == expected


def test_a_draft_of_findings_reads_once_its_open_points_are_decided(tmp_path: Path) -> None:
    folder = tmp_path / "trials"
    folder.mkdir()
    table = pd.DataFrame(
        {"author": ["one", "two"], "yi": [0.2, -0.1], "vi": [0.01, 0.04], "year": [2001, 2009]}
    )
    table.to_csv(folder / "effects.csv", index=False)
    text = draft("trials", folder / "effects.csv", VOCABULARY)
    assert "design: published # guess" in text
    decided = {
        "title": "Trials", "contrast": "asked against not", "exposure_type": "randomised",
        "outcome": "turnout", "metric": "pomp", "verification": "published_numeric",
        "as": "ignore", "citation": "trials",
    }  # fmt: skip
    for key, value in decided.items():
        text = re.sub(rf"({key}: )TODO", rf"\g<1>{value}", text)
    assert not open_points(text)
    (folder / "codebook.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    found = harmonize_file(load(folder, VOCABULARY, tmp_path / "manifest.yaml"), b"")
    effects = found.tables["effects"]
    assert effects["estimate"].tolist() == [0.2, -0.1]
    assert effects["se"].tolist() == pytest.approx([0.1, 0.2])
    assert effects["direction"].tolist() == ["positive", "negative"]
