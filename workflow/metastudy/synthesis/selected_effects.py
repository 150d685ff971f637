"""Sensitivity of pooled published effects to selection: which are analysed, how, and what follows.

Beside the main analysis, never in its place: published effects alone, one of each study and
outcome, random effects with one heterogeneity, and the main priors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.common import result_tables
from metastudy.common.problems import BadInput, Problem
from metastudy.common.tables import join_values
from metastudy.models.priors import Prior
from metastudy.synthesis.grid import Grid
from metastudy.synthesis.pooling import ESTIMAND, unit_of
from metastudy.synthesis.priors import prior_of
from metastudy.synthesis.selection import (
    affirmative,
    bound,
    plain,
    regression,
    step_function,
)

__all__ = ["ANALYSES", "LEAST", "SIDES", "analyses", "check_sides", "one_each"]

LEAST = 10  # effects from which selection and heterogeneity can be told apart (Sterne et al. 2011)
SIDES = {"positive": 1, "negative": -1}
ANALYSES = ("plain", "step_function", "pet", "peese", "worst_case")
FEW = "there are {} effects, and of fewer than ten selection cannot be distinguished from chance"
ALL = "all effects are significant on the {} side, so nothing says what became of others"
NONE = "no effect is significant on the {} side, so nothing shows that such ones are favoured"
ASSUMED = "no side was declared, so it is that of the mean without selection"
ONLY_MEAN = "mean of several estimates of a study"
PRIMARY = "the declared primary estimate of a study"


def one_each(
    table: pd.DataFrame,
    covariance: np.ndarray,
    alone: np.ndarray,
    primary: Collection[str] = (),
) -> pd.DataFrame:
    """One estimate for each study and estimand: the declared primary one, else the mean.

    Parameters
    ----------
    table, covariance : published effects
        (:func:`metastudy.synthesis.published_effects.published`), shapes (rows,) and (rows, rows).
    alone : standard errors without what the effect itself adds to them, shape (rows,); see
        :func:`metastudy.synthesis.published_effects.errors_alone`.
    primary : ids of the rows that are declared primary.

    Returns
    -------
    The rows of the estimands that several studies report, with ``se_alone``; ``note`` says where
    a row is one of several, or their mean.
    """
    kept = []
    for _, mine in table.groupby([*ESTIMAND, "study"], sort=False):
        declared = mine["id"].isin(list(primary))
        used = mine[declared] if declared.any() else mine
        at = used.index.to_numpy()
        own, error = covariance[np.ix_(at, at)], table["se"].to_numpy()[at]
        ratio = alone[at] / error
        row = used.iloc[0].to_dict() | {
            "estimate": float(used["estimate"].mean()),
            "se": float(np.sqrt(own.mean())),
            "se_alone": float(np.sqrt((own * np.outer(ratio, ratio)).mean())),
        }
        if len(mine) > 1:
            said = ONLY_MEAN if len(used) > 1 else PRIMARY
            row["note"] = "; ".join(filter(None, [str(row["note"]), said]))
        kept.append(row)
    found = pd.DataFrame(kept, columns=[*table.columns, "se_alone"])
    several = found.groupby(ESTIMAND)["study"].transform("nunique") > 1
    return found[several].reset_index(drop=True)


def check_sides(sides: Mapping[str, str], effects: pd.DataFrame) -> None:
    """Refuse a declared side of something that no published finding is about.

    Raises
    ------
    BadInput
        ``selection-side``, with all such keys.
    """
    exposure = effects["exposure"].fillna(effects["contrast"])
    known = {*effects["outcome"], *(exposure + "|" + effects["outcome"])}
    unknown = [name for name in sides if name not in known]
    if unknown:
        raise BadInput(
            Problem(
                file="the configuration",
                found=f"a side for '{name}'",
                expected="an outcome of a published finding, or its exposure and outcome with | "
                f"between them; there are {', '.join(sorted(set(effects['outcome']))) or 'none'}",
                fix="correct the name under selection.sides, or take it out",
                column="selection.sides",
                code="selection-side",
            )
            for name in unknown
        )


def analyses(
    effects: pd.DataFrame,
    sides: Mapping[str, str],
    priors: Mapping[str, Prior],
    interval: float,
    ropes: Mapping[str, float],
    z: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All analyses of all pooled published estimands.

    Parameters
    ----------
    effects : as :func:`one_each` gives them.
    sides : ``positive`` or ``negative`` by outcome, or by exposure and outcome with ``|`` between.
    priors : by the configuration's keys.
    interval : probability of the credible intervals.
    ropes : half-width of the region of practical equivalence, by metric.
    z : standard errors on either side of an estimate that its interval spans.

    Returns
    -------
    analyses, effects
        Tables ``selection`` and ``selection_effects`` of
        :data:`metastudy.common.result_tables.TABLES`. Of an analysis that was not done there is a
        row with the ``reason`` and without numbers.
    """
    rows: list[dict[str, Any]] = []
    points = []
    for key, mine in effects.groupby(ESTIMAND, sort=False):
        estimand = dict(zip(ESTIMAND, map(str, key), strict=True))
        metric = estimand["metric"]
        unit = unit_of(mine, metric)
        own = (prior_of(priors, "mu", metric, unit), prior_of(priors, "tau", metric, unit))
        y, se, alone = (mine[c].to_numpy(dtype=float) for c in ("estimate", "se", "se_alone"))
        whole = plain(y, se, *own)
        name = f"{mine['exposure_name'].iloc[0]}|{estimand['outcome']}"
        declared = sides.get(name, sides.get(estimand["outcome"], ""))
        side = declared or ("negative" if whole.below(0, 0.0) > 0.5 else "positive")
        sign = SIDES[side]
        chosen = affirmative(sign * y, se)
        base = estimand | {
            "side": side,
            "declared": bool(declared),
            "effects": len(mine),
            "affirmative": int(chosen.sum()),
            "provenance": join_values(mine["provenance"]),
        }
        half = float(ropes.get(metric, np.nan))
        for made in _all(sign * y, se, alone, side, own, interval, half, z):
            note = "" if declared or made["reason"] or made["analysis"] == "plain" else ASSUMED
            rows.append(base | {"note": note} | _turned(made, sign))
        points.append(mine.assign(side=side, affirmative=chosen))
    table = pd.DataFrame(rows, columns=result_tables.columns("selection"))
    seen = pd.concat(points, ignore_index=True) if points else pd.DataFrame()
    return table, seen.reindex(columns=result_tables.columns("selection_effects"))


def _all(
    y: np.ndarray,
    se: np.ndarray,
    alone: np.ndarray,
    side: str,
    priors: tuple[Prior, Prior],
    interval: float,
    half: float,
    z: float,
) -> Iterator[dict[str, Any]]:
    """The analyses of one estimand, turned to the favoured side."""
    few = FEW.format(len(y)) if len(y) < LEAST else ""
    chosen = affirmative(y, se)
    one_sided = ALL if chosen.all() else NONE if not chosen.any() else ""
    one_sided = one_sided.format(side)

    def numbers(name: str, grid: Grid) -> dict[str, Any]:
        return {"analysis": name, "reason": ""} | _numbers(grid, interval, half)

    yield numbers("plain", plain(y, se, *priors))
    if few or one_sided:
        yield {"analysis": "step_function", "reason": few or one_sided}
    else:
        grid = step_function(y, se, *priors)
        low, high = grid.interval(2, interval)
        weight = {"weight": grid.moments(2)[0], "weight_lower": low, "weight_upper": high}
        yield numbers("step_function", grid) | weight
    for name, x in (("pet", alone), ("peese", alone**2)):
        try:
            if few:
                raise ValueError(few)
            grid, slope, sd = regression(y, se, x, *priors)
            yield numbers(name, grid) | {"slope": slope, "slope_sd": sd}
        except ValueError as reason:
            yield {"analysis": name, "reason": str(reason)}
    found = bound(y, se, *priors, z)
    if found.worst is None:
        yield {"analysis": "worst_case", "reason": one_sided}
    else:
        ratios = {"ratio_mean": found.to_zero, "ratio_interval": found.to_interval}
        yield numbers("worst_case", found.worst) | ratios


def _numbers(grid: Grid, interval: float, half: float) -> dict[str, float]:
    mean, sd = grid.moments(0)
    lower, upper = grid.interval(0, interval)
    tau = grid.interval(1, interval)
    positive = 1 - grid.below(0, 0.0)
    known = not np.isnan(half)
    above = 1 - grid.below(0, half) if known else np.nan
    below = grid.below(0, -half) if known else np.nan
    return {
        "mean": mean,
        "sd": sd,
        "lower": lower,
        "upper": upper,
        "positive": positive,
        "pd": max(positive, 1 - positive),
        "rope": max(1 - above - below, 0.0) if known else np.nan,
        "above": above,
        "below": below,
        "tau": grid.moments(1)[0],
        "tau_lower": tau[0],
        "tau_upper": tau[1],
    }


def _turned(row: dict[str, Any], sign: int) -> dict[str, Any]:
    """Numbers of an analysis, turned back from the favoured side."""
    if sign > 0 or "mean" not in row:
        return row
    turned = {"mean": -row["mean"], "lower": -row["upper"], "upper": -row["lower"]}
    turned |= {"positive": 1 - row["positive"], "above": row["below"], "below": row["above"]}
    if "slope" in row:
        turned["slope"] = -row["slope"]
    return row | turned
