"""Cells and rows of tables that several topics share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.variable_tree import unit
from metastudy.design.new_settings import DECIDED, NEXT, is_prediction
from metastudy.display.formatting import inline, interval, number, percents, probability, words
from metastudy.models.answers.differences import OTHER_STUDIES
from metastudy.models.base import NO_VIGNETTE
from metastudy.posterior.verdicts import Kind

__all__ = [
    "BORDER",
    "BORDER_NOTE",
    "MAX_COLUMNS_PER_PLACE",
    "METRICS",
    "NEXT_IN_FILE",
    "VERDICTS",
    "are_predictions",
    "columns_of",
    "effect_in_metric",
    "effect_label",
    "estimate_and_interval",
    "for_a_page",
    "grouped",
    "is_judged",
    "level_label",
    "metric_label",
    "moderator_label",
    "or_dash",
    "outcome_label",
    "percent_interval",
    "percent_points",
    "place_label",
    "role_label",
    "rope_cells",
    "rope_label",
    "study_marks",
    "verdict_label",
    "verdict_of",
]

# So many places have a column each, as a page has room for no more beside the others; of more,
# the lowest and the highest are shown.
MAX_COLUMNS_PER_PLACE = 4
NEXT_IN_FILE = " The next study in each place is in the table's file."
VERDICTS: Mapping[Kind, str] = {
    "clear_higher": "clear, higher",
    "clear_lower": "clear, lower",
    "too_small": "too small to matter",
    "higher": "higher, size open",
    "lower": "lower, size open",
    "undecided": "undecided",
}
BORDER = "†"  # beside a word that more draws might change; no sign of Markdown
BORDER_NOTE = f"{BORDER}: on the border, within two Monte Carlo errors of another verdict."


def estimate_and_interval(row: Mapping[str, Any], digits: int = 2) -> tuple[str, str]:
    """Mean and interval of a row as texts, with that many digits after the point."""
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


def study_marks(evidence: Results) -> tuple[str, ...]:
    """Provenance of each study, in their order: what a table is marked with."""
    return tuple(study.provenance for study in evidence.studies)


def is_judged(row: Mapping[str, Any]) -> bool:
    """Whether a row has a verdict.

    A prediction is about no place that was seen, and a difference between studies is one in all
    that differs between them: neither has one.
    """
    return not is_prediction(row["level"]) and row.get("note") != OTHER_STUDIES


def verdict_of(evidence: Results, row: Mapping[str, Any]) -> str:
    """The key of the verdict on a row, for a table's file; empty where it has none."""
    return evidence.verdict(row) if is_judged(row) else ""


def verdict_label(evidence: Results, row: Mapping[str, Any]) -> str:
    """The verdict on a row in words, with a mark on the border; a dash where it has none."""
    if not is_judged(row):
        return "–"
    found = evidence.judged(row)
    return VERDICTS[found.kind] + BORDER * found.border


def rope_cells(row: Mapping[str, Any]) -> dict[str, str]:
    """Probabilities beyond the region of equivalence, on the likelier side, and inside it."""
    if pd.isna(row["rope"]):
        return {"Beyond ROPE": "–", "In ROPE": "–"}
    beyond = max(float(row["above"]), float(row["below"]))
    return {"Beyond ROPE": probability(beyond), "In ROPE": probability(row["rope"])}


def level_label(row: Mapping[str, Any]) -> str:
    """The level of a row as words, with a note where a prior decides it or groupings are one."""
    note = row["note"]
    if note == DECIDED:
        note = "its prior decides"
    level = str(row["level"])
    label = (
        f"Next study in a {level.removeprefix(NEXT)}" if level.startswith(NEXT) else words(level)
    )
    return label + f" ({note})" * bool(note)


def rope_label(evidence: Results, metric: str = "sd") -> str:
    """The region of practical equivalence of effects in a metric, as a text with its unit."""
    return f"±{evidence.rope(metric):g} {'SD' if metric == 'sd' else unit(metric)}"


def place_label(
    evidence: Results, row: Mapping[str, Any], vignettes: bool, studies: bool = True
) -> str:
    """What a row is about: its study and vignette, as far as they differ."""
    if row["level"] == "population":
        return "Mean" + f" ({row['note']})" * bool(row["note"])
    if row["level"] == "moderator":
        return moderator_label(evidence, row) + f" ({row['note']})"
    if row["level"].startswith(NEXT):
        decided = " (its prior decides)" * (row["note"] == DECIDED)
        return f"Next study in {evidence.labels.of(row['group'])}{decided}"
    if is_prediction(row["level"]):
        return level_label(row)
    if row["level"] != "study":
        return evidence.labels.of(row["group"]) + f" ({row['note']})" * bool(row["note"])
    parts = [evidence.labels.setting(row["group"])] if studies or not vignettes else []
    if vignettes and row["vignette"] != NO_VIGNETTE:
        label = figure_rows.vignette_label(evidence, row["vignette"])
        parts.append(inline(label) if parts else label)
    return ": ".join(parts)


def moderator_label(evidence: Results, row: Mapping[str, Any]) -> str:
    """A moderator of a module's effects, and the category that is set against its reference."""
    key, level = str(row["group"]), str(row["against"])
    entry = evidence.vocabulary["moderators"].get(key, {})
    label = evidence.labels.of(key, "moderators")
    return f"{label}: {entry.get('levels', {}).get(level, level)}" if level else label


def percent_points(row: Mapping[str, Any]) -> str:
    """Mean and interval of a difference of shares, as a text in whole percentage points."""
    return f"{number(100 * row['mean'], 0)} ({interval(100 * row['lower'], 100 * row['upper'], 0)})"


def are_predictions(table: pd.DataFrame) -> pd.Series:
    """Whether each row is a prediction for a place that was not seen; boolean, shape (rows,)."""
    return table["level"].map(is_prediction).astype(bool)


def for_a_page(evidence: Results, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of one effect in a reader's order, and those that are only in the table's file.

    Levels are as they came, but predictions come last. Places are in the order of the vocabulary,
    as in the figures. The next study in each of more countries, or sectors, than
    :data:`metastudy.article.figure_rows.MOST_PLACES` is left to the file: their figure shows it
    beside the place.
    """
    table = figure_rows.by_place(evidence, table)
    table = table.iloc[are_predictions(table).to_numpy().argsort(kind="stable")]
    level = table["level"].map(str)
    many = table.groupby(level)["group"].transform("nunique").gt(figure_rows.MOST_PLACES)
    left = level.str.startswith(NEXT) & many
    return table[~left], table[left]


def percent_interval(row: Mapping[str, Any]) -> str:
    """The interval of a share, as a text in per cent."""
    return percents(row["lower"], row["upper"])


METRICS = {
    "sd": "SD",
    "log_odds": "log-odds",
    "log_risk_ratio": "log risk ratio",
    "log_rate_ratio": "log rate ratio",
    "log_response_ratio": "log response ratio",
    "fisher_z": "Fisher's z",
    "pomp": "% of scale",
    "probability": "share",
}


def metric_label(metric: str) -> str:
    """A metric as a table has it."""
    return METRICS.get(metric) or unit(metric)


def role_label(evidence: Results, role: str) -> str:
    """People of a role, inside a sentence."""
    return inline(evidence.labels.of(role, "roles")) if role else ""


def effect_label(evidence: Results, row: Mapping[str, Any]) -> str:
    """Exposure and outcome in one cell."""
    head = evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"])
    return f"{head}: {inline(outcome_label(evidence, row))}"


def effect_in_metric(evidence: Results, row: Mapping[Any, Any]) -> str:
    """Exposure with its type, outcome and metric of an effect of the second stage."""
    head = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    outcome = inline(evidence.labels.outcome(str(row["outcome"])))
    return f"{head}: {outcome}, {metric_label(str(row['metric']))}"


def or_dash(value: float, digits: int = 2) -> str:
    """A number with that many digits after the point; a dash where there is none."""
    return "–" if pd.isna(value) else number(value, digits)


def outcome_label(evidence: Results, row: Mapping[str, Any]) -> str:
    """The outcome of an effect, and whose effect it is where its module has several roles."""
    label = evidence.labels.outcome(str(row["outcome"]))
    if row.get("role") and evidence.several_roles(str(row["module"])):
        label += f", {role_label(evidence, str(row['role']))}"
    return label


def columns_of(rows: list[dict[str, str]]) -> list[str]:
    """The headings of rows that all have the same keys; a single note where there are no rows."""
    return list(rows[0]) if rows else ["Nothing to show"]
