"""What no other test would find again, of the faults that the second stage once had.

A density that costs what its blocks cost is no use where the levels are drawn from a dense matrix
for each draw: 120 estimates took 1.8 GB, and 500 would have taken 30.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.synthesis.model import add_levels
from metastudy.synthesis.pooling import SecondStage, plans

DRAWS = 500


def second_stage(studies: int) -> SecondStage:
    """One effect of each study, in 20 countries and 8 sectors."""
    rng = np.random.default_rng(1)
    se = rng.uniform(0.08, 0.3, studies)
    table = pd.DataFrame(
        {
            "id": [f"effect-{k}" for k in range(studies)],
            "study": [f"study-{k}" for k in range(studies)],
            "country": [f"country-{k}" for k in rng.integers(20, size=studies)],
            "sector": [f"sector-{k}" for k in rng.integers(8, size=studies)],
            "estimate": rng.normal(0.3, 0.3, studies),
            "se": se,
        }
    ).assign(
        exposure="e_randomised", exposure_name="e", exposure_type="randomised", outcome="o",
        family="f", role="professional", vignette="", response_mode="m", metric="sd", n=100,
        provenance="simulated",
    )  # fmt: skip
    (found,) = plans(table, np.diag(se**2))
    return found


def peak(found: SecondStage) -> float:
    """Bytes at most while the levels of made draws are drawn."""
    rng = np.random.default_rng(2)
    design = found.design
    assert len(design.components) == 3
    posterior = xr.Dataset(
        {
            "mu": (("chain", "draw", "mu_of"), rng.normal(0.3, 0.05, (1, DRAWS, 1))),
            "tau": (("chain", "draw", "tau_of"), rng.uniform(0.05, 0.3, (1, DRAWS, 3))),
        },
        coords={"mu_of": list(design.means), "tau_of": list(design.components)},
    )
    given = found.table["estimate"].to_numpy(), found.covariance, design, 1
    add_levels(posterior.isel(draw=slice(2)), *given)  # compiled now
    tracemalloc.start()
    add_levels(posterior, *given)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(most)


def test_memory_of_levels_grows_with_the_estimates_and_not_with_their_square(
    figures: Callable[..., None],
) -> None:
    few, many = (peak(second_stage(studies)) for studies in (60, 240))
    figures(megabytes_of_60=few / 1e6, megabytes_of_240=many / 1e6)
    assert many < 5 * few, "four times the estimates; dense it was sixteen times the memory"
    assert many < 20 * DRAWS * 240 * 8
