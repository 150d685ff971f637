"""Calibrate: would a module's model find what it simulated? Simulation-based calibration.

Parameters are drawn from the priors, cells from the parameters, and the model is fitted to them
with what it compiled once. Each true value then has a rank among its posterior's draws, and all
ranks together are uniform if simulation, model and sampler agree.

That holds from any data set on, too: parameters are drawn from its posterior, cells like its own
from the parameters, and the model is fitted to both together. So calibration is asked of the part
of the priors where the data are (Säilynoja, Schmitt, Bürkner and Vehtari 2025, Posterior SBC).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from metastudy.calibration.rank_bands import INTERVALS, POSTERIOR, ranks, thinned
from metastudy.common import result_tables
from metastudy.inference.convergence import gates
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.data_vector import pack
from metastudy.models.prior_simulation import log_likelihood, parameters, together
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of

__all__ = [
    "CHECKS",
    "RANKED",
    "Simulation",
    "calibrate",
    "fit_and_rank",
    "for_short_chains",
    "from_posterior",
    "rank_parts",
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


def from_posterior(
    compiled: Any, sampling: Mapping[str, Any], number: int, cores: int = 1
) -> xr.Dataset:
    """Parameters from the posterior of the data that a model was built with, its noise included.

    Parameters
    ----------
    compiled : the model.
    sampling : long chains: of all their draws so many are taken, evenly spaced.

    Returns
    -------
    xarray.Dataset
        As :func:`metastudy.models.prior_simulation.parameters` has them, ``simulation`` first.
    """
    posterior = draw(compiled, sampling, cores, noise=True)["posterior"].to_dataset()
    drawn = posterior.stack(simulation=("chain", "draw"), create_index=False)
    taken = thinned(np.arange(drawn.sizes["simulation"]), number)
    return drawn.isel(simulation=taken).drop_vars(("chain", "draw")).transpose("simulation", ...)


def simulations(
    built: pm.Model,
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    drawn: xr.Dataset,
    seed: int,
    with_cells: bool = False,
) -> Iterator[Simulation]:
    """Simulations of a module, as many rows in every cell as there were.

    Parameters
    ----------
    built : from the cells and the priors.
    drawn : what is true: parameters from the priors
        (:func:`metastudy.models.prior_simulation.parameters`), or from the posterior of the cells
        (:func:`from_posterior`).
    with_cells : whether the model is given the cells beside the simulated ones, as one data set. It
        has to be where what is true is from their posterior: that is the prior of what follows.
    """
    model = model_of(cells)
    joint = log_likelihood(built)
    for at in range(drawn.sizes["simulation"]):
        truth = drawn.isel(simulation=at, drop=True)
        made = model.simulate(cells, truth, np.random.default_rng([seed, at, int(with_cells)]))
        given = pack(together(cells, made) if with_cells else made, priors)
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


Part = tuple[str, Any, Iterable[Simulation]]  # its name, the compiled model, what is fitted


def rank_parts(
    parts: Iterable[Part],
    kept: int,
    short: Mapping[str, Any],
    thresholds: Mapping[str, float],
    cores: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rank each part by :func:`fit_and_rank`: both tables with ``part``, empty without any."""
    done = []
    for part, compiled, made in parts:
        print(part, flush=True)
        both = fit_and_rank(compiled, made, short, kept, thresholds, cores)
        done.append([each.assign(part=part) for each in both])
    if not done:
        return pd.DataFrame(columns=RANKED), pd.DataFrame(columns=CHECKS)
    ranked, checks = (pd.concat(each, ignore_index=True) for each in zip(*done, strict=True))
    return ranked[RANKED], checks[CHECKS]


def calibrate(
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    number: int,
    number_posterior: int,
    kept: int,
    sampling: Mapping[str, Any],
    short: Mapping[str, Any],
    thresholds: Mapping[str, float],
    cores: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibrate a module, from its priors and from the posterior of its cells, compiled once.

    Parameters
    ----------
    cells : of the module; their design, numbers of rows and exposures are those of every
        simulation, and their outcomes are a part of those from the posterior.
    number, number_posterior : of simulations from the priors, and from the posterior.
    sampling, short : of the posterior that parameters are drawn from, the article's own, and of
        each simulation.

    Returns
    -------
    ranked, checks
        As :func:`fit_and_rank` has them, with the ``part`` ``module`` or ``module_posterior``.
    """
    built = model_of(cells).build(cells, priors)
    compiled, seed = compile_model(built), short["seed"]

    def parts() -> Iterator[Part]:
        drawn = parameters(built, number, seed)
        yield "module", compiled, simulations(built, cells, priors, drawn, seed)
        drawn = from_posterior(compiled, sampling, number_posterior, cores)
        both = simulations(built, cells, priors, drawn, seed, with_cells=True)
        yield f"module{POSTERIOR}", compiled, both

    return rank_parts(parts(), kept, short, thresholds, cores)


def _gates(found: xr.DataArray, stats: xr.Dataset, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """The gates of one simulation, over the quantities that are ranked."""
    draws = found.drop_vars("parameter").rename("of").to_dataset()
    checks = pd.DataFrame(gates(draws, stats, thresholds)).rename(columns={"parameter": "quantity"})
    names = checks["quantity"].str.removeprefix("of[").str.removesuffix("]")
    return checks.drop(columns="remedy").assign(quantity=names, provenance="simulated")
