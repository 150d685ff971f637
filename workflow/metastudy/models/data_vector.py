"""What a model is given: its cells and the scales of its priors, in one array of data.

Data, so that a refit with other cells or other priors needs no compilation; one array, because each
further one costs the sampler's compiler half a second.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.tensor import TensorVariable

__all__ = ["PERFECT", "given", "pack"]

# Above nought it takes the place of the standard deviations between groups: next to nought pools
# the groups completely, a wide one not at all.
NOT_FIXED = {"fixed_tau": 0.0}
# Priors under which coders do not err.
PERFECT = {"accuracy_a": 1e6, "accuracy_b": 1.0}


def pack(cells: xr.Dataset, priors: Mapping[str, float]) -> np.ndarray:
    """The changing numbers of the cells and the priors, sorted by name, in one vector."""
    scales = NOT_FIXED | dict(priors)
    parts = [cells[name].values.ravel() for name in _parts(cells)]
    return np.concatenate([*parts, [float(scales[name]) for name in sorted(scales)]])


def given(
    cells: xr.Dataset, priors: Mapping[str, float]
) -> tuple[list[TensorVariable], dict[str, TensorVariable]]:
    """The parts of :func:`pack` in the model that is being built, as its data ``given``.

    Returns
    -------
    The changing numbers of the cells in their shapes, and the priors by name.
    """
    vector = pm.Data("given", pack(cells, priors))
    parts, start = [], 0
    for name in _parts(cells):
        stop = start + cells[name].size
        parts.append(vector[start:stop].reshape(cells[name].shape))
        start = stop
    names = sorted(NOT_FIXED | dict(priors))
    return parts, {name: vector[start + at] for at, name in enumerate(names)}


def _parts(cells: xr.Dataset) -> list[str]:
    """Names of the changing numbers, which the cells have in an attribute."""
    return str(cells.attrs["data"]).split()
