"""Places are in the vocabulary's order, in tables, figures, sentences and the data report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers.evidence import SECTORS, evidence, row
from metastudy.article import figure_rows, make
from metastudy.article.figure_rows import MOST_PLACES
from metastudy.article.results import Results
from metastudy.article.table_rows import for_a_page
from metastudy.article.topics import missing_outcomes, studies, synthesis
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import JOINT
from metastudy.display.place_order import with_order
from metastudy.display.plots import study_grid

PLACES = ("countries", "sectors")


@pytest.fixture(params=[False, True], ids=["as listed", "the other way round"])
def world(request: pytest.FixtureRequest) -> Results:
    """Effects in three countries and two sectors, with the vocabulary's places in either order."""
    found = evidence("mixed", studies=3)
    sections = dict(found.vocabulary.sections)
    for name in PLACES if request.param else ():
        sections[name] = dict(reversed(sections[name].items()))
    threat = found.contrasts["threat"]
    mean = threat[threat["level"].eq("population") & threat["outcome"].eq("threat_job")].iloc[0]
    same = {k: mean[k] for k in ("module", "estimand", "exposure", "exposure_type", "outcome",
                                 "role", "metric")}  # fmt: skip
    of_places = [
        row(0.1, 0.1, **same, level=level, group=group)
        for kind, groups in (("country", ("US", "DK", "FI")), ("sector", SECTORS[:2]))
        for level in (kind, f"next_in_{kind}")
        for group in groups
    ]
    more = pd.concat([threat, pd.DataFrame(of_places)], ignore_index=True)
    return replace(
        found, vocabulary=Vocabulary(sections), contrasts={**found.contrasts, "threat": more}
    )


def in_order(found: Results, said: Iterable[str], section: str) -> list[str]:
    """The places among what is said, each once; they have to be in the vocabulary's order."""
    labels = [entry["label"] for entry in found.vocabulary[section].values()]
    mine = [label for label in dict.fromkeys(said) if label in labels]
    assert mine == sorted(mine, key=labels.index)
    assert len(mine) > 1
    return mine


def ticks(figure: Figure) -> list[str]:
    texts = [label for axes in figure.axes for label in axes.get_xticklabels()]
    return [text.get_text().replace("\n", " ") for text in texts]


def test_rows_of_a_module_s_figure_and_of_its_table_have_one_order(world: Results) -> None:
    drawn, _ = make.figure(world, "module_threat")
    shown = make.table(world, "effects_threat").shown
    for section, name in zip(PLACES, ("country", "sector"), strict=True):
        rows = drawn.loc[drawn["block"].str.endswith(f"by {name}"), "row"]
        of = shown["Of"][~shown["Of"].str.startswith("Next")]
        assert in_order(world, rows, section) == in_order(world, of, section)


def test_columns_of_the_grid_the_map_and_the_codes_are_in_order(world: Results) -> None:
    for name in ("study_grid", "evidence_map"):
        table, plot = make.figure(world, name)
        figure = plot(table)
        in_order(world, ticks(figure), "countries")
        if name == "study_grid":
            in_order(world, ticks(figure), "sectors")
    table, plot = make.figure(world, "places_strain")
    places = in_order(world, table["place"], "countries")
    # The first code was not looked for in the first country.
    gone = table.drop(table.index[(table["place"] == places[0]).argmax()])
    texts = [text.get_text().replace("\n", " ") for text in plot(gone).texts]
    assert in_order(world, texts, "countries") == places


def test_columns_of_the_table_of_codes_and_names_in_a_sentence_are_in_order(world: Results) -> None:
    in_order(world, make.table(world, "places_strain").shown.columns, "countries")
    said = studies.variables(world)
    in_order(world, said["countries"].replace(" and ", ", ").split(", "), "countries")


def test_the_grid_of_the_data_report_has_the_same_order_and_the_alphabet_without_one() -> None:
    line = {"study": "first", "role": "", "arrangement": "", "exposure_types": "", "n": "9",
            "provenance": "simulated"}  # fmt: skip
    table = pd.DataFrame([line | {"country": c, "sector": f"s{c}"} for c in ("B", "C", "A")])
    assert ticks(study_grid.grid(table)) == ["A", "B", "C", "sA", "sB", "sC"]
    said = with_order(table, {"country": ["C", "A", "B"], "sector": ["sB", "sC", "sA"]})
    assert ticks(study_grid.grid(said)) == ["C", "A", "B", "sB", "sC", "sA"]


def test_a_grid_of_many_lines_keeps_the_order(
    world: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "MOST_LINES", 1)
    table = studies.grid_figure(world)
    assert table["country_label"].str.contains(JOINT, regex=False).sum() == 0
    in_order(world, ticks(study_grid.study_grid(table)), "countries")


def test_predictions_for_many_places_are_counted_by_grouping(world: Results) -> None:
    """Six countries and six sectors are each few enough; seven of either are not."""
    named = {section: list(world.vocabulary[section]) for section in PLACES}

    def rows(countries: int, sectors: int) -> pd.DataFrame:
        groups = [("next_in_country", key) for key in named["countries"][:countries]]
        groups += [("next_in_sector", key) for key in named["sectors"][:sectors]]
        same = {"note": "", "lower": 0.0, "upper": 1.0, "vignette": ""}
        return pd.DataFrame([same | {"level": level, "group": key} for level, key in groups])

    shown, left = for_a_page(world, rows(MOST_PLACES, MOST_PLACES))
    assert (len(shown), len(left)) == (2 * MOST_PLACES, 0)
    shown, left = for_a_page(world, rows(MOST_PLACES, MOST_PLACES + 1))
    assert set(shown["level"]) == {"next_in_country"}
    assert set(left["level"]) == {"next_in_sector"}
    said = list(synthesis._predictions(world, rows(MOST_PLACES, MOST_PLACES + 1)))
    assert len(said) == MOST_PLACES + 1
    assert said[-1].startswith(f"next study in one sector of {MOST_PLACES + 1}: within")


def in_many_places(world: Results) -> Results:
    """The first study's effects, means and estimates in three countries and two sectors.

    They come by the alphabet of their keys, which is neither order of the vocabulary.
    """
    keys = sorted((c, s) for c in ("DK", "FI", "US") for s in SECTORS[:2])
    threat = world.contrasts["threat"]
    own = threat["level"].eq("study") & threat["group"].eq("first")
    effects = [
        threat[own].assign(group=f"first:{country}:{sector}", country=country, sector=sector)
        for country, sector in keys
    ]
    estimates = world.synthesis["estimates"]
    alone = estimates[estimates["study"].eq("first")].groupby("outcome", sort=False).head(1)
    placed = [alone.assign(country=country, sector=sector) for country, sector in keys]
    values = iter(range(99))  # an estimate says where it stood
    more = pd.concat([*placed, estimates[~estimates["study"].eq("first")]], ignore_index=True)
    more = more.assign(estimate=[float(next(values)) for _ in more.index])
    return replace(
        world,
        contrasts={**world.contrasts, "threat": pd.concat([threat[~own], *effects])},
        synthesis={**world.synthesis, "estimates": more},
    )


def test_settings_of_a_study_are_in_order_in_the_second_stage(
    world: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_many_places(world)
    for module in (synthesis, figure_rows):  # so that each is shown
        monkeypatch.setattr(module, "MOST_SETTINGS", 20)
    rows = synthesis.figure(found)["row"]
    of = rows[rows.str.startswith(found.labels.outcome("threat_quality"))].str.split(", ")
    places = list(dict.fromkeys((c, s) for _, c, s in of[of.str.len().eq(3)]))
    assert len(places) == 6
    countries, sectors = ([e["label"] for e in found.vocabulary[s].values()] for s in PLACES)
    assert places == sorted(places, key=lambda at: (countries.index(at[0]), sectors.index(at[1])))
    estimates = found.synthesis["estimates"].query("outcome == 'threat_quality'")
    mine = estimates[estimates["study"].eq("first")]
    where = zip(mine["country"], mine["sector"], mine["estimate"], strict=True)
    keys = [list(found.vocabulary[section]) for section in PLACES]
    in_turn = sorted(where, key=lambda at: (keys[0].index(at[0]), keys[1].index(at[1])))
    shown = make.table(found, "synthesis").shown["Study estimates"].iloc[0].split("; ")
    assert [s.split(" ")[0] for s in shown[:6]] == [f"{value:.2f}" for _, _, value in in_turn]


def test_columns_of_the_levels_are_in_order_within_each_study(world: Results) -> None:
    found = in_many_places(world)
    columns = make.table(found, "levels_threat").shown.columns[1:]
    places = [tuple(name.split(", ")[1:]) for name in columns]
    countries, sectors = ([e["label"] for e in found.vocabulary[s].values()] for s in PLACES)
    assert len(places) == 6
    assert places == sorted(places, key=lambda at: (countries.index(at[0]), sectors.index(at[1])))
    rows = make.table(found, "effects_threat").shown["Of"]
    assert [tuple(of.split(", ")[1:]) for of in rows if of.count(", ") == 2][:6] == places


def test_rows_of_missing_outcomes_are_in_order_and_name_their_place(world: Results) -> None:
    one = {**dict.fromkeys(("study", "vignette", "reason"), ""), "study": "first"}
    one |= {"module": "threat", "exposure": "task_type_randomised", "exposure_type": "randomised"}
    one |= {"outcome": "threat_job", "role": "professional", "provenance": "simulated"}
    one |= dict.fromkeys(("estimate", "lower", "upper", "asked", "missing", "delta"), 9)
    one |= {f"{n}_{way}": 9 for n in ("estimate", "lower", "upper") for way in ("down", "up")}
    rows = [one | {"country": c, "sector": SECTORS[0]} for c in ("DK", "FI", "US")]
    first = next(study for study in world.studies if study.id == "first")
    people = first.respondents
    countries = [("DK", "FI", "US")[at % 3] for at in range(len(people))]
    studies = (first.with_tables(respondents=people.assign(country=countries)),)
    more = {"missing_outcomes": pd.DataFrame(rows)}
    found = replace(world, studies=studies, robustness=more)
    said = missing_outcomes.table(found).shown["Outcome"]
    named = [text.strip("*").split(", ") for text in said if text.startswith("**")]
    in_order(found, [part for name in named for part in name], "countries")
    assert not any(found.labels.of(SECTORS[0], "sectors") in name for name in named)
