"""Simulated cells of codings, and which of their quantities the data identify."""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.base import labelled
from metastudy.models.codings.observations import applied
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.roles import slopes

__all__ = ["OF_CODINGS", "identified", "simulate_codings"]

OF_CODINGS = (
    *("prevalence", "prevalence_tau", "alpha", "contrast", "code_tau", "gamma"),
    *("role_mean", "role_tau", "role_code"),
    *("total_tau", "tau", "own_tau", "organisation_tau", "organisation_code_tau"),
    *("sensitivity", "specificity"),
)


def identified(values: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """All quantities of codings that the data speak about, and the joint log-likelihood.

    Parameters
    ----------
    values : draws of a posterior, or parameters; ``log_likelihood`` among them.
    cells : what the design is read from; no count of a code is.

    Returns
    -------
    xarray.DataArray
        The dims of the draws, then ``quantity``, with its label and as ``parameter`` its name.
    """
    return labelled(values, (*OF_CODINGS, "log_likelihood"), _informed(cells))


def _informed(cells: xr.Dataset) -> dict[str, xr.DataArray]:
    """A contrast of a code wants interviews about it on both sides of the exposure."""
    read, of = interviews(cells).values > 0, slopes(cells)
    sides = [np.einsum("oc,oe->ce", read, side) for side in (of.x < 0, of.x > 0)]
    gamma = sides[0] & sides[1]
    shared = of.exposure == np.arange(cells.sizes["exposure"])[:, None]  # (exposure, slope)
    of_family = cells.family_of.values == cells.family.values[:, None]
    return {
        "gamma": xr.DataArray(gamma, dims=("code", "exposure")),
        "contrast": xr.DataArray(of_family.astype(float) @ gamma > 0, dims=("family", "exposure")),
        "code_tau": xr.DataArray(shared @ gamma.any(axis=0), dims="of_exposure"),
    }


def simulate_codings(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Counts of codings of as many interviews, read by as many coders.

    Parameters
    ----------
    cells : of a module's codings; the numbers of interviews of one and of two coders stay.
    at : one simulation of :func:`parameters`.
    rng : source of randomness.
    """
    p = {name: share[0] for name, share in applied(at.expand_dims("sample")).items()}
    shares = {
        "single": np.stack([p["one"], 1 - p["one"]], axis=-1),
        "double": np.stack([p["both"], p["either"], p["either"], p["none"]], axis=-1),
    }
    counts = {}
    for name, share in shares.items():
        read = cells[name].values.sum(axis=-1).astype(np.int64)
        share = np.clip(share, 0, None)
        drawn = rng.multinomial(read, share / share.sum(axis=-1, keepdims=True))
        counts[name] = (cells[name].dims, drawn.astype(float))
    return cells.assign(counts)
