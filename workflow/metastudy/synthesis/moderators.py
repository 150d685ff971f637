"""What effects differ by: coefficients of the second stage, and the effects to set them against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import join_values
from metastudy.design.moderators import DECIDED, MODERATED, Coefficient, Moderation
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["coefficients", "lines"]

POINTS = 41  # of a line


def _each(
    found: SecondStage,
) -> Iterator[tuple[dict[str, Any], Moderation, list[tuple[str, Coefficient]]]]:
    """Estimands with moderators, and their coefficients by the names in the model."""
    for _, estimand in found.estimands.iterrows():
        moderation = found.moderation.get(estimand["id"])
        if moderation and moderation.coefficients:
            names = [f"{estimand['id']} {label}" for label in moderation.fixed]
            row = {str(name): value for name, value in estimand.items()}
            yield row, moderation, list(zip(names, moderation.coefficients, strict=True))


def _rows(found: SecondStage, estimand: Mapping[str, Any]) -> pd.DataFrame:
    same = found.table[ESTIMAND].eq([estimand[c] for c in ESTIMAND]).all(axis=1)
    return found.table[same]


def coefficients(
    found: SecondStage,
    posterior: xr.Dataset,
    interval: float,
    ropes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The coefficients of the moderators of a plan.

    Parameters
    ----------
    posterior : its draws, with ``beta``.
    interval : probability of the credible intervals.
    ropes : half-width of the region of practical equivalence, by metric.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``moderators``: the change of the effect per standard deviation of a
        number, whose size is ``scale`` in its ``unit``, or the difference of a ``category`` from
        its reference; ``at`` is where the population mean is.
    """
    rows = []
    for estimand, moderation, own in _each(found):
        mine = _rows(found, estimand)
        for name, one in own:
            rows.append(
                estimand
                | {
                    "parameter": f"beta[{name}]",
                    "moderator": one.moderator,
                    "category": one.level,
                    "at": one.at if isinstance(one.at, str) else f"{one.at:.12g}",
                    "scale": one.scale,
                    "unit": one.unit,
                    "between": one.between,
                    "studies": int(mine["study"].nunique()),
                    "provenance": join_values(mine["provenance"]),
                    "note": DECIDED * moderation.decided,
                }
            )
    if not rows:
        return result_tables.none("moderators")
    table = pd.DataFrame(rows)
    half = table["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
    draws = posterior["beta"].sel(beta_of=[*found.slopes.names])
    draws = draws.transpose("chain", "draw", "beta_of")
    numbers = summarize(draws, interval, half).reset_index(drop=True)
    return pd.concat([table, numbers], axis=1)[result_tables.columns("moderators")]


def lines(found: SecondStage, posterior: xr.Dataset, interval: float) -> pd.DataFrame:
    """Effects against each moderator: the estimates, and the mean where all others are at theirs.

    Parameters
    ----------
    posterior : draws of the plan, with ``mu`` and ``beta``.
    interval : probability of the intervals, of the estimates too.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``moderator_lines``, whose ``id`` tells the rows apart; ``kind`` is
        ``estimate`` or ``mean``, ``x`` the value of a number, ``category`` that of a category. An
        estimate has all that the others make of it, as it was published.
    """
    z = NormalDist().inv_cdf(0.5 + interval / 2)
    parts = []
    for estimand, _, own in _each(found):
        mine = _rows(found, estimand)
        mu = posterior["mu"].sel(mu_of=estimand["id"], drop=True)
        by_name: dict[str, list[tuple[str, Coefficient]]] = {}
        for name, one in own:
            by_name.setdefault(one.moderator, []).append((name, one))
        for moderator, several in by_name.items():
            base = estimand | {"moderator": moderator, "unit": several[0][1].unit}
            numeric = not isinstance(several[0][1].at, str)
            for row in mine.to_dict("records"):
                value = row[f"{MODERATED}{moderator}"]
                parts.append(
                    base
                    | {
                        "kind": "estimate",
                        "group": row["study"],
                        "x": float(value) if numeric else np.nan,
                        "category": "" if numeric else str(value),
                        "mean": row["estimate"],
                        "lower": row["estimate"] - z * row["se"],
                        "upper": row["estimate"] + z * row["se"],
                        "weight": 1 / row["se"] ** 2,
                        "provenance": row["provenance"],
                    }
                )
            marks = join_values(mine["provenance"])
            at, drawn = _means(mine[f"{MODERATED}{moderator}"], several, mu, posterior["beta"])
            for place, numbers in zip(
                at, summarize(drawn, interval).to_dict("records"), strict=True
            ):
                values = {name: numbers[name] for name in ("mean", "lower", "upper")}
                more = {"kind": "mean", "group": "", "weight": np.nan, "provenance": marks}
                parts.append(base | place | values | more)
    if not parts:
        return result_tables.none("moderator_lines")
    table = pd.DataFrame(parts)
    number = table.groupby(["id", "moderator", "kind"]).cumcount().add(1).astype(str)
    table["id"] = table[["id", "moderator", "kind"]].agg("|".join, axis=1) + "|" + number
    return table[result_tables.columns("moderator_lines")]


def _means(
    values: pd.Series,
    several: list[tuple[str, Coefficient]],
    mu: xr.DataArray,
    beta: xr.DataArray,
) -> tuple[list[dict[str, Any]], xr.DataArray]:
    """The mean effect along a number or for each category: places, and draws by place."""
    name, first = several[0]
    if not isinstance(first.at, str):
        x = np.linspace(values.astype(float).min(), values.astype(float).max(), POINTS)
        places = [{"x": float(value), "category": ""} for value in x]
        steps = xr.DataArray((x - first.at) / first.scale, dims="place")
        drawn = mu + beta.sel(beta_of=name, drop=True) * steps
    else:
        names = [first.at, *(one.level for _, one in several)]
        places = [{"x": np.nan, "category": category} for category in names]
        changes = [0.0 * mu, *(beta.sel(beta_of=label, drop=True) for label, _ in several)]
        drawn = mu + xr.concat(changes, pd.RangeIndex(len(names), name="place"))
    return places, drawn.transpose("chain", "draw", "place")
