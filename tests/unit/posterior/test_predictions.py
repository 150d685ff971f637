"""Predictions, regions of equivalence and prevalence by place: what the draws must give."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit, logit

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.design.identification import Structure, structure
from metastudy.design.new_levels import DOMINATED, brought, deviation
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_effects
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.design import organisation_effects
from metastudy.models.codings.readings import interviews
from metastudy.posterior.contrasts import contrasts
from metastudy.posterior.summarise import summarize

SHAPE = (2, 4000)
ROPES = {"sd": 0.1, "log_odds": 0.18}


# --- the region of practical equivalence ----------------------------------------------------------


def test_the_share_in_the_region_is_counted_and_missing_where_there_is_none() -> None:
    values = np.array([[-0.3, -0.1, 0.0, 0.05, 0.2]])
    draws = xr.DataArray(
        np.stack([values, values, values], axis=-1),
        dims=("chain", "draw", "quantity"),
        coords={"quantity": ["narrow", "wide", "none"]},
    )
    found = summarize(draws, 0.95, [0.1, 0.3, np.nan])["rope"]
    assert found["narrow"] == pytest.approx(3 / 5)  # its ends belong to it, as in the verdicts
    assert found["wide"] == 1.0
    assert np.isnan(found["none"])
    assert summarize(draws, 0.95)["rope"].isna().all()


# --- what a new level brings along ----------------------------------------------------------------


def places(pairs: list[tuple[str, str]]) -> Structure:
    table = pd.DataFrame(pairs, columns=["country", "sector"])
    table.insert(0, "study", [f"study-{k:02d}" for k in range(len(table))])
    return structure(table, ["study", "country", "sector"])


NESTED = places([(c, "one") for c in "abc" for _ in range(3)])
CROSSED = places([(c, s) for c in "abc" for s in ("x", "y", "z") for _ in range(2)])


def names(found: Structure) -> dict[str, list[str]]:
    return {t.name: [b.name for b in brought(t, found)] for t in found.terms}


def test_a_new_study_is_in_a_new_country_but_a_new_country_has_its_own_spread_alone() -> None:
    assert names(NESTED) == {"study": ["study", "country"], "country": ["country"]}


def test_crossed_places_bring_each_other_along_for_a_study_only() -> None:
    assert names(CROSSED) == {
        "study": ["study", "country", "sector"],
        "country": ["country"],
        "sector": ["sector"],
    }


def test_a_deviation_has_the_variance_of_all_that_it_brings_along() -> None:
    spread = {"study": 0.3, "country": 0.4}
    found = {
        term.name: deviation(
            term,
            NESTED,
            lambda t: xr.DataArray(np.full((4, 25_000), spread[t.name]), dims=("chain", "draw")),
            np.random.default_rng(1),
        )
        for term in NESTED.terms
    }
    assert float(found["country"][0].std()) == pytest.approx(0.4, rel=0.02)
    assert float(found["study"][0].std()) == pytest.approx(0.5, rel=0.02)
    assert {name: note for name, (_, note) in found.items()} == {
        "country": DOMINATED,
        "study": DOMINATED,  # nine studies, but in three countries
    }


# --- answers --------------------------------------------------------------------------------------


def answers(countries: list[str]) -> tuple[xr.Dataset, xr.DataTree]:
    """Cells of one study per entry, and draws that nobody sampled, with known spreads."""
    made = [
        experiment(f"study_{k}", 24, k, country=country, sector="elderly_care")
        for k, country in enumerate(countries)
    ]
    cells = answer_cells([study for study, _ in made], "threat", VOCABULARY)
    design, rng = answer_effects(cells), np.random.default_rng(3)
    constructs = list(cells.construct.values)

    def of(names: tuple[str, ...], dim: str, scale: float, centre: float = 0.0) -> xr.DataArray:
        values = centre + scale * rng.standard_normal((*SHAPE, len(names), len(constructs)))
        return xr.DataArray(
            values,
            dims=("chain", "draw", dim, "construct"),
            coords={dim: list(names), "construct": constructs},
        )

    sizes = [cells.sizes[name] for name in ("setting", "exposure", "outcome")]
    posterior = xr.Dataset(
        {
            "mu": of(design.means, "mu_of", 0.05, 0.2),
            "difference": of(design.differences, "difference_of", 0.05),
            "level": of(design.levels, "level_of", 0.1),
            "tau": of(design.components, "tau_of", 0.0, 0.3),
            "beta": (
                ("chain", "draw", "setting", "exposure", "outcome"),
                rng.standard_normal((*SHAPE, *sizes)),
            ),
            "baseline": (
                ("chain", "draw", "setting", "outcome"),
                rng.standard_normal((*SHAPE, sizes[0], sizes[2])),
            ),
        }
    )
    return cells, xr.DataTree.from_dict({"posterior": posterior})


def test_every_effect_has_a_prediction_for_each_grouping_with_a_spread() -> None:
    cells, posterior = answers(["DK", "DK", "FI", "FI", "US", "US"])
    found = contrasts(cells, posterior, seed=5).table(0.95, ROPES)
    assert found["id"].is_unique
    effects = found[(found["estimand"] == "effect") & (found["metric"] == "sd")]
    levels = effects.groupby(["exposure", "outcome"])["level"].agg(set)
    assert len(levels) == 4
    expected = {"population", "study", "country", "new_country", "new_study"}
    assert all(levels == expected)
    population, country, study = (
        effects[effects["level"] == level] for level in ("population", "new_country", "new_study")
    )
    assert country["sd"].to_numpy() == pytest.approx(np.hypot(0.05, 0.3), rel=0.05)
    assert study["sd"].to_numpy() == pytest.approx(np.sqrt(0.05**2 + 2 * 0.3**2), rel=0.05)
    assert country["mean"].to_numpy() == pytest.approx(population["mean"].to_numpy(), abs=0.02)
    assert set(country["note"]) == {DOMINATED}
    assert set(population["note"]) == {""}
    assert (country["rope"].to_numpy() > population["rope"].to_numpy()).all()
    assert found.loc[found["metric"] == "pomp", "rope"].isna().all()


def test_the_same_seed_gives_the_same_prediction_and_another_one_another() -> None:
    cells, posterior = answers(["DK", "FI", "US"])
    one, same, other = (
        contrasts(cells, posterior, seed=s).table(0.95).set_index("id")["mean"] for s in (5, 5, 6)
    )
    pd.testing.assert_series_equal(one, same)
    moved = one.index[one != other]
    assert len(moved) > 0
    assert all("|new_study|" in name for name in moved)


def test_two_countries_are_a_contrast_and_predict_no_third() -> None:
    cells, posterior = answers(["DK", "FI"])
    found = contrasts(cells, posterior).table(0.95)
    assert not found["level"].str.startswith("new_").any()


# --- codings --------------------------------------------------------------------------------------

PLACES = [
    *(("FI", "neighbourhood"), ("FI", "social_care"), ("US", "social_care")),
    *(("US", "human_services"), ("DK", "neighbourhood"), ("DK", "human_services")),
]
CODES = ["role_change", "uncertainty"]


def codings(tau: float) -> tuple[xr.Dataset, xr.DataTree]:
    """Twelve organisations of three interviews, and one of a single one in a fourth country."""
    told, country, sector = [], [], []
    for k, (c, s) in enumerate([*PLACES, *PLACES, ("GB-SCT", "social_care")]):
        n = 1 if c == "GB-SCT" else 3
        told += [(f"org-{k:02d}", {"coder-1": CODES[:1]})] * n
        country += [c] * n
        sector += [s] * n
    study = coding_study("talks", told, CODES, country=country, sector=sector)
    study.report["exposures"] = []
    cells = code_cells([study], "strain", VOCABULARY)
    design, rng = organisation_effects(cells), np.random.default_rng(2)
    sizes = (cells.sizes["organisation"], cells.sizes["code"])
    posterior = xr.Dataset(
        {
            "presence": (
                ("chain", "draw", "organisation", "code"),
                expit(rng.normal(0, 0.5, (*SHAPE, *sizes))),
            ),
            "level": (("chain", "draw", "level_of"), np.zeros((*SHAPE, len(design.levels)))),
            "tau": (
                ("chain", "draw", "tau_of"),
                np.full((*SHAPE, len(design.components)), tau),
            ),
        },
        coords={
            "organisation": cells.organisation,
            "code": cells.code,
            "level_of": list(design.levels),
            "tau_of": list(design.components),
        },
    )
    tree = {"posterior": posterior, "error_free_posterior": posterior}
    return cells, xr.DataTree.from_dict(tree)


def test_prevalence_by_country_is_that_at_the_interviews_done_there() -> None:
    cells, posterior = codings(0.5)
    found = contrasts(cells, posterior, smallest=5)
    table = found.table(0.95, ROPES)
    mine = table[(table["level"] == "country") & (table["outcome"] == "role_change")]
    assert list(mine["group"]) == ["DK", "FI", "US"], "one interview is too few to be shown"
    there = cells.country.values == "FI"
    n = interviews(cells).values[there, 0]
    presence = posterior["posterior"]["presence"].values[:, :, there, 0]
    row = mine[mine["group"] == "FI"].squeeze()
    assert row["mean"] == pytest.approx(float((presence * n / n.sum()).sum(-1).mean()))
    assert row["country"] == "FI"
    assert np.isnan(row["rope"])
    assert set(table.loc[table["level"] == "country", "variant"]) == {"main"}


def test_a_country_of_one_interview_has_its_row_where_the_rule_allows_it() -> None:
    cells, posterior = codings(0.5)
    table = contrasts(cells, posterior, smallest=1).table(0.95)
    assert "GB-SCT" in set(table.loc[table["level"] == "country", "group"])


def test_a_new_sector_without_spread_is_the_population_and_with_it_is_wider() -> None:
    tables = []
    for tau in (0.0, 1.0):
        cells, posterior = codings(tau)
        table = contrasts(cells, posterior).table(0.95)
        mine = table[table["outcome"] == "uncertainty"].set_index("level")
        tables.append((mine.loc["new_sector"], mine.query("variant == 'main'").loc["population"]))
    (still, population), (moved, _) = tables
    assert still["mean"] == pytest.approx(population["mean"], abs=1e-12)
    assert still["sd"] == pytest.approx(population["sd"], rel=1e-9)
    assert moved["sd"] > 2 * still["sd"]
    assert moved["note"] == DOMINATED


def test_a_new_sector_takes_the_place_of_the_old_one() -> None:
    """With one code and no spread, what is left is the presence without the sector's own level."""
    cells, posterior = codings(0.0)
    draws = posterior["posterior"].to_dataset()
    own = xr.where(draws["level_of"] == "sector social_care", 2.0, 0.0)
    shifted = draws.assign(level=draws["level"] + own)
    tree = xr.DataTree.from_dict({"posterior": shifted, "error_free_posterior": shifted})
    table = contrasts(cells, tree).table(0.95)
    row = table[(table["level"] == "new_sector") & (table["outcome"] == "role_change")].squeeze()
    there = (cells.sector.values == "social_care") * 2.0
    n = interviews(cells).values[:, 0]
    without = expit(logit(draws["presence"].values[..., 0]) - there)
    assert row["mean"] == pytest.approx(float((without * n / n.sum()).sum(-1).mean()))
    assert json.loads(cells.attrs["studies"])["talks"]["provenance"] == row["provenance"]
