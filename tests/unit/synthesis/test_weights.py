"""What a study weighs in a pooled mean, against closed forms and generalised least squares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from statsmodels.regression.linear_model import GLS

from metastudy.design.effects import Part
from metastudy.design.identification import identify
from metastudy.synthesis import weights as module
from metastudy.synthesis.weights import weights

SE = np.array([0.05, 0.1, 0.2, 0.4])


def part(units: pd.DataFrame, *groupings: str) -> Part:
    at = np.arange(len(units))
    return Part("e", "", at, None, identify(units, groupings), at)


def posterior(of: Part, *tau: list[float]) -> xr.Dataset:
    """Draws of the standard deviations, a list for each component."""
    names = [of.label(c) for c in of.found.components]
    assert len(names) == len(tau)
    draws = np.array(tau).T[None]
    return xr.Dataset(
        {
            "mu": (("chain", "draw", "mu_of"), np.zeros((*draws.shape[:2], 1))),
            "tau": (("chain", "draw", "tau_of"), draws),
        },
        coords={"mu_of": ["e"], "tau_of": names},
    )


def test_weights_of_independent_studies_are_inverse_variances_and_the_draws_are_averaged() -> None:
    of = part(pd.DataFrame({"study": list("abcd")}), "study")
    found = weights(of, np.diag(SE**2), posterior(of, [0.0, 0.3, 3.0]))
    expected = [w / w.sum() for t in (0.0, 0.3, 3.0) for w in [1 / (SE**2 + t**2)]]
    np.testing.assert_allclose(found.to_numpy()[0], expected)
    assert found.to_numpy()[0, 2] == pytest.approx(0.25, abs=0.01)  # all alike


def test_weights_with_countries_covariances_and_a_moderator_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    units = pd.DataFrame({"study": list("aabbccddee"), "country": list("ffffggggff")})
    root = rng.normal(size=(10, 10))
    covariance = 0.01 * (root @ root.T + 10 * np.eye(10))
    of = part(units, "study", "country")
    x = rng.normal(size=10)
    x -= x.mean()
    draws = posterior(of, [0.1, 0.4], [0.3, 0.05])
    for columns in ([], [x]):
        found = weights(of, covariance, draws, columns).to_numpy()[0]
        for at, (study, country) in enumerate([(0.1, 0.3), (0.4, 0.05)]):
            whole = covariance.copy()
            for name, sd in (("study", study), ("country", country)):
                place = units[name].to_numpy()
                whole += sd**2 * (place[:, None] == place)
            design = np.column_stack([np.ones(10), *columns])
            by_gls = [GLS(one, design, sigma=whole).fit().params[0] for one in np.eye(10)]
            np.testing.assert_allclose(found[at], by_gls, atol=1e-9)
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_of_many_estimates_a_part_of_the_draws_gives_the_same_weights() -> None:
    count = module.LARGE + 1
    of = part(pd.DataFrame({"study": [str(k) for k in range(count)]}), "study")
    rng = np.random.default_rng(2)
    tau = [*np.abs(rng.normal(0.2, 0.05, 3000))]
    se = rng.uniform(0.05, 0.4, count)
    found = weights(of, np.diag(se**2), posterior(of, tau))
    assert found.sizes["draw"] <= module.MOST_DRAWS
    each = 1 / (se**2 + np.array(tau)[:, None] ** 2)
    expected = (each / each.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(found.mean(("chain", "draw")), expected, rtol=0.03)
