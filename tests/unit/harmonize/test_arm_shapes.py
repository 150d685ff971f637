"""A table of arms in its shapes: the same cells from each, and its errors where the user looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.arm_tables import (
    FACTOR,
    FILES,
    SHAPES,
    SITE,
    a_row_a_place,
    a_row_an_arm,
    a_row_an_outcome,
    made,
)
from helpers.raw_studies import VOCABULARY
from helpers.scored_arms import TWO, arms_of, cells, of_arms, people, study
from metastudy.common.problems import BadInput, Problem
from metastudy.data_report.inspection.arms import arms_of as inspect_arms
from metastudy.harmonize.arm_totals import sums_up
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import load_study


def refused(folder: Path, table: pd.DataFrame, book: str) -> list[Problem]:
    with pytest.raises(BadInput) as bad:
        made(folder, table, book)
    return bad.value.problems


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_in_each_file_gives_the_cells_of_a_row_an_arm(
    tmp_path: Path, shape: str, form: str
) -> None:
    expected = cells(tmp_path / "one", made(tmp_path / "one", *a_row_an_arm()))
    found = made(tmp_path / "other", *SHAPES[shape](), form)
    assert len(found.tables["arms"]) == 2 * 4
    assert found.report["rows_kept"] == len(people())
    assert found.report["unmapped"] == []
    assert set(found.tables["assignments"]["randomised"]) == {True}
    mine = cells(tmp_path / "other", found)
    for name in expected.data_vars:
        if expected[name].dtype.kind == "f":
            np.testing.assert_allclose(mine[name], expected[name], rtol=1e-12, atol=1e-9)
        else:
            np.testing.assert_array_equal(mine[name], expected[name])
    assert mine.attrs.get("apart") is None


def test_the_order_of_rows_and_of_arms_moves_nothing(tmp_path: Path) -> None:
    table, book = a_row_an_outcome()
    one = cells(tmp_path / "one", made(tmp_path / "one", table, book))
    other = cells(tmp_path / "two", made(tmp_path / "two", table.iloc[::-1], book))
    xr.testing.assert_allclose(one, other)


def test_a_problem_is_told_at_its_own_cell_of_the_file(tmp_path: Path) -> None:
    table, book = a_row_a_place()
    table = table.astype(object)
    table.loc[1, f"sd_{TWO[0]}_2"] = -1
    table.loc[0, f"m_{TWO[1]}_1"] = 9
    table.loc[1, "n_1"] = "24 people"
    found = {(p.code, str(p.row), p.column) for p in refused(tmp_path / "wide", table, book)}
    assert found == {
        ("impossible-arm", "3", f"sd_{TWO[0]}_2"),
        ("off-scale", "2", f"m_{TWO[1]}_1"),
        ("impossible-count", "3", "n_1"),
    }
    table, book = a_row_an_outcome()
    table.loc[3, "sd"] = 5.0
    (problem,) = refused(tmp_path / "outcomes", table, book)
    assert (problem.code, str(problem.row), problem.column) == ("impossible-arm", "5", "sd")


def test_a_place_without_one_of_its_arms_is_one_error(tmp_path: Path) -> None:
    table, book = a_row_a_place()
    table = table.astype(object)
    table.loc[1, [c for c in table if str(c).endswith("_2")]] = ""
    (problem,) = refused(tmp_path, table, book)
    assert (problem.code, str(problem.row), problem.column) == ("incomplete-arm", "3", "n_2")
    assert problem.found == "no number of the arm task_type core"


def test_outcomes_of_an_arm_are_there_once_each_and_of_the_same_people(tmp_path: Path) -> None:
    table, book = a_row_an_outcome()
    lacking = refused(tmp_path / "lacking", table.drop(index=1), book)
    assert [(p.code, p.row, p.column) for p in lacking] == [("incomplete-arm", "2", "outcome")]
    assert "no row with 'Service' of this arm" in lacking[0].found
    twice = pd.concat([table, table.iloc[[1]].assign(nr=99)])
    (problem,) = refused(tmp_path / "twice", twice, book)
    assert (problem.code, problem.row) == ("duplicate-arm", str(len(table) + 2))
    assert problem.found == "'Service' of the arm of row 3 a second time"
    fewer = table.assign(n=table["n"] - (table.index == 1))
    (problem,) = refused(tmp_path / "fewer", fewer, book)
    assert (problem.code, problem.row, problem.column) == ("contradiction", "3", "n")
    unknown = table.assign(outcome=table["outcome"].where(table.index != 1, "Servise"))
    problems = refused(tmp_path / "unknown", unknown, book)
    assert [(p.code, p.row) for p in problems] == [("unknown-label", "3"), ("incomplete-arm", "2")]
    assert "Did you mean 'Service'?" in problems[0].found


def test_a_row_that_a_rule_drops_stays_one_whatever_it_holds(tmp_path: Path) -> None:
    rule = "exclude:\n  - {rule: pilot, variable: nr, drop: [9]}\n"
    for name, shape in SHAPES.items():
        table, book = shape()
        pilot = table.astype(object).iloc[[0]].assign(nr=9)
        pilot[[c for c in table if str(c)[:1] in "nms"][1:]] = "?"
        whole = pd.concat([pilot, table.assign(nr=range(10, 10 + len(table)))])
        found = made(tmp_path / name, whole, book + rule)
        assert found.report["excluded"] == {"pilot": 1}
        assert list(found.tables["exclusions"]["row"]) == [2]
        assert found.report["rows_kept"] == len(people())


LAST = f"  - {{name: sd_{TWO[0]}_2, as: sd, construct: {TWO[0]}, arm: {{task_type: core}}}}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", arm: {task_type: core}", ", arm: {task_type: cor}", "the level 'cor'"),
        (", arm: {task_type: core}", ", arm: {involvement: core}", "'involvement'"),
        (", arm: {task_type: core}", ", arm: {task_type: complementary}", "a second time"),
        (LAST, "", "and none for the arm {'task_type': 'core'}"),
        (SITE, SITE + FACTOR, "which the arms of other columns say already"),
    ],
)  # fmt: skip
def test_a_codebook_whose_arms_do_not_fit_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    table, book = a_row_a_place()
    assert old in book
    problems = refused(tmp_path, table, book.replace(old, new))
    assert {p.code for p in problems} == {"codebook"}
    assert any(said in p.found for p in problems), problems


def test_columns_of_one_arm_only_are_refused(tmp_path: Path) -> None:
    table, book = a_row_a_place()
    one = "".join(line + "\n" for line in book.splitlines() if "{task_type: core}" not in line)
    (problem,) = refused(tmp_path, table, one)
    assert problem.found == "columns of one arm only, {'task_type': 'complementary'}"


@pytest.mark.parametrize(
    "rule", ["unanswered: all_outcomes", "variable: nr, duplicates: keep_first"]
)
def test_rules_on_people_are_refused_of_arms(tmp_path: Path, rule: str) -> None:
    book = of_arms() + f"exclude:\n  - {{rule: some, {rule}}}\n"
    with pytest.raises(BadInput) as bad:
        study(tmp_path, arms_of(people()), book)
    (problem,) = bad.value.problems
    assert problem.found.endswith("where rows are arms")


# --- totals --------------------------------------------------------------------------------------


def test_arms_that_do_not_add_up_to_their_total_are_refused(tmp_path: Path) -> None:
    table, book = a_row_a_place()
    book = book.replace("outcomes:", "  - {name: N, as: total}\noutcomes:", 1)
    total = table["n_1"] + table["n_2"]
    found = made(tmp_path / "right", table.assign(N=total), book)
    assert found.report["rows_kept"] == total.sum()
    (problem,) = refused(tmp_path / "wrong", table.assign(N=total + (total.index == 1) * 2), book)
    assert (problem.code, problem.row, problem.column) == ("unequal-total", "3", "N")
    assert problem.found == "50 people in all, and 48 in the arms of the place"
    (problem,) = refused(tmp_path / "unit", table.assign(N=["62", "48 people"]), book)
    assert (problem.code, problem.row, problem.column) == ("impossible-count", "3", "N")


@pytest.mark.parametrize(
    "word",
    ["Total", "**All**", "overall:", "All towns", "Pooled", "Whole sample", "Total (3 towns)"],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_of_totals_is_one_error(tmp_path: Path, shape: str, word: str) -> None:
    table, book = SHAPES[shape]()
    rows = len(table[table["home"] == "Aa"])
    total = table[table["home"] == "Aa"].assign(home=word, nr=range(91, 91 + rows))
    problems = refused(tmp_path, pd.concat([table, total]), book)
    assert {p.code for p in problems} == {"totals-row"}
    assert [str(p.row) for p in problems] == [str(len(table) + 2 + at) for at in range(rows)]
    assert {p.column for p in problems} == {"home"}


def test_a_place_that_is_called_all_saints_is_no_total() -> None:
    assert sums_up("All towns")
    assert sums_up("All")
    assert not sums_up("All Saints")


@pytest.mark.parametrize("shape", [a_row_an_arm, *SHAPES.values()])
def test_row_numbers_do_for_arms_and_the_data_report_counts_people(
    tmp_path: Path, shape: Callable[[], tuple[pd.DataFrame, str]]
) -> None:
    table, book = shape()
    book = book.replace("  - {name: nr, as: id}\n", "")
    found = made(tmp_path, table.drop(columns="nr"), book, keys=", ids: row_numbers")
    assert found.report["unmapped"] == []
    save(found, tmp_path / "out")
    shown = inspect_arms(load_study(tmp_path / "out"), VOCABULARY, 5)
    assert shown is not None
    expected = arms_of(people()).groupby("arm")["n"].sum()
    # of the codebook: 1 is complementary and 2 is core
    assert {one.arm: one.n for one in shown.counts} == {
        "complementary": expected[1],
        "core": expected[2],
    }
