"""Effects of exposures on outcomes in the settings: the term that answers and items share."""

from __future__ import annotations

from collections.abc import Mapping

import pymc as pm
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.answers.design import answer_effects
from metastudy.models.answers.priors import prior_of
from metastudy.models.priors import Prior
from metastudy.models.terms import linear

__all__ = ["outcome_effects"]


def outcome_effects(
    cells: xr.Dataset, priors: Mapping[str, Prior], fixed_tau: TensorVariable
) -> TensorVariable:
    """Effect of every exposure on every outcome in every setting, as far as the design goes.

    Parameters
    ----------
    cells : of answers, with ``setting``, ``exposure``, ``construct`` and ``vignette``; their
        outcomes are all pairs of the last two.
    priors, fixed_tau : what the model is given (:func:`metastudy.models.data_vector.given`).

    Returns
    -------
    TensorVariable
        ``beta`` (setting, exposure, outcome), which the model has then as well.
    """
    setting, exposure, vignette, construct = (
        cells.sizes[name] for name in ("setting", "exposure", "vignette", "construct")
    )
    rows = answer_effects(cells)  # of (setting, exposure, vignette)
    effect, between = (prior_of(priors, name) for name in ("mu", "tau"))
    theta = linear(rows, "construct", effect, between, fixed_tau)
    theta = theta.reshape((setting, exposure, vignette, construct)).swapaxes(2, 3)
    beta = theta.reshape((setting, exposure, construct * vignette))
    return pm.Deterministic("beta", beta, dims=("setting", "exposure", "outcome"))
