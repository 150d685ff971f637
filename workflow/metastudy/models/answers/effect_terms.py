"""Effects of exposures on outcomes in the settings: the term that answers and items share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.design.effects import EffectDesign
from metastudy.models.algebra import product
from metastudy.models.answers.design import answer_design, estimands, families, slopes
from metastudy.models.priors import Prior
from metastudy.models.terms import levels, sums
from metastudy.models.transforms import NearData

__all__ = ["outcome_effects"]


def outcome_effects(
    cells: xr.Dataset,
    prior: Callable[[str], Prior],
    fixed_tau: TensorVariable,
    fixed_outcomes: TensorVariable,
    rough: TensorVariable,
) -> TensorVariable:
    """Effect of every exposure on every outcome in every setting, as far as the design goes.

    Where studies declare moderators, the coefficients that the design identifies shift the mean;
    they are in the model as ``moderator``, and ``mu`` is where all moderators are at their place.

    Parameters
    ----------
    cells : of answers, with ``setting``, ``exposure``, ``construct`` and ``vignette``; their
        outcomes are all pairs of the last two.
    prior : takes the name of a parameter to its prior.
    fixed_tau, fixed_outcomes : what the model is given
        (:func:`metastudy.models.data_vector.given`).
    rough : estimates and squares of their errors, shape (2, setting, exposure, outcome); they
        decide how the effects are sampled, and nothing else.

    Returns
    -------
    TensorVariable
        ``beta`` (setting, exposure, outcome), which the model has then as well.
    """
    design, moderated = answer_design(cells), slopes(cells)
    near = rough.reshape((2, len(design.mean_of)))
    mu = _means(cells, prior, fixed_outcomes, design, near)
    total, apart = (prior(name) for name in ("total_tau", "apart_tau"))
    shift = None
    if moderated.names:
        pm.modelcontext(None).add_coord("moderator_of", moderated.names)
        coefficient = prior("moderator").variable("moderator", dims="moderator_of")
        shift = pt.dot(moderated.columns, coefficient)
    level = levels(design, total, apart, fixed_tau, mu, near, shift)
    dims = ("setting", "exposure", "outcome")
    beta = sums(design, mu, level, shift).reshape(tuple(cells.sizes[name] for name in dims))
    return pm.Deterministic("beta", beta, dims=dims)


def _means(
    cells: xr.Dataset,
    prior: Callable[[str], Prior],
    fixed: TensorVariable,
    design: EffectDesign,
    near: TensorVariable,
) -> TensorVariable:
    r"""Population effects ``mu`` (estimand), those of a family's outcomes partially pooled.

    .. math:: \mu_k \sim N(s_k m_f, \omega_f^2)

    for outcome k of family f, with its sign s where the vocabulary says that outcomes point one
    way, else zero. Of one outcome alone :math:`\mu` has the prior of m.
    """
    model = pm.modelcontext(None)
    table = estimands(cells)
    model.add_coord("estimand", table.index.to_numpy(dtype=str))
    family = families(table)
    pooled = np.flatnonzero(family != "")
    alone = np.flatnonzero(family == "")
    effect = prior("mu")
    parts, places = [], []
    if len(alone):
        model.add_coord("estimand_alone", table.index[alone].to_numpy(dtype=str))
        parts.append(effect.variable("mu_alone", dims="estimand_alone"))
        places.append(alone)
    if len(pooled):
        names, of = np.unique(family.iloc[pooled], return_inverse=True)
        sign = table["sign"].to_numpy(dtype=float)[pooled]
        signed = np.bincount(of, weights=sign != 0)  # one outcome with a direction shares it
        model.add_coord("family_of", names)
        centre = pt.zeros(len(pooled))
        if len(several := np.flatnonzero(signed > 1)):
            model.add_coord("directed_family", names[several])
            mean = effect.variable("family_mean", dims="directed_family")
            at = np.full(len(names), -1)
            at[several] = np.arange(len(several))
            centre = pt.concatenate([mean, pt.zeros(1)])[at[of]] * sign
        sd = prior("outcome_tau").variable("outcome_tau", dims="family_of")[of]
        # Not pooled, outcomes have one prior each, as wide as ``fixed``.
        centre, sd = pt.switch(fixed > 0, 0.0, centre), pt.switch(fixed > 0, fixed, sd)
        form = NearData(*_together(design, near, pooled))
        parts.append(pm.Normal("mu_z", centre, sd, transform=form))
        places.append(pooled)
    back = np.argsort(np.concatenate(places))
    return pm.Deterministic("mu", pt.concatenate(parts)[back], dims="estimand")


BETWEEN = 0.1  # standard deviation between settings that the rough estimate of a mean expects


def _together(
    design: EffectDesign, near: TensorVariable, means: np.ndarray
) -> tuple[TensorVariable, TensorVariable]:
    """Rough estimates of some means and squares of their errors, from those of their rows."""
    member = (design.mean_of == means[:, None]).astype(float)
    weight = member / (near[1] + BETWEEN**2)
    total = weight.sum(axis=1)
    return product(weight, near[0]) / total, 1 / total
