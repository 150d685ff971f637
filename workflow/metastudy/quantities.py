"""The quantities of a model that its design lets the data speak about.

The others have their prior for a posterior, whatever the data: to rank them would test nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from metastudy.cells import interviews, observed

__all__ = ["identified", "labelled"]

SAMPLE = ("chain", "draw", "simulation")
OF_CODINGS = (
    *("prevalence", "prevalence_tau", "alpha", "contrast", "code_tau", "gamma"),
    *("tau", "difference", "study_code_tau", "organisation_tau", "organisation_code_tau"),
    *("sensitivity", "specificity"),
)
OF_ANSWERS = ("mu", "difference", "tau", "beta", "baseline", "site_tau", "sigma")


def identified(values: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """All quantities of a module that its data speak about, and the joint log-likelihood.

    Parameters
    ----------
    values : draws of a posterior, or parameters; ``log_likelihood`` among them.
    cells : what the module's design is read from; no outcome is.

    Returns
    -------
    xarray.DataArray
        The dims of the draws, then ``quantity``, with its label and as ``parameter`` its name.
    """
    if "code" in cells.dims:
        return labelled(values, (*OF_CODINGS, "log_likelihood"), _codings(cells))
    correlations = {
        "construct_correlation": _correlations(values, cells, "construct"),
        "vignette_correlation": _correlations(values, cells, "vignette"),
    }
    found = values.assign({name: array for name, array in correlations.items() if array.size})
    names = (*OF_ANSWERS, *correlations, "log_likelihood")
    return labelled(found, names, _answers(values, cells))


def labelled(
    values: xr.Dataset, names: tuple[str, ...], kept: Mapping[str, xr.DataArray]
) -> xr.DataArray:
    """Quantities side by side: those of these names that there are, where they are kept.

    Parameters
    ----------
    kept : by name, which entries are kept; all of what is not named.
    """
    parts = []
    for name in names:
        if name not in values or not values[name].size:
            continue
        array = values[name]
        sample = [d for d in array.dims if d in SAMPLE]
        own = [d for d in array.dims if d not in SAMPLE]
        labels = [name]
        if own:
            keys = np.meshgrid(*(array[d].astype(str).values for d in own), indexing="ij")
            inner = zip(*(k.ravel() for k in keys), strict=True)
            labels = [f"{name}[{', '.join(key)}]" for key in inner]
        flat = array.transpose(*sample, *own).values
        flat = flat.reshape(*(array.sizes[d] for d in sample), len(labels))
        keep = np.full(len(labels), True)
        if name in kept:
            keep = kept[name].transpose(*own).values.astype(bool).ravel()
        coords = {
            "quantity": np.array(labels)[keep],
            "parameter": ("quantity", [name] * keep.sum()),
        }
        parts.append(xr.DataArray(flat[..., keep], coords, (*sample, "quantity")))
    return xr.concat(parts, "quantity")


def _answers(values: xr.Dataset, cells: xr.Dataset) -> dict[str, xr.DataArray]:
    seen = observed(cells)  # (setting, outcome)
    has = cells.present.values.astype(bool)[:, :, None] & seen[:, None, :]
    of_construct = cells.construct_of.values == cells.construct.values[:, None]
    by_construct = has.any(axis=0).astype(float) @ of_construct.T > 0  # (exposure, construct)
    study = np.unique(cells.study.values, return_inverse=True)[1]
    of_study = np.stack([seen[study == at].any(axis=0) for at in range(study.max() + 1)])
    with_intercept = np.concatenate([seen.any(axis=0)[None], has.any(axis=0)])
    exposures = list(map(str, cells.exposure.values))
    found = {
        "beta": (("setting", "exposure", "outcome"), has),
        "baseline": (("setting", "outcome"), seen),
        "site_tau": (("coefficient", "outcome"), with_intercept),
        "sigma": (("study", "outcome"), of_study),
    }
    for name, dim in (("mu", "mu_of"), ("difference", "difference_of"), ("tau", "tau_of")):
        if dim in values.dims:
            # a label is an exposure, or an exposure and what it varies by
            rows = [exposures.index(str(label).split(" ")[0]) for label in values[dim].values]
            found[name] = ((dim, "construct"), by_construct[rows])
    return {name: xr.DataArray(keep, dims=dims) for name, (dims, keep) in found.items()}


def _correlations(values: xr.Dataset, cells: xr.Dataset, what: str) -> xr.DataArray:
    """Correlations of pairs that somebody answered both of; dims of the draws, then ``pair``."""
    if f"{what}_chol" not in values:  # one construct, or one vignette
        return xr.DataArray(np.zeros(0), dims=f"{what}_pair")
    names = cells[what].values.astype(str)
    pattern = cells.observed.values[np.unique(cells.pattern_of_cell.values)]
    answered = pattern @ (cells[f"{what}_of"].values == names[:, None]).T > 0
    together = answered.T.astype(float) @ answered > 0
    first, second = np.nonzero(np.tril(together, -1))
    chol = values[f"{what}_chol"]
    sample = [d for d in chol.dims if d in SAMPLE]
    root = chol.transpose(*sample, ...).values
    pairs = (root[..., first, :] * root[..., second, :]).sum(axis=-1)
    labels = [f"{names[b]}, {names[a]}" for a, b in zip(first, second, strict=True)]
    return xr.DataArray(pairs, {f"{what}_pair": labels}, (*sample, f"{what}_pair"))


def _codings(cells: xr.Dataset) -> dict[str, xr.DataArray]:
    """A contrast of a code wants interviews about it on both sides of the exposure."""
    read, x = interviews(cells).values > 0, cells.x.values
    sides = [np.einsum("oc,oe->ce", read, side) for side in (x < 0, x > 0)]
    gamma = sides[0] & sides[1]
    of_family = cells.family_of.values == cells.family.values[:, None]
    return {
        "gamma": xr.DataArray(gamma, dims=("code", "exposure")),
        "contrast": xr.DataArray(of_family.astype(float) @ gamma > 0, dims=("family", "exposure")),
        "code_tau": xr.DataArray(gamma.any(axis=0), dims="exposure"),
    }
