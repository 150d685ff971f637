"""Places are in the vocabulary's order, in tables, figures, sentences and the data report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers.evidence import SECTORS, evidence, row
from metastudy.article import make
from metastudy.article.figure_rows import MOST_PLACES
from metastudy.article.results import Results
from metastudy.article.table_rows import for_a_page
from metastudy.article.topics import studies, synthesis
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
