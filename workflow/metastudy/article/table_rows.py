"""Cells and rows of tables that several topics share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Evidence
from metastudy.design.new_levels import is_prediction
from metastudy.display.formatting import inline, interval, number, percents, words
from metastudy.models.base import NO_VIGNETTE

__all__ = [
    "FEW",
    "METRICS",
    "VERDICTS",
    "are_predictions",
    "columns_of",
    "effect_label",
    "estimate_and_interval",
    "grouped",
    "level_label",
    "percent_interval",
    "percent_points",
    "place_label",
    "rope_label",
    "study_marks",
    "verdict_of",
]

FEW = 4  # so many places have a column each; of more, the lowest and the highest are told
VERDICTS = {
    "higher": "higher",
    "lower": "lower",
    "equivalent": "practically none",
    "imprecise": "imprecise",
}


def estimate_and_interval(row: Mapping[str, Any], digits: int = 2) -> tuple[str, str]:
    """Mean and interval of a row as texts, with so many digits after the point."""
    return number(row["mean"], digits), interval(row["lower"], row["upper"], digits)


def grouped(rows: list[dict[str, str]], group: str, first: str) -> pd.DataFrame:
    """Rows under a bold line for each group; without such lines where there is one group."""
    table = pd.DataFrame(rows)
    if not len(table) or table[group].nunique() == 1:
        return table.drop(columns=group) if len(table) else table
    parts = []
    for name, mine in table.groupby(group, sort=False):
        head = dict.fromkeys(table.columns, "") | {first: f"**{name}**"}
        parts += [pd.DataFrame([head]), mine]
    return pd.concat(parts, ignore_index=True).drop(columns=group)


def study_marks(evidence: Evidence) -> tuple[str, ...]:
    """Provenance of each study, in their order: what a table is marked with."""
    return tuple(study.provenance for study in evidence.studies)


def verdict_of(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """The verdict on an effect; a prediction is about no place that was seen, and has none."""
    return "" if is_prediction(row["level"]) else evidence.verdict(row)


def level_label(row: Mapping[str, Any]) -> str:
    """The level of a row as words, with a note where it is mostly prior."""
    return words(row["level"]) + " (mostly prior)" * bool(row["note"])


def rope_label(evidence: Evidence) -> str:
    """The region of practical equivalence of standardised effects, as a text in SD."""
    return f"±{evidence.rope('sd'):g} SD"


def place_label(
    evidence: Evidence, row: Mapping[str, Any], vignettes: bool, studies: bool = True
) -> str:
    """What a row is about: its study and vignette, as far as they differ."""
    if row["level"] == "population":
        return "Mean"
    if is_prediction(row["level"]):
        return level_label(row)
    if row["level"] != "study":
        return evidence.labels.of(row["group"])
    parts = [evidence.labels.setting(row["group"])] if studies or not vignettes else []
    if vignettes and row["vignette"] != NO_VIGNETTE:
        label = figure_rows.vignette_label(evidence, row["vignette"])
        parts.append(inline(label) if parts else label)
    return ": ".join(parts)


def percent_points(row: Mapping[str, Any]) -> str:
    """Mean and interval of a difference of shares, as a text in whole percentage points."""
    return f"{number(100 * row['mean'], 0)} ({interval(100 * row['lower'], 100 * row['upper'], 0)})"


def are_predictions(table: pd.DataFrame) -> pd.Series:
    """Whether each row is a prediction for a place that was not seen; boolean, shape (rows,)."""
    return table["level"].map(is_prediction).astype(bool)


def percent_interval(row: Mapping[str, Any]) -> str:
    """The interval of a share, as a text in per cent."""
    return percents(row["lower"], row["upper"])


METRICS = {
    "sd": "SD",
    "log_odds": "log-odds",
    "log_risk_ratio": "log risk ratio",
    "pomp": "% of scale",
    "probability": "share",
}


def effect_label(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """Exposure and outcome in one cell."""
    head = evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"])
    return f"{head}: {inline(evidence.labels.outcome(row['outcome']))}"


def columns_of(rows: list[dict[str, str]]) -> list[str]:
    """The headings of rows that all have the same keys; a single note where there are no rows."""
    return list(rows[0]) if rows else ["Nothing to show"]
