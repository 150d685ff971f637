"""Presence of codes in interviews that differ in how much they tell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.codings.marginal import quadrature
from metastudy.models.codings.model import coords_of, log_odds
from metastudy.models.codings.priors import prior_of
from metastudy.models.data_vector import given
from metastudy.models.interviews.cells import CODED
from metastudy.models.interviews.density import Patterns
from metastudy.models.latent_classes import pattern_probabilities
from metastudy.models.priors import Prior
from metastudy.models.terms import likelihood, spread

__all__ = ["NODES", "build"]

NODES = 15  # of the integral over interviews; twice as many move nothing (tests)


def build(cells: xr.Dataset, priors: Mapping[str, Prior], nodes: int = NODES) -> pm.Model:
    r"""The model of codings with an effect of the interview on all of its codes.

    .. math::
        \Pr(y_i) = \int \prod_c \left( \pi_{ic} a_{y_{ic}} + (1 - \pi_{ic}) b_{y_{ic}} \right)
            N(h_i \mid 0, \tau_h^2)\, dh_i, \qquad
        \operatorname{logit} \pi_{ic} = \operatorname{logit} \pi_{o(i)c} + h_i

    Interview i of unit o has the pattern :math:`y_i` of what coders did to its codes, which has
    probability a where a code is present and b where it is not. The log-odds of the unit are those
    of :func:`metastudy.models.codings.model.build`; there an interview's codes are independent, and
    here one that tells much has more of all of them. The integral is by Gauss and Hermite.

    Parameters
    ----------
    cells : patterns of a module (:func:`metastudy.models.interviews.cells.interview_cells`).
    priors : those of the model of codings; ``interview_tau`` has ``tau_logit``.
    nodes : of the quadrature.

    Returns
    -------
    pymc.Model
        With ``log_odds`` (organisation, code), those of an interview with effect zero, which are
        conditional on it, as ``contrast`` and ``gamma`` are.
    """
    with pm.Model(coords=coords_of(cells)) as model:
        (count,), symbolic, (fixed, _) = given(cells, priors)
        prior = partial(prior_of, symbolic)
        everywhere, asked, seen = log_odds(cells, prior, fixed)
        pm.Deterministic("log_odds", everywhere, dims=("organisation", "code"))
        tau = spread("interview_tau", prior("interview_tau"), fixed)
        accuracy = [prior(name).variable(name) for name in ("sensitivity", "specificity")]
        likelihood(patterns(cells, count, asked, seen, tau, accuracy, nodes))
    return model


def patterns(
    cells: xr.Dataset,
    count: TensorVariable,
    asked: TensorVariable,
    seen: tuple[np.ndarray, ...],
    tau: TensorVariable,
    accuracy: list[TensorVariable],
    nodes: int,
) -> TensorVariable:
    """Log-likelihood of the patterns of codes of interviews.

    Parameters
    ----------
    count : interviews of each cell, shape (cell,).
    asked : log-odds of what was looked for, one after the other, at the places ``seen``.
    tau : standard deviation of the effects of interviews.
    accuracy : sensitivity and specificity.
    """
    place = np.full((cells.sizes["organisation"], cells.sizes["code"]), -1)
    place[seen] = np.arange(len(seen[0]))
    cell, code = np.nonzero(cells.coded.values >= 0)
    start = np.searchsorted(cell, np.arange(cells.sizes["cell"] + 1))
    parts = np.column_stack(
        [place[cells.unit_of_cell.values[cell], code], cells.coded.values[cell, code]]
    )
    parts, part = np.unique(parts, axis=0, return_inverse=True)
    point, weight = quadrature(nodes)
    if_present, if_absent = (
        pt.stack([share[name] for name in CODED]) for share in pattern_probabilities(*accuracy)
    )
    accurate = (if_present, if_absent)
    which = (start, part.ravel(), *parts.T)
    return Patterns()(count, asked, tau, *accurate, *which, point, weight)[0]
