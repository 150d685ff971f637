"""Answers: the figure of a module's effects and levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import (
    FOREST,
    MOST_SETTINGS,
    effect_axis,
    in_order,
    mark_of,
    prediction_label,
    series_styles,
    type_label,
    vignette_label,
)
from metastudy.article.results import Results
from metastudy.article.table_rows import outcome_label
from metastudy.common.tables import records
from metastudy.design.new_settings import NEXT, PLACES, is_prediction
from metastudy.display.formatting import inline, words

__all__ = ["effect_rows", "figure"]


def figure(evidence: Results, name: str) -> pd.DataFrame:
    """Effects of a module's exposures and levels of its outcomes, for the forest."""
    rows = [*effect_rows(evidence, name), *_means(evidence, name)]
    return pd.DataFrame(in_order(rows, evidence), columns=FOREST)


def effect_rows(evidence: Results, name: str) -> list[dict[str, Any]]:
    """Marks of the effects of a module in its own metric: of studies, of all, and of places."""
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    metric, main = evidence.kind(name).metric, table[table["variant"] == "main"]
    effects = main[(main["estimand"] == "effect") & (main["metric"] == metric)]
    in_places = [name for place in PLACES for name in (place, f"new_{place}", f"{NEXT}{place}")]
    places, effects = effects, effects[~effects["level"].isin(in_places)]
    several_vignettes = main.loc[main["vignette"] != "", "vignette"].nunique() > 1
    for kind in dict.fromkeys(effects["exposure_type"]):
        mine = effects[effects["exposure_type"] == kind]
        each = mine[mine["level"] == "study"]
        series = series_styles(evidence, each)
        over = "Mean over studies" if each["group"].nunique() > 1 else "Mean over vignettes"
        heading = type_label(evidence, kind)
        if each["vignette"].nunique() == 1 and several_vignettes:
            heading += f" ({inline(vignette_label(evidence, each['vignette'].iloc[0]))})"
        many = each["group"].nunique() > MOST_SETTINGS
        for row in records(mine[mine["level"] != "study"] if many else mine):
            own = effects[effects["exposure"] == row["exposure"]]
            several = own[own["level"] == "study"].groupby(["group", "vignette"]).ngroups > 1
            population = row["level"] == "population"
            if not several and not population:
                continue  # the population is the one study
            if is_prediction(row["level"]):
                label, style = prediction_label(evidence, row["level"]), "prediction"
            elif several and not population:
                label, style = series[(row["group"], row["vignette"])]
            else:
                label, style = (over, "diamond") if several else ("", "filled")
            rows.append(
                mark_of(
                    row,
                    block=heading,
                    panel=labels.exposure(row["exposure"], kind).label,
                    axis=effect_axis(kind, metric),
                    row=outcome_label(evidence, row),
                    series=label,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope(metric),
                )
            )
        rows += _by_place(evidence, places[places["exposure_type"] == kind])
    return rows


def _means(evidence: Results, name: str) -> list[dict[str, Any]]:
    """Means of the outcomes, of each family with several."""
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    levels = table[(table["variant"] == "main") & (table["estimand"] == "mean")]
    family = levels["outcome"].map(evidence.vocabulary.family)
    for one in dict.fromkeys(family):
        mine = levels[family == one]
        if mine["outcome"].nunique() < 2:
            continue
        series = series_styles(evidence, mine)
        if len(series) > MOST_SETTINGS:
            series = dict.fromkeys(series, ("Each study in each of its places", "pale"))
        for row in records(mine):
            label, style = series[(row["group"], row["vignette"])]
            rows.append(
                mark_of(
                    row,
                    block="Means of the outcomes",
                    panel=labels.of(one, "families"),
                    axis="Mean, % of the scale",
                    row=labels.outcome(row["outcome"]),
                    series=label if len(series) > 1 else "",
                    style=style,
                    hue="level",
                )
            )
    return rows


def _by_place(evidence: Results, effects: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Effects in each country and sector that the design tells apart, their mean, and a new one."""
    labels = evidence.labels
    for (exposure, grouping), mine in effects[effects["level"].isin(PLACES)].groupby(
        ["exposure", "level"], sort=False
    ):
        kind = mine["exposure_type"].iloc[0]
        own = effects[effects["exposure"] == exposure]
        for (outcome, role), found in mine.groupby(["outcome", "role"], sort=False):
            same = own[(own["outcome"] == outcome) & (own["role"] == role)]
            shown = [
                (labels.of(row["group"]), row, "Partially pooled mean", "filled")
                for row in records(found)
            ]
            for row in records(same[same["level"] == f"{NEXT}{grouping}"]):
                series = prediction_label(evidence, row["level"])
                shown.append((labels.of(row["group"]), row, series, "prediction"))
            shown.sort(key=lambda one: labels.position(one[1]["group"]))
            for row in records(same[same["level"] == "population"]):
                shown.append(("All", row, "Mean over studies", "diamond"))
            for row in records(same[same["level"] == f"new_{grouping}"]):
                series = prediction_label(evidence, row["level"])
                shown.append((words(row["level"]), row, series, "prediction"))
            for label, row, series, style in shown:
                yield mark_of(
                    row,
                    block=f"{labels.exposure(str(exposure), kind).label}, by {grouping}",
                    panel=outcome_label(evidence, row),
                    axis=effect_axis(kind, row["metric"]),
                    row=label,
                    series=series,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope(row["metric"]),
                )
