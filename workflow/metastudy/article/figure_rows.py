"""Rows of figures that several topics share: columns of a forest, marks, labels and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.variable_tree import unit
from metastudy.codebook.interactions import INTERACTION
from metastudy.design.new_settings import NEXT
from metastudy.display.formatting import inline, share, words
from metastudy.models.base import NO_VIGNETTE

__all__ = [
    "DIRECTIONS",
    "FOREST",
    "MOST_PLACES",
    "MOST_SETTINGS",
    "NUMBERS",
    "SHAPES",
    "STAGES",
    "by_place",
    "by_setting",
    "effect_axis",
    "in_order",
    "is_accuracy",
    "mark_of",
    "parameter_label",
    "prediction_label",
    "series_styles",
    "type_label",
    "vignette_label",
]

FOREST = [
    "block",  # a row of panels with a heading
    "panel",
    "axis",  # what the horizontal axis shows
    "row",  # what the vertical axis shows
    "series",  # what tells several marks in one row apart
    "style",  # how they are drawn: see metastudy.look.STYLES
    "hue",
    "estimate",
    "lower",
    "upper",
    "reference",  # where a vertical line is; none if missing
    "rope",  # half-width of the region of practical equivalence; none if missing
    "note",
    "exposure",
    "exposure_type",
    "outcome",
    "vignette",
    "study",
    "level",
    "group",
    "metric",
    "provenance",
]
POINTS = ("filled", "second", "third", "fourth")  # styles of several series of one hue
SHAPES = ("filled", "square", "triangle", "filled")  # the same where each has its own hue
MOST_PLACES = 6  # of one grouping; of more, no printed table says what the next study in each gives
MOST_SETTINGS = 6  # of more, no figure or printed table shows each, but means, places, predictions


def mark_of(row: Mapping[str, Any], /, **more: Any) -> dict[str, Any]:
    """The columns of a plotted row that come from a row of contrasts."""
    same = ("exposure", "exposure_type", "outcome", "vignette", "study", "level", "group", "metric")
    taken = {name: row.get(name, "") for name in (*same, "provenance")}
    numbers = {"estimate": row["mean"], "lower": row["lower"], "upper": row["upper"]}
    return taken | numbers | {"note": ""} | more


def type_label(evidence: Results, kind: str) -> str:
    """Heading of the exposures of a type."""
    if kind == INTERACTION:
        return "Interactions"
    return f"{evidence.labels.of(kind, 'exposure_types')} exposures"


def effect_axis(kind: str, metric: str) -> str:
    """What an axis of effects shows."""
    if metric != "sd":
        return f"Contrast, {'log-odds' if metric == 'log_odds' else unit(metric)}"
    if kind == INTERACTION:
        return "Difference between effects, SD"
    return (
        "Difference per SD of the exposure, SD"
        if kind == "measured"
        else "Difference between levels, SD"
    )


def prediction_label(evidence: Results, level: str) -> str:
    """Label of a prediction: for a new study, or for the next study in a country at hand."""
    what = f"a {words(level).lower()}"
    if level.startswith(NEXT):
        what = f"the next study in that {level.removeprefix(NEXT)}"
    return f"{share(evidence.interval)} prediction for {what}"


def series_styles(evidence: Results, rows: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Label and style of each setting and vignette; what does not differ is not said."""
    labels = evidence.labels
    pairs = list(dict.fromkeys(zip(rows["group"], rows["vignette"], strict=True)))
    settings, vignettes = ({pair[i] for pair in pairs} for i in (0, 1))
    found = {}
    for at, (group, vignette) in enumerate(pairs):
        parts = [labels.setting(group)] * (len(settings) > 1)
        if len(vignettes) > 1 or not parts:
            label = vignette_label(evidence, vignette)
            parts.append(inline(label) if parts else label)
        found[(group, vignette)] = (": ".join(parts), POINTS[at % len(POINTS)])
    return found


def vignette_label(evidence: Results, vignette: str) -> str:
    """Label of a vignette."""
    if vignette == NO_VIGNETTE:
        return "No vignette"
    return evidence.labels.of(vignette, "vignettes")


def in_order(rows: list[dict[str, Any]], evidence: Results) -> list[dict[str, Any]]:
    """Outcomes in the vocabulary's order within each panel; blocks and panels as they came."""
    place = {key: i for i, key in enumerate(evidence.vocabulary["constructs"])}
    blocks = list(dict.fromkeys((r["block"], r["panel"]) for r in rows))
    return sorted(
        rows, key=lambda r: (blocks.index((r["block"], r["panel"])), place.get(r["outcome"], 0))
    )


def by_place(evidence: Results, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of effects with the places of each level in their order; levels are as they came.

    So are the studies among rows of settings: only the settings of one study have an order.
    """
    groups = table["group"].map(str)
    studies = groups.str.split(":").str[0].where(table["level"].eq("study"), "")
    firsts = [pd.factorize(of)[0].tolist() for of in (table["level"], studies)]
    spots = list(zip(*firsts, map(evidence.labels.position_in_study, groups), strict=True))
    return table.iloc[sorted(range(len(table)), key=spots.__getitem__)]  # stable


def by_setting(
    evidence: Results, table: pd.DataFrame, within: Sequence[str] = ("study",)
) -> pd.DataFrame:
    """Rows with a country and a sector, these in their order within what ``within`` tells apart.

    What these columns hold is as it came, and so are rows of one place.
    """
    firsts = [pd.factorize(table[name])[0].tolist() for name in within]
    places = [table[name].map(evidence.labels.position).tolist() for name in ("country", "sector")]
    spots = list(zip(*firsts, *places, strict=True))
    return table.iloc[sorted(range(len(table)), key=spots.__getitem__)]  # stable


NUMBERS = {"estimate": "mean", "lower": "lower", "upper": "upper"}
STAGES = {"pooled": "Second stage", "exploratory": "Exploratory model"}
TOTAL = "total_tau["  # before the effect of the second stage that it is of
# What a parameter of the models says, in words; the parts in brackets come from the vocabulary.
PARAMETERS = {
    "tau": "",
    "total_tau": "Total between settings",
    "own_tau": "A code's own, by",
    "outcome_tau": "Between the outcomes of a family",
    "site_tau": "Between sites",
    "prevalence_tau": "Between codes, prevalence",
    "code_tau": "Between codes",
    "role_tau": "Between codes, of roles",
    "organisation_tau": "Between organisations",
    "organisation_code_tau": "Between organisations within a code",
}


def parameter_label(evidence: Results, parameter: str, among: Sequence[str]) -> tuple[str, str]:
    """Words for a parameter: what it belongs to, and which one it is.

    Parameters
    ----------
    parameter : such as ``site_tau[<exposure>, <construct>|<vignette>]`` or ``sensitivity``.
    among : all parameters beside it; a vignette, family or role that all of them share is not said.
    """
    ends = {name.rstrip("]").rpartition("|")[2] for name in among if "|" in name}
    if len(ends) == 1 and (vignette := ends.pop()) in evidence.vocabulary["vignettes"]:
        parameter = parameter.replace(f"|{vignette}", "")
    totals = [name[len(TOTAL) : -1] for name in among if name.startswith(TOTAL) and "|" in name]
    if len(totals) == 1 and all(totals[0] in name for name in among):  # one effect of all
        of = f"[{totals[0]}"
        parameter = parameter.replace(f"{of} ", "[").replace(f"{of}]", "")
    head = parameter.partition("[")[0]
    first, *parts = evidence.labels.parameter(parameter)
    if head == "total_tau":
        parts = [part for part in parts if part not in ("", "Settings")]
    if head == "outcome_tau" and len(parts) == 3:
        alike = [name.rstrip("]").split(", ") for name in among if name.startswith(head)]
        differ = (True, *(len({of[at] for of in alike}) > 1 for at in (1, 2)))
        first, *others = (part for part, told in zip(parts, differ, strict=True) if told)
        return PARAMETERS[head], ", ".join([first, *map(inline, others)])
    if head == "own_tau":
        return "", f"{PARAMETERS[head]} {inline(parts[0])}"
    head = PARAMETERS.get(head, first)
    if len(parts) > 1:
        return f"{head}: {inline(parts[0])}" if head else parts[0], ", ".join(parts[1:])
    if parts:
        return "", f"{head}: {inline(parts[0])}" if head else parts[0]
    return "", head


def is_accuracy(parameter: str) -> bool:
    """Whether a parameter is a coder's accuracy rather than a standard deviation."""
    return parameter in ("sensitivity", "specificity")


DIRECTIONS = [
    "section",  # a module, or cases
    "heading",
    "row",
    "column",
    "direction",  # one of the keys of metastudy.display.plots.effect_directions.SIGNS
    "n",
    "study",
    "exposure",
    "exposure_type",
    "outcome",
    "provenance",
]
