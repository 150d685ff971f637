"""Published findings: what is said of standard deviations comes through, or is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import FINDINGS, codebook_of, published_study
from metastudy.codebook.vocabulary import STANDARDISERS
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import harmonize
from metastudy.readers import read

FIELDS = {  # raw column: field
    "by": "standardiser",
    "hedges": "small_sample",
    "error": "sd_error",
    "sd1": "sd_control",
    "sd2": "sd_treatment",
    "n1": "n_control",
    "n2": "n_treatment",
    "main": "priority",
}
CODEBOOK = FINDINGS + "".join(
    f"  - {{name: {raw}, as: finding, field: {field}}}\n" for raw, field in FIELDS.items()
)
HEAD = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level," + ",".join(FIELDS)
START = "f1,a2020,more against less,assigned,threat_job,0,0.02,0.1"
GOOD = {
    "unit": "sd", "people": "240", "by": "pooled_sd", "hedges": "corrected", "error": "included",
    "sd1": "1.5", "sd2": "1.2", "n1": "120", "n2": "110", "main": "primary",
}  # fmt: skip


def harmonized(tmp_path: Path, **changed: str) -> dict:
    row = GOOD | changed
    cells = [START, row["unit"], row["people"], "DK", "published_numeric"]
    text = HEAD + "\n" + ",".join([*cells, *(row[raw] for raw in FIELDS)]) + "\n"
    codebook = codebook_of(published_study(tmp_path, text, CODEBOOK))
    return harmonize(codebook, read(codebook), b"any").tables


def test_what_is_said_of_the_standard_deviation_comes_through(tmp_path: Path) -> None:
    row = harmonized(tmp_path)["effects"].squeeze()
    expected = ["pooled_sd", "corrected", "included", 1.5, 1.2, 120, 110, "primary"]
    assert row[list(FIELDS.values())].tolist() == expected


def test_it_may_all_be_empty(tmp_path: Path) -> None:
    row = harmonized(tmp_path, **dict.fromkeys(FIELDS, ""))["effects"].squeeze()
    assert row[list(FIELDS.values())].isna().all()


@pytest.mark.parametrize(
    ("changed", "code", "column"),
    [
        ({"by": "cohen"}, "unknown-label", "by"),
        ({"hedges": "maybe"}, "unknown-label", "hedges"),
        ({"error": "some"}, "unknown-label", "error"),
        ({"main": "first"}, "unknown-label", "main"),
        ({"sd1": "-1"}, "off-scale", "sd1"),
        ({"n1": "12.5"}, "off-scale", "n1"),
        ({"n2": "1"}, "off-scale", "n2"),
        ({"unit": "pomp"}, "standardiser", "by"),
        ({"sd2": ""}, "standardiser", "sd1"),
        ({"sd1": ""}, "standardiser", "sd2"),
        ({"sd2": "0"}, "standardiser", "sd2"),
        ({"people": "200"}, "standardiser", "people"),
    ],
)
def test_what_cannot_be_true_is_an_error_at_its_cell(
    tmp_path: Path, changed: dict[str, str], code: str, column: str
) -> None:
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, **changed)
    problems = [p for p in caught.value.problems if p.column == column]
    assert [p.code for p in problems] == [code]
    (problem,) = problems
    assert problem.study == "small"
    assert problem.row == 2
    assert problem.expected
    assert problem.fix


def test_an_unknown_standardiser_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, by="poled_sd")
    (problem,) = caught.value.problems
    assert all(name in problem.expected for name in STANDARDISERS)
    assert "Did you mean 'pooled_sd'?" in problem.expected


def notes(tmp_path: Path, book: str, cell: str) -> list[str]:
    text = f"{HEAD},named\n{START},sd,240,DK,published_numeric{',' * len(FIELDS)},{cell}\n"
    codebook = codebook_of(published_study(tmp_path, text, book))
    return list(harmonize(codebook, read(codebook), b"any").report["notes"])


def test_a_finding_without_an_exposure_is_named_with_what_is_taken_for_it(tmp_path: Path) -> None:
    book = CODEBOOK + "  - {name: named, as: finding, field: exposure}\n"
    (note,) = notes(tmp_path, book, "")
    assert note.startswith("1 finding has no exposure (f1): what was contrasted is taken for it")
    assert notes(tmp_path / "b", book, "involvement") == []
    assert len(notes(tmp_path / "c", CODEBOOK + "  - {name: named, as: ignore}\n", "")) == 1
