"""Ways of pooling compared by what each predicts of all answers of a left-out organisation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.model_checks.leave_group_out import FIXED
from metastudy.model_checks.loo_comparison import POOLING, pareto_smoothed
from metastudy.models.answers.join import people_once
from metastudy.models.answers.left_out_sites import several_sites, site_densities
from metastudy.models.priors import OF_METRIC, Prior
from metastudy.models.registry import model_of

__all__ = ["LARGEST_K", "NEEDED", "densities", "left_out_organisations", "rows_of_sites", "why_not"]

LARGEST_K = 0.7  # above it an organisation cannot be left out by weights of draws that know it
NEEDED = ("site_tau",)  # beside what the density of a row needs
NO_CLOSED_FORM = "the density of an organisation's {} has no closed form"
ONE_EACH = "no setting has two organisations"
HIGH = "Pareto k is above {:.1f} for {} of {} organisations, and {:.2f} at most"
SITES: Mapping[str, Callable[[xr.Dataset], np.ndarray]] = {"answers": several_sites}


def densities(
    cells: xr.Dataset, posterior: xr.Dataset, pooling: str, priors: Mapping[str, Prior]
) -> xr.DataArray:
    """Log-density of each organisation's answers under each draw, its own effects integrated out.

    Parameters
    ----------
    posterior : draws of the fit that pools in this way, dims ``chain`` and ``draw``.
    pooling : one of :data:`metastudy.model_checks.loo_comparison.POOLING`; where it fixes the
        standard deviation between groups, sites have that one.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw, row), a row being an organisation.
    """
    spread = None
    if pooling in FIXED:
        spread = FIXED[pooling] * float(priors[OF_METRIC[model_of(cells).metric][0]].scale)
    stacked = posterior.stack(sample=("chain", "draw"), create_index=False)
    found = site_densities(cells, stacked.transpose("sample", ...), spread)
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    return xr.DataArray(found.reshape(shape), dims=("chain", "draw", "row"))


def rows_of_sites(rows: Any, cells: xr.Dataset) -> np.ndarray | None:
    """Which rows are of the organisations that are left out; none where some came without rows."""
    if rows is None:
        return None
    mine = np.isin(rows.site, several_sites(cells))
    known = people_once(cells)[np.isin(cells.site_of_cell.values, several_sites(cells))].sum()
    return mine if round(known) == mine.sum() else None


def why_not(cells: xr.Dataset) -> str:
    """Why nothing is compared; empty where it is."""
    kind = str(cells.attrs["model"])
    if kind not in SITES:
        return NO_CLOSED_FORM.format(kind)
    return "" if len(SITES[kind](cells)) else ONE_EACH


def left_out_organisations(
    cells: xr.Dataset,
    found: Mapping[str, xr.DataArray],
    by_row: Mapping[str, xr.DataArray],
    provenance: str,
) -> pd.DataFrame:
    """Leave-one-organisation-out comparison of the ways of pooling.

    A draw of a fit has the weight that it has without the organisation, by Pareto-smoothed
    importance sampling. Where that fails for one of them, the way of pooling has no number, and
    says why.

    Parameters
    ----------
    found : of each way of pooling what :func:`densities` gives; empty where :func:`why_not` says
        why.
    by_row : log-likelihood of the same people, one by one, dims (chain, draw, row); may be empty.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``organisations``: ``elpd``, its ``difference`` from the best way that
        has one and both standard errors, and ``elpd_rows`` of the same people left out by row.

    References
    ----------
    Merkle, Furr and Rabe-Hesketh (2019), Bayesian comparison of latent variable models: conditional
    versus marginal likelihoods; Vehtari et al. (2024), Pareto smoothed importance sampling.
    """
    base: dict[str, Any] = {"module": str(cells.attrs["module"]), "provenance": provenance}
    if not found:
        nothing = {"pooling": "", "organisations": 0, "people": 0, "draws": 0, "high_k": 0}
        row = base | nothing | {"reason": why_not(cells)}
        return pd.DataFrame([row]).reindex(columns=result_tables.columns("organisations"))
    sites = several_sites(cells)
    people = round(people_once(cells)[np.isin(cells.site_of_cell.values, sites)].sum())
    rows: list[dict[str, Any]] = []
    each: dict[str, np.ndarray] = {}
    for pooling in (name for name in POOLING if name in found):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # high k: it is refused and said
            loo = pareto_smoothed(found[pooling])
            same = pareto_smoothed(by_row[pooling]) if pooling in by_row else None
        k = np.asarray(loo.pareto_k)
        high = int((k > LARGEST_K).sum())
        row = base | {
            "pooling": pooling,
            "organisations": len(sites),
            "people": people,
            "draws": int(loo.n_samples),
            "high_k": high,
            "largest_k": float(k.max()),
            "reason": HIGH.format(LARGEST_K, high, len(sites), k.max()) if high else "",
        }
        if same is not None:
            row["elpd_rows"] = float(same.elpd)
        if not high:
            each[pooling] = np.asarray(loo.elpd_i)
            row |= {"elpd": float(loo.elpd), "se": float(loo.se), "p_loo": float(loo.p)}
        rows.append(row)
    best = max(each, key=lambda name: float(each[name].sum()), default="")
    for row in rows:
        if (way := str(row["pooling"])) in each:
            apart = each[way] - each[best]
            row["difference"] = float(apart.sum())
            row["se_difference"] = float(np.sqrt(len(apart) * apart.var(ddof=1)))
    return pd.DataFrame(rows).reindex(columns=result_tables.columns("organisations"))
