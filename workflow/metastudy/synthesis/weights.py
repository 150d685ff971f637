"""What each estimate weighs in a pooled mean, as a forest plot shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from metastudy.design.effects import Part

__all__ = ["MOST_DRAWS", "weights"]

MOST_DRAWS = 400  # of a large matrix; a weight is read to a per cent
LARGE = 60  # estimates, from which on not all draws are taken


def weights(
    part: Part, covariance: np.ndarray, posterior: xr.Dataset, columns: Sequence[np.ndarray] = ()
) -> xr.DataArray:
    """Weights of estimates in their mean, by generalised least squares given the spreads.

    Given the standard deviations the mean is w'y / sum(w) with w = V^-1 1 and V the covariance of
    the estimates with all spreads in it; with columns of moderators the mean is where they are
    zero. The prior of the mean has no part in them, nor have estimands that are pooled jointly.

    Parameters
    ----------
    part : the estimand, its components, and which unit each of its estimates is.
    covariance : sampling covariance of its estimates, shape (estimate, estimate).
    posterior : draws with ``tau``, dims (chain, draw, tau_of).
    columns : of moderators, each of shape (estimate,).

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw, estimate); they sum to one in each draw, and may be negative where
        estimates are strongly correlated. Of many estimates :data:`MOST_DRAWS` draws at most.
    """
    components = part.found.components
    by = "chain", "draw"
    sizes = posterior["mu"].transpose(*by, ...).shape[:2]
    step = max(1, -(-sizes[0] * sizes[1] // MOST_DRAWS)) if len(covariance) > LARGE else 1
    spreads = [posterior["tau"].sel(tau_of=part.label(c)).transpose(*by) for c in components]
    squares = [spread.to_numpy()[:, ::step] ** 2 for spread in spreads]
    same = [np.equal.outer(at, at) for at in (c.index[part.unit] for c in components)]
    x = np.column_stack([np.ones(len(covariance)), *columns])
    found = np.empty((sizes[0], len(range(0, sizes[1], step)), len(covariance)))
    for at in np.ndindex(*found.shape[:2]):
        whole = sum((s[at] * alike for s, alike in zip(squares, same, strict=True)), covariance)
        solved = np.linalg.solve(whole, x)
        found[at] = np.linalg.solve(x.T @ solved, solved.T)[0]
    return xr.DataArray(found, dims=(*by, "estimate"))
