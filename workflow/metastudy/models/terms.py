"""The building blocks that the models share: levels of a grouping, centred or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from metastudy.design import Structure

__all__ = ["CENTRED_FROM", "add_terms", "informed", "varying"]

# Information of a group about its own effect, over that of the prior on the between-group standard
# deviation: above this the data pin each group down and the centred form has the better geometry.
CENTRED_FROM = 10.0


def informed(information: np.ndarray, scale: float) -> bool:
    """Whether groups are informed well enough for the centred form.

    Parameters
    ----------
    information : inverse sampling variance of each group's own estimate, in the model's units.
    scale : prior scale of the between-group standard deviation.
    """
    return bool(np.median(information) * scale**2 > CENTRED_FROM)


def varying(
    name: str, sd: TensorVariable, dims: Sequence[str], centre: TensorVariable | float, centred: bool
) -> TensorVariable:
    """Group effects around ``centre`` with standard deviation ``sd``; the first dim is the group's.

    Both forms are the same distribution; which one samples well depends on how much each group's
    data say (Betancourt and Girolami 2015).
    """
    if centred:
        return pm.Normal(name, centre, sd, dims=dims)
    return pm.Deterministic(name, centre + sd * pm.Normal(f"{name}_z", dims=dims), dims=dims)


def add_terms(
    name: str,
    mean: TensorVariable | float,
    structure: Structure,
    dim: str | None,
    effect_sd: float,
    tau_sd: float,
) -> TensorVariable:
    """Effect per unit: the population mean and what the design identifies around it.

    Parameters
    ----------
    name : name of the effect, the prefix of all variables.
    mean : population mean, shape (K,), or a scalar.
    structure : contrasts and varying terms of the units (:func:`metastudy.design.structure`).
    dim : name of the last dimension, of length K; None for one effect per unit.
    effect_sd, tau_sd : prior scale of a contrast, and of a between-group standard deviation.

    Returns
    -------
    TensorVariable
        Shape (units, K), or (units,) without a dimension.
    """
    model = pm.modelcontext(None)
    dims = () if dim is None else (dim,)
    column = (slice(None),) + (None,) * len(dims)
    total = pt.zeros(structure.units)[column] + mean
    for term in structure.terms:
        label = f"{name}_{term.name}"
        if term.kind == "contrast":
            total = total + term.coding[column] * pm.Normal(
                f"{label}_difference", 0, effect_sd, dims=dims or None
            )
        else:
            model.add_coord(f"{label}_level", term.levels)
            tau = pm.HalfNormal(f"{label}_tau", tau_sd, dims=dims or None)
            levels = varying(label, tau, (f"{label}_level", *dims), 0.0, centred=False)
            total = total + levels[term.index]
    return total
