"""What a codebook says of who may have the data: simulated always, observed only by its word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.raw_studies import codebook_of, table_study
from metastudy.codebook.parts import may_be_shared
from metastudy.common.problems import BadInput


def written(folder: Path, line: str, provenance: str = "observed") -> Path:
    made = table_study(folder)
    path = made / "codebook.yaml"
    text, found = re.subn(
        r"(?m)^( *)provenance: \w+$",
        rf"\1provenance: {provenance}\n\1{line}",
        path.read_text("utf-8"),
    )
    assert found == 1
    path.write_text(text, "utf-8")
    if provenance == "observed":
        (made.parent / "manifest.yaml").write_text("{}\n", "utf-8")  # of simulated files
    return made


@pytest.mark.parametrize(
    ("line", "provenance", "may"),
    [
        ("share: yes", "observed", True),
        ("share: true", "observed", True),
        ("share: no", "observed", False),
        ("share: false", "observed", False),
        ("licence: CC-BY-4.0", "observed", False),
        ("share: no", "simulated", True),
    ],
)
def test_observed_data_may_go_only_where_the_codebook_says_so(
    tmp_path: Path, line: str, provenance: str, may: bool
) -> None:
    study = codebook_of(written(tmp_path, line, provenance)).study
    assert study.shareable is may
    key, _, value = line.partition(": ")
    assert may_be_shared({"provenance": provenance, key: value}) is may


def test_another_word_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        codebook_of(written(tmp_path, "share: perhaps"))
    (problem,) = error.value.problems
    assert "perhaps" in problem.found
    assert "share" in str(problem)
