"""The file of risk of bias and certainty: what is wrong in it is named, all at once, by its rows.

What each class of bad input leads to is in ``BAD``: cells of the second publication's first row
that differ from a good file, the column that is named, its rows, and what is said.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.codebook.appraisal import COLUMNS, DOMAINS, GRADE, judged, read, strangers
from metastudy.common.problems import BadInput, Problem

GOOD = [
    ("a2020", "selection", "low", "moderate", "Drawn by lot.", "p. 3"),
    ("a2020", "measurement", "some_concerns", "moderate", "Own scale.", "p. 4"),
    ("b2021", "selection", "high", "low", "Volunteers, who knew.", "p. 2"),
    ("b2021", "coding", "not_applicable", "low", "", ""),
]
RATED = [("", "imprecision", "serious", "low", "Few people.", "", "threat_job")]
BAD = {
    "unknown domain": ({"domain": "randomization"}, "domain", 4, "Did you mean 'randomisation'?"),
    "domain of GRADE of a study": ({"domain": "imprecision"}, "domain", 4, "of a study one of"),
    "unknown judgement": ({"judgement": "unclear"}, "judgement", 4, "'unclear'"),
    "word of GRADE of a study": ({"judgement": "serious"}, "judgement", 4, "of a study one of"),
    "no judgement": ({"judgement": ""}, "judgement", 4, "an empty cell"),
    "unknown certainty": ({"certainty": "fair"}, "certainty", 4, "'fair'"),
    "two certainties": ({"certainty": "high"}, "certainty", 5, "which is 'high' in row 4"),
    "domain twice": ({"domain": "coding"}, "domain", 5, "a second time, after row 4"),
    "no study": ({"study": ""}, "study", 4, "no study"),
    "study and outcome": ({"outcome": "threat_job"}, "study", 4, "in one row"),
}


def file(folder: Path, rows: list[tuple[str, ...]], head: tuple[str, ...] = COLUMNS) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    path = folder / "appraisal.csv"
    path.write_text(text.getvalue(), "utf-8")
    return path


def changed(change: dict[str, str]) -> list[tuple[str, ...]]:
    head = (*COLUMNS, "outcome")
    rows = [dict(zip(head, (*row, ""), strict=True)) for row in GOOD]
    rows[2] |= change
    return [tuple(row.values()) for row in rows]


def problems(path: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read(path)
    return caught.value.problems


@pytest.mark.parametrize(("change", "column", "row", "said"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_one_error_at_its_row(
    tmp_path: Path, change: dict[str, str], column: str, row: int, said: str
) -> None:
    found = problems(file(tmp_path, changed(change), (*COLUMNS, "outcome")))
    (problem,) = [p for p in found if p.column == column]
    assert (problem.code, problem.row) == ("appraisal", row)
    assert said in f"{problem.found} {problem.expected}"
    assert problem.fix
    assert len(found) == 1


def test_all_problems_are_told_at_once_and_the_same_one_once(tmp_path: Path) -> None:
    rows = [*GOOD, *(("c", d, "unclear", "low", "", "") for d in ("selection", "coding"))]
    found = problems(file(tmp_path, [*rows, ("d", "sampling", "low", "fair", "", "")]))
    assert [(p.column, p.row) for p in found] == [
        *(("judgement", "6, 7"), ("domain", 8), ("certainty", 8))
    ]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (("study", "domain", "judgment", *COLUMNS[3:]), "Did you mean 'judgement'?"),
        ((*COLUMNS[:4], "reason", "reason"), "the column twice"),
        (COLUMNS[:3], "no such column"),
    ],
)
def test_a_header_that_is_not_known_is_an_error(
    tmp_path: Path, head: tuple[str, ...], said: str
) -> None:
    assert any(said in p.found for p in problems(file(tmp_path, [], head)))


def test_a_text_with_a_comma_and_no_quotation_marks_is_named(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    path.write_text(path.read_text("utf-8").replace('"Volunteers, who knew."', "Volunteers, who"))
    (problem,) = problems(path)
    assert (problem.row, problem.column) == (4, None)


@pytest.mark.parametrize("content", [None, b"study,domain\n\xff\xfe"])
def test_what_is_no_text_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "appraisal.csv"
    if content:
        path.write_bytes(content)
    (problem,) = problems(path)
    assert problem.code == "appraisal"


def test_what_is_appraised_and_not_here_is_named_by_its_rows(tmp_path: Path) -> None:
    path = file(tmp_path, [*((*row, "") for row in GOOD), *RATED], (*COLUMNS, "outcome"))
    table = read(path)
    assert not list(strangers(path, table, {"a2020", "b2021"}, {"threat_job"}))
    one, other = strangers(path, table, {"a2020", "b2020"}, {"threat_profession"})
    assert (one.column, one.row) == ("study", "4, 5")
    assert "Did you mean 'b2020'?" in one.found
    assert (other.column, other.row) == ("outcome", 6)


def test_one_domain_is_not_enough_to_rate_a_publication(tmp_path: Path) -> None:
    assert judged(read(file(tmp_path, GOOD))) == {"a2020"}


@pytest.mark.parametrize(
    "path",
    [ROOT / "data", ROOT / "workflow/skeleton/data", *sorted((ROOT / "examples").glob("*/data"))],
    ids=lambda path: path.parent.name,
)
def test_the_files_that_ship_are_read(path: Path) -> None:
    read(path / "appraisal.csv")


def test_the_page_has_the_domains_and_its_example_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "appraisal.md").read_text("utf-8")
    table = page.split("| RoB 2 |")[1].split("\n\n")[0]
    assert {line.split("`")[1] for line in table.splitlines()[2:]} == {*DOMAINS}
    assert all(f"`{name}`" in page for name in GRADE)
    path = tmp_path / "appraisal.csv"
    path.write_text(page.split("```text\n")[1].split("```")[0], "utf-8")
    assert judged(read(path)) == {"nobody2026"}
