"""Studies that do not say their country, sector, role or arrangement: no term, no spread, no place.

What is left out must change nothing else: cells of people are the same numbers wherever they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.common.unsaid import NOT_SAID, UNSAID
from metastudy.design.identification import Identification, identify
from metastudy.display.labels import Labels
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import around
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.design import between_organisations

JOB, TASK = "threat_job", "task_type_randomised"
NOWHERE: dict[str, Any] = {"country": None, "sector": None, "role": None, "arrangement": None}


def without(study: Study, **places: Any) -> Study:
    return study.with_tables(respondents=study.respondents.assign(**places))


def experiments(*places: dict[str, Any]) -> xr.Dataset:
    studies = [
        without(experiment(f"s{k}", 60, k, outcomes=[JOB])[0], **place)
        for k, place in enumerate(places)
    ]
    return answer_cells(studies, "threat", VOCABULARY)


def identified(cells: xr.Dataset) -> Identification:
    return around(cells)[TASK, JOB].found


def row(found: Identification, grouping: str) -> pd.Series:
    return found.table.set_index("grouping").loc[grouping]


def test_what_no_study_says_is_in_no_component_and_the_line_names_the_studies() -> None:
    found = identified(experiments(*[NOWHERE] * 3))
    assert [c.names for c in found.components] == [("study", "setting")]
    for grouping in ("country", "sector"):
        assert row(found, grouping)["used_as"] == NOT_SAID
        reason = row(found, grouping)["reason"]
        assert reason == f"in no component: {grouping} not said by s0, s1, s2"


def test_the_sums_of_people_are_the_same_wherever_they_are() -> None:
    here, nowhere = experiments({}, {}), experiments(NOWHERE, NOWHERE)
    for name in ("n", "xx", "xy", "yy", "centre", "scale"):
        np.testing.assert_array_equal(here[name], nowhere[name], err_msg=name)
    assert set(nowhere.role.values) == {"not_stated"}
    assert set(nowhere.country.values) == {"unknown in s0", "unknown in s1"}


def test_a_study_that_does_not_say_its_country_is_in_none_of_the_others() -> None:
    """Two studies in Denmark, two in Finland and one that does not say: three levels, not two."""
    places = [{"country": name} for name in ("DK", "DK", "FI", "FI", None)]
    found = identified(experiments(*places))
    component = found.component("country")
    assert component is not None
    assert component.names == ("country",)
    assert set(component.levels) == {"DK", "FI", "unknown in s4"}
    assert "country not said by s4, each a level of its own" in row(found, "country")["reason"]


def test_a_country_that_one_of_its_people_lacks_is_a_setting_of_its_own() -> None:
    cells = experiments({"country": ["DK", None] * 30}, {})
    assert sorted(cells.country.values) == ["DK", "DK", "unknown in s0"]
    assert cells.n.values.sum() == 120


def test_codings_of_studies_that_say_nothing_have_no_such_term() -> None:
    codes = ["role_change", "uncertainty"]
    rows = [(f"o{k % 4}", {"c1": codes[:1]}) for k in range(8)]
    studies = [without(coding_study(f"t{k}", rows, codes), **NOWHERE) for k in range(2)]
    cells = code_cells(studies, "strain", VOCABULARY)
    assert set(cells.arrangement.values) == {"not_stated"}
    found = between_organisations(cells)
    assert all({"country", "sector"}.isdisjoint(c.names) for c in found.components)


def test_one_study_alone_has_the_same_line() -> None:
    units = pd.DataFrame({"study": ["a", "a"], "country": [f"{UNSAID}a"] * 2})
    found = identify(units, ["study", "country"])
    assert row(found, "country")["reason"] == "in no component: country not said by a"


def test_a_level_that_nobody_named_says_so_to_the_reader() -> None:
    labels = Labels(VOCABULARY, {"s4": "Fourth"})
    assert labels.of(f"{UNSAID}s4", "countries") == "Not said (Fourth)"
    assert labels.setting(f"s4:{UNSAID}s4:police").startswith("Fourth, Not said")
