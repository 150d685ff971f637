"""The one way to sample: a PyMC model, compiled once, sampled by nutpie; no clock is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr

from metastudy.inference.compile_cache import compile_anew_where_damaged
from metastudy.inference.progress import Progress

__all__ = ["compile_model", "draw"]

CLOSER = 3  # a retry's target acceptance is so many times as near to one


def compile_model(model: pm.Model) -> Any:
    """Compile a model for nutpie; :func:`draw` then refits it to other data without compiling."""
    compile_anew_where_damaged()
    return nutpie.compile_pymc_model(model)


def draw(
    compiled: Any,
    sampling: Mapping[str, Any],
    cores: int = 1,
    given: np.ndarray | None = None,
    noise: bool = False,
) -> xr.DataTree:
    """Sample the posterior.

    Parameters
    ----------
    compiled : what :func:`compile_model` gave.
    sampling : ``chains``, ``tune``, ``draws``, ``target_accept`` and ``seed``; ``retries``, none if
        left out, is how many times draws with a divergence are thrown away, and all of them made
        anew with smaller steps. Number of cores does not change a draw.
    given : the data of a refit (:func:`metastudy.models.data_vector.pack`); else those of the
        model.
    noise : whether what effects are made of, and what is in each of them, is kept beside them.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` and ``sample_stats`` (``diverging``, ``energy``, ``depth``, and the
        ``target_accept`` of these draws), no clock.
    """
    model = compiled if given is None else compiled.with_data(given=given)
    for tries in range(sampling.get("retries", 0) + 1):
        target = 1 - (1 - sampling["target_accept"]) / CLOSER**tries
        tree = nutpie.sample(
            model,
            chains=sampling["chains"],
            tune=sampling["tune"],
            draws=sampling["draws"],
            target_accept=target,
            seed=sampling["seed"],
            cores=cores,
            save_warmup=False,
            progress_bar=False,
            progress_callback=Progress(),
        )
        if not tree["sample_stats"]["diverging"].any():
            break
    posterior = tree["posterior"].to_dataset()
    if not noise:  # each is in its own effect
        posterior = posterior.drop_vars([name for name in posterior if str(name).endswith("_z")])
    stats = tree["sample_stats"].to_dataset()[["diverging", "energy", "depth"]]
    stats = stats.assign(target_accept=target)
    return xr.DataTree.from_dict({"posterior": _plain(posterior), "sample_stats": _plain(stats)})


def _plain(dataset: xr.Dataset) -> xr.Dataset:
    """Without the attributes that name a time, so that the same draws are the same bytes."""
    return dataset.drop_attrs(deep=True)
