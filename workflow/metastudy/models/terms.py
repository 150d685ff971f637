"""The building blocks that the models share: levels of a grouping, centred or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from metastudy.design.matrix import Effects
from metastudy.models.algebra import product
from metastudy.models.priors import Prior

__all__ = ["CENTRED_FROM", "informed", "likelihood", "linear", "spread", "varying"]

# Information of a group about its own effect, over that of the prior on the between-group standard
# deviation: above this the data pin each group down and the centred form has the better geometry.
CENTRED_FROM = 10.0
MEANS = ("mu", "contrast", "difference")  # what the models call population means and contrasts


def informed(information: np.ndarray, scale: float) -> bool:
    """Whether groups are informed well enough for the centred form.

    Parameters
    ----------
    information : inverse sampling variance of each group's own estimate, in the model's units.
    scale : prior scale of the between-group standard deviation.
    """
    return bool(np.median(information) * scale**2 > CENTRED_FROM)


def likelihood(log_likelihood: TensorVariable) -> None:
    """Add the likelihood to the model; its value and that of the prior are in every draw.

    ``log_prior`` is that of what no other parameter stands above: means, contrasts and the standard
    deviations between groups. Scaling the priors below them as well would scale the hierarchy.
    """
    model = pm.modelcontext(None)
    top = [v for v in model.free_RVs if v.name in MEANS or v.name.endswith("tau")]
    pm.Deterministic("log_prior", pt.sum([pm.logp(v, v).sum() for v in top]))
    pm.Deterministic("log_likelihood", log_likelihood)
    pm.Potential("likelihood", log_likelihood)


def spread(
    name: str, prior: Prior, fixed: TensorVariable, dims: str | Sequence[str] | None = None
) -> TensorVariable:
    """Standard deviation between groups, or ``fixed`` where that is above zero.

    Fixed, it says how groups are pooled instead of asking the data: completely next to zero,
    hardly at all where it is wide.
    """
    return pt.switch(fixed > 0, fixed, prior.variable(name, dims=dims))


def varying(
    name: str,
    sd: TensorVariable,
    dims: Sequence[str],
    centre: TensorVariable | float,
    centred: bool,
) -> TensorVariable:
    """Group effects around ``centre`` with standard deviation ``sd``; the first dim is the group's.

    Both forms are the same distribution; which one samples well depends on how much each group's
    data say (Betancourt and Girolami 2015).
    """
    if centred:
        return pm.Normal(name, centre, sd, dims=dims)
    return pm.Deterministic(name, centre + sd * pm.Normal(f"{name}_z", dims=dims), dims=dims)


def linear(
    design: Effects,
    dim: str | None,
    effect: Prior,
    between: Prior,
    fixed_tau: TensorVariable,
) -> TensorVariable:
    """Effects of all rows: the design matrix times means, differences and levels.

    Parameters
    ----------
    design : what the design identifies (:func:`metastudy.design.matrix.effects`).
    dim : name of the last dimension, of length K; None for one effect per row.
    effect, between : prior of means and differences, and of standard deviations.
    fixed_tau : see :func:`spread`.

    Returns
    -------
    TensorVariable
        Shape (rows, K), or (rows,) without a dimension. Adds to the model ``mu`` (population
        means), ``difference``, and ``level`` with its ``tau``, as far as the design has them.
    """
    model = pm.modelcontext(None)
    dims = () if dim is None else (dim,)
    parts = []
    for name, labels in (("mu", design.means), ("difference", design.differences)):
        if labels:
            model.add_coord(f"{name}_of", labels)
            parts.append(effect.variable(name, dims=(f"{name}_of", *dims)))
    if design.levels:
        model.add_coord("tau_of", design.components)
        model.add_coord("level_of", design.levels)
        tau = spread("tau", between, fixed_tau, ("tau_of", *dims))
        parts.append(
            varying("level", tau[design.component], ("level_of", *dims), 0.0, centred=False)
        )
    return product(design.matrix, pt.concatenate(parts)) if parts else pt.zeros(len(design.matrix))
