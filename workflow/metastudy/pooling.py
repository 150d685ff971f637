"""What may be pooled, what is refused and why, and the pooled results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.cells import structures_of
from metastudy.design import Effects, Structure, Term, effects, structure
from metastudy.predictions import deviation
from metastudy.summaries import summarize

__all__ = [
    "EXPLORATORY",
    "STRUCTURE",
    "Plan",
    "average_vignettes",
    "explore",
    "inconsistency",
    "module_structures",
    "plan",
    "refused",
    "results",
    "structures",
]

# One estimand: only studies that agree in all of these are pooled.
ESTIMAND = ["exposure", "exposure_type", "outcome", "family", "response_mode", "metric"]
GROUPINGS = ["study", "country", "sector"]
# The one model in which everything meets; it is marked exploratory wherever it is shown.
EXPLORATORY = ["family", "exposure_type", "response_mode", *GROUPINGS, "estimate"]
# A logistic log-odds ratio in standard deviations (Hasselblad and Hedges 1995).
LOGIT_TO_SD = np.sqrt(3) / np.pi


@dataclass(frozen=True)
class Plan:
    """What a second-stage model is fitted to, and what its design identifies."""

    table: pd.DataFrame  # one row per estimate
    covariance: np.ndarray
    design: Effects
    estimands: pd.DataFrame  # one row per pooled estimand, `id` first
    structures: dict[str, Structure]


def average_vignettes(
    table: pd.DataFrame, covariance: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """One estimate per study and estimand: the mean over vignettes, with its covariance."""
    keys = [*GROUPINGS, *ESTIMAND]
    groups = table.groupby(keys, sort=False).ngroup().to_numpy()
    weights = np.eye(groups.max() + 1)[:, groups] if len(groups) else np.zeros((0, 0))
    weights = weights / weights.sum(axis=1, keepdims=True)
    averaged = table.drop_duplicates(keys, ignore_index=True).assign(vignette="")
    covariance = weights @ covariance @ weights.T
    return (
        averaged.assign(
            estimate=weights @ table["estimate"].to_numpy(), se=np.sqrt(np.diag(covariance))
        ),
        covariance,
    )


def plan(table: pd.DataFrame, covariance: np.ndarray) -> Plan | None:
    """The second stage: every estimand that several studies report; None where there is none."""
    averaged, covariance = average_vignettes(table, covariance)
    several = averaged.groupby(ESTIMAND)["study"].transform("nunique") > 1
    keep = np.flatnonzero(several.to_numpy())
    if not len(keep):
        return None
    rows, covariance = averaged.iloc[keep].reset_index(drop=True), covariance[np.ix_(keep, keep)]
    parts, found, names = [], {}, []
    for key, mine in rows.groupby(ESTIMAND, sort=False):
        exposure, kind, outcome, _, mode, _ = key  # family and metric go with the outcome
        name = "|".join(map(str, (exposure, kind, outcome, mode)))
        at = mine.index.to_numpy()
        found[name] = structure(mine, GROUPINGS)
        parts.append((name, at, [(found[name], np.arange(len(at)))]))
        names.append({"id": name, **dict(zip(ESTIMAND, key, strict=True))})
    return Plan(rows, covariance, effects(len(rows), parts), pd.DataFrame(names), found)


def explore(table: pd.DataFrame, covariance: np.ndarray, burden: Mapping[str, int]) -> Plan | None:
    """The exploratory model across families: standardised estimates, signed towards burden.

    Parameters
    ----------
    burden : +1 or -1 per outcome that has a direction of burden; other outcomes stay out.
    """
    averaged, covariance = average_vignettes(table, covariance)
    common = averaged["metric"].isin(["sd", "log_odds"])  # a risk ratio has no standard deviation
    sign = averaged["outcome"].map(dict(burden)).fillna(0).where(common, 0).to_numpy()
    keep = np.flatnonzero(sign)
    if len(keep) < 2:
        return None
    scale = sign * np.where(averaged["metric"] == "log_odds", LOGIT_TO_SD, 1.0)
    rows = averaged.assign(estimate=averaged["estimate"] * scale, metric="sd").iloc[keep]
    rows = rows.assign(se=rows["se"] * np.abs(scale[keep]), estimate_id=rows["id"])
    rows = rows.reset_index(drop=True)
    covariance = (covariance * np.outer(scale, scale))[np.ix_(keep, keep)]
    found = structure(rows.assign(estimate=rows["id"]), EXPLORATORY)
    at = np.arange(len(rows))
    design = effects(len(rows), [("all", at, [(found, at)])])
    names = pd.DataFrame([{"id": "all", **dict.fromkeys(ESTIMAND, ""), "metric": "sd"}])
    return Plan(rows, covariance, design, names, {"all": found})


def refused(table: pd.DataFrame) -> pd.DataFrame:
    """Why estimates stand alone: one study only, and what looks alike but may not be pooled."""
    rows = []
    for key, mine in table.groupby(ESTIMAND, sort=False):
        exposure, kind, outcome, family, mode, _ = key
        alike = table[
            (table["exposure_name"] == mine["exposure_name"].iloc[0])
            & (table["outcome"] == outcome)
        ]
        others = {f"exposure type {t}" for t in alike["exposure_type"].unique() if t != kind} | {
            f"response mode {m}" for m in alike["response_mode"].unique() if m != mode
        }
        if mine["study"].nunique() > 1 and not others:
            continue
        why = "one study only; its own estimate is shown" if mine["study"].nunique() == 1 else ""
        if others:
            why += ("; " if why else "") + f"not pooled with {', '.join(sorted(others))}"
        rows.append(
            (family, exposure, outcome, "study", mine["study"].nunique(), "refused", "", why)
        )
    return pd.DataFrame(rows, columns=STRUCTURE)


STRUCTURE = [
    "module_or_family",
    "exposure",
    "outcome",
    "grouping",
    "levels",
    "used_as",
    "aliased_with",
    "reason",
]


def structures(found: Plan) -> pd.DataFrame:
    """What became of each grouping of each pooled estimand, predictions included."""
    tables = []
    for _, e in found.estimands.iterrows():
        rows = found.structures[e["id"]].table
        tables.append(
            rows.assign(module_or_family=e["family"], exposure=e["exposure"], outcome=e["outcome"])
        )
    return pd.concat(tables, ignore_index=True)[STRUCTURE]


def module_structures(cells: xr.Dataset) -> pd.DataFrame:
    """What a module's own design identifies: aliases, contrasts and variances.

    Groupings with one level are left out of the table, but for those of coded interviews, where
    what cannot be told apart is the point.
    """
    module = str(cells.attrs["module"])
    least = 1 if "code" in cells.dims else 2
    found = [(e, of.table[of.table["levels"] >= least]) for e, of in structures_of(cells)]
    tables = [pd.DataFrame(columns=STRUCTURE)]
    tables += [
        table.assign(module_or_family=module, exposure=exposure, outcome="")
        for exposure, table in found
    ]
    return pd.concat(tables, ignore_index=True)[STRUCTURE]


def results(
    found: Plan,
    posterior: xr.Dataset,
    interval: float,
    seed: int,
    ropes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Population means, every group's shrunken effect, and predictions for new groups.

    The effect of a study is that of all its estimates of an estimand; of a country or a sector it
    is that of a new study there, on average.

    A prediction for a new country or sector adds a draw of its varying term to the population
    mean (:func:`metastudy.predictions.deviation`); it exists only where the design has the term,
    so from three levels on.

    Parameters
    ----------
    found : the plan that was fitted.
    posterior : its draws, with ``level`` and ``tau``.
    interval : probability of the credible intervals.
    seed : of the predictions.
    ropes : half-width of the region of practical equivalence, by metric.
    """
    rows, draws = zip(*_quantities(found, posterior, seed), strict=True)
    stacked = xr.concat(
        [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
        pd.RangeIndex(len(draws), name="row"),
    ).transpose("chain", "draw", "row")
    table = pd.DataFrame(list(rows))
    half = table["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
    return pd.concat([table, summarize(stacked, interval, half).reset_index(drop=True)], axis=1)


def _quantities(
    found: Plan, posterior: xr.Dataset, seed: int
) -> Iterator[tuple[dict[str, Any], xr.DataArray]]:
    rng = np.random.default_rng(seed)
    for _, estimand in found.estimands.iterrows():
        name = estimand["id"]
        mine = (
            found.table
            if name == "all"
            else found.table[found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1)]
        )
        base = {
            **estimand,
            "studies": mine["study"].nunique(),
            "provenance": " + ".join(sorted(set(mine["provenance"]))),
            "note": "",
        }
        mean = posterior["mu"].sel(mu_of=name)
        yield base | {"level": "population", "group": ""}, mean
        for term in found.structures[name].terms:
            label = f"{name} {term.name}"
            if term.name == "estimate":
                continue
            for k, level in enumerate(term.levels):
                if term.name == "study":  # with what its country and its sector add
                    rows = mine.index[mine["study"] == level]
                    value = posterior["theta"].isel(row=rows).mean("row")
                elif term.kind == "contrast":
                    value = mean + (k - 0.5) * posterior["difference"].sel(difference_of=label)
                else:
                    value = mean + posterior["level"].sel(level_of=f"{label} {level}")
                yield base | {"level": term.name, "group": level}, value
            if term.kind == "varying":
                shift, note = deviation(
                    term, found.structures[name], partial(_spread, posterior, name), rng
                )
                new = {"level": f"new_{term.name}", "group": "", "note": note}
                yield base | new, mean + shift


def _spread(posterior: xr.Dataset, name: str, term: Term) -> xr.DataArray:
    """Draws of the standard deviation of a term around an estimand."""
    return posterior["tau"].sel(tau_of=f"{name} {term.name}")


def inconsistency(found: Plan, posterior: xr.Dataset, interval: float) -> pd.DataFrame:
    """I²: the share of the variance of a typical estimate that each standard deviation makes up.

    It means something for an estimand with one estimate of each study, independent of the others,
    and is left out elsewhere. With spreads between countries beside those between studies each has
    a share of its own.

    Returns
    -------
    pandas.DataFrame
        ``parameter``, as :func:`metastudy.contrasts.taus` names it, and of the posterior of I²
        the mean ``i2``, the interval ``i2_lower`` and ``i2_upper``, and ``i2_mcse``, the Monte
        Carlo standard error of the mean.

    Notes
    -----
    The typical sampling variance is that of Higgins and Thompson (2002), equation 9, from the
    weights w, the inverse variances of k estimates:
    (k - 1) sum(w) / (sum(w)^2 - sum(w^2)).
    """
    shares: dict[str, xr.DataArray] = {}
    for _, estimand in found.estimands.iterrows():
        rows = found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1).to_numpy()
        own = found.covariance[np.ix_(rows, rows)]
        varying = [t for t in found.structures[estimand["id"]].terms if t.kind == "varying"]
        one_each = rows.any() and found.table.loc[rows, "study"].is_unique
        if not varying or not one_each or np.triu(own, 1).any():
            continue
        w = 1 / np.diag(own)
        typical = (len(w) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
        labels = [f"{estimand['id']} {term.name}" for term in varying]
        squares = [posterior["tau"].sel(tau_of=label, drop=True) ** 2 for label in labels]
        total = sum(squares) + typical
        shares |= {f"tau[{label}]": s / total for label, s in zip(labels, squares, strict=True)}
    columns = {"mean": "i2", "lower": "i2_lower", "upper": "i2_upper", "mcse": "i2_mcse"}
    if not shares:
        none = pd.DataFrame(columns=["parameter", *columns.values()])
        return none.astype(dict.fromkeys(columns.values(), float))
    draws = xr.concat([*shares.values()], "parameter")
    draws = draws.assign_coords(parameter=list(shares)).transpose("chain", "draw", "parameter")
    numbers = summarize(draws, interval)[list(columns)]
    return numbers.rename(columns=columns).reset_index()
