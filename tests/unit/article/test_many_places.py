"""A module with studies in many places: what its figure and table show, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from helpers.evidence import OUTCOMES, SECTORS, evidence, row
from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from metastudy.article.make import table, variables
from metastudy.article.results import Results
from metastudy.article.table_rows import for_a_page
from metastudy.article.topics import answer_figures
from metastudy.article.variable_tree import flat
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.design.new_settings import DECIDED
from metastudy.display.plots import forest
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design, estimands
from metastudy.posterior.contrasts import contrasts

COUNTRIES = ("DK", "FI", "NL", "SE", "US")


def many() -> Results:
    """One exposure in five countries times two sectors, each distinguished by the design."""
    rows = []
    for k, outcome in enumerate(OUTCOMES):
        same = {
            "module": "threat", "estimand": "effect", "exposure": "task_type_randomised",
            "exposure_type": "randomised", "outcome": outcome, "role": "professional",
        }  # fmt: skip
        sd = same | {"metric": "sd"}
        rows.append(row(0.1 * k, 0.1, **sd, level="population"))
        for c, country in enumerate(COUNTRIES):
            rows.append(row(0.1 * c, 0.1, **sd, level="country", group=country))
            for sector in SECTORS[:2]:
                own = {"level": "study", "group": f"study_{c}:{country}:{sector}"}
                own |= {"vignette": "volunteers_at_work", "study": f"study_{c}"}
                rows.append(row(0.1 * c, 0.2, **sd, **own))
                rows.append(row(2.0 * c, 4.0, **same, **own, metric="pomp"))
                level = {"module": "threat", "estimand": "mean", "outcome": outcome}
                rows.append(row(50.0 + c, 1.0, **level, **own, metric="pomp"))
        for sector in SECTORS[:2]:
            rows.append(row(0.1, 0.1, **sd, level="sector", group=sector))
        rows.append(row(0.1, 0.3, **sd, level="new_study"))
        rows.append(row(0.1, 0.4, **sd, level="new_country"))
        rows.append(row(0.1, 0.5, **sd, level="new_sector", note=DECIDED))
    usual = evidence("mixed")
    return replace(usual, contrasts={**usual.contrasts, "threat": pd.DataFrame(rows)})


def test_each_country_and_sector_stands_above_the_mean_and_the_prediction_for_a_new_one() -> None:
    table = answer_figures.figure(many(), "threat")
    blocks = list(dict.fromkeys(table["block"]))
    assert blocks[1:3] == [
        "Core against complementary tasks, by country",
        "Core against complementary tasks, by sector",
    ]
    mine = table[table["block"] == blocks[1]]
    assert mine["panel"].nunique() == len(OUTCOMES)
    for _, panel in mine.groupby("panel"):
        assert list(panel["row"]) == [
            *("Denmark", "Finland", "United States", "Netherlands", "Sweden"),
            *("All", "New country"),
        ]
        assert list(panel["style"]) == ["filled"] * 5 + ["diamond", "prediction"]
        assert list(panel["estimate"])[:5] == [0.0, 0.1, 0.4, 0.2, 0.30000000000000004]


def test_of_many_places_the_overview_shows_the_mean_and_a_new_study_and_no_single_one() -> None:
    table = answer_figures.figure(many(), "threat")
    first = table[table["block"] == table["block"].iloc[0]]
    assert set(first["level"]) == {"population", "new_study"}
    levels = table[table["metric"] == "pomp"]
    assert len(levels) == len(OUTCOMES[:3]) * 10, "motivation is alone in its family"
    assert levels["series"].nunique() == 1, "no legend of ten entries"
    assert forest.forest(table).get_figheight() < 9


def test_the_printed_table_leaves_out_what_its_file_has() -> None:
    made = table(many(), "effects_threat")
    printed = len(OUTCOMES) * (1 + len(COUNTRIES) + 2 + 3)
    assert len(made.shown) == printed
    assert (made.full["level"] == "study").sum() == len(OUTCOMES) * 10 * 2
    assert "in the table's file" in made.caption


def test_the_text_says_what_is_expected_elsewhere_or_why_nothing_is() -> None:
    build = {"python": "3"}
    said = flat(variables(many(), build))["threat.task_type_randomised.elsewhere.sentence"]
    assert said.startswith("95% prediction intervals, in SD, for a new country: threat to service")
    assert "for a new sector, decided by the prior: " in said
    usual = evidence("mixed")
    alone = usual.contrasts["threat"].query("level != 'new_country'")
    other = replace(usual, contrasts={**usual.contrasts, "threat": alone})
    said = flat(variables(other, build))["threat.task_type_randomised.elsewhere.sentence"]
    assert "nothing is predicted" in said


def test_an_outcome_of_one_country_says_nothing_of_the_others() -> None:
    """Four countries and two sectors; all studies measured one outcome, and one study a second."""
    both = ["threat_quality", "threat_job"]
    studies = [
        experiment(
            name, 12, k, missing=0.0, sites=1, outcomes=both[: 1 + (k == 0)],
            country=country, sector=sector,
        )[0]
        for k, (name, country, sector) in enumerate(
            [("a", "DK", "elderly_care"), ("b", "DK", "social_care"), ("c", "FI", "elderly_care"),
             ("d", "FI", "social_care"), ("e", "NL", "elderly_care"), ("f", "US", "social_care")]
        )
    ]  # fmt: skip
    cells = answer_cells(studies, "threat", VOCABULARY)
    design = answer_design(cells)
    coords = {
        "estimand": list(estimands(cells).index),
        "level_of": list(design.levels), "tau_of": list(design.components),
        **{name: cells[name].values for name in ("setting", "exposure", "outcome")},
        "study": np.unique(cells.study.values),
    }  # fmt: skip
    shapes = {
        "mu": ("estimand",), "level": ("level_of",), "tau": ("tau_of",),
        "beta": ("setting", "exposure", "outcome"), "baseline": ("setting", "outcome"),
        "standardiser": ("study", "outcome"),
    }  # fmt: skip
    rng = np.random.default_rng(1)
    draws = xr.Dataset(
        {
            name: (("chain", "draw", *dims), rng.random((2, 5, *(len(coords[d]) for d in dims))))
            for name, dims in shapes.items()
        },
        coords=coords,
    )
    index = contrasts(cells, xr.DataTree.from_dict({"posterior": draws})).index
    effects = index[(index["estimand"] == "effect") & (index["metric"] == "sd")]
    for outcome, levels in zip(both, ({"DK", "FI", "NL", "US"}, set()), strict=True):
        mine = effects[effects["outcome"] == outcome]
        assert set(mine.loc[mine["level"] == "country", "group"]) == levels
        assert ("new_country" in set(mine["level"])) == bool(levels)
    population = effects[effects["level"] == "population"]
    assert set(population["outcome"]) == set(both)


def test_places_are_in_the_vocabularys_order_and_many_predictions_only_in_the_file() -> None:
    """Countries come from the data by their codes, in whose order no reader looks for Austria."""
    usual = evidence("mixed")
    codes = ["AT", "BE", "CH", "DE", "ES", "FI", "GB"]
    labels = ["Austria", "Belgium", "Switzerland", "Germany", "Spain", "Finland", "Britain"]
    by_label = sorted(range(7), key=lambda at: labels[at])
    countries = {codes[at]: {"label": labels[at]} for at in by_label}
    words = Vocabulary({**usual.vocabulary.sections, "countries": countries})
    named = replace(usual, vocabulary=words)
    rows = [{"level": "population", "group": ""}, {"level": "new_study", "group": ""}]
    rows += [
        {"level": level, "group": c} for level in ("next_in_country", "country") for c in codes
    ]
    shown, left = for_a_page(named, pd.DataFrame(rows))
    assert list(shown["level"]) == ["population", *["country"] * 7, "new_study"]
    assert list(shown["group"])[1:8] == [codes[at] for at in by_label]
    assert list(left["group"]) == [codes[at] for at in by_label]
    few, none = for_a_page(named, pd.DataFrame(rows[:8]))
    assert (len(few), len(none)) == (8, 0), "six are shown, beside the mean and a new study"
