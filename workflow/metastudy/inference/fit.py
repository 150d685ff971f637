"""Fit a module, or a sensitivity analysis of one: its cells in, its posterior out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

__all__ = ["fit"]


def fit(
    cells: xr.Dataset,
    model: str,
    priors: Mapping[str, float],
    sampling: Mapping[str, Any],
    cores: int = 1,
) -> xr.DataTree:
    """Posterior of a module.

    Parameters
    ----------
    cells : what the model sees.
    model : kind of model, ``answers``, ``ordinal`` or ``codings``.
    priors, sampling : sections of the configuration.

    Returns
    -------
    xarray.DataTree
        See :func:`metastudy.inference.sampling.draw`; for the main analysis of codings the effects
        under error-free coding stand in the group ``error_free``.
    """
    # Imported here: a posterior that is in the store costs no import of the sampler.
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.codings.readings import first_readings
    from metastudy.models.data_vector import PERFECT, pack
    from metastudy.models.registry import BUILD

    compiled = compile_model(BUILD[model](cells, priors))
    posterior = draw(compiled, sampling, cores)
    if model != "codings" or cells.attrs["variant"] != "main":
        return posterior
    perfect = pack(first_readings(cells), {**priors, **PERFECT})
    error_free = draw(compiled, sampling, cores, perfect)
    groups = {name: node.to_dataset() for name, node in posterior.children.items()}
    groups |= {
        f"error_free_{name}": node.to_dataset() for name, node in error_free.children.items()
    }
    return xr.DataTree.from_dict(groups)
