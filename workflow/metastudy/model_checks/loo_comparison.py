"""Compare complete, partial and no pooling by what each would have predicted of left-out rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import records
from metastudy.models.registry import model_of

__all__ = [
    "COLUMNS",
    "POOLING",
    "comparison",
    "log_likelihood",
    "notes",
    "pareto_smoothed",
    "thinned",
]

# How groups are pooled, and the draws in which they are so.
POOLING = {"pooled": "pooled_posterior", "partial": "posterior", "unpooled": "unpooled_posterior"}
COLUMNS = result_tables.columns("comparison")
MOST_DRAWS = 2000  # of one fit: further ones change nothing that is shown


def comparison(found: Mapping[str, xr.DataArray]) -> pd.DataFrame:
    """Leave-one-out comparison of fits to the same rows.

    Parameters
    ----------
    found : pointwise log-likelihood of each fit, dims (chain, draw, row).

    Returns
    -------
    pandas.DataFrame
        A row per fit, in the order given: ``elpd_loo`` (expected log pointwise predictive density)
        and its standard error, ``difference`` from the best one and its standard error, ``p_loo``
        (effective number of parameters), ``weight`` (stacking), ``high_k`` (rows whose Pareto k is
        above ``threshold``, for which the estimate is not reliable), ``rows`` and ``draws``.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation using leave-one-out
    cross-validation and WAIC; Yao et al. (2018), Using stacking to average Bayesian predictive
    distributions.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # high k: they are counted and shown
        each = {name: pareto_smoothed(values) for name, values in found.items()}
        compared = az.compare(each, method="stacking", round_to="none")
    return pd.DataFrame(
        [
            {
                "pooling": name,
                "elpd_loo": float(loo.elpd),
                "se": float(loo.se),
                "difference": float(compared.loc[name, "elpd_diff"]),
                "se_difference": float(compared.loc[name, "dse"]),
                "p_loo": float(loo.p),
                "weight": float(compared.loc[name, "weight"]),
                "high_k": int((loo.pareto_k > loo.good_k).sum()),
                "threshold": float(loo.good_k),
                "rows": int(loo.n_data_points),
                "draws": int(loo.n_samples),
            }
            for name, loo in each.items()
        ]
    )


def pareto_smoothed(values: xr.DataArray) -> az.ELPDData:
    """Leave-one-out by Pareto-smoothed importance sampling, from log-likelihoods.

    The relative efficiency is that of the rows' own likelihoods.

    Parameters
    ----------
    values : dims (chain, draw, row).
    """
    likelihood = np.exp(values - values.max(("chain", "draw"))).rename("row").to_dataset()
    size = values.sizes["chain"] * values.sizes["draw"]
    efficiency = float(az.ess(likelihood, method="mean")["row"].mean()) / size
    tree = xr.DataTree.from_dict({"log_likelihood": values.rename("row").to_dataset()})
    return az.loo(tree, pointwise=True, var_name="row", reff=min(efficiency, 1.0))


def thinned(posterior: xr.Dataset) -> xr.Dataset:
    """Every few draws, so that no more than :data:`MOST_DRAWS` are left."""
    every = -(-posterior.sizes["chain"] * posterior.sizes["draw"] // MOST_DRAWS)
    return posterior.isel(draw=slice(None, None, every))


def notes(table: pd.DataFrame, gates: Mapping[str, str] | None = None) -> list[str]:
    """What must be said beside each fit: why its estimate is not reliable.

    How many rows there are is said where the note is shown, as it may be said there.

    Parameters
    ----------
    gates : by way of pooling, which gates its draws miss, in words.
    """
    said = []
    for row in records(table):
        why = []
        if row["high_k"]:
            why.append(
                f"Pareto k is above {row['threshold']:.2f} for {row['high_k']} "
                f"row{'' if row['high_k'] == 1 else 's'}: this elpd is not reliable, and rather "
                "too high than too low"
            )
        if missed := (gates or {}).get(row["pooling"], ""):
            why.append(f"its draws miss a gate ({missed})")
        said.append("; ".join(why))
    return said


def log_likelihood(rows: Any, cells: xr.Dataset, posterior: xr.Dataset) -> xr.DataArray:
    """Pointwise log-likelihood of a module's rows.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells
        (:attr:`metastudy.models.kind.Model.observe`).
    posterior : its draws, dims ``chain`` and ``draw``.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw, row). A row is a person with all answers, or an interview with all codes
        and coders: what would be left out of a study together.
    """
    needed = posterior.stack(sample=("chain", "draw"), create_index=False)
    draws = needed.transpose("sample", ...)
    found = model_of(cells).log_lik(rows, cells, draws)
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    return xr.DataArray(
        found.reshape(shape),
        dims=("chain", "draw", "row"),
        coords={name: posterior[name] for name in ("chain", "draw")},
    )
