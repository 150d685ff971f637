"""Few observed people: nothing that the article shows of them changes with how few they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from helpers.evidence import evidence
from metastudy.article.abstract import summary
from metastudy.article.ledger import sources
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import figure_answers, missing_outcomes, studies
from metastudy.article.variable_tree import flat
from metastudy.common.tables import JOINT
from metastudy.display.plots import study_grid
from metastudy.harmonized.study import Study


def world(provenance: str, refused: int, few: int, dropped: int) -> Results:
    """One study of 40 people and a few in another sector, of whom a few are in no model."""
    people = 40 + few
    where = [("DK", "elderly_care")] * 40 + [("DK", "childcare")] * few
    rows = pd.DataFrame(where, columns=["country", "sector"]).assign(
        role="professional", org_id="org"
    )
    found = evidence("null")
    report = {
        **found.studies[0].report,
        "study": "first",
        "provenance": provenance,
        "excluded": {"no_consent": refused, "breakoff": 30},
        "rows_read": people + refused + 30,
        "rows_kept": people,
    }
    one = Study(report, {"respondents": rows})
    drops = ({"study": "first", "rule": "no_outcome_scored", "rows": dropped},)
    cells = Modelled({"first": people - dropped}, drops, sites=3, patterns=2, cells=6)
    return replace(found, studies=(one,), cells={"threat": cells})


def shown(found: Results) -> dict[str, Any]:
    tree = {"studies": studies.variables(found), "figures": figure_answers.variables(found)}
    one, two = studies.table(found), studies.exclusions_table(found)
    return {
        "texts": flat(tree),
        "tables": [t.shown.to_dict("list") for t in (one, two)],
        "files": [t.full.astype(str).to_dict("list") for t in (one, two)],
        "flow": studies.participant_flow(found).astype(str).to_dict("list"),
        "abstract": summary(found, tree).split(".")[0],
        "people": sources(found, {}, {})["studies"]["first"]["people"],
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 8, 6), (4, 8, 6)), ((20, 8, 1), (20, 8, 4)), ((2, 8, 3), (4, 8, 1))],
    ids=["excluded", "dropped", "both"],
)
def test_what_is_shown_does_not_tell_how_few_observed_people_left(
    first: tuple[int, int, int], second: tuple[int, int, int]
) -> None:
    assert shown(world("observed", *first)) == shown(world("observed", *second))
    assert shown(world("simulated", *first)) != shown(world("simulated", *second))


def test_few_who_left_are_fewer_than_the_smallest_cell_wherever_they_are_said() -> None:
    found = world("observed", refused=3, few=8, dropped=2)
    flow = studies.participant_flow(found).set_index("step")["shown"]
    assert flow.to_dict() == {
        "Rows read": "79–82",
        "No consent": "<5",
        "Breakoff": "30",
        "Rows kept": "48",
        "No outcome scored": "<5",
        "Rows in the model": "44–47",
    }
    table = studies.table(found).shown
    assert table["Read, kept, modelled"].tolist() == ["79–82, 48, 44–47"]
    told = figure_answers.variables(found)["participant_flow"]["answer"]
    assert told == "Of 79 to 82 rows read 31 to 34 were excluded and 48 kept."
    assert flat({"studies": studies.variables(found)})["studies.n_model_words"] == "44 to 47"


def test_a_sector_with_four_people_is_not_counted_and_neither_is_what_tells_it() -> None:
    grid = studies.study_grid(world("observed", refused=0, few=4, dropped=0))
    assert dict(zip(grid["sector"], grid["n"], strict=True)) == {
        "elderly_care": "≥5",
        "childcare": "<5",
    }
    told = studies.study_grid(world("simulated", refused=0, few=4, dropped=0))
    assert dict(zip(told["sector"], told["n"], strict=True)) == {"elderly_care": 40, "childcare": 4}


def test_a_grid_of_more_lines_than_a_page_holds_has_the_countries_of_a_sector_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        dict.fromkeys(studies.GRID, "") | {"study": "s", "country": c, "sector": s, "n": n}
        | {"country_label": c.upper(), "sector_label": s, "role": "r"}
        for n, c in enumerate(f"c{at}" for at in range(40))
        for s in ("bank", "hotel")
    ]  # fmt: skip
    rows[3]["n"] = "under 5"
    table = pd.DataFrame(rows, columns=studies.GRID).astype({"n": object})
    monkeypatch.setattr(studies, "study_grid", lambda _: table)
    found = studies.grid_figure(world("simulated", refused=0, few=4, dropped=0))
    assert found["sector"].tolist() == ["bank", "hotel"]
    assert found["n"].tolist() == [sum(range(40)), ""], "what is hidden is in no sum"
    assert found["country_label"][0].split(JOINT) == [f"C{at}" for at in range(40)]
    monkeypatch.setattr(studies, "study_grid", lambda _: table[:40])
    assert len(studies.grid_figure(world("simulated", refused=0, few=4, dropped=0))) == 40


def test_headings_of_a_wide_grid_do_not_lie_over_each_other() -> None:
    values = {"sector": "bank", "role": "staff", "exposure_types": "randomised"}
    values |= {"response_mode": "observed_behaviour"}
    row = dict.fromkeys(studies.GRID, "s") | values | {f"{k}_label": v for k, v in values.items()}
    countries = JOINT.join(f"Country {at}" for at in range(40))
    row |= {"country": countries, "country_label": countries, "n": 9, "provenance": "observed"}
    figure = study_grid.study_grid(pd.DataFrame([row], columns=studies.GRID))
    figure.canvas.draw()
    boxes = [one.get_window_extent() for one in figure.texts if one.get_weight() == "bold"]
    assert len(boxes) > 3
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[:at])


def test_people_without_any_answer_are_added_up_as_they_are_shown() -> None:
    """30 in one model and 3 in another: 33 beside 30 would tell the three."""
    found = world("observed", refused=6, few=8, dropped=3)
    many = Modelled({"first": 18}, ({**found.cells["threat"].dropped[0], "rows": 30},), 3, 2, 6)
    said = missing_outcomes._without_any(replace(found, cells={**found.cells, "coping": many}))
    assert said.startswith(" 31 to 34 people without an answer"), said
