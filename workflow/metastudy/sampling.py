"""The one way to sample: a PyMC model, compiled once, sampled by nutpie, without a clock."""

from __future__ import annotations

import os

# With numba's fastmath a cold and a warm compile cache give different bits for one seed. This must
# stand before PyTensor is imported; a flag of the user's comes after it and wins.
os.environ["PYTENSOR_FLAGS"] = ",".join(
    filter(None, ["numba__fastmath=False", os.environ.get("PYTENSOR_FLAGS", "")])
)

from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

import nutpie  # noqa: E402
import pymc as pm  # noqa: E402
import xarray as xr  # noqa: E402

__all__ = ["compile_model", "draw"]


def compile_model(model: pm.Model) -> Any:
    """Compile a model for nutpie; ``with_data(cells=...)`` of the result refits without compiling."""
    return nutpie.compile_pymc_model(model)


def draw(compiled: Any, sampling: Mapping[str, Any], cores: int = 1) -> xr.DataTree:
    """Sample the posterior.

    Parameters
    ----------
    compiled : what :func:`compile_model` gave.
    sampling : ``chains``, ``tune``, ``draws``, ``target_accept`` and ``seed``. Number of cores does
        not change a draw.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` and ``sample_stats`` (``diverging``, ``energy``, ``depth``), no clock.
    """
    tree = nutpie.sample(
        compiled,
        chains=sampling["chains"],
        tune=sampling["tune"],
        draws=sampling["draws"],
        target_accept=sampling["target_accept"],
        seed=sampling["seed"],
        cores=cores,
        save_warmup=False,
        progress_bar=False,
    )
    posterior = tree["posterior"].to_dataset()
    noise = [name for name in posterior if str(name).endswith("_z")]  # each is in its own effect
    stats = tree["sample_stats"].to_dataset()[["diverging", "energy", "depth"]]
    return xr.DataTree.from_dict(
        {"posterior": _plain(posterior.drop_vars(noise)), "sample_stats": _plain(stats)}
    )


def _plain(dataset: xr.Dataset) -> xr.Dataset:
    """Without the attributes that name a time, so that the same draws are the same bytes."""
    return dataset.drop_attrs(deep=True)
