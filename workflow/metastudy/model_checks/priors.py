"""Priors of a fit's top-level parameters: their density in the draws, and in other widths.

A prior of another width needs a refit only where the draws that there are cannot be reweighted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import xarray as xr

from metastudy.models.priors import Prior
from metastudy.models.registry import model_of

__all__ = ["log_density", "log_priors", "sampled_names"]

# Sampled under another name than the parameter whose prior they have.
PARAMETER = {
    "mu_alone": "mu",
    "family_mean": "mu",
    "prevalence_here": "prevalence",
    "sensitivity_share": "sensitivity",
    "specificity_share": "specificity",
}
# Sampled around something else, of which the draws have the distance.
DISTANCE = {"prevalence_here": "prevalence"}
OVER = ("chain", "draw")


def sampled_names(cells: xr.Dataset, priors: Mapping[str, Prior]) -> list[str]:
    """Names of what the model of some cells samples; imports PyMC."""
    return [str(v.name) for v in model_of(cells).build(cells, priors).free_RVs]


def log_priors(
    cells: xr.Dataset,
    posterior: xr.Dataset,
    priors: Mapping[str, Prior],
    sampled: Collection[str],
    variant: Mapping[str, Prior] | None = None,
) -> xr.Dataset:
    """Log-density of the priors in every draw, up to constants, by the configuration's keys.

    Parameters
    ----------
    posterior : draws, dims ``chain`` and ``draw``.
    priors : those of the fit.
    sampled : what the model samples (:func:`sampled_names`); what it has no prior of the
        configuration for, such as effects of groups, is in none.
    variant : other priors of the same families, in which the densities are to be taken.

    Returns
    -------
    xarray.Dataset
        For each key that a parameter has, the sum over its parameters (chain, draw).
    """
    found: dict[str, xr.DataArray] = {}
    for name, parameter, key in _parameters(cells, priors, sampled):
        prior = model_of(cells).prior_of(variant or priors, parameter)
        values = posterior[DISTANCE.get(name, name)].transpose(*OVER, ...)
        own = xr.DataArray(log_density(prior, values.values), dims=OVER)
        found[key] = found[key] + own if key in found else own
    return xr.Dataset(found).assign_coords({name: posterior[name] for name in OVER})


class _Asked(dict[str, Prior]):
    """Priors that remember the key which was asked for last."""

    key = ""

    def __getitem__(self, key: str) -> Prior:
        self.key = key
        return super().__getitem__(key)


def _parameters(
    cells: xr.Dataset, priors: Mapping[str, Prior], sampled: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Each sampled name with a prior of the configuration, its parameter and the key."""
    asked = _Asked(priors)
    for name in sampled:
        parameter = PARAMETER.get(name, name)
        try:
            model_of(cells).prior_of(asked, parameter)
        except KeyError:
            continue
        yield name, parameter, asked.key


def log_density(prior: Prior, values: np.ndarray) -> np.ndarray:
    """Log-density of a prior up to a constant, summed over what is not a draw.

    Parameters
    ----------
    values : shape (chain, draw, ...); of ``beta_above_half`` the share between one half and one, of
        ``lkj`` the Cholesky factor of the correlation matrix.

    Returns
    -------
    numpy.ndarray
        Shape (chain, draw).
    """
    n, x = prior.numbers, values.reshape(*values.shape[:2], -1)
    match prior.family:
        case "normal" | "half_normal":
            found = -0.5 * (x / n["scale"]) ** 2
        case "student_t" | "half_t":
            found = -0.5 * (n["df"] + 1) * np.log1p((x / n["scale"]) ** 2 / n["df"])
        case "exponential":
            found = -x / n["scale"]
        case "log_normal":
            found = -0.5 * (np.log(x) / n["scale"]) ** 2 - np.log(x)
        case "beta_above_half":
            found = (n["a"] - 1) * np.log(x) + (n["b"] - 1) * np.log1p(-x)
        case "lkj":
            root = np.diagonal(values, axis1=-2, axis2=-1)
            found = 2 * (n["shape"] - 1) * np.log(root)
        case _:
            raise ValueError(f"no such family: {prior.family}")
    return np.asarray(found.sum(axis=-1))
