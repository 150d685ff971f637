"""Convergence: what is computed of a fit, and the gates that it must pass."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import made_files
from metastudy.common.problems import MetastudyError

__all__ = ["diagnose", "gates", "verdict"]

REMEDY = {
    "rhat": "more warm-up (sampling.tune), or a tighter prior for this parameter",
    "ess_bulk": "more draws (sampling.draws)",
    "ess_tail": "more draws (sampling.draws)",
    "divergences": "more sampling.retries, a higher sampling.target_accept, "
    "or tighter priors for the standard deviations",
    "ebfmi": "more warm-up (sampling.tune), or a tighter prior for the standard deviations",
}


def gates(
    posterior: xr.Dataset, stats: xr.Dataset, thresholds: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Compare a fit with the gates.

    Parameters
    ----------
    posterior, stats : draws and sampler statistics, dims ``chain`` and ``draw`` first; one number
        is the ``target_accept`` that the draws were made with.
    thresholds : largest ``rhat`` and number of ``divergences``; smallest ``ess_bulk``,
        ``ess_tail`` and ``ebfmi``.

    Returns
    -------
    list of dict
        One per gate: ``gate``, ``value`` (the worst), ``threshold``, ``parameter`` that it belongs
        to, ``passed``, what to try where it is missed, and the ``target_accept`` of the draws.

    References
    ----------
    Vehtari et al. (2021), rank-normalised R-hat and effective sample sizes.
    """
    import arviz as az  # the verdict on fits that were checked does not pay for it

    over = ("chain", "draw")
    moves = posterior.max(over, skipna=False) != posterior.min(over, skipna=False)
    with np.errstate(divide="ignore", invalid="ignore"):  # chains that are stuck
        rhat = az.rhat(posterior)
    worst = {
        "rhat": _worst(rhat, moves, np.inf),
        "ess_bulk": _worst(az.ess(posterior, method="bulk"), moves, 0.0),
        "ess_tail": _worst(az.ess(posterior, method="tail"), moves, 0.0),
        "divergences": (float(stats["diverging"].sum()), "all draws"),
        "ebfmi": (float(_ebfmi(stats["energy"]).min()), "worst chain"),
    }
    rows, target = [], float(stats["target_accept"])
    for gate, (value, parameter) in worst.items():
        limit = float(thresholds[gate])
        passed = value <= limit if gate in ("rhat", "divergences") else value >= limit
        rows.append(
            {
                "gate": gate,
                "value": value,
                "threshold": limit,
                "parameter": parameter,
                "passed": bool(passed),
                "remedy": REMEDY[gate],
                "target_accept": target,
            }
        )
    return rows


def _ebfmi(energy: xr.DataArray) -> xr.DataArray:
    """Energy fraction of missing information per chain (Betancourt 2016)."""
    return (energy.diff("draw") ** 2).mean("draw") / energy.var("draw")


def _worst(statistic: xr.Dataset, moves: xr.Dataset, worst: float) -> tuple[float, str]:
    """The value nearest to the worst over all parameters, and its name.

    Constants have no convergence and do not count; what has no value in spite of moving, such as
    draws that are no numbers, counts as the worst.
    """
    series, counts = (
        pd.concat([_flat(str(name), array) for name, array in found.data_vars.items()])
        for found in (statistic, moves)
    )
    series = series[counts.astype(bool)].fillna(worst)
    at = int((series.argmax if worst > 0 else series.argmin)())
    return float(series.iloc[at]), str(series.index[at])


def _flat(name: str, array: xr.DataArray) -> pd.Series:
    if not array.dims:
        return pd.Series([float(array)], index=[name])
    flat = array.to_series()
    labels = [", ".join(map(str, i)) if isinstance(i, tuple) else str(i) for i in flat.index]
    return pd.Series(flat.to_numpy(), index=[f"{name}[{label}]" for label in labels])


def diagnose(posterior: Path, fit: str, thresholds: dict[str, float]) -> dict[str, Any]:
    """Gates of every set of draws in a fit: ``{"fit": fit, "gates": [...]}``."""
    rows = []
    with made_files.tree(posterior) as tree:
        for name in [g for g in tree.children if g.endswith("posterior")]:
            stats = tree[name.removesuffix("posterior") + "sample_stats"].to_dataset()
            found = gates(tree[name].to_dataset(), stats, thresholds)
            rows += [{"draws": name, **gate} for gate in found]
    return {"fit": fit, "gates": rows}


def verdict(checks: list[dict[str, Any]]) -> None:
    """Raise a readable table where a gate was missed.

    Raises
    ------
    MetastudyError
        Names fit, gate, parameter, value and threshold, and what to try.
    """
    missed = [(c["fit"], g) for c in checks for g in c["gates"] if not g["passed"]]
    if missed:
        lines = [
            f"  {fit} ({g['draws']}): {g['gate']} of {g['parameter']} is {g['value']:.5g}, "
            f"the gate is {g['threshold']:.5g}; try {g['remedy']}"
            for fit, g in missed
        ]
        raise MetastudyError(
            "a fit missed a gate, so nothing is reported from it.\n"
            + "\n".join(lines)
            + "\n  The gates are in the configuration under `gates`, "
            "those of answers item by item under `refit_gates`, and their chains under `refits`."
        )
