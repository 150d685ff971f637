"""Answers to single items, in the categories in which they were given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from statistics import NormalDist

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.transforms import ordered
from pytensor.tensor import TensorVariable

from metastudy.models.algebra import product
from metastudy.models.answers.effect_terms import outcome_effects
from metastudy.models.answers.priors import prior_of
from metastudy.models.data_vector import given
from metastudy.models.likelihoods import ordinal_cells
from metastudy.models.priors import Prior
from metastudy.models.terms import likelihood

__all__ = ["build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    r"""Hierarchical cumulative probit regression of the answers to items on the exposures.

    .. math::
        \Pr(y_{im} \le h) &= \Phi(\kappa_{jmh} - \beta_{jk(m)}' x_i) \\
        \beta_{jpk} &= \mu_{pc(k)r(j)} + \textstyle\sum_t u_{tpc(k)}[t(j)] + w_{pc(k)}[v(k)] \\
        \kappa_{jm1} < \dots < \kappa_{jm,H-1} &\sim N(0, s^2)

    Person i in setting j answers item m, which asks for construct c in vignette v, outcome k, in
    one of H categories. The second line is that of the scores, in standard deviations of the
    latent answer to one item, which vary more than means of several. Thresholds are each item's
    and setting's own; with s = 1 the shares of the categories are uniform a priori. The model
    takes answers as independent: it ignores that one person answers several items and that people
    share a site, so its intervals are too narrow.

    Parameters
    ----------
    cells : counts of a module (:func:`metastudy.models.ordinal.cells.item_cells`).
    priors : ``baseline``, ``effect``, ``tau`` and ``outcomes``; which parameter has which is in
        :mod:`metastudy.models.answers.priors`.

    Returns
    -------
    pymc.Model
        With ``mu`` (estimand), ``beta`` (setting, exposure, outcome), the thresholds of
        items with H categories, ``threshold_H``, and ``log_likelihood`` (up to a constant); what a
        refit changes is one array of data, ``given``.
    """
    names = ("setting", "exposure", "construct", "vignette", "outcome")
    with pm.Model(coords={name: cells[name].values for name in names}) as model:
        (count, rough), symbolic, (fixed_tau, fixed_outcomes) = given(cells, priors)
        fixed = fixed_tau, fixed_outcomes
        prior = partial(prior_of, symbolic)
        beta = outcome_effects(cells, prior, *fixed, rough).swapaxes(1, 2)
        slope = beta[cells.setting_of_item.values, cells.outcome_of_item.values]
        eta = product(slope, cells.x.values.T)  # (item, combination)
        edges, first = _edges(cells, prior("threshold"))
        eta = eta[cells.item_of_cell.values, cells.combination_of_cell.values]
        lower = first[cells.item_of_cell.values] + cells.category_of_cell.values
        likelihood(ordinal_cells(count, edges[lower] - eta, edges[lower + 1] - eta))
    return model


def _edges(cells: xr.Dataset, prior: Prior) -> tuple[TensorVariable, np.ndarray]:
    """Ends of the categories of all items in one vector, and where in it each item begins."""
    model, categories = pm.modelcontext(None), cells.categories.values
    edges, first, start = [], np.zeros_like(categories), 0
    for h in np.unique(categories):
        items = np.flatnonzero(categories == h)
        dims = {f"item_{h}": cells.item.values[items], f"boundary_{h}": np.arange(1, h)}
        model.add_coords(dims)
        even = [NormalDist().inv_cdf(k / h) for k in range(1, h)]  # where to start
        kappa = prior.variable(
            f"threshold_{h}",
            dims=tuple(dims),
            transform=ordered,
            initval=np.tile(even, (len(items), 1)),
        )
        end = np.full((len(items), 1), np.inf)
        edges.append(pt.concatenate([-end, kappa, end], axis=1).ravel())
        first[items] = start + (h + 1) * np.arange(len(items))
        start += (h + 1) * len(items)
    return pt.concatenate(edges), first
