"""Ranks, their bands, and which quantities leave them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metastudy.calibration.rank_bands import (
    band,
    bins_for,
    by_quantity,
    counts,
    inside,
    ranks,
    thinned,
    uniformity,
)

SIMULATIONS, KEPT = 100, 49


def uniform(sets: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, KEPT + 1, (sets, SIMULATIONS))


@pytest.mark.parametrize("cumulative", [True, False])
@pytest.mark.parametrize("probability", [0.8, 0.99])
def test_uniform_ranks_stay_in_the_band_as_often_as_it_says(
    probability: float, cumulative: bool
) -> None:
    bins = KEPT + 1 if cumulative else 10
    limits = band(SIMULATIONS, bins, probability, cumulative)
    found = inside(counts(uniform(20_000), KEPT, bins), limits).mean()
    assert found >= probability - 0.01
    narrower = limits.lower + 1, limits.upper - 1
    tight = type(limits)(*narrower, cumulative) if not cumulative else None
    if tight is not None:  # no wider than whole counts make it
        assert inside(counts(uniform(20_000), KEPT, bins), tight).mean() < probability


def test_the_band_of_cumulated_ranks_is_hardly_wider_than_it_has_to_be() -> None:
    limits = band(SIMULATIONS, KEPT + 1, 0.95, cumulative=True)
    found = inside(counts(uniform(20_000), KEPT, KEPT + 1), limits).mean()
    assert 0.945 < found < 0.965


@pytest.mark.parametrize(
    "shape", [(0.5, 0.5), (2.5, 2.5), (1.0, 1.8)], ids=["too narrow", "too wide", "biased"]
)
def test_posteriors_that_are_wrong_leave_the_band(shape: tuple[float, float]) -> None:
    share = np.random.default_rng(2).beta(*shape, (200, SIMULATIONS))
    found = counts((share * (KEPT + 1)).astype(int), KEPT, KEPT + 1)
    assert inside(found, band(SIMULATIONS, KEPT + 1, 0.95, cumulative=True)).mean() < 0.2


def test_a_rank_is_the_number_of_draws_below() -> None:
    draws = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    assert ranks(np.array([2.5, 0.0]), draws).tolist() == [2, 0]


def test_thinning_keeps_the_ends_and_refuses_to_invent_draws() -> None:
    assert thinned(np.arange(10), 4).tolist() == [0, 3, 6, 9]
    with pytest.raises(ValueError, match="10 draws"):
        thinned(np.arange(10), 11)


def test_bins_hold_as_many_ranks_each() -> None:
    assert (bins_for(99, 20), bins_for(49, 20), bins_for(6, 20), bins_for(96, 20)) == (20, 10, 7, 1)
    assert counts(np.array([0, 4, 5, 99]), 99, 20)[:2].tolist() == [2, 1]


def table(biased: int) -> pd.DataFrame:
    """Ten quantities of two parameters; of one of them the rank is always the same."""
    found = uniform(10, seed=4)
    found[biased] = 7
    return pd.DataFrame(
        [
            {"parameter": "ab"[q // 5], "quantity": f"q{q}", "simulation": s, "rank": r}
            for q, row in enumerate(found)
            for s, r in enumerate(row)
        ]
    ).assign(ranked=KEPT)


def test_only_the_quantity_whose_ranks_are_not_uniform_leaves_the_band() -> None:
    found = uniformity(table(biased=6))
    assert found.loc[~found["together"], "quantity"].tolist() == ["q6"]
    assert found["quantity"].tolist() == [f"q{q}" for q in range(10)]
    assert by_quantity(table(6))[0].shape == (10, SIMULATIONS)
