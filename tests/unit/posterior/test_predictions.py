"""Predictions, differences, regions of equivalence and prevalence: what the draws must give."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit, logit

from helpers.hand_made import answer_study, coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.design.new_settings import DECIDED, is_prediction
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design, clustered, estimands
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.design import levels_of_codes, organisation_design
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
    table = summarize(draws, 0.95, [0.1, 0.3, np.nan])
    assert table.loc["narrow", ["above", "below"]].tolist() == pytest.approx([1 / 5, 1 / 5])
    assert (table["positive"] == 2 / 5).all(), "zero is not above zero"
    assert table.loc["none", ["above", "below"]].isna().all()
    assert summarize(draws, 0.95)["rope"].isna().all()


# --- answers --------------------------------------------------------------------------------------

MU, TAU, LEVEL = 0.05, 0.3, 0.1  # standard deviations of draws that nobody sampled


def drawn(cells: xr.Dataset) -> xr.DataTree:
    """Draws that nobody sampled, with known spreads."""
    design, rng = answer_design(cells), np.random.default_rng(3)

    def of(names: Any, dims: tuple[str, ...], scale: float, centre: float = 0.0) -> xr.DataArray:
        coords = dict(zip(dims, [np.asarray(n, dtype=str) for n in names], strict=True))
        values = centre + scale * rng.standard_normal((*SHAPE, *map(len, coords.values())))
        return xr.DataArray(values, coords, ("chain", "draw", *dims))

    setting, exposure, outcome = (cells[n].values for n in ("setting", "exposure", "outcome"))
    found = {
        "mu": of([estimands(cells).index], ("estimand",), MU, 0.2),
        "level": of([design.levels], ("level_of",), LEVEL),
        "tau": of([design.components], ("tau_of",), 0.0, TAU),
        "beta": of([setting, exposure, outcome], ("setting", "exposure", "outcome"), 1.0),
        "baseline": of([setting, outcome], ("setting", "outcome"), 1.0),
        "standardiser": of(
            [np.unique(cells.study.values), outcome], ("study", "outcome"), 0.0, 1.0
        ),
    }
    if len(clustered(cells)):
        names = ("coefficient", "outcome")
        found["site_tau"] = of([cells[n].values for n in names], names, 0.0, 0.5)
    return xr.DataTree.from_dict({"posterior": xr.Dataset(found)})


def answers(countries: list[str], **more: Any) -> tuple[xr.Dataset, xr.DataTree]:
    """Cells of one study per entry, and draws of them."""
    more = {"sector": "elderly_care", **more}
    made = [
        experiment(f"study_{k}", 24, k, country=country, **more)[0]
        for k, country in enumerate(countries)
    ]
    cells = answer_cells(made, "threat", VOCABULARY)
    return cells, drawn(cells)


def test_every_effect_has_a_prediction_for_each_grouping_with_a_spread() -> None:
    cells, posterior = answers(["DK", "DK", "FI", "FI", "US", "US"])
    found = contrasts(cells, posterior, seed=5).table(0.95, ROPES)
    assert found["id"].is_unique
    effects = found[(found["estimand"] == "effect") & (found["metric"] == "sd")]
    levels = effects.groupby(["exposure", "outcome"])["level"].agg(set)
    assert len(levels) == 4
    expected = {
        *("population", "study", "country"),
        *("new_country", "new_study", "next_in_country"),
    }
    assert all(levels == expected)
    new_study, new_country, population = (
        effects[effects["level"] == f].reset_index()
        for f in ("new_study", "new_country", "population")
    )
    # A new study is in a country at hand, whose three levels are draws of one law each.
    assert new_study["sd"].to_numpy() == pytest.approx(np.sqrt(MU**2 + TAU**2 + LEVEL**2), rel=0.05)
    assert new_country["sd"].to_numpy() == pytest.approx(np.sqrt(MU**2 + 2 * TAU**2), rel=0.05)
    assert new_country["mean"].to_numpy() == pytest.approx(population["mean"].to_numpy(), abs=0.02)
    assert set(effects["note"]) == {""}
    assert found.loc[found["metric"] == "pomp", "rope"].isna().all()


def test_a_countrys_mean_and_the_next_setting_there_are_two_rows() -> None:
    cells, posterior = answers(["DK", "DK", "FI", "FI", "US", "US"])
    made = contrasts(cells, posterior, seed=5)
    name, rows = "task_type_randomised", made.index
    mine = rows[(rows["exposure"] == name) & (rows["outcome"] == "threat_job")]
    mine = mine[mine["group"] == "FI"].set_index("level")
    mean, coming = (
        made.draws.sel(contrast=mine.loc[level, "id"]).values
        for level in ("country", "next_in_country")
    )
    draws = posterior["posterior"].to_dataset()
    own = draws["level"].sel(level_of=f"{name} country, threat_job: FI")
    mu = draws["mu"].sel(estimand=f"{name}, threat_job, professional")
    np.testing.assert_allclose(mean, (mu + own).values)
    assert (coming - mean).std() == pytest.approx(TAU, rel=0.05), "a new study, its residual in it"
    assert mine.loc["next_in_country", "study"] == "study_2 + study_3"


def test_a_prediction_that_rests_on_a_spread_of_its_prior_says_so() -> None:
    cells, posterior = answers(["DK", "DK", "FI", "FI", "US", "US"])
    name = "tau[task_type_randomised country, threat_job]"
    table = contrasts(cells, posterior, decided=[name]).table(0.95)
    table = table[
        (table["exposure"] == "task_type_randomised") & (table["outcome"] == "threat_job")
    ]
    listed = table.groupby("level")["note"].agg(set).to_dict()
    assert listed["new_country"] == {DECIDED}
    for level in ("new_study", "next_in_country", "population", "country", "study"):
        assert listed[level] == {""}, level


def test_two_countries_have_a_spread_and_predict_a_third() -> None:
    cells, posterior = answers(["DK", "FI"])
    found = contrasts(cells, posterior).table(0.95)
    assert {level for level in found["level"] if is_prediction(level)} == {
        "new_study",
        "new_country",
    }
    alone, draws = answers(["DK"])
    assert not any(map(is_prediction, contrasts(alone, draws).table(0.95)["level"]))


def test_the_same_seed_gives_the_same_prediction_and_another_one_another() -> None:
    cells, posterior = answers(["DK", "FI", "US"])
    one, same, other = (
        contrasts(cells, posterior, seed=s).table(0.95).set_index("id")["mean"] for s in (5, 5, 6)
    )
    pd.testing.assert_series_equal(one, same)
    moved = one.index[one != other]
    assert len(moved) > 0
    assert all("|new_" in name for name in moved)


def test_a_new_site_is_one_of_a_setting_at_hand() -> None:
    cells, posterior = answers(["DK", "FI"], sites=3)
    draws = posterior["posterior"].to_dataset()
    at = np.array([-4.0, 6.0])  # far apart, one for each setting
    beta = draws["beta"] * 0 + xr.DataArray(at, {"setting": cells.setting.values}, ("setting",))
    tree = xr.DataTree.from_dict({"posterior": draws.assign(beta=beta)})
    made = contrasts(
        cells, tree, decided=["site_tau[task_type_randomised, threat_job|volunteers_at_work]"]
    )
    rows = made.index[made.index["level"] == "new_site"]
    assert len(rows) == 4
    notes = rows.set_index(["exposure", "outcome"])["note"]
    assert notes[notes != ""].index.tolist() == [("task_type_randomised", "threat_job")]
    value = made.draws.sel(contrast=rows["id"].iloc[0]).values
    for centre in at:
        near = value[np.abs(value - centre) < 3]
        assert len(near) / value.size == pytest.approx(0.5, abs=0.03)
        assert near.mean() == pytest.approx(centre, abs=0.05)
        assert near.std() == pytest.approx(0.5, rel=0.05)


def test_a_study_without_sites_has_no_prediction_for_one() -> None:
    cells, posterior = answers(["DK", "FI"], sites=1)
    assert "new_site" not in set(contrasts(cells, posterior).table(0.95)["level"])


# --- differences ----------------------------------------------------------------------------------


def effects_of(posterior: xr.DataTree, *names: str) -> list[np.ndarray]:
    mu = posterior["posterior"]["mu"]
    return [mu.sel(estimand=name).values for name in names]


def difference(made: Any, **where: str) -> tuple[pd.Series, np.ndarray]:
    rows = made.index[made.index["estimand"] == "difference"]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    row = rows.squeeze()
    assert isinstance(row, pd.Series), rows[["level", "outcome", "against"]]
    return row, made.draws.sel(contrast=row["id"]).values


def test_an_outcome_is_held_against_the_mean_of_the_others_of_its_family() -> None:
    outcomes = ["threat_quality", "threat_job", "threat_profession"]
    cells, posterior = answers(["DK", "FI"], outcomes=outcomes)
    made = contrasts(cells, posterior)
    keys = [f"task_type_randomised, {name}, professional" for name in outcomes]
    quality, job, profession = effects_of(posterior, *keys)
    row, found = difference(
        made, level="outcome", exposure="task_type_randomised", outcome="threat_quality"
    )
    np.testing.assert_allclose(found, quality - (job + profession) / 2)
    assert (row["against"], row["role"], row["note"]) == ("family", "professional", "")
    alone, draws = answers(["DK", "FI"], outcomes=["threat_job"])
    assert "outcome" not in set(contrasts(alone, draws).index["level"])


def test_vignettes_of_an_outcome_are_held_against_each_other() -> None:
    vignettes = ["volunteers_at_work", None]
    cells, posterior = answers(["DK", "FI"], outcomes=["threat_job"], vignettes=vignettes)
    made = contrasts(cells, posterior)
    row, found = difference(made, level="vignette", exposure="task_type_randomised")
    level = posterior["posterior"]["level"]
    name = "task_type_randomised vignette, threat_job"
    want = level.sel(level_of=f"{name}: ") - level.sel(level_of=f"{name}: volunteers_at_work")
    np.testing.assert_allclose(found, want.values)
    assert row["against"] == "volunteers_at_work"


ROLES = ["professional", "citizen_coproducer"]


def test_roles_of_one_study_are_held_against_each_other_and_those_of_others_are_no_claim() -> None:
    task, job = "task_type_randomised", "threat_job"
    keys = [f"{task}, {job}, {role}" for role in sorted(ROLES, reverse=True)]
    both, _ = experiment("both", 40, 1, outcomes=[job], role=ROLES * 20)
    cells = answer_cells([both], "threat", VOCABULARY)
    posterior = drawn(cells)
    one, other = effects_of(posterior, *sorted(estimands(cells).query("exposure == @task").index))
    row, found = difference(contrasts(cells, posterior), level="role", exposure=task)
    sign = 1 if row["role"] == "citizen_coproducer" else -1
    np.testing.assert_allclose(found, sign * (one - other))
    assert {row["role"], row["against"]} == set(ROLES)
    assert row["note"] == ""
    assert len(keys) == 2

    apart = [experiment(role, 40, k, outcomes=[job], role=role)[0] for k, role in enumerate(ROLES)]
    cells = answer_cells(apart, "threat", VOCABULARY)
    row, _ = difference(contrasts(cells, drawn(cells)), level="role", exposure=task)
    assert row["note"] == "other studies"


def test_a_randomised_exposure_is_held_against_the_measured_one_of_its_name() -> None:
    rng = np.random.default_rng(0)
    outcome = {("coping_balancing", "inclusion_vs_quality"): rng.random(40) * 100}
    studies = [
        answer_study(
            "survey",
            {**outcome, ("external_efficacy", None): rng.random(40) * 100},
            {},
            ["coping_balancing"],
            [{"construct": "external_efficacy", "type": "measured"}],
        ),
        answer_study(
            "trial",
            outcome,
            {"external_efficacy": ["low", "high"] * 20},
            ["coping_balancing"],
            [{"factor": "external_efficacy", "type": "randomised"}],
        ),
    ]
    cells = answer_cells(studies, "coping", VOCABULARY)
    posterior = drawn(cells)
    keys = [
        f"external_efficacy_{kind}, coping_balancing, professional"
        for kind in ("measured", "randomised")
    ]
    measured, randomised = effects_of(posterior, *keys)
    row, found = difference(contrasts(cells, posterior), level="exposure_type")
    sign = 1 if row["against"] == "randomised" else -1
    np.testing.assert_allclose(found, sign * (measured - randomised))
    assert row["note"] == "other studies"
    assert {row["exposure_type"], row["against"]} == {"measured", "randomised"}


# --- codings --------------------------------------------------------------------------------------

PLACES = [
    *(("FI", "neighbourhood"), ("FI", "social_care"), ("US", "social_care")),
    *(("US", "human_services"), ("DK", "neighbourhood"), ("DK", "human_services")),
]
CODES = ["role_change", "uncertainty"]


def codings(tau: float, own: float = 0.0) -> tuple[xr.Dataset, xr.DataTree]:
    """Twelve organisations of three interviews, and one of a single one in a fourth country."""
    listed, country, sector = [], [], []
    for k, (c, s) in enumerate([*PLACES, *PLACES, ("GB-SCT", "social_care")]):
        n = 1 if c == "GB-SCT" else 3
        listed += [(f"org-{k:02d}", {"coder-1": CODES[:1]})] * n
        country += [c] * n
        sector += [s] * n
    study = coding_study("talks", listed, CODES, country=country, sector=sector)
    study.report["exposures"] = []
    cells = code_cells([study], "strain", VOCABULARY)
    design, rng = organisation_design(cells), np.random.default_rng(2)
    levels, families = list(design.levels), cells.sizes["family"]
    sizes = (cells.sizes["organisation"], cells.sizes["code"])

    def constant(value: float, *shape: int) -> np.ndarray:
        return np.full((*SHAPE, *shape), value)

    over = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "presence": (
                (*over, "organisation", "code"),
                expit(rng.normal(0, 0.5, (*SHAPE, *sizes))),
            ),
            "level": ((*over, "level_of", "family"), constant(0.0, len(levels), families)),
            "own": ((*over, "level_of", "code"), constant(0.0, len(levels), sizes[1])),
            "tau": ((*over, "tau_of"), constant(tau, len(design.components))),
            "own_tau": ((*over, "tau_of"), constant(own, len(design.components))),
        },
        coords={
            "organisation": cells.organisation,
            "code": cells.code,
            "family": cells.family,
            "level_of": levels,
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


def new_sector(code: str, tau: float, own: float, decided: list[str]) -> tuple[Any, Any, Any]:
    """The rows of a new sector and of the population, and the draws of the first."""
    cells, posterior = codings(tau, own)
    made = contrasts(cells, posterior, decided=decided)
    table = made.table(0.95)
    mine = table[(table["outcome"] == code) & (table["variant"] == "main")].set_index("level")
    row = mine.loc["new_sector"]
    return row, mine.loc["population"], made.draws.sel(contrast=row["id"]).values


def test_a_new_sector_without_spread_is_the_population_and_with_it_is_wider() -> None:
    row, population, _ = new_sector("uncertainty", 0.0, 0.0, [])
    assert row["mean"] == pytest.approx(population["mean"], abs=1e-12)
    assert row["sd"] == pytest.approx(population["sd"], rel=1e-9)
    assert row["note"] == ""
    moved, *_ = new_sector("uncertainty", 1.0, 0.0, ["tau[sector]"])
    assert moved["sd"] > 2 * population["sd"]
    assert moved["note"] == DECIDED


def test_a_new_sector_moves_all_codes_of_a_family_and_each_code_by_itself() -> None:
    """By hand: at a presence of nearly one half a shift s moves it to the logistic of s."""
    spreads = {}
    for tau, own in ((0.3, 0.0), (0.0, 0.4), (0.3, 0.4)):
        cells, posterior = codings(tau, own)
        half = posterior["posterior"].to_dataset()
        half = half.assign(presence=half["presence"] * 0 + 0.5)
        made = contrasts(cells, xr.DataTree.from_dict({"posterior": half}))
        rows = made.index.query("level == 'new_sector' and outcome == 'role_change'")
        value = made.draws.sel(contrast=rows["id"].item()).values
        spreads[tau, own] = logit(value).std()
    for (tau, own), found in spreads.items():
        assert found == pytest.approx(np.hypot(tau, own), rel=0.03)


def test_a_new_sector_takes_the_place_of_the_old_one() -> None:
    """Without spread, what is left is the presence without what the old sector added."""
    cells, posterior = codings(0.0)
    draws = posterior["posterior"].to_dataset()
    here = draws["level_of"] == "sector: social_care"
    shifted = draws.assign(
        level=draws["level"] + xr.where(here, 2.0, 0.0),
        own=draws["own"] + xr.where(here & (draws["code"] == "role_change"), 0.5, 0.0),
    )
    tree = xr.DataTree.from_dict({"posterior": shifted, "error_free_posterior": shifted})
    table = contrasts(cells, tree).table(0.95)
    there = cells.sector.values == "social_care"
    for c, (code, added) in enumerate((("role_change", 2.5), ("uncertainty", 2.0))):
        row = table[(table["level"] == "new_sector") & (table["outcome"] == code)].squeeze()
        n = interviews(cells).values[:, c]
        without = expit(logit(draws["presence"].values[..., c]) - there * added)
        assert row["mean"] == pytest.approx(float((without * n / n.sum()).sum(-1).mean()))
    assert json.loads(cells.attrs["studies"])["talks"]["provenance"] == row["provenance"]


# --- which levels a code has a part of its own in -------------------------------------------------


def test_a_code_has_a_part_of_its_own_in_levels_of_what_it_was_looked_for_in_twice() -> None:
    """One code in both studies, one in each alone; countries are the studies, sectors are not."""
    sectors = ["social_care", "neighbourhood", "social_care", "neighbourhood"]
    one, two, three = (
        coding_study(
            name,
            [(f"{name}-{k}", {"coder-1": []}) for k in range(4)],
            codes,
            country=[country] * 4,
            sector=sectors,
        )
        for name, country, codes in (
            ("one", "DK", ["role_change", "uncertainty"]),
            ("two", "FI", ["role_change"]),
            ("three", "US", ["role_change", "empowered_citizens"]),
        )
    )
    cells = code_cells([one, two, three], "strain", VOCABULARY)
    design = organisation_design(cells)
    level, code = levels_of_codes(cells)
    found: dict[str, set[str]] = {}
    for t, c in zip(level, code, strict=True):
        found.setdefault(str(cells.code.values[c]), set()).add(design.levels[t])
    sector = {"sector: social_care", "sector: neighbourhood"}
    assert design.components == ("study+country", "sector")
    assert found == {
        "role_change": sector | {f"study+country: {name}" for name in ("one", "two", "three")},
        "uncertainty": sector,  # of how studies differ in it nothing is known
        "empowered_citizens": sector,
    }
