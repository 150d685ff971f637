"""Plans of the second stage: estimates, covariance and design of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.design.identification import Structure, structure
from metastudy.design.matrix import Effects, effects

__all__ = ["ESTIMAND", "EXPLORATORY", "SecondStage", "average_vignettes", "explore", "plan"]

# One estimand: only studies that agree in all of these are pooled.
ESTIMAND = ["exposure", "exposure_type", "outcome", "family", "response_mode", "metric"]
GROUPINGS = ["study", "country", "sector"]
# The one model in which everything meets; it is marked exploratory wherever it is shown.
EXPLORATORY = ["family", "exposure_type", "response_mode", *GROUPINGS, "estimate"]
# A logistic log-odds ratio in standard deviations (Hasselblad and Hedges 1995).
LOGIT_TO_SD = np.sqrt(3) / np.pi


@dataclass(frozen=True)
class SecondStage:
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


def plan(table: pd.DataFrame, covariance: np.ndarray) -> SecondStage | None:
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
    return SecondStage(rows, covariance, effects(len(rows), parts), pd.DataFrame(names), found)


def explore(
    table: pd.DataFrame, covariance: np.ndarray, burden: Mapping[str, int]
) -> SecondStage | None:
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
    return SecondStage(rows, covariance, design, names, {"all": found})
