"""Few observed people: nothing that the article shows of them changes with how few they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import product
from typing import Any, ClassVar

import pandas as pd
import pytest

from helpers.evidence import evidence, organisations
from helpers.needs import made
from metastudy.article import catalogue, shown_people
from metastudy.article.abstract import summary
from metastudy.article.ledger import sources
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import figure_answers, missing_outcomes, studies
from metastudy.article.variable_tree import flat
from metastudy.common.people_flow import Bounds
from metastudy.common.tables import JOINT
from metastudy.data_report.inspection import study as inspection
from metastudy.display.plots import study_grid
from metastudy.harmonized import schema
from metastudy.harmonized.study import PLACE, Study


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


class Counted(Study):
    """A study of which only is known how many people its places have."""

    numbers: ClassVar[Counter[tuple[str, ...]]] = Counter()

    @property
    def places(self) -> Counter[tuple[str, ...]]:
        return self.numbers


def test_places_with_and_without_their_arrangements_tell_no_small_number_together() -> None:
    """The article adds arrangements up and the data report has them: a reader has both.

    All studies of two places, one with two arrangements, are drawn up; those that look alike in
    both are put together, and no small number of a place or arrangement is the same in all of them.
    """
    smallest, places = 4, [(c, "care", "nurse", a) for c, a in ("Ax", "Ay", "Bx")]
    found = evidence("null")
    found = replace(found, settings={**found.settings, "privacy": {"smallest_cell": smallest}})
    alike: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    one = pd.DataFrame([["A", "care", "nurse", "x"]], columns=list(PLACE))
    none = {name: schema.empty(name) for name in ("arms", "effects")}
    for counts in product(range(1, 14), repeat=len(places)):
        if sum(counts) > 15:
            continue
        report = {"study": "s", "provenance": "observed", "rows_kept": sum(counts)}
        study = Counted(report, {"respondents": one, **none})
        study.numbers.clear()
        study.numbers.update(dict(zip(places, counts, strict=True)))
        grid = shown_people.places(found, study)
        stays = str(shown_people.kept(found, study))
        listed = tuple(place.n for place in inspection._places(study, smallest))
        alike[(*grid.values(), stays, *listed)].append((*counts, counts[0] + counts[1]))
    for seen, numbers in alike.items():
        for values in map(set, zip(*numbers, strict=True)):
            assert len(values) > 1 or min(values) >= smallest, (seen, numbers)


def test_people_are_counted_by_place_and_arrangement() -> None:
    rows = pd.DataFrame({"country": ["A", "A", None], "sector": "care", "role": None})
    found = Study({}, {"respondents": rows}).places
    assert found == {("A", "care", "", ""): 2, ("", "care", "", ""): 1}


def test_the_number_of_a_place_is_what_its_arrangements_are_shown_to_add_up_to() -> None:
    assert shown_people._added([30, 12], 5, 42) == (42, Bounds(42, 42))
    assert shown_people._added(["<5", "<5"], 5, 7) == ("2–8", Bounds(2, 7))
    assert shown_people._added(["<5", 30], 5, 44) == ("31–34", Bounds(31, 34))
    assert shown_people._added(["≥5", 30], 5, 44) == ("≥35", Bounds(35, 44))


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


@pytest.mark.parametrize("place", [{}, {"country": "DK", "sector": "elderly_care"}], ids=len)
def test_the_number_of_an_estimate_does_not_tell_how_few_are_not_in_it(
    place: dict[str, str],
) -> None:
    found = world("observed", refused=6, few=8, dropped=3)
    all_of_them = 40 if place else 48
    rows = [
        {"study": "first", **place, "role": "professional", "n": all_of_them - gone, "df": 30}
        for gone in (0, 1, 4, 12)
    ]
    table = pd.DataFrame(rows).assign(clusters=lambda t: t["n"])
    seen = shown_people.of_estimates(found, table)
    low, high = all_of_them - 4, all_of_them - 1
    assert seen["n"].tolist()[:3] == [all_of_them, f"{low}–{high}", f"{low}–{high}"]
    assert seen["clusters"].tolist() == seen["n"].tolist()
    assert seen["df"].isna().tolist() == [False, True, True, True]
    invented = world("simulated", refused=6, few=8, dropped=3)
    assert shown_people.of_estimates(invented, table)["n"].tolist() == table["n"].tolist()


def test_the_comparison_of_left_out_rows_does_not_tell_how_few_were_dropped() -> None:
    seen = []
    for dropped in (1, 4):
        found = world("observed", refused=6, few=8, dropped=dropped)
        rows = 48 - dropped
        told = "Pareto k is above 0.7 for 2 rows: this elpd is not reliable"
        one = dict.fromkeys(("elpd_loo", "se", "difference", "se_difference", "p_loo"), 0.0)
        one |= {"module": "threat", "weight": 1.0, "high_k": 2, "components": "a", "note": told}
        one |= {"rows": rows, "provenance": "observed", "pooling": "partial"}
        none = organisations()
        one = replace(found, comparison=pd.DataFrame([one]), organisations=none)
        table = made(one, catalogue.TABLES["comparison"])
        tree = made(one, catalogue.VARIABLES["comparison"])["threat"]
        figure = made(one, catalogue.FIGURES["comparison"]).to_dict("list")
        seen.append([table.shown.to_dict("list"), table.full.to_dict("list"), tree, figure])
        assert figure["note"] == ["44–47 rows"]
    assert str(seen[0]) == str(seen[1])


def test_people_of_left_out_organisations_do_not_tell_how_few_were_dropped() -> None:
    """A number of all who are in organisations would stand beside the range of all rows."""
    row = dict.fromkeys(("elpd", "se", "difference", "se_difference", "p_loo"), 0.0)
    row |= {"module": "threat", "pooling": "partial", "organisations": 3, "provenance": "observed"}
    row |= {"reason": "", "elpd_rows": float("nan"), "high_k": 0}
    seen = []
    for dropped in (1, 4):
        found = world("observed", refused=6, few=8, dropped=dropped)
        one = pd.DataFrame([row | {"people": 48 - dropped}])
        tree = made(replace(found, organisations=one), catalogue.VARIABLES["comparison"])
        seen.append(tree["threat"]["organisations"]["sentence"])
    assert seen[0] == seen[1]
    assert "(3 organisations, 44 to 47 people)" in seen[0]
    invented = world("simulated", refused=6, few=8, dropped=4)
    one = replace(invented, organisations=pd.DataFrame([row | {"people": 30}]))
    told = made(one, catalogue.VARIABLES["comparison"])["threat"]["organisations"]["sentence"]
    assert "(3 organisations, 30 people)" in told


def test_people_without_any_answer_are_added_up_as_they_are_shown() -> None:
    """30 in one model and 3 in another: 33 beside 30 would tell the three."""
    found = world("observed", refused=6, few=8, dropped=3)
    many = Modelled({"first": 18}, ({**found.cells["threat"].dropped[0], "rows": 30},), 3, 2, 6)
    said = missing_outcomes._without_any(replace(found, cells={**found.cells, "coping": many}))
    assert said.startswith(" 31 to 34 people without an answer"), said
