"""What the benchmarks share: PyMC's own sampler, and what a fit reached."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import one_thread as one_thread  # isort: skip  before NumPy is imported
from metastudy.inference.convergence import gates  # isort: skip  before PyMC is imported

import arviz as az
import pymc as pm
import xarray as xr

__all__ = ["draw_by_pymc", "reached"]

# What the results of a module are made of, besides the standard deviations between groups.
REPORTED = ("mu", "beta", "contrast", "gamma", "sigma", "sensitivity", "specificity")


def draw_by_pymc(model: pm.Model, sampling: Mapping[str, Any]) -> tuple[xr.DataTree, float]:
    """Sample with PyMC's own NUTS on numba, one chain after the other.

    Returns
    -------
    The draws, and the processor's seconds from the first on: all compiling is done by then.
    """
    began: list[float] = []

    def watch(**_: Any) -> None:
        if not began:
            began.append(time.process_time())

    with model:
        step = pm.NUTS(target_accept=sampling["target_accept"], compile_kwargs={"mode": "NUMBA"})
        tree = pm.sample(
            step=step,
            chains=sampling["chains"],
            tune=sampling["tune"],
            draws=sampling["draws"],
            random_seed=sampling["seed"],
            cores=1,
            progressbar=False,
            compute_convergence_checks=False,
            compile_kwargs={"mode": "NUMBA"},
            callback=watch,
        )
    return tree, time.process_time() - began[0]


def reached(tree: xr.DataTree, thresholds: Mapping[str, float]) -> tuple[float, str]:
    """Least effective draws of what is reported, and the gates in words.

    What never changes, such as the effect of an exposure that a study does not have, has none.
    """
    posterior, stats = (tree[group].to_dataset() for group in ("posterior", "sample_stats"))
    names = [str(name) for name in posterior if name in REPORTED or str(name).endswith("tau")]
    reported = posterior[names]
    moves = reported.std(("chain", "draw")) > 0
    ess = az.ess(reported, method="bulk").where(moves)
    least = min(float(array.min()) for array in ess.data_vars.values())
    found = gates(posterior, stats, thresholds)
    words = (f"{g['gate']} {g['value']:.4g} {'ok' if g['passed'] else 'MISSED'}" for g in found)
    return least, ", ".join(words)
