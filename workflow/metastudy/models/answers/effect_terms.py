"""Effects of exposures on outcomes in the settings: the term that answers and items share."""

from __future__ import annotations

from collections.abc import Mapping

import pymc as pm
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.answers.design import answer_effects
from metastudy.models.terms import linear

__all__ = ["outcome_effects"]


def outcome_effects(cells: xr.Dataset, scale: Mapping[str, TensorVariable]) -> TensorVariable:
    """Effect of every exposure on every outcome in every setting, as far as the design goes.

    Parameters
    ----------
    cells : of answers, with ``setting``, ``exposure``, ``construct`` and ``vignette``; their
        outcomes are all pairs of the last two.
    scale : prior scales ``effect``, ``tau`` and ``fixed_tau`` (:func:`linear`).

    Returns
    -------
    TensorVariable
        ``beta`` (setting, exposure, outcome), which the model has then as well.
    """
    setting, exposure, vignette, construct = (
        cells.sizes[name] for name in ("setting", "exposure", "vignette", "construct")
    )
    rows = answer_effects(cells)  # of (setting, exposure, vignette)
    theta = linear(rows, "construct", scale["effect"], scale["tau"], scale["fixed_tau"])
    theta = theta.reshape((setting, exposure, vignette, construct)).swapaxes(2, 3)
    beta = theta.reshape((setting, exposure, construct * vignette))
    return pm.Deterministic("beta", beta, dims=("setting", "exposure", "outcome"))
