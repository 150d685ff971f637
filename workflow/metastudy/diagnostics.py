"""Convergence: what is computed of a fit, and the gates that it must pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

__all__ = ["gates"]

REMEDY = {
    "rhat": "more warm-up (sampling.tune), or a tighter prior for this parameter",
    "ess_bulk": "more draws (sampling.draws)",
    "ess_tail": "more draws (sampling.draws)",
    "divergences": "a higher sampling.target_accept, or a tighter prior for the standard deviations",
    "ebfmi": "more warm-up (sampling.tune), or a tighter prior for the standard deviations",
}


def gates(
    posterior: xr.Dataset, stats: xr.Dataset, thresholds: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Compare a fit with the gates.

    Parameters
    ----------
    posterior, stats : draws and sampler statistics, dims ``chain`` and ``draw`` first.
    thresholds : largest ``rhat`` and number of ``divergences``; smallest ``ess_bulk``,
        ``ess_tail`` and ``ebfmi``.

    Returns
    -------
    list of dict
        One per gate: ``gate``, ``value`` (the worst), ``threshold``, ``parameter`` that it belongs
        to, ``passed``, and what to try where it is missed.

    References
    ----------
    Vehtari et al. (2021), rank-normalised R-hat and effective sample sizes.
    """
    worst = {
        "rhat": _worst(az.rhat(posterior), np.argmax),
        "ess_bulk": _worst(az.ess(posterior, method="bulk"), np.argmin),
        "ess_tail": _worst(az.ess(posterior, method="tail"), np.argmin),
        "divergences": (float(stats["diverging"].sum()), "all draws"),
        "ebfmi": (float(_ebfmi(stats["energy"]).min()), "worst chain"),
    }
    rows = []
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
            }
        )
    return rows


def _ebfmi(energy: xr.DataArray) -> xr.DataArray:
    """Energy fraction of missing information per chain (Betancourt 2016)."""
    return (energy.diff("draw") ** 2).mean("draw") / energy.var("draw")


def _worst(statistic: xr.Dataset, pick: Any) -> tuple[float, str]:
    """The worst value over all parameters and its name; constants have none and do not count."""
    series = pd.concat([_flat(str(name), array) for name, array in statistic.data_vars.items()])
    series = series[np.isfinite(series)]
    at = int(pick(series.to_numpy()))
    return float(series.iloc[at]), str(series.index[at])


def _flat(name: str, array: xr.DataArray) -> pd.Series:
    if not array.dims:
        return pd.Series([float(array)], index=[name])
    flat = array.to_series()
    labels = [", ".join(map(str, i)) if isinstance(i, tuple) else str(i) for i in flat.index]
    return pd.Series(flat.to_numpy(), index=[f"{name}[{label}]" for label in labels])
