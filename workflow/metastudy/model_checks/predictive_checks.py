"""Predictive checks: replicates of the rows from prior or posterior, beside the rows themselves.

The models are fitted on cells, so means, variances and counts agree by construction. What cells do
not hold can disagree: skewness, the ends of a scale, codes that come together. A Gaussian replicate
may lie off the scale; it counts as being at the end that it has passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import JOINT, join_values, split_values
from metastudy.models.base import Group, Value, is_few
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of

__all__ = ["COLUMNS", "SHARES", "checks", "predict"]

COLUMNS = result_tables.columns("predictive")
LABELS = COLUMNS[2 : COLUMNS.index("observed")]
INTERVALS = {"lower": 0.025, "upper": 0.975, "lower50": 0.25, "upper50": 0.75}
SHARES = ("floor", "ceiling", "prevalence", "agreement", "share")


def checks(
    rows: Any,
    cells: xr.Dataset,
    draws: xr.Dataset,
    rng: np.random.Generator,
    smallest: int = 1,
) -> pd.DataFrame:
    """Statistics of the rows beside the same statistics of replicates, one for each draw.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells
        (:attr:`metastudy.models.kind.Model.observe`).
    draws : the model's ``row_parameters`` from prior or posterior, dimension ``sample`` first.
    smallest : statistics of fewer people are left out, and so are shares that rest on fewer.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS` without module, kind and provenance. Answers, in per cent of the scale:
        ``mean``, ``sd``, ``skewness``, ``floor`` and ``ceiling`` (share of the scores at or beyond
        an end) per study, country and sector; ``site_sd`` (between means of sites) and
        ``correlation`` per study. Codings: ``prevalence``, ``codes_mean`` and ``codes_sd`` (number
        of codes per interview) per study, country and sector; ``site_sd`` (between prevalences of
        organisations) and ``agreement`` (share of interviews in which two coders agree) per study.
        Events: ``share`` of people with the outcome per study, country and sector; ``site_sd`` and
        ``correlation`` per study, in per cent as of answers.

    References
    ----------
    Gelman, Meng and Stern (1996), Posterior predictive assessment of model fitness via realized
    discrepancies; Gabry et al. (2019), Visualization in Bayesian workflow.
    """
    check = model_of(cells).check(rows, cells, draws, rng)
    groups = [group for group in _groups(*check.places) if len(group.rows) >= smallest]

    def values(of: Any) -> list[Value]:
        return [value for group in groups for value in check.statistics(of, group)]

    observed = values(check.observed)
    replicates = np.array([[v for _, v, _ in values(new)] for new in check.replicates])
    labels = pd.DataFrame(
        [dict.fromkeys(LABELS, "") | label for label, _, _ in observed], columns=LABELS
    )
    found = np.array([v for _, v, _ in observed])
    people = np.array([n for _, _, n in observed])
    share = labels["statistic"].isin(SHARES).to_numpy()
    few = share & (is_few(found * people, smallest) | is_few((1 - found) * people, smallest))
    above = (replicates > found).mean(axis=0) + 0.5 * (replicates == found).mean(axis=0)
    table = labels.assign(
        observed=np.where(few, np.nan, found),
        mean=replicates.mean(axis=0),
        **{name: np.quantile(replicates, q, axis=0) for name, q in INTERVALS.items()},
        tail=np.where(few, np.nan, above),
    )
    return table[(people >= smallest) & np.isfinite(found)].reset_index(drop=True)


def _groups(study: np.ndarray, country: np.ndarray, sector: np.ndarray) -> Iterator[Group]:
    """Each study; each country and sector, where there are several, that is not one study alone."""
    wholes = {str(name): np.flatnonzero(study == name) for name in np.unique(study)}
    for name, rows in wholes.items():
        yield Group({"study": name}, rows, True)
    for grouping, place in (("country", country), ("sector", sector)):
        levels = np.unique(place)
        for level in levels if len(levels) > 1 else ():
            rows = np.flatnonzero(place == level)
            if not any(np.array_equal(rows, whole) for whole in wholes.values()):
                studies = JOINT.join(map(str, np.unique(study[rows])))
                yield Group({"study": studies, grouping: str(level)}, rows, False)


REPLICATES = 400  # of each kind: the ends of a 95% interval are then the tenth from either side


def predict(
    rows: Any,
    cells: xr.Dataset,
    posterior: xr.Dataset,
    priors: Mapping[str, Prior],
    seed: int,
    smallest: int,
) -> pd.DataFrame:
    """Predictive checks of a module from its prior and its posterior.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells; ``None`` where all studies came as
        parcels.
    posterior : its draws, dims ``chain`` and ``draw``; evenly spaced ones are replicated.

    Returns
    -------
    pandas.DataFrame
        :data:`metastudy.model_checks.predictive_checks.COLUMNS`; no rows where there are none.
    """
    if rows is None:
        return pd.DataFrame(columns=COLUMNS)
    from metastudy.inference.prior_draws import draw_prior

    model = model_of(cells)
    names = [n for n in model.row_parameters if n in posterior]
    draws = {
        "prior": draw_prior(model.build(cells, priors), model.row_parameters, REPLICATES, seed),
        "posterior": spaced(posterior[names]),
    }
    studies = json.loads(cells.attrs["studies"])
    rng = np.random.default_rng(seed)
    tables = [
        checks(rows, cells, values, rng, smallest).assign(kind=kind)
        for kind, values in draws.items()
    ]
    table = pd.concat(tables, ignore_index=True).assign(module=str(cells.attrs["module"]))
    table["provenance"] = [
        join_values(studies[study]["provenance"] for study in split_values(joined))
        for joined in table["study"]
    ]
    return table[COLUMNS]


def spaced(posterior: xr.Dataset) -> xr.Dataset:
    """Evenly spaced draws of all chains, dimension ``sample`` first."""
    flat = posterior.stack(sample=("chain", "draw"), create_index=False)
    at = np.linspace(0, flat.sizes["sample"] - 1, REPLICATES).round().astype(int)
    return flat.isel(sample=np.unique(at)).transpose("sample", ...)
