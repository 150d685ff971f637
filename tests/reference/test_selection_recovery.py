"""Recovery from known selection: 200 replicates of 30 experiments of 30 to 400 people each.

One in five of the experiments without a significant effect comes out. The plain mean is the wrong
model: it misses the true mean of 0.1 most of the time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from helpers.evidence import SETTINGS
from helpers.selection_worlds import experiments
from metastudy.models.priors import priors_of
from metastudy.synthesis.grid import Grid
from metastudy.synthesis.selection import plain, regression, step_function

MEAN, NUMBER = 0.1, 200
PRIORS = priors_of(SETTINGS["priors"])
OWN = PRIORS["effect"], PRIORS["tau"]


def fitted(name: str, y: np.ndarray, se: np.ndarray, alone: np.ndarray) -> Grid:
    """The posterior by one analysis, with the priors of the configuration."""
    if name == "plain":
        return plain(y, se, *OWN)
    if name == "step":
        return step_function(y, se, *OWN)
    return regression(y, se, alone if name == "pet" else alone**2, *OWN)[0]


def recovered(share: float, names: tuple[str, ...], number: int = NUMBER) -> dict[str, np.ndarray]:
    """Of each analysis the share of intervals that hold the true mean, and its bias."""
    rng = np.random.default_rng(20180411)
    found: dict[str, list[tuple[bool, float]]] = {name: [] for name in names}
    for _ in range(number):
        y, se, alone = experiments(rng, share, mean=MEAN)
        for name in names:
            grid = fitted(name, y, se, alone)
            low, high = grid.interval(0, 0.95)
            found[name].append((low <= MEAN <= high, grid.moments(0)[0] - MEAN))
    return {name: np.array(rows, dtype=float).mean(axis=0) for name, rows in found.items()}


@pytest.mark.slow
@pytest.mark.ci
def test_with_selection_the_plain_mean_misses_the_truth_and_the_step_function_finds_it() -> None:
    found = recovered(0.2, ("plain", "step"))
    assert found["plain"][0] < 0.60
    assert found["step"][0] >= 0.88
    assert abs(found["step"][1]) <= 0.5 * abs(found["plain"][1])


@pytest.mark.slow
@pytest.mark.ci
def test_without_selection_the_step_function_still_covers() -> None:
    assert recovered(1.0, ("step",))["step"][0] >= 0.84


@pytest.mark.long(of=("metastudy.synthesis.selection", "metastudy.synthesis.grid"))
@pytest.mark.parametrize("share", [0.2, 1.0], ids=["selected", "all"])
def test_recovery_of_all_analyses_is_taken_down(share: float, figures: Callable[..., None]) -> None:
    found = recovered(share, ("plain", "step", "pet", "peese"))
    numbers: dict[str, float] = {}
    for name, (covered, bias) in found.items():
        numbers |= {f"{name}_covered": float(covered), f"{name}_bias": float(bias)}
    figures(**numbers)
    assert found["step"][0] >= (0.88 if share < 1 else 0.84)
    assert (found["plain"][0] < 0.60) == (share < 1)
