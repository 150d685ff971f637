"""Places in order of their effects: what pooling makes of each, beside the place by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import FOREST, effect_axis, mark_of
from metastudy.article.results import Results
from metastudy.article.table_rows import are_predictions
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["figure", "variables"]

LEAST = 3  # levels of a grouping; of two the table has both
SHOWN = ("country", "sector")  # groupings whose levels are places


def figure(evidence: Results) -> pd.DataFrame:
    """Each place of a pooled effect, the largest first, beside its estimates by themselves.

    By itself is the mean of the place's own estimates, weighted by their precision, without what
    they share: that is what a reader of its studies alone would have.
    """
    rows: list[dict[str, Any]] = []
    for mine, places in _groups(evidence):
        first = places.iloc[0]
        label = evidence.labels.exposure_with_type(
            str(first["exposure"]), str(first["exposure_type"])
        )
        outcome = inline(evidence.labels.outcome(str(first["outcome"])))
        place = {
            "block": f"{label}: {outcome}, by {first['level']}",
            "panel": "",
            "axis": effect_axis(str(first["exposure_type"]), str(first["metric"])),
            "hue": first["exposure_type"],
            "reference": 0.0,
        }
        for row in records(places.sort_values("mean", ascending=False, kind="stable")):
            at = place | {"row": evidence.labels.of(str(row["group"]))}
            alone = _alone(evidence, mine, str(row["level"]), str(row["group"]))
            if alone:
                rows.append(mark_of(row | alone, **at, series="Place alone", style="open"))
            rows.append(mark_of(row, **at, series="Pooled", style="filled"))
    return pd.DataFrame(rows, columns=FOREST)


def _groups(evidence: Results) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The estimates of each estimand, and its places of one grouping."""
    if "pooled" not in evidence.synthesis:
        return
    pooled, estimates = evidence.synthesis["pooled"], evidence.synthesis["estimates"]
    places = pooled[pooled["level"].isin(SHOWN) & ~are_predictions(pooled)]
    for key, found in places.groupby([*ESTIMAND, "level"], sort=False):
        if len(found) >= LEAST:
            yield estimates[estimates[ESTIMAND].eq(list(key[:-1])).all(axis=1)], found


def _alone(
    evidence: Results, estimates: pd.DataFrame, level: str, group: str
) -> dict[str, float] | None:
    own = estimates[estimates[level] == group]
    if own.empty:
        return None
    precision = 1 / own["se"] ** 2
    mean = float((own["estimate"] * precision).sum() / precision.sum())
    half = evidence.z / float(precision.sum()) ** 0.5
    return {"mean": mean, "lower": mean - half, "upper": mean + half}


def variables(evidence: Results) -> Tree:
    """How many places there are, and by how much pooling draws them together."""
    said = []
    for mine, places in _groups(evidence):
        level = str(places["level"].iloc[0])
        alone = [_alone(evidence, mine, level, str(group)) for group in places["group"]]
        means = pd.Series([one["mean"] for one in alone if one])
        pooled = places["mean"][[one is not None for one in alone]]
        if len(means) < LEAST or not means.std():
            continue
        outcome = inline(evidence.labels.outcome(str(places["outcome"].iloc[0])))
        kept = f"{100 * float(pooled.std() / means.std()):.0f}%"
        said.append(
            f"By {level}, {count(len(places))} effects on {outcome} have {kept} of the standard "
            "deviation of the estimates alone."
        )
    return {"sentence": " ".join(said)} if said else {}
