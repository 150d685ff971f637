"""Standard deviations beside their priors, and which of them their prior decides."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from metastudy.models.answers.priors import prior_of
from metastudy.models.priors import Prior, ShareOfTotal, component_prior, priors_of
from metastudy.posterior.heterogeneity import decided_by_prior, taus

DRAWS = 200_000
TOTALS = {
    "half-normal": Prior("half_normal", {"scale": 0.3}),
    "half-t": Prior("half_t", {"scale": 0.25, "df": 5}),
    "exponential": Prior("exponential", {"scale": 0.4}),
}


def component(total: Prior, parts: int, seed: int = 1) -> np.ndarray:
    """Draws of one component: total times the root of one of several uniform shares."""
    rng = np.random.default_rng(seed)
    scale = total.numbers["scale"]
    size = {
        "half_normal": lambda: np.abs(rng.normal(0, scale, DRAWS)),
        "half_t": lambda: np.abs(scale * rng.standard_t(total.numbers["df"], DRAWS)),
        "exponential": lambda: rng.exponential(scale, DRAWS),
    }[total.family]()
    return size * np.sqrt(rng.dirichlet(np.ones(parts), DRAWS)[:, 0])


@pytest.mark.parametrize("family", TOTALS)
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_the_prior_of_a_component_is_that_of_its_draws(family: str, parts: int) -> None:
    total = TOTALS[family]
    prior = ShareOfTotal(total, parts)
    drawn = component(total, parts)
    error = drawn.std() / np.sqrt(DRAWS)
    assert prior.mean == pytest.approx(drawn.mean(), abs=5 * error)
    assert prior.sd == pytest.approx(drawn.std(), rel=0.02)
    for p in (0.025, 0.25, 0.5, 0.9, 0.975):
        share = (drawn < prior.quantile(p)).mean()
        assert share == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / DRAWS) + 2e-4), p
    assert prior.interval(0.95) == pytest.approx((prior.quantile(0.025), prior.quantile(0.975)))


def test_a_component_alone_and_one_apart_have_the_prior_of_the_total() -> None:
    total = TOTALS["half-normal"]
    assert component_prior(total, 1) is total
    assert component_prior(total, 0) is total
    shared = component_prior(total, 3)
    assert shared == ShareOfTotal(total, 3)
    assert shared.label == "half-normal, scale 0.3, times the root of a uniform share of 3"


@given(st.floats(0.05, 3), st.integers(2, 6))
def test_components_share_the_square_of_the_total(scale: float, parts: int) -> None:
    """The expected squares of as many components sum to that of the total, scale squared."""
    prior = ShareOfTotal(Prior("half_normal", {"scale": scale}), parts)
    square = prior.mean**2 + prior.sd**2
    assert parts * square == pytest.approx(scale**2)
    assert prior.quantile(0.5) < Prior("half_normal", {"scale": scale}).quantile(0.5)


# --- decided by its prior -------------------------------------------------------------------------


def spreads(**of: np.ndarray) -> xr.Dataset:
    """A posterior of one total, two components that share it and one apart from it."""
    names = ["e study, c", "e country, c", "e vignette, c"]
    tau = np.stack([of["study"], of["country"], of["vignette"]], axis=-1)
    over = ("chain", "draw")
    return xr.Dataset(
        {
            "tau": ((*over, "tau_of"), tau),
            "total_tau": ((*over, "total_of"), of["total"][..., None]),
            "apart_tau": ((*over, "apart_of"), tau[..., 2:]),
        },
        {"tau_of": names, "total_of": ["e, c"], "apart_of": names[2:]},
    )


PARTS = {"e study, c": 2, "e country, c": 2, "e vignette, c": 0}


def test_a_standard_deviation_stands_beside_its_own_marginal_prior() -> None:
    """Draws from the priors themselves have a ratio of one, whatever shares there are."""
    total = TOTALS["half-normal"]
    shape = (4, DRAWS // 4)
    rng = np.random.default_rng(2)
    whole = np.abs(rng.normal(0, 0.3, shape))
    share = rng.random(shape)  # of two, uniform
    draws = spreads(
        study=whole * np.sqrt(share),
        country=whole * np.sqrt(1 - share),
        vignette=np.abs(rng.normal(0, 0.3, shape)),
        total=whole,
    ).isel(draw=slice(20_000))
    priors = {**priors_of({"tau": 0.3})}
    table = taus(draws, lambda name: prior_of(priors, name), PARTS, 0.95).set_index("parameter")
    assert list(table.index) == [
        *("total_tau[e, c]", "tau[e study, c]", "tau[e country, c]", "tau[e vignette, c]")
    ], "what is apart is among the components, once"
    assert table["ratio"].to_numpy() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(table["lower"], table["prior_lower"], atol=0.002)
    np.testing.assert_allclose(table["upper"], table["prior_upper"], rtol=0.02)
    shared = ShareOfTotal(total, 2)
    assert table.loc["tau[e study, c]", "prior_sd"] == pytest.approx(shared.sd)
    assert table.loc["tau[e vignette, c]", "prior_sd"] == pytest.approx(total.sd)
    assert table.loc["tau[e study, c]", "prior"] == shared.label


@pytest.mark.parametrize(("factor", "decided"), [(0.95, True), (0.75, True), (0.65, False)])
def test_a_spread_whose_posterior_is_as_wide_as_its_prior_is_decided_by_it(
    factor: float, decided: bool
) -> None:
    """By the ratio alone; how many levels there are plays no part."""
    rng = np.random.default_rng(3)
    prior = ShareOfTotal(TOTALS["half-normal"], 2)
    study = 1.0 + factor * prior.sd * rng.standard_normal((4, 5000))
    narrow = np.full((4, 5000), 0.2) + 0.01 * rng.standard_normal((4, 5000))
    draws = spreads(study=study, country=narrow, vignette=narrow, total=narrow)
    priors = priors_of({"tau": 0.3})
    table = taus(draws, lambda name: prior_of(priors, name), PARTS, 0.95)
    assert decided_by_prior(table, 0.7) == ({"tau[e study, c]"} if decided else set())
    assert decided_by_prior(table.assign(variant="error_free"), 0.7) == frozenset()
