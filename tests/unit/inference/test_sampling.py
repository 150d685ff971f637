"""Draws with a divergence are made anew with smaller steps, as often as the settings allow."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from metastudy.inference.sampling import compile_model, draw

pytestmark = pytest.mark.fit

SAMPLING = {"chains": 2, "tune": 100, "draws": 200, "target_accept": 0.7, "seed": 1}


def sampled(funnel: bool, retries: int | None) -> xr.Dataset:
    """Statistics of draws of a normal distribution, or of a funnel that diverges at first."""
    with pm.Model() as model:
        x = pm.Normal("x", 0, 5)
        pm.Normal("y", 0, pm.math.exp(x) if funnel else 1, shape=9)
    own = SAMPLING if retries is None else SAMPLING | {"retries": retries}
    return draw(compile_model(model), own)["sample_stats"].to_dataset()


def test_a_divergence_is_followed_by_a_target_acceptance_that_is_nearer_to_one() -> None:
    stats = sampled(funnel=True, retries=2)
    target = float(stats["target_accept"])
    assert any(target == pytest.approx(1 - 0.3 / 3**retry) for retry in (1, 2))
    assert target > 0.95 or not stats["diverging"].any(), "no retry is left out"


@pytest.mark.parametrize(("funnel", "retries"), [(False, 2), (True, None), (True, 0)])
def test_without_a_divergence_or_without_retries_the_first_draws_are_kept(
    funnel: bool, retries: int | None
) -> None:
    stats = sampled(funnel, retries)
    assert float(stats["target_accept"]) == 0.7
    assert bool(stats["diverging"].any()) == funnel
    assert np.isfinite(stats["energy"]).all()
