"""Calibrate: would a module's model find what it simulated? Simulation-based calibration.

Parameters are drawn from the priors, cells from the parameters, and the model is fitted to them
with what it compiled once. Each true value then has a rank among its posterior's draws, and all
ranks together are uniform if simulation, model and sampler agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from metastudy.calibration.rank_bands import INTERVALS, ranks, thinned
from metastudy.common import result_tables
from metastudy.inference.convergence import gates
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.data_vector import pack
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of

__all__ = [
    "CHECKS",
    "RANKED",
    "Simulation",
    "calibrate",
    "fit_and_rank",
    "for_short_chains",
    "simulations",
]

RANKED = result_tables.columns("ranks")
CHECKS = result_tables.columns("gates")


@dataclass(frozen=True)
class Simulation:
    """What is true in one simulation, what the model is given, and how its posterior is read.

    ``measure`` takes the draws of a fit to the quantities, in the order of ``truth`` (quantity,).
    """

    truth: xr.DataArray
    given: np.ndarray
    measure: Callable[[xr.Dataset], xr.DataArray]


def simulations(
    built: pm.Model,
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    number: int,
    seed: int,
) -> Iterator[Simulation]:
    """Simulations of a module, as many rows in every cell as there were.

    Parameters
    ----------
    built : from the cells and the priors.
    """
    model = model_of(cells)
    drawn = parameters(built, number, seed)
    joint = log_likelihood(built)
    for at in range(number):
        truth = drawn.isel(simulation=at, drop=True)
        rng = np.random.default_rng([seed, at])
        given = pack(model.simulate(cells, truth, rng), priors)
        truth = truth.assign(log_likelihood=joint(truth, given))
        found = model.identified(truth, cells)
        yield Simulation(found, given, lambda draws: model.identified(draws, cells))


def fit_and_rank(
    compiled: Any,
    made: Iterable[Simulation],
    sampling: Mapping[str, Any],
    kept: int,
    thresholds: Mapping[str, float],
    cores: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit every simulation, and rank what is true in it.

    Parameters
    ----------
    compiled : the model.
    made : the simulations.
    sampling : see :func:`metastudy.inference.sampling.draw`; each simulation has a seed of its own.
    kept : draws that are ranked against, evenly spaced among all.
    thresholds : gates (:func:`for_short_chains`). Who misses one is marked and stays.

    Returns
    -------
    ranked, checks
        One row per simulation and quantity (:data:`RANKED`), and one per simulation and gate
        (:data:`CHECKS`), both without ``part``.
    """
    tables, checked = [], []
    for at, one in enumerate(made):
        fitted = draw(compiled, {**sampling, "seed": sampling["seed"] + at}, cores, one.given)
        found = one.measure(fitted["posterior"].to_dataset()).transpose("chain", "draw", "quantity")
        xr.align(found, one.truth, join="exact")  # or another quantity's truth would be ranked
        checks = _gates(found, fitted["sample_stats"].to_dataset(), thresholds)
        checked.append(checks.assign(simulation=at))
        missed = ", ".join(checks.loc[~checks["passed"], "gate"])
        print(f"simulation {at + 1}: {f'missed {missed}' if missed else 'ok'}", flush=True)
        draws, truth = found.values.reshape(-1, found.sizes["quantity"]), one.truth.values
        covered = {}
        for share in INTERVALS:
            lower, upper = np.quantile(draws, [0.5 - share / 200, 0.5 + share / 200], axis=0)
            covered[f"covered_{share}"] = (lower <= truth) & (truth <= upper)
        tables.append(
            pd.DataFrame(
                {
                    "simulation": at,
                    "parameter": found["parameter"].values,
                    "quantity": found["quantity"].values,
                    "truth": truth,
                    "mean": draws.mean(axis=0),
                    "sd": draws.std(axis=0, ddof=1),
                    "rank": ranks(truth, thinned(draws, kept)),
                    "ranked": kept,
                    **covered,
                    "passed": checks["passed"].all(),
                    "provenance": "simulated",
                }
            )
        )
    return pd.concat(tables, ignore_index=True), pd.concat(checked, ignore_index=True)


def for_short_chains(
    usual: Mapping[str, float], sampling: Mapping[str, Any], short: Mapping[str, Any]
) -> dict[str, float]:
    """The gates of the article's fits, for chains with fewer draws.

    An effective sample size falls with the number of draws, and what sampling alone adds to R-hat
    rises as it falls; both gates are moved by the ratio of the draws. Divergences and E-BFMI stay.

    Parameters
    ----------
    usual, sampling : gates and sampling of the configuration.
    short : ``chains`` and ``draws`` of the short chains.
    """
    ratio = short["chains"] * short["draws"] / (sampling["chains"] * sampling["draws"])
    return {
        **usual,
        "rhat": 1 + (usual["rhat"] - 1) / ratio,
        "ess_bulk": usual["ess_bulk"] * ratio,
        "ess_tail": usual["ess_tail"] * ratio,
    }


def calibrate(
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    number: int,
    kept: int,
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
    cores: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibrate a module: :func:`simulations`, then :func:`fit_and_rank`, with one compilation.

    Parameters
    ----------
    cells : of the module; their design, numbers of rows and exposures stay, their outcomes go.
    number : of simulations.
    """
    built = model_of(cells).build(cells, priors)
    made = simulations(built, cells, priors, number, sampling["seed"])
    return fit_and_rank(compile_model(built), made, sampling, kept, thresholds, cores)


def _gates(found: xr.DataArray, stats: xr.Dataset, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """The gates of one simulation, over the quantities that are ranked."""
    draws = found.drop_vars("parameter").rename("of").to_dataset()
    checks = pd.DataFrame(gates(draws, stats, thresholds)).rename(columns={"parameter": "quantity"})
    names = checks["quantity"].str.removeprefix("of[").str.removesuffix("]")
    return checks.drop(columns="remedy").assign(quantity=names, provenance="simulated")
