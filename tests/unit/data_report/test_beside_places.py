"""Arms and organisations in the data report, beside the places of the same people."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.common.disclosure import Count
from metastudy.data_report.inspection.arms import arms_of
from metastudy.data_report.inspection.beside_places import by_group, least_within
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study

LEAST = 5


def study(*people: tuple[str, str | None, int]) -> tuple[Study, pd.Series]:
    """So many people of each country and arm, and the arms by person."""
    rows = [(country, arm) for country, arm, n in people for _ in range(n)]
    table = pd.DataFrame(rows, columns=["country", "arm"])
    table["respondent_id"] = [f"p{at}" for at in range(len(table))]
    more = {"sector": "care", "role": "nurse", "arrangement": None}
    found = Study(
        {"study": "s", "rows_kept": len(table)},
        {"respondents": table.assign(**more), "arms": schema.empty("arms")},
    )
    return found, table.set_index("respondent_id")["arm"]


def shown(*people: tuple[str, str | None, int]) -> list[Count | None]:
    found = by_group(*study(*people), LEAST)
    assert [name for name, _ in found] == sorted({arm for _, arm, _ in people if arm})
    return [n for _, n in found]


def test_an_arm_of_one_place_does_not_tell_how_few_of_the_place_are_in_others() -> None:
    """20 in the first place, and 17 of an arm that is nowhere else: 3 are in the other arm."""
    assert shown(("A", "x", 17), ("A", "y", 3), ("B", "y", 30)) == [None, None]
    assert shown(("A", "x", 17), ("A", "y", 8), ("B", "y", 30)) == [17, 38]


def test_arms_do_not_tell_a_place_that_is_hidden_in_its_list() -> None:
    """Of 3, 12 and 40 the list of places hides the second one too; an arm would be it."""
    assert shown(("A", "y", 3), ("B", "x", 12), ("C", "z", 40)) == [None, None, 40]
    assert shown(("A", "x", 3), ("B", "x", 12), ("C", "z", 40)) == [None, None]


def test_arms_of_one_place_each_are_divided_within_their_place() -> None:
    people = [("A", "u", 8), ("A", "v", 3), ("A", "w", 9), ("B", "x", 20), ("B", "y", 7)]
    assert shown(*people) == ["≥5", "<5", 9, 20, 7]


def test_who_is_in_no_arm_is_not_told_by_those_who_are() -> None:
    assert shown(("A", "x", 20), ("A", "y", 20), ("A", None, 3)) == ["≥5", 20]
    assert shown(("A", "x", 20), ("A", "y", 20)) == [20, 20]


def test_where_it_is_hidden_how_many_people_there_are_so_is_every_number_of_all() -> None:
    """1, 5 and 5 are said to be 11 or 12 people; the arms would say that they are 11."""
    few = [("A", "x", 1), ("B", "x", 5), ("C", "y", 5)]
    assert shown(*few) == [None, None]
    assert least_within(study(*few)[0], LEAST) == 13
    assert least_within(study(("A", "x", 20), ("B", "y", 20))[0], LEAST) == LEAST


def test_a_study_of_one_place_has_its_arms_as_a_list_with_a_known_total() -> None:
    assert shown(("A", "x", 20), ("A", "y", 3), ("A", "z", 12)) == ["≥5", "<5", 12]


@pytest.mark.parametrize(("second", "expected"), [(3, [None, None]), (8, [17, 38])])
def test_the_inspection_of_arms_counts_beside_places(second: int, expected: list[Count]) -> None:
    other = "complementary"
    found, arm = study(("A", "core", 17), ("A", other, second), ("B", other, 30))
    assigned = pd.DataFrame({"respondent_id": arm.index, "level": arm.to_numpy()})
    assigned = assigned.assign(factor="task_type", vignette=None, randomised=True)
    columns = dict.fromkeys([*found.respondents, *schema.empty("respondents")])
    tables = {
        "respondents": found.respondents.reindex(columns=list(columns)),
        "assignments": assigned,
        "measurements": pd.DataFrame(),
        "arms": found.arms,
    }
    arms = arms_of(replace(found, tables=tables), VOCABULARY, LEAST)
    assert arms is not None
    assert {one.arm: one.n for one in arms.counts} == dict(
        zip(("core", other), expected, strict=True)
    )
