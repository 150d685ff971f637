"""Draws from the prior of a model, without compiling it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

__all__ = ["draw_prior"]

# Few draws of a large graph: Python runs them in the time that a compiler takes to start.
MODE = pytensor.Mode("py", "fast_compile")


def draw_prior(model: pm.Model, names: Sequence[str], draws: int, seed: int) -> xr.Dataset:
    """Draw named quantities of a model together from its prior.

    Parameters
    ----------
    model : as :attr:`metastudy.models.kind.Model.build` makes it; its likelihood plays no part.
    names : parameters and deterministics; what the model does not have is left out.
    draws : number of draws S.

    Returns
    -------
    xarray.Dataset
        Each with the dimension ``sample`` first.
    """
    found = [name for name in names if name in model.named_vars]
    drawn = pm.draw([model[name] for name in found], draws=draws, random_seed=seed, mode=MODE)
    return xr.Dataset(
        {
            name: (("sample", *(f"{name}_{d}" for d in range(values.ndim - 1))), values)
            for name, values in zip(found, map(np.asarray, drawn), strict=True)
        }
    )
