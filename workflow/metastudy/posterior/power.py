"""Power-scaling: how much what is read from a posterior moves with its prior, or its likelihood.

Importance sampling on the draws there are, no refit (Kallioinen et al. 2024, Detecting and
diagnosing prior and likelihood sensitivity with power-scaling, Statistics and Computing 34).
"""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

__all__ = ["SENSITIVE", "moved", "tree_of"]

SENSITIVE = 0.05  # above it something is sensitive (Kallioinen et al. 2024)
GROUPS = ("prior", "likelihood")


def tree_of(size: xr.DataArray, log_prior: xr.Dataset, log_likelihood: xr.DataArray) -> xr.DataTree:
    """Draws as ArviZ takes them.

    Parameters
    ----------
    size : what is read, dims (chain, draw, ...).
    log_prior : log-densities of the priors that are scaled, dims (chain, draw).
    log_likelihood : of all data together, dims (chain, draw).
    """
    whole = log_likelihood.expand_dims("of").transpose("chain", "draw", "of")
    return xr.DataTree.from_dict(
        {
            "posterior": size.rename("size").to_dataset(),
            "log_prior": log_prior,
            "log_likelihood": whole.rename("rows").to_dataset(),
        }
    )


def moved(tree: xr.DataTree) -> Mapping[str, xr.DataArray]:
    """Sensitivity to a power of all priors, and to one of the likelihood, by these two names."""
    import arviz as az  # figures read what is above of this module, and do not pay for it

    return {group: az.psense(tree, var_names="size", group=group)["size"] for group in GROUPS}
