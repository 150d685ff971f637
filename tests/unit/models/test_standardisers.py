"""Standardisation within settings: what an effect is measured in, and what does not change it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from helpers.hand_made import answer_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.standardisers import (
    LEAST_DF,
    centres,
    small_sample,
    standardisers,
    within_sd,
)

NAN = math.nan
JOB = ("threat_job", "volunteers_at_work")


def series(*values: object) -> pd.Series:
    return pd.Series(list(values))


# --- the small-sample correction ------------------------------------------------------------------


@pytest.mark.parametrize("df", [10, 20, 60, 200])
def test_the_correction_is_near_to_the_exact_one(df: int) -> None:
    """Exact: gamma(df/2) / (root(df/2) gamma((df-1)/2)), Hedges (1981), equation 6."""
    exact = math.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / math.sqrt(df / 2)
    assert float(small_sample(np.array(df))) == pytest.approx(exact, rel=5e-4)


def test_corrected_effects_are_unbiased() -> None:
    """A true effect of 1.5 with 10 degrees of freedom, 40,000 times."""
    rng, df = np.random.default_rng(1), 10
    mean = 1.5 + rng.normal(0, 0.1, 40_000)
    raw = mean / np.sqrt(rng.chisquare(df, 40_000) / df)
    error = raw.std() / 200
    assert (raw * small_sample(np.array(df))).mean() == pytest.approx(1.5, abs=4 * error + 5e-4)
    assert raw.mean() - 1.5 > 10 * error, "without it they are too large"


# --- one standard deviation per study and outcome -------------------------------------------------


def test_a_deviation_within_groups_is_pooled_by_degrees_of_freedom() -> None:
    y = pd.DataFrame({"a": [1.0, 3.0, 10.0, 14.0, 18.0, 7.0], "b": [1.0, NAN, 2.0, NAN, NAN, 3.0]})
    group = [series("x", "x", "y", "y", "y", "z")]
    sd, df = within_sd(y, group)
    assert df.tolist() == [3, 0], "who is alone in a group says nothing"
    assert sd["a"] == pytest.approx(math.sqrt((1 + 1 + 16 + 0 + 16) / 3))
    assert np.isnan(sd["b"])


def many(seed: int = 0, each: int = 30) -> tuple[pd.DataFrame, list[pd.Series], pd.DataFrame]:
    """Two settings, two randomised factors; the spread differs by arm."""
    rng = np.random.default_rng(seed)
    cells = [(s, a, b) for s in ("x", "y") for a in (-0.5, 0.5) for b in (-0.5, 0.5)]
    rows = pd.DataFrame([c for c in cells for _ in range(each)], columns=["setting", "a", "b"])
    spread = 1 + (rows["a"] > 0) + 3 * (rows["b"] > 0)
    y = 5 * (rows["setting"] == "y") + rows["a"] + spread * rng.standard_normal(len(rows))
    return y.to_frame("y"), [rows["setting"]], rows[["a", "b"]]


def by_hand(groups: list[np.ndarray]) -> tuple[float, int]:
    df = sum(len(g) - 1 for g in groups)
    sd = math.sqrt(sum(((g - g.mean()) ** 2).sum() for g in groups) / df)
    return sd / (1 - 3 / (4 * df - 1)), df


def test_it_is_that_at_the_reference_level_of_every_randomised_factor() -> None:
    y, setting, x = many()
    found = standardisers(y, setting, x).loc["y"]
    reference = (x["a"] < 0) & (x["b"] < 0)
    values = y["y"].to_numpy()
    sd, df = by_hand([values[reference & (setting[0] == s)] for s in ("x", "y")])
    assert (found["scale"], found["df"]) == (pytest.approx(sd), df)
    assert not found["all_arms"]
    one, _ = by_hand([values[(x["a"] < 0) & (setting[0] == s)] for s in ("x", "y")])
    assert found["scale"] < 0.6 * one, "the reference level of one factor is not enough"


@pytest.mark.parametrize(("each", "all_arms"), [(10, True), (11, False)])
def test_below_twenty_degrees_of_freedom_it_is_that_of_all_arms_and_says_so(
    each: int, all_arms: bool
) -> None:
    """Ten people in the reference arm of each of two settings have 18 degrees of freedom."""
    y, setting, x = many(each=each)
    assert (2 * (each - 1) < LEAST_DF) == all_arms
    found = standardisers(y, setting, x).loc["y"]
    keys = pd.concat([*setting, x], axis=1).apply(tuple, axis=1)
    groups = [g.to_numpy() for _, g in y["y"].groupby(keys)]
    if not all_arms:
        groups = [
            g for key, g in zip(sorted(set(keys)), groups, strict=True) if key[1:] == (-0.5, -0.5)
        ]
    sd, df = by_hand(groups)
    assert bool(found["all_arms"]) == all_arms
    assert (found["scale"], found["df"]) == (pytest.approx(sd), df)


def test_without_a_randomised_factor_it_is_that_of_everybody() -> None:
    y, setting, x = many(each=2)
    found = standardisers(y, setting, x.iloc[:, :0]).loc["y"]
    sd, df = by_hand([y["y"][setting[0] == s].to_numpy() for s in ("x", "y")])
    assert (found["scale"], found["df"]) == (pytest.approx(sd), df)
    assert not found["all_arms"]


def test_the_centre_is_the_reference_mean_of_each_setting_and_of_all_where_nobody_is_at_it() -> (
    None
):
    y = pd.DataFrame({"y": [1.0, 3.0, 10.0, 20.0, 30.0]})
    setting = [series("x", "x", "x", "y", "y")]
    x = pd.DataFrame({"a": [-0.5, -0.5, 0.5, 0.5, 0.5]})
    assert centres(y, setting, x)["y"].to_dict() == {"x": 2.0, "y": 25.0}


def test_it_is_one_for_all_exposures_and_all_settings_of_a_study() -> None:
    study, _ = experiment("a", 120, 1, outcomes=["threat_job"], country=["DK", "FI"] * 60)
    cells = answer_cells([study], "threat", VOCABULARY)
    assert cells.sizes["setting"] == 2
    assert len(np.unique(cells.scale.values)) == 1
    assert cells.sizes["exposure"] == 2


# --- a country's level changes no effect ----------------------------------------------------------


def study_in_countries(
    shift: dict[str, float], trait: dict[str, float], seed: int = 0, n: int = 90
) -> Study:
    """A survey in three countries, whose answers and traits move by a constant in each."""
    rng = np.random.default_rng(seed)
    country = np.array(["DK", "FI", "US"])[rng.integers(0, 3, n)]
    efficacy = rng.normal(50, 12, n)
    balancing = rng.normal(50, 10, n) + 0.4 * (efficacy - 50)
    moved = [np.array([by[c] for c in country]) for by in (trait, shift)]
    return answer_study(
        "survey",
        {
            ("external_efficacy", None): efficacy + moved[0],
            ("coping_balancing", "inclusion_vs_quality"): balancing + moved[1],
        },
        {},
        ["coping_balancing"],
        [{"construct": "external_efficacy", "type": "measured"}],
        country=list(country),
        org=[f"org-{k}" for k in rng.integers(0, 8, n)],
    )


def trial_in_countries(shift: dict[str, float], seed: int = 0, n: int = 240) -> Study:
    """An experiment in three countries."""
    rng = np.random.default_rng(seed)
    country = np.array(["DK", "FI", "US"])[rng.integers(0, 3, n)]
    task, degree = rng.integers(0, 2, (2, n))
    moved = np.array([shift[c] for c in country])
    return answer_study(
        "trial",
        {JOB: 50 + moved + 6 * task - 2 * degree + rng.normal(0, 15, n)},
        {
            "task_type": np.array(["complementary", "core"])[task],
            "involvement_degree": np.array(["low", "high"])[degree],
        },
        ["threat_job"],
        [{"factor": name, "type": "randomised"} for name in ("task_type", "involvement_degree")],
        country=list(country),
    )


NOWHERE = dict.fromkeys(("DK", "FI", "US"), 0.0)
LEVELS = st.fixed_dictionaries({c: st.floats(-500, 500) for c in NOWHERE})
# What the model sees; only the centre, which is no effect, may move.
SEEN = (
    *("n", "xx", "xy", "yy", "scale", "scale_df", "observed", "asked", "present"),
    *("site_of_cell", "pattern_of_cell", "setting_of_site"),
)


def assert_same(one: xr.Dataset, other: xr.Dataset) -> None:
    for name in SEEN:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-7, atol=1e-7, err_msg=name)
    first, second = (list(blocks(cells, VOCABULARY)) for cells in (one, other))
    for (rows, covariance), (again, same) in zip(first, second, strict=True):
        np.testing.assert_allclose(rows["estimate"], again["estimate"], rtol=1e-7)
        np.testing.assert_allclose(covariance, same, rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(LEVELS, LEVELS, st.integers(0, 50))
def test_shifting_a_countrys_level_changes_no_effect_of_a_trait(
    shift: dict[str, float], trait: dict[str, float], seed: int
) -> None:
    one, other = (
        answer_cells([study_in_countries(*by, seed=seed)], "coping", VOCABULARY)
        for by in ((NOWHERE, NOWHERE), (shift, trait))
    )
    assert_same(one, other)
    moved = (other.centre - one.centre).values[:, 0]
    np.testing.assert_allclose(moved, [shift[c] for c in one.country.values], atol=1e-7)


@settings(max_examples=15, deadline=None)
@given(LEVELS, st.integers(0, 50))
def test_shifting_a_countrys_level_changes_no_effect_of_a_treatment(
    shift: dict[str, float], seed: int
) -> None:
    one, other = (
        answer_cells([trial_in_countries(by, seed=seed)], "threat", VOCABULARY)
        for by in (NOWHERE, shift)
    )
    assert_same(one, other)


def test_a_deviation_with_the_levels_of_countries_in_it_would_change_the_effect() -> None:
    """The wrong standardiser that the properties above must catch, in the same data."""
    shift = {"DK": 0.0, "FI": 40.0, "US": 0.0}
    sds = []
    for by in (NOWHERE, shift):
        study = study_in_countries(by, NOWHERE)
        mine = study.measurements[study.measurements["construct"] == "coping_balancing"]
        sds.append(mine["value_pomp"].std())
    assert sds[1] > 1.5 * sds[0]
