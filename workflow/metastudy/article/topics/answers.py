"""Answers: effects and levels of rated outcomes, as figure, tables and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.effect_sentences import (
    contrast_variables,
    exposure_variables,
    sentence_variables,
)
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
from metastudy.article.results import Evidence, Modelled, drawn
from metastudy.article.table_rows import (
    VERDICTS,
    estimate_and_interval,
    grouped,
    place_label,
    rope_label,
    verdict_of,
)
from metastudy.article.variable_tree import GENERAL, Tree, put
from metastudy.common.tables import records
from metastudy.design.new_levels import PLACES, is_prediction
from metastudy.display.formatting import inline, interval, joined, number, probability, share, words
from metastudy.display.pipe_table import Table

__all__ = ["effects_table", "figure", "levels_table", "variables"]


def effects_table(evidence: Evidence, module: str) -> Table:
    """Effects of a module's exposures in standard deviations, and as percentages of the scale.

    Where there are many places, effects in single places are only in the table's file.
    """
    labels, everything = evidence.labels, evidence.contrasts[module]
    table = everything[(everything["estimand"] == "effect") & (everything["variant"] == "main")]
    rows, full = [], []
    own = table[table["level"] == "study"]
    several_vignettes = own["vignette"].nunique() > 1
    several_studies = bool((own.groupby("exposure")["group"].nunique() > 1).any())
    many = own["group"].nunique() > figure_rows.MOST_SETTINGS
    for (exposure, kind, _), mine in table.groupby(
        ["exposure", "exposure_type", "outcome"], sort=False
    ):
        own = mine[(mine["level"] == "study") & (mine["metric"] == "sd")]
        pomp = mine[mine["metric"] == "pomp"].set_index(["group", "vignette"])
        shown = mine[mine["metric"] == "sd"]
        if len(own) == 1:
            shown = own
        if many:
            full += [r | {"verdict": evidence.verdict(r)} for r in records(own)]
            shown = shown[shown["level"] != "study"]
        for row in records(shown):
            estimate, bounds = estimate_and_interval(row)
            at = (row["group"], row["vignette"])
            points = ""
            if row["level"] == "study" and at in pomp.index:
                points = number(float(pomp.loc[at, "mean"]), 1)
            rows.append(
                {
                    "Exposure": labels.exposure_with_type(str(exposure), str(kind)),
                    "Outcome": labels.outcome(row["outcome"]),
                    "Of": place_label(evidence, row, several_vignettes, several_studies),
                    "SD": estimate,
                    f"{share(evidence.interval)} interval": bounds,
                    "Direction": probability(row["pd"]),
                    "In ROPE": probability(row["rope"]),
                    "% of scale": points or "–",
                    "Verdict": VERDICTS.get(verdict := verdict_of(evidence, row), "–"),
                }
            )
            full.append(row | {"verdict": verdict})
        full += records(mine[mine["metric"] == "pomp"])
    shown_table = grouped(rows, "Exposure", "Outcome")
    if len(shown_table) and set(shown_table["Of"]) <= {"", rows[0]["Of"]}:
        shown_table = shown_table.drop(columns="Of")
    elif len(shown_table):
        again = shown_table["Outcome"].eq(shown_table["Outcome"].shift())
        shown_table["Outcome"] = shown_table["Outcome"].mask(again, "")
        heading = "Study, vignette" if several_studies or not several_vignettes else "Vignette"
        shown_table = shown_table.rename(columns={"Of": heading})
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: effects in standard deviations of the "
        f"reference group with {share(evidence.interval)} credible intervals, the probability of "
        "their direction and of the region of practical equivalence "
        f"(ROPE: {rope_label(evidence)}), and the same as percentages of the scale."
    )
    if many:
        caption += " Each study's effect in each of its places is in the table's file."
    return Table(shown_table, pd.DataFrame(full), caption, tuple(table["provenance"]))


def levels_table(evidence: Evidence, module: str) -> Table:
    """Mean of each outcome, by study and vignette."""
    table = evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    places = list(dict.fromkeys(zip(table["group"], table["vignette"], strict=True)))
    vignettes = len({v for _, v in places}) > 1
    rows = []
    for outcome in dict.fromkeys(table["outcome"]):
        cells = {"Outcome": evidence.labels.outcome(outcome)}
        for group, vignette in places:
            found = table[
                (table["outcome"] == outcome)
                & (table["group"] == group)
                & (table["vignette"] == vignette)
            ]
            name = place_label(
                evidence, {"level": "study", "group": group, "vignette": vignette}, vignettes
            )
            cells[name] = (
                "{} ({})".format(*estimate_and_interval(records(found)[0], 1))
                if len(found)
                else "–"
            )
        rows.append(cells)
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: means of the outcomes as percentages of "
        f"the scale, with {share(evidence.interval)} credible intervals."
    )
    return Table(pd.DataFrame(rows), table, caption, tuple(table["provenance"]))


def figure(evidence: Evidence, name: str) -> pd.DataFrame:
    """Effects of a module's exposures and levels of its outcomes, for the forest."""
    return pd.DataFrame(_forest_rows(evidence, name), columns=FOREST)


def _forest_rows(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    main = table[table["variant"] == "main"]
    effects = main[(main["estimand"] == "effect") & (main["metric"] == "sd")]
    in_places = [name for place in PLACES for name in (place, f"new_{place}")]
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
                    axis=effect_axis(kind, "sd"),
                    row=labels.outcome(row["outcome"]),
                    series=label,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope("sd"),
                )
            )
        rows += _by_place(evidence, places[places["exposure_type"] == kind])
    levels = main[main["estimand"] == "level"]
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
    return in_order(rows, evidence)


def _by_place(evidence: Evidence, effects: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Effects in each country and sector that the design tells apart, their mean, and a new one."""
    labels = evidence.labels
    for (exposure, grouping), mine in effects[effects["level"].isin(PLACES)].groupby(
        ["exposure", "level"], sort=False
    ):
        kind = mine["exposure_type"].iloc[0]
        own = effects[effects["exposure"] == exposure]
        for outcome, found in mine.groupby("outcome", sort=False):
            same = own[own["outcome"] == outcome]
            shown = [
                (labels.of(row["group"]), row, "Partially pooled", "filled")
                for row in records(found)
            ]
            shown.sort(key=lambda one: one[0])
            for row in records(same[same["level"] == "population"]):
                shown.append(("All", row, "Mean over studies", "diamond"))
            for row in records(same[same["level"] == f"new_{grouping}"]):
                series = prediction_label(evidence, row["level"])
                shown.append((words(row["level"]), row, series, "prediction"))
            for label, row, series, style in shown:
                yield mark_of(
                    row,
                    block=f"{labels.exposure(str(exposure), kind).label}, by {grouping}",
                    panel=labels.outcome(str(outcome)),
                    axis=effect_axis(kind, "sd"),
                    row=label,
                    series=series,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope("sd"),
                )


def _cell_variables(own: Modelled) -> Tree:
    """How many cells stand for how many respondents, and what missing outcomes add to them."""
    rows = sum(own.rows.values())
    sites = f"{own.sites} site{'' if own.sites == 1 else 's'}"
    patterns = f"{own.patterns} pattern{'' if own.patterns == 1 else 's'} of observed outcomes"
    return {
        "count": str(own.cells),
        "sites": str(own.sites),
        "patterns": str(own.patterns),
        "rows": str(rows),
        "sentence": f"{rows} respondents at {sites} with {patterns} are {own.cells} cells",
    }


def variables(evidence: Evidence, name: str) -> Tree:
    """The variables of a module of answers: effects by exposure and outcome, levels, cells.

    An effect is under ``<exposure>.<outcome>`` with its level, group and vignette, as far as they
    apply; sentences over several outcomes are under ``<exposure>``.
    """
    tree: Tree = {}
    table = evidence.contrasts[name]
    main = table[table["variant"] == "main"]
    effects = main[main["estimand"] == "effect"]
    for (exposure, kind), mine in effects.groupby(["exposure", "exposure_type"], sort=False):
        sd, pomp = (mine[mine["metric"] == metric] for metric in ("sd", "pomp"))
        population = records(sd[sd["level"] == "population"])
        own = sd[sd["level"] == "study"]
        leaves = exposure_variables(evidence, str(exposure), str(kind))
        leaves |= sentence_variables(evidence, str(exposure), str(kind), population)
        leaves["elsewhere"] = {"sentence": _elsewhere(evidence, sd)}
        put(tree, [str(exposure)], leaves)
        for row in population:
            put(tree, [str(exposure), row["outcome"]], contrast_variables(evidence, row))
        points = {(r["outcome"], r["group"], r["vignette"]): r for r in records(pomp)}
        for outcome, found in own.groupby("outcome", sort=False):
            for row in records(found):
                leaves = contrast_variables(evidence, row)
                scaled = points.get((row["outcome"], row["group"], row["vignette"]))
                if scaled:
                    leaves |= _pomp(scaled)
                vignette = row["vignette"] or GENERAL
                put(tree, [str(exposure), str(outcome), row["group"], vignette], leaves)
                if len(found) == 1 and scaled:
                    put(tree, [str(exposure), str(outcome)], _pomp(scaled))
                if found["vignette"].eq(row["vignette"]).sum() == 1:  # no other study has it
                    put(tree, [str(exposure), str(outcome), vignette], leaves)
        for row in records(sd[~sd["level"].isin(["population", "study"])]):
            path = [str(exposure), row["outcome"], row["level"]]
            if is_prediction(row["level"]):
                put(tree, path, {"interval": interval(row["lower"], row["upper"])})
            else:
                put(tree, [*path, row["group"]], contrast_variables(evidence, row))
        for (group, vignette), found in own.groupby(["group", "vignette"], sort=False):
            said = sentence_variables(evidence, str(exposure), str(kind), records(found))
            put(tree, [str(exposure), "in", str(group), str(vignette) or GENERAL], said)
            if own.loc[own["vignette"] == vignette, "group"].nunique() == 1:
                put(tree, [str(exposure), "in", str(vignette) or GENERAL], said)
    tree["level"] = _answer_levels(evidence, name, main[main["estimand"] == "level"])
    tree["label"] = evidence.vocabulary.label("modules", name)
    if (cells := evidence.cells.get(name)) and cells.cells:
        tree["cells"] = _cell_variables(cells)
    return tree


def _elsewhere(evidence: Evidence, effects: pd.DataFrame) -> str:
    """What is expected of a country and a sector without data, or why nothing is."""
    parts = []
    for grouping in PLACES:
        found = records(effects[effects["level"] == f"new_{grouping}"])
        bounds = [
            f"{inline(evidence.labels.outcome(row['outcome']))} "
            f"{interval(row['lower'], row['upper'])}"
            for row in found
        ]
        if bounds:
            prior = ", mostly by the prior" * any(row["note"] for row in found)
            parts.append(f"for a new {grouping}{prior}: {joined(bounds)}")
    if not parts:
        return (
            "Of other countries and sectors nothing is predicted: the design has no spread between "
            "them to predict from."
        )
    return f"{share(evidence.interval)} prediction intervals, in SD, {'; '.join(parts)}."


def _pomp(row: Mapping[str, Any]) -> Tree:
    return {
        "pomp": number(row["mean"], 1),
        "pomp_interval": interval(row["lower"], row["upper"], 1),
    }


def _answer_levels(evidence: Evidence, name: str, levels: pd.DataFrame) -> Tree:
    """Means by study and vignette, and which of a family's outcomes is the highest."""
    tree: Tree = {}
    draws = drawn(evidence, name, levels["id"])
    family = levels["outcome"].map(evidence.vocabulary.family)
    for (group, vignette), mine in levels.groupby(["group", "vignette"], sort=False):
        path: list[str] = [str(group), str(vignette) or GENERAL]
        for row in records(mine):
            leaves: Tree = {
                "mean": number(row["mean"], 1),
                "interval": interval(row["lower"], row["upper"], 1),
            }
            put(tree, [*path, row["outcome"]], leaves)
        families = [m for _, m in mine.groupby(family, sort=False) if len(m) > 1]
        for own in families:
            leaves = _top(evidence, own, draws)
            put(tree, [*path, evidence.vocabulary.family(own["outcome"].iloc[0]), "top"], leaves)
            if len(families) == 1:
                put(tree, [*path, "top"], leaves)
    return tree


def _top(evidence: Evidence, own: pd.DataFrame, draws: Mapping[str, np.ndarray]) -> Tree:
    """The highest of several outcomes; how sure that is comes from the draws."""
    labels = evidence.labels
    ranked = own.sort_values("mean", ascending=False)
    best = ranked.iloc[0]
    leaves: Tree = {
        "label": labels.outcome(best["outcome"]),
        "inline": inline(labels.outcome(best["outcome"])),
        "mean": number(best["mean"], 1),
        "interval": interval(best["lower"], best["upper"], 1),
        "ranking": joined(inline(labels.outcome(o)) for o in ranked["outcome"]),
    }
    if not all(i in draws for i in own["id"]):
        return leaves
    stacked = np.stack([draws[i] for i in own["id"]])
    highest = (stacked.argmax(axis=0)[None] == np.arange(len(stacked))[:, None]).mean(axis=1)
    sure = float(highest[list(own["id"]).index(best["id"])])
    bounds = (
        f"{leaves['mean']}% of the scale, {share(evidence.interval)} interval {leaves['interval']}"
    )
    clear = sure >= float(evidence.settings["report"]["direction"])
    leaves["probability"] = probability(sure)
    leaves["clear"] = "clearly" if clear else "not clearly"
    leaves["sentence"] = (
        f"{leaves['label']} has the highest mean ({bounds}; the probability that it is the highest "
        f"is {leaves['probability']})."
        if clear
        else f"No outcome is clearly the highest; the likeliest, with a probability of "
        f"{leaves['probability']}, is {leaves['inline']} ({bounds})."
    )
    return leaves
