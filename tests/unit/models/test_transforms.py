"""Effects near their estimates: another way to sample, and the same distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy.stats import norm

from metastudy.models.transforms import NearData

PLAIN = pytensor.Mode("py", "fast_compile")


def model(transform: Any) -> pm.Model:
    with pm.Model() as built:
        centre, sd = pm.Normal("centre"), pm.HalfNormal("sd")
        pm.Normal("effect", centre, sd, shape=3, transform=transform)
    return built


@pytest.mark.parametrize("square", [1e-4, 0.04, 1e6])
def test_the_density_is_that_of_the_effect_whatever_the_estimate_is(square: float) -> None:
    estimate = np.array([0.3, -0.2, 5.0])
    built = model(NearData(estimate, np.full(3, square)))
    centre, log_sd, z = built.value_vars
    density = pm.compile([centre, log_sd, z], built.logp(), mode=PLAIN)
    effect = pm.compile(
        [centre, log_sd, z], built.replace_rvs_by_values([built["effect"]]), mode=PLAIN
    )
    rng = np.random.default_rng(1)
    for _ in range(5):
        at = rng.normal(), rng.normal(), rng.normal(size=3)
        (value,) = effect(*at)
        sd = np.exp(at[1])
        # What an independent derivative says of the change of units.
        step = 1e-5
        slope = (effect(at[0], at[1], at[2] + step)[0] - value) / step
        expected = norm.logpdf(value, at[0], sd).sum() + np.log(slope).sum()
        expected += norm.logpdf(at[0]) + norm.logpdf(sd) + np.log(2) + at[1]
        assert float(density(*at)) == pytest.approx(expected, abs=1e-4)


def test_it_is_the_non_centred_form_without_data_and_the_centred_one_with_many() -> None:
    centre, sd, z = 0.4, 0.3, np.array([1.0])
    inputs = (None, None, centre, sd)
    alone = NearData(np.zeros(1), np.full(1, 1e9)).backward(z, *inputs)
    sure = NearData(np.full(1, 0.7), np.full(1, 1e-8)).backward(z, *inputs)
    assert float(alone.eval()[0]) == pytest.approx(centre + sd)
    assert float(sure.eval()[0]) == pytest.approx(0.7 + 1e-4, abs=1e-6)


def test_draws_from_the_prior_know_nothing_of_the_estimate() -> None:
    built = model(NearData(np.full(3, 9.0), np.full(3, 1e-4)))
    drawn = pm.draw(built["effect"], 4000, mode=PLAIN, random_seed=2)
    assert abs(drawn.mean()) < 0.1
    assert drawn.std() == pytest.approx(np.sqrt(2), rel=0.05)
