"""Answers counted item by item: in the declared categories, whoever chose them or did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import Item, item_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.models.answers.design import observed
from metastudy.models.ordinal.cells import item_cells

NAN = float("nan")
QUALITY: Mapping[str, Item] = {
    "q1": ("threat_quality", 1, 5, [1, 2, 2, 4, 2]),
    "q2": ("threat_quality", 0, 2, [0, 2, 2, NAN, 1]),
    "j1": ("threat_job", 1, 4, [1, 2, NAN, 4, 4]),
}


def counts(studies: Sequence[Study]) -> pd.DataFrame:
    """The counts of answers with the names of what they count: a row per item and exposure."""
    cells = item_cells(studies, "threat", VOCABULARY)
    item, cell = cells.item_of_answer.values, cells.cell_of_answer.values
    table = pd.DataFrame(
        {
            "item": cells.item.values[item],
            "x": cells.x.values[cells.combination_of_cell.values[cell], 0],
            "category": cells.category_of_answer.values,
            "count": cells["count"].values[cell],
        }
    )
    return table.pivot_table("count", ["item", "x"], "category", "sum").fillna(0)


def test_every_answer_is_counted_in_its_category_and_arm() -> None:
    table = counts([item_study(QUALITY)])
    expected = {
        ("a|q1", -0.5): [1, 1, 0, 0],
        ("a|q1", 0.5): [0, 2, 0, 1],
        ("a|q2", -0.5): [1, 0, 1, 0],
        ("a|q2", 0.5): [0, 1, 1, 0],
        ("a|j1", -0.5): [1, 1, 0, 0],
        ("a|j1", 0.5): [0, 0, 0, 2],
    }
    assert set(table.index) == set(expected)
    for at, row in expected.items():
        np.testing.assert_array_equal(table.loc[at].to_numpy(), row, err_msg=str(at))


def test_people_with_the_same_answers_at_a_site_are_one_cell_and_others_are_not() -> None:
    """Two more give the answers of the first: one of them at another site."""
    same: dict[str, Item] = {
        name: (construct, low, high, [*values, values[0], values[0]])
        for name, (construct, low, high, values) in QUALITY.items()
    }
    task = [*["complementary"] * 2, *["core"] * 3, *["complementary"] * 2]
    org = [*["here"] * 6, "there"]
    cells = item_cells([item_study(same, task=task, org=org)], "threat", VOCABULARY)
    assert sorted(cells["count"].values) == [1, 1, 1, 1, 1, 2]
    (two,) = np.flatnonzero(cells["count"].values == 2)
    mine = cells.cell_of_answer.values == two
    assert list(cells.item.values[cells.item_of_answer.values[mine]]) == ["a|q1", "a|q2", "a|j1"]
    assert list(cells.category_of_answer.values[mine]) == [0, 0, 0]
    assert cells.site.values[cells.site_of_cell.values[two]] == "here"


def test_outcomes_of_two_families_are_two_cells_of_a_person() -> None:
    """A person has an effect on each family, and those of two families have nothing in common."""
    motivation: Mapping[str, Item] = {"m1": ("work_motivation", 1, 3, [1, 2, 3, 1, 2])}
    study = item_study(dict(QUALITY) | motivation)
    cells = item_cells([study], "threat", VOCABULARY)
    family = dict(zip(cells.construct.values, cells.family_of.values, strict=True))
    outcome = cells.outcome_of_item.values[cells.item_of_answer.values]
    of_answer = pd.Series([family[c] for c in cells.construct_of.values[outcome]])
    assert of_answer.groupby(cells.cell_of_answer.values).nunique().eq(1).all()
    assert of_answer.nunique() == 2
    assert cells["count"].sum() == 10


def test_an_item_has_thresholds_of_its_own_in_each_setting_and_knows_its_outcome() -> None:
    studies = [
        item_study(QUALITY),
        item_study({"q1": QUALITY["q1"]}, name="b", country="FI"),
    ]
    cells = item_cells(studies, "threat", VOCABULARY)
    assert list(cells.item.values) == ["a|q1", "a|q2", "a|j1", "b|q1"]
    assert list(cells.setting_of_item.values) == [0, 0, 0, 1]
    assert list(cells.categories.values) == [5, 3, 4, 5]
    outcomes = cells.outcome.values[cells.outcome_of_item.values]
    quality, job = "threat_quality|volunteers_at_work", "threat_job|volunteers_at_work"
    assert list(outcomes) == [quality, quality, job, quality]
    seen = pd.DataFrame(observed(cells), cells.setting.values, cells.outcome.values)
    assert seen.loc["a"].all()
    assert list(seen.columns[seen.loc["b"]]) == [quality]


def test_only_who_is_in_the_main_analysis_is_counted() -> None:
    """Without an exposure nobody counts; with one of two outcomes scored, all answers count."""
    partly = QUALITY | {"j2": ("threat_job", 1, 4, [1, 2, 3, 3, NAN])}
    twice = {name: (*about, 2 * values) for name, (*about, values) in partly.items()}
    study = item_study(twice, task=2 * ["complementary", "complementary", "core", "core", None])
    table = counts([study]).groupby(level="item").sum().sum(axis=1)
    assert table.to_dict() == {"a|q1": 8, "a|q2": 6, "a|j1": 6, "a|j2": 8}


def test_the_order_of_the_measurements_does_not_matter() -> None:
    study = item_study(QUALITY)
    mixed = study.measurements.sample(frac=1, random_state=1).reset_index(drop=True)
    one, other = (
        item_cells([s], "threat", VOCABULARY)
        for s in (study, study.with_tables(measurements=mixed))
    )
    assert one.identical(other)


def test_an_answer_between_two_categories_is_an_error_that_names_the_item() -> None:
    study = item_study(QUALITY | {"q1": ("threat_quality", 1, 5, [1, 2, 2.5, 4, 2])})
    with pytest.raises(BadInput) as found:
        item_cells([study], "threat", VOCABULARY)
    (problem,) = found.value.problems
    assert (problem.code, problem.column) == ("no-category", "q1")
    assert "2.5 on a scale from 1 to 5" in problem.found
