"""The building blocks that the models share: totals, components, levels, centred or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from metastudy.design.effects import EffectDesign
from metastudy.models.priors import Prior
from metastudy.models.transforms import NearData

__all__ = [
    "CENTRED_FROM",
    "components",
    "informed",
    "levels",
    "likelihood",
    "spread",
    "sums",
    "varying",
]

# Information of a group about its own effect, over that of the prior on the between-group standard
# deviation: above this the data pin each group down and the centred form has the better geometry.
CENTRED_FROM = 10.0
# What models call population means, and the coefficients of moderators.
MEANS = ("mu", "mu_alone", "family_mean", "contrast", "role_mean", "beta", "moderator")


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

    ``log_prior`` is that of what no other parameter is above: means, contrasts and the standard
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


def components(
    design: EffectDesign, total: Prior, apart: Prior, fixed: TensorVariable
) -> TensorVariable:
    r"""Standard deviation of every component of a design, ``tau`` (component,).

    .. math:: \tau_k^2 = \phi_k T^2, \qquad \phi \sim \operatorname{Dirichlet}(1, \dots, 1)

    over the components that share a total T: adding a grouping adds no heterogeneity. Components
    apart have a standard deviation of their own. The totals are in the model as ``total_tau``.

    Parameters
    ----------
    total, apart : priors of totals and of components apart from them.
    fixed : see :func:`spread`.
    """
    model = pm.modelcontext(None)
    model.add_coord("tau_of", design.components)
    parts: list[TensorVariable] = []
    places: list[np.ndarray] = []
    if design.totals:
        model.add_coord("total_of", design.totals)
        whole = total.variable("total_tau", dims="total_of")
        size = np.bincount(design.total_of[design.total_of >= 0])
        for each in np.unique(size):
            mine = np.flatnonzero(size == each)
            own = np.stack([np.flatnonzero(design.total_of == t) for t in mine])
            tau = whole[mine][:, None]
            if each > 1:
                share = pm.Dirichlet(f"share_of_{each}", np.ones((len(mine), each)))
                tau = tau * pt.sqrt(share)
            parts.append(tau.ravel())
            places.append(own.ravel())
    alone = np.flatnonzero(design.total_of < 0)
    if len(alone):
        model.add_coord("apart_of", [design.components[at] for at in alone])
        parts.append(apart.variable("apart_tau", dims="apart_of"))
        places.append(alone)
    back = np.argsort(np.concatenate(places))
    tau = pt.concatenate(parts)[back]
    return pm.Deterministic("tau", pt.switch(fixed > 0, fixed, tau), dims="tau_of")


def levels(
    design: EffectDesign,
    total: Prior,
    apart: Prior,
    fixed: TensorVariable,
    mean: TensorVariable | None,
    rough: TensorVariable,
    shift: TensorVariable | None = None,
) -> TensorVariable | None:
    """The levels of all components around zero, ``level`` (level,); None where there are none.

    Parameters
    ----------
    design, total, apart, fixed : see :func:`components`.
    mean : of the rows (:attr:`EffectDesign.mean_of`).
    rough : estimates of the rows and squares of their errors, shape (2, row): a level that one row
        has for itself is sampled as that row's effect, near its estimate.
    shift : of each row from its mean, that of moderators; none where there are none.
    """
    if not design.levels:
        return None
    pm.modelcontext(None).add_coord("level_of", design.levels)
    sd = components(design, total, apart, fixed)[design.component_of]
    own = design.own_level
    rows, mine = np.flatnonzero(own >= 0), own[own >= 0]
    shared = np.setdiff1d(np.arange(len(design.levels)), mine)
    level = pt.zeros(len(design.levels))
    if len(shared):
        z = pm.Normal("level_z", shape=len(shared))
        level = pt.set_subtensor(level[shared], sd[shared] * z)
    if len(rows):
        rest = sums(design, mean, level, shift)[rows]
        near = NearData(rough[0, rows], rough[1, rows])
        effect = pm.Normal("effect_z", rest, sd[mine], transform=near)
        level = pt.set_subtensor(level[mine], effect - rest)
    return pm.Deterministic("level", level, dims="level_of")


def sums(
    design: EffectDesign,
    mean: TensorVariable | None,
    level: TensorVariable | None,
    shift: TensorVariable | None = None,
) -> TensorVariable:
    """Effects of all rows: each one's mean, its shift and its levels, shape (row,)."""
    nothing = pt.zeros(1)
    found = pt.zeros(len(design.mean_of))
    if mean is not None:
        found = found + pt.concatenate([mean, nothing])[design.mean_of]
    if level is not None:
        found = found + pt.concatenate([level, nothing])[design.level_of].sum(axis=-1)
    if shift is not None:
        found = found + shift
    return found
