"""Simulations: parameters from a model's priors, and the cells that they would give.

Cells are drawn from their own distribution given the parameters, never row by row, so that a
simulation costs the same for a thousand respondents as for a million.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr

from metastudy.models.data_vector import COMPUTED

__all__ = ["log_likelihood", "parameters", "together"]

# Each graph is run some hundred times: compiling it would take longer.
UNCOMPILED = pytensor.Mode("py", None)


def parameters(model: pm.Model, simulations: int, seed: int) -> xr.Dataset:
    """Draws of all parameters from the priors of a model, the likelihood left out.

    Returns
    -------
    xarray.Dataset
        Every free parameter and what the model computes of it, with ``simulation`` first.
    """
    wanted = [v for v in model.basic_RVs + model.deterministics if not _is_density(v.name)]
    drawn = pm.draw(wanted, simulations, mode=UNCOMPILED, random_seed=seed)
    named = {}
    for variable, values in zip(wanted, drawn, strict=True):
        own = [f"{variable.name}_dim_{at}" for at in range(variable.ndim)]
        dims = model.named_vars_to_dims.get(variable.name, own)
        named[variable.name] = (("simulation", *dims), values)
    coords = {name: list(labels) for name, labels in model.coords.items() if labels is not None}
    used = {dim for dims, _ in named.values() for dim in dims}
    return xr.Dataset(named, {name: coords[name] for name in used if name in coords})


def _is_density(name: str) -> bool:
    return name in ("log_likelihood", "log_prior")


def log_likelihood(model: pm.Model) -> Callable[[xr.Dataset, np.ndarray], float]:
    """The joint log-likelihood of a model, as a function of its parameters and of what it is given.

    Returns
    -------
    Function of one simulation of :func:`parameters`, or of a draw with its noise, and of
    :func:`metastudy.models.data_vector.pack`.
    """
    names = [v.name for v in model.free_RVs]
    data = pt.vector("data")
    compiled = pytensor.function(
        [*model.free_RVs, data],
        model["log_likelihood"],
        givens={model["given"]: data},
        mode=UNCOMPILED,
        on_unused_input="ignore",
    )
    return lambda at, given: float(compiled(*(at[name].values for name in names), given))


def together(cells: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    """The cells of two data sets of one design as those of one, with all parameters in common.

    Counts and cross-products add up, so that the log-likelihood of both is the sum of the two. The
    second data set is in the units of the first, as simulated cells are: nothing is standardised
    anew.

    Parameters
    ----------
    cells, other : with the same settings, sites and codes; design and attributes are the first's.
    """
    names = [name for name in str(cells.attrs["data"]).split() if name not in COMPUTED]
    return cells.assign({name: cells[name] + other[name].values for name in names})
