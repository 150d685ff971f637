"""Fit a module, or a sensitivity analysis of one: its cells in, its posterior out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from metastudy.models.priors import Prior

__all__ = ["fit"]


def fit(
    cells: xr.Dataset, priors: Mapping[str, Prior], sampling: Mapping[str, Any], cores: int = 1
) -> xr.DataTree:
    """Posterior of a module.

    Parameters
    ----------
    cells : what the model sees; they say which kind of model it is.
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    sampling : section of the configuration.

    Returns
    -------
    xarray.DataTree
        See :func:`metastudy.inference.sampling.draw`; for the main analysis each of the model's
        second fits is beside it, such as codings taken as true in ``error_free_posterior``.
    """
    # Imported here: a posterior that is in the store costs no import of the sampler.
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.builders import BUILD, SECOND_FITS

    kind = str(cells.attrs["model"])
    compiled = compile_model(BUILD[kind](cells, priors))
    fits = {"": draw(compiled, sampling, cores)}
    if cells.attrs["variant"] == "main" and kind in SECOND_FITS:
        for name, data in SECOND_FITS[kind](cells, priors).items():
            fits[f"{name}_"] = draw(compiled, sampling, cores, data)
    return xr.DataTree.from_dict(
        {
            f"{prefix}{name}": node.to_dataset()
            for prefix, tree in fits.items()
            for name, node in tree.children.items()
        }
    )
