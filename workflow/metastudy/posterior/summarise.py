"""From draws to the numbers that are shown: one way, for every module."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from metastudy.common import result_tables

__all__ = ["NUMBERS", "summarize"]

NUMBERS = tuple(result_tables.NUMBERS)


def summarize(draws: xr.DataArray, interval: float, rope: ArrayLike = np.nan) -> pd.DataFrame:
    """Summary of each quantity.

    Parameters
    ----------
    draws : dims (chain, draw, quantity).
    interval : probability of the equal-tailed credible interval.
    rope : half-width of the region of practical equivalence, one for all quantities or one each;
        NaN where there is none.

    Returns
    -------
    pandas.DataFrame
        Index: quantity. Columns ``mean``, ``sd``, ``lower``, ``upper``, ``mcse`` (Monte Carlo
        standard error of the mean), ``mcse_lower``, ``mcse_upper`` (of the interval's ends),
        ``ess`` (the smaller of bulk and tail), ``positive`` (posterior mass above zero), ``pd``
        (probability of direction: the larger mass on one side of zero), and ``rope``, ``above`` and
        ``below`` (mass inside, above and below the region of practical equivalence).
    """
    import arviz as az  # a command that only could summarise does not pay for it

    tail = (1 - interval) / 2
    over = ("chain", "draw")
    lower, upper = (draws.quantile(q, over).to_numpy() for q in (tail, 1 - tail))
    positive = (draws > 0).mean(over).to_numpy()
    half = np.broadcast_to(np.asarray(rope, dtype=float), draws.shape[-1:])
    masses = {
        "rope": (np.abs(draws) <= half).mean(over).to_numpy(),
        "above": (draws > half).mean(over).to_numpy(),
        "below": (draws < -half).mean(over).to_numpy(),
    }
    data = draws.rename("x").to_dataset()
    mcse = {
        name: az.mcse(data, method=method, **extra)["x"].to_numpy()
        for name, method, extra in (
            ("mcse", "mean", {}),
            ("mcse_lower", "quantile", {"prob": tail}),
            ("mcse_upper", "quantile", {"prob": 1 - tail}),
        )
    }
    ess = [az.ess(data, method=method)["x"].to_numpy() for method in ("bulk", "tail")]
    return pd.DataFrame(
        {
            "mean": draws.mean(over).to_numpy(),
            "sd": draws.std(over, ddof=1).to_numpy(),
            "lower": lower,
            "upper": upper,
            **mcse,
            "ess": np.minimum(*ess),
            "positive": positive,
            "pd": np.maximum(positive, 1 - positive),
            **{name: np.where(np.isnan(half), np.nan, mass) for name, mass in masses.items()},
        },
        index=pd.Index(draws[draws.dims[-1]].to_numpy(), name=draws.dims[-1]),
    )
