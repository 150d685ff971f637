"""What a model is given: its cells and the numbers of its priors, in one array of data.

Data, so that a refit with other cells or other priors needs no compilation; one array, because each
further one costs the sampler's compiler half a second. The family of a prior is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pymc as pm
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.least_squares import of_categories, of_events, of_scores, of_sites
from metastudy.models.priors import Prior

__all__ = ["COMPUTED", "NOT_FIXED", "PERFECT", "given", "pack"]

# Above zero it takes the place of standard deviations, between groups or between the outcomes of a
# family: next to zero pools completely, a wide one not at all.
NOT_FIXED = 0.0
# Priors under which coders do not err.
PERFECT = {"accuracy": Prior("beta_above_half", {"a": 1e6, "b": 1.0})}


def pack(
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    fixed_tau: float = NOT_FIXED,
    fixed_outcomes: float = NOT_FIXED,
) -> np.ndarray:
    """The changing numbers of the cells and the priors, sorted by key, in one vector.

    Parameters
    ----------
    cells : of a module, or the estimates of the second stage.
    priors : of the families that the model was built with.
    fixed_tau : standard deviation between groups; not above zero, it is estimated.
    fixed_outcomes : the same between the outcomes of a family.
    """
    parts = [part.ravel() for part in _parts(cells)]
    fixed = dict(zip(FIXED, (fixed_tau, fixed_outcomes), strict=True))
    numbers = [
        float(priors[key].numbers[name] if key in priors else fixed[key, name])
        for key, name in _layout(priors)
    ]
    return np.concatenate([*parts, numbers])


def given(
    cells: xr.Dataset, priors: Mapping[str, Prior]
) -> tuple[list[TensorVariable], dict[str, Prior], list[TensorVariable]]:
    """The parts of :func:`pack` in the model that is being built, as its data ``given``.

    Returns
    -------
    The changing numbers of the cells in their shapes, the priors with tensors for numbers, and the
    fixed standard deviations, between groups and between the outcomes of a family.
    """
    vector = pm.Data("given", pack(cells, priors))
    parts, start = [], 0
    for part in _parts(cells):
        stop = start + part.size
        parts.append(vector[start:stop].reshape(part.shape))
        start = stop
    at = {place: vector[start + i] for i, place in enumerate(_layout(priors))}
    symbolic = {
        key: replace(prior, numbers={name: at[key, name] for name in prior.numbers})
        for key, prior in priors.items()
    }
    return parts, symbolic, [at[place] for place in FIXED]


# What follows from the cells, so that it changes with them.
COMPUTED = {
    "estimates_of_scores": of_scores,
    "estimates_of_categories": of_categories,
    "estimates_of_events": of_events,
    "estimates_of_sites": of_sites,
}
FIXED = (("fixed_tau", ""), ("fixed_outcomes", ""))


def _layout(priors: Mapping[str, Prior]) -> list[tuple[str, str]]:
    """Key and name of each number after those of the cells, in their order."""
    own = [(key, name) for key, prior in priors.items() for name in prior.numbers]
    return sorted([*own, *FIXED])


def _parts(cells: xr.Dataset) -> list[np.ndarray]:
    """The changing numbers, whose names the cells have in an attribute."""
    names = str(cells.attrs["data"]).split()
    return [COMPUTED[name](cells) if name in COMPUTED else cells[name].values for name in names]
