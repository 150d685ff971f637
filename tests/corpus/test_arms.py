"""Broken tables of arms, in each of their shapes: each ends in the error that was fixed before.

`expected_arms.csv` has a row for each class and set of shapes; its code is the code of all problems
that are found, several joined by `+`, `|` between what is as good, or `unchanged`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.arm_tables import FILES
from helpers.raw_studies import VOCABULARY, harmonized
from helpers.raw_studies import study as study_of
from helpers.variants.arms import ALL_SHAPES, ARM_MAKERS, ArmCase, arm_case
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import load_study
from metastudy.models.answers.cells import answer_cells

TABLE = Path(__file__).parent / "expected_arms.csv"


def table() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for shape in row["shapes"].split(", "):
                assert (row["class"], shape) not in found
                found[row["class"], shape] = row["code"]
    return found


EXPECTED = table()


def problems_of(folder: Path, case: ArmCase, form: str = "csv") -> list[Problem]:
    """What is wrong with a case on the way to its cells."""
    name, write = FILES[form]
    head = f"file: {{name: {name}, format: {form}}}\n"
    made = study_of(folder / "small", name, write(case.table), head + case.book)
    if case.clustered:
        path = made / "codebook.yaml"
        flag = f"provenance: simulated\n  clustered: {case.clustered}"
        path.write_text(path.read_text("utf-8").replace("provenance: simulated", flag), "utf-8")
    try:
        found = harmonized(made)
        save(found, folder / "out")
        answer_cells([load_study(folder / "out")], "threat", VOCABULARY)
    except BadInput as bad:
        return bad.problems
    return []


def cases() -> Iterator[Any]:
    """Every class and shape as delimited text, and one shape in the other kinds of file."""
    for name, shape in EXPECTED:
        for form in FILES:
            if form == "csv" or shape == "wide outcomes":
                marks = () if form == "csv" else pytest.mark.slow
                yield pytest.param(name, shape, form, marks=marks, id=f"{name} / {shape} / {form}")


@pytest.mark.parametrize(("name", "shape", "form"), list(cases()))
def test_a_table_of_arms_ends_as_the_table_says(
    tmp_path: Path, name: str, shape: str, form: str
) -> None:
    case = arm_case(shape)
    ARM_MAKERS[name](case)
    problems = problems_of(tmp_path, case, form)
    expected = EXPECTED[name, shape]
    if expected == "unchanged":
        assert problems == []
        return
    codes = {problem.code for problem in problems}
    assert codes in [set(one.split("+")) for one in expected.split("|")], problems
    if expected not in ("codebook", "empty-arm", "clustered-arms"):
        in_file = [problem for problem in problems if problem.file.endswith(FILES[form][0])]
        assert in_file == problems
        assert len({(problem.row, problem.column) for problem in problems}) == len(problems)
    for problem in problems:
        assert problem.study == "small"
        assert problem.found
        assert problem.expected
        assert problem.fix
        assert str(tmp_path) not in problem.found + problem.expected + problem.fix.replace(
            str(tmp_path / "small"), ""
        )


def test_the_table_and_the_makers_have_the_same_classes() -> None:
    assert {name for name, _ in EXPECTED} == set(ARM_MAKERS)
    assert {shape for _, shape in EXPECTED} == set(ALL_SHAPES)


@pytest.mark.parametrize("shape", ["arms", "outcomes"])
def test_all_that_is_wrong_with_a_table_is_told_at_once(tmp_path: Path, shape: str) -> None:
    case = arm_case(shape)
    first = case.rows(1, "Aa")
    case.table.loc[first, case.column("m")] = "9 points"
    case.table.loc[case.rows(2, "Aa"), case.column("sd")] = 0
    case.table.loc[case.rows(1, outcome=""), "n"] = -1
    case.put("r", 2)
    ARM_MAKERS["row of totals"](case)
    codes = {problem.code for problem in problems_of(tmp_path, case)}
    assert codes == {"off-scale", "impossible-arm", "impossible-count", "totals-row"}


def test_all_that_is_wrong_with_counts_is_told_at_once(tmp_path: Path) -> None:
    case = arm_case("events")
    case.table.loc[case.rows(1, "Aa"), "k"] = 99
    case.table.loc[case.rows(2, "Aa"), "arm"] = 7
    case.put("n", "many")
    ARM_MAKERS["row of totals"](case)
    codes = [problem.code for problem in problems_of(tmp_path, case)]
    assert sorted(set(codes)) == ["impossible-count", "totals-row", "unknown-label"]
