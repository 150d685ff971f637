"""Answers: effects and levels of rated outcomes, as figure, tables and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.effect_sentences import (
    by_vignette,
    contrast_variables,
    exposure_variables,
    numbers_of,
    sentence_variables,
)
from metastudy.article.results import Modelled, Results, drawn
from metastudy.article.table_rows import (
    BORDER_NOTE,
    NEXT_IN_FILE,
    are_predictions,
    estimate_and_interval,
    for_a_page,
    grouped,
    moderator_label,
    outcome_label,
    place_label,
    rope_cells,
    rope_label,
    verdict_label,
    verdict_of,
)
from metastudy.article.topics import pairs
from metastudy.article.topics.arms import add_means
from metastudy.article.topics.differences import modelled_apart, modelled_together, sentences
from metastudy.article.topics.moderated import variables as of_moderators
from metastudy.article.topics.refits import apart, kept, unshrunk
from metastudy.article.topics.tiles import variables as of_tiles
from metastudy.article.variable_tree import GENERAL, Tree, put, traced, unit
from metastudy.codebook.interactions import INTERACTION
from metastudy.common.tables import records
from metastudy.design.new_settings import DECIDED, PLACES, is_prediction
from metastudy.display.formatting import inline, interval, joined, number, probability, share
from metastudy.display.pipe_table import Table

__all__ = ["effects_table", "elsewhere", "levels_table", "moderated", "of_roles", "variables"]


def effects_table(evidence: Results, module: str) -> Table:
    """Effects of a module's exposures in standard deviations, and as percentages of the scale.

    Where there are many places, effects in single places are only in the table's file.
    """
    everything = evidence.contrasts[module]
    shown_here = everything["estimand"].isin(["effect", "moderator"])
    table = everything[shown_here & everything["variant"].eq("main")]
    rows, full, in_file = [], [], []
    own = table[table["level"] == "study"]
    several_vignettes = own["vignette"].nunique() > 1
    several_studies = bool((own.groupby("exposure")["group"].nunique() > 1).any())
    many = own["group"].nunique() > figure_rows.MOST_SETTINGS
    key = ["exposure", "exposure_type", "outcome", "role"]
    for (exposure, kind, _, _), mine in table.groupby(key, sort=False):
        own = mine[(mine["level"] == "study") & (mine["metric"] == "sd")]
        pomp = mine[mine["metric"] == "pomp"].set_index(["group", "vignette"])
        shown = mine[mine["metric"] == "sd"]
        alone = len(own) == 1  # the population mean is then the effect of the one study
        if alone:
            shown = shown[shown["level"] != "population"]
        if many:
            full += [r | {"verdict": evidence.verdict(r)} for r in records(own)]
            shown = shown[shown["level"] != "study"]
        shown, left = for_a_page(evidence, shown)
        in_file += [row | {"verdict": verdict_of(evidence, row)} for row in records(left)]
        for row in records(shown):
            at = (row["group"], row["vignette"])
            scaled = row["level"] == "study" and at in pomp.index
            points = number(float(pomp.loc[at, "mean"]), 1) if scaled else ""
            mean = row["level"] == "population" or (alone and row["level"] == "study")
            found = apart(evidence, row) if mean else None
            verdict = verdict_of(evidence, row)
            more: dict[str, Any] = {"verdict": verdict, "kept": kept(evidence, row) if mean else ""}
            more |= {f"{name}_apart": found[name] if found else None for name in NUMBERS}
            rows.append(
                {
                    "Exposure": evidence.labels.exposure_with_type(str(exposure), str(kind)),
                    "Outcome": outcome_label(evidence, row),
                    "Of": place_label(evidence, row, several_vignettes, several_studies),
                    **_effect_cells(evidence, row),
                    "% of scale": points or "–",
                    "Verdict": verdict_label(evidence, row),
                    "Kept": str(more["kept"]) or "–",
                    "Not shrunk": unshrunk(evidence, row) if mean else "–",
                }
            )
            full.append(row | more)
        full += records(mine[mine["metric"] == "pomp"])
    shown_table = _without_repeats(grouped(rows, "Exposure", "Outcome"), rows, several_vignettes)
    for column in ("Kept", "Not shrunk"):
        if len(shown_table) and set(shown_table[column]) <= {"–", ""}:
            shown_table = shown_table.drop(columns=column)
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: effects in standard deviations of people "
        f"within a setting with {share(evidence.interval)} credible intervals, the probability of "
        "their direction, those of lying beyond the region of practical equivalence "
        f"(ROPE: {rope_label(evidence)}) on the likelier side and inside it, and the same effects "
        "as percentages of the scale. Kept: of a claim, in how many of the refits its sign has a "
        "probability of at least 0.95. Not shrunk: without shrinking the outcomes of a family to "
        "their mean, with the verdict where it is another one. "
        f"{BORDER_NOTE}"
    )
    caption += BESIDE * bool(table["exposure_type"].eq(INTERACTION).any())
    caption += " Each study's effect in each of its places is in the table's file." * many
    caption += NEXT_IN_FILE * bool(in_file)
    return Table(shown_table, pd.DataFrame(full + in_file), caption, tuple(table["provenance"]))


NUMBERS = ("mean", "lower", "upper")
BESIDE = (
    " An interaction (×) is the difference of the effect of its first exposure between two levels "
    "of its second, or per standard deviation of it. Beside it an effect is the mean over the "
    "levels of the other exposure, each level counted alike, or the effect at the mean of a trait."
)


def _effect_cells(evidence: Results, row: Mapping[str, Any]) -> dict[str, str]:
    estimate, bounds = estimate_and_interval(row)
    return {
        "SD": estimate,
        f"{share(evidence.interval)} interval": bounds,
        "Direction": probability(row["pd"]),
        **rope_cells(row),
    }


def _without_repeats(
    table: pd.DataFrame, rows: list[dict[str, str]], several_vignettes: bool
) -> pd.DataFrame:
    """The column of places goes where there is one; an outcome is named once."""
    if len(table) and set(table["Of"]) <= {"", rows[0]["Of"]}:
        return table.drop(columns="Of")
    if len(table):
        again = table["Outcome"].eq(table["Outcome"].shift())
        table["Outcome"] = table["Outcome"].mask(again, "")
    heading = "Study, vignette" if several_vignettes else "Of"
    return table.rename(columns={"Of": heading})


def levels_table(evidence: Results, module: str) -> Table:
    """Mean of each outcome, by study and vignette."""
    table = evidence.contrasts[module]
    table = table[(table["estimand"] == "mean") & (table["variant"] == "main")]
    ordered = figure_rows.by_place(evidence, table)
    places = list(dict.fromkeys(zip(ordered["group"], ordered["vignette"], strict=True)))
    vignettes = len({v for _, v in places}) > 1
    rows = []
    for outcome in dict.fromkeys(table["outcome"]):
        cells = {"Outcome": evidence.labels.outcome(outcome)}
        for group, vignette in places:
            here = table["group"].eq(group) & table["vignette"].eq(vignette)
            found = table[here & table["outcome"].eq(outcome)]
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


def _cell_variables(evidence: Results, own: Modelled) -> Tree:
    """How many cells stand for how many respondents, and what missing outcomes add to them.

    ``all_arms`` says which outcomes are in the standard deviation of all arms.
    """
    by: dict[str, list[str]] = {}
    for study, outcome in own.of_all_arms:
        by.setdefault(study, []).append(inline(evidence.labels.outcome(outcome)))
    arms = "; ".join(f"{joined(of)} in {evidence.labels.study(s)}" for s, of in by.items())
    rows = shown_people.all_used(evidence, own)
    sites = f"{own.sites} site{'' if own.sites == 1 else 's'}"
    patterns = f"{own.patterns} pattern{'' if own.patterns == 1 else 's'} of observed outcomes"
    return {
        "count": str(own.cells),
        "sites": str(own.sites),
        "patterns": str(own.patterns),
        "rows": str(rows),
        "sentence": f"{rows} respondents at {sites} with {patterns} are {own.cells} cells",
        "all_arms": arms or "no outcome",
    }


def variables(evidence: Results, name: str) -> Tree:
    """The variables of a module of answers: effects by exposure and outcome, levels, cells.

    An effect is under ``<exposure>.<outcome>`` with its role where there are several, and with its
    level, group and vignette, as far as they apply; sentences over several outcomes are under
    ``<exposure>``, those on differences under ``<exposure>.differences``.
    """
    tree: Tree = {}
    table = evidence.contrasts[name]
    main = table[table["variant"] == "main"]
    effects = main[main["estimand"] == "effect"]
    for (exposure, kind), mine in effects.groupby(["exposure", "exposure_type"], sort=False):
        sd, pomp = (mine[mine["metric"] == metric] for metric in ("sd", "pomp"))
        own = sd[sd["level"] == "study"]
        leaves = exposure_variables(evidence, str(exposure), str(kind))
        leaves |= of_roles(evidence, str(exposure), str(kind), sd[sd["level"] == "population"])
        leaves |= sentences(evidence, name, str(exposure), str(kind))
        if changes := moderated(evidence, main, str(exposure)):
            leaves["moderators"] = {"sentence": changes}
        new = sd[are_predictions(sd)]
        leaves["elsewhere"] = traced({"sentence": elsewhere(evidence, sd)}, *records(new))
        if own["vignette"].nunique() > 1:
            leaves["by_vignette"] = by_vignette(evidence, str(kind), records(own))
        put(tree, [str(exposure)], leaves)
        several_roles = evidence.several_roles(name)
        for row in records(sd[sd["level"] == "population"]):
            role = [row["role"]] if several_roles else []
            put(tree, [str(exposure), row["outcome"], *role], _population(evidence, row))
        points = {(r["outcome"], r["group"], r["vignette"]): r for r in records(pomp)}
        for outcome, found in own.groupby("outcome", sort=False):
            for row in records(found):
                leaves = contrast_variables(evidence, row)
                scaled = points.get((row["outcome"], row["group"], row["vignette"]))
                if scaled:
                    leaves |= traced(_pomp(scaled), scaled)
                vignette = row["vignette"] or GENERAL
                put(tree, [str(exposure), str(outcome), row["group"], vignette], leaves)
                if len(found) == 1 and scaled:
                    put(tree, [str(exposure), str(outcome)], _pomp(scaled), scaled)
                if found["vignette"].eq(row["vignette"]).sum() == 1:  # no other study has it
                    put(tree, [str(exposure), str(outcome), vignette], leaves)
        for row in records(sd[~sd["level"].isin(["population", "study"])]):
            path = [str(exposure), row["outcome"], *([row["role"]] if several_roles else [])]
            path += [row["level"], *([row["group"]] if row["group"] else [])]
            if is_prediction(row["level"]):
                put(tree, path, {"interval": interval(row["lower"], row["upper"])}, row)
            else:
                put(tree, path, contrast_variables(evidence, row))
        for (group, vignette), found in own.groupby(["group", "vignette"], sort=False):
            said = sentence_variables(evidence, str(exposure), str(kind), records(found))
            put(tree, [str(exposure), "in", str(group), str(vignette) or GENERAL], said)
            if own.loc[own["vignette"] == vignette, "group"].nunique() == 1:
                put(tree, [str(exposure), "in", str(vignette) or GENERAL], said)
    add_means(tree, evidence, name)
    tree |= of_tiles(evidence, name) | of_moderators(evidence, name)
    tree |= pairs.variables(evidence, name)
    tree["level"] = _answer_levels(evidence, name, main[main["estimand"] == "mean"])
    tree["label"] = evidence.vocabulary.label("modules", name)
    if (cells := evidence.cells.get(name)) and cells.cells:
        tree["cells"] = _cell_variables(evidence, cells)
    if cells and cells.apart:
        tree["apart"] = {"sentence": modelled_apart(evidence, cells)}
    if cells and cells.assumed:
        tree["assumed"] = {"sentence": modelled_together(evidence, cells, name)}
    return tree


def of_roles(evidence: Results, exposure: str, kind: str, population: pd.DataFrame) -> Tree:
    """What is said of all outcomes together; of each role where there are several."""
    of = {
        str(role): sentence_variables(evidence, exposure, kind, records(mine))
        for role, mine in population.groupby("role", sort=False)
    }
    if len(of) < 2:
        return next(iter(of.values()), {})
    leaves: Tree = {
        name: " ".join(
            f"{evidence.labels.of(role, 'roles')}: {said[name]}" for role, said in of.items()
        )
        for name in ("summary", "comparison")
    }
    return leaves | {"of": of}


def _population(evidence: Results, row: Mapping[str, Any]) -> Tree:
    """A population effect, in how many refits its claim is kept, and its value without pooling."""
    found = apart(evidence, row)
    more = {
        "kept": kept(evidence, row) or "no claim",
        "apart": numbers_of(evidence, {**row, **found}) if found else "not pooled with others",
    }
    return contrast_variables(evidence, row) | traced(more, row)


def elsewhere(evidence: Results, effects: pd.DataFrame) -> str:
    """What is expected of a country and a sector without data, or why nothing is."""
    parts = []
    for grouping in PLACES:
        found = records(effects[effects["level"] == f"new_{grouping}"])
        bounds = [
            f"{inline(outcome_label(evidence, row))} {interval(row['lower'], row['upper'])}"
            for row in found
        ]
        if bounds:
            prior = ", decided by the prior" * any(row["note"] == DECIDED for row in found)
            parts.append(f"for a new {grouping}{prior}: {joined(bounds)}")
    if not parts:
        return (
            "Of other countries and sectors nothing is predicted: the design has no spread between "
            "them to predict from."
        )
    what = unit(str(effects["metric"].iloc[0]))
    return f"{share(evidence.interval)} prediction intervals, in {what}, {'; '.join(parts)}."


def moderated(evidence: Results, main: pd.DataFrame, exposure: str) -> str:
    """What the effects of an exposure differ by between studies; empty without moderators."""
    found = main[main["estimand"].eq("moderator") & main["exposure"].eq(exposure)]
    said = []
    for row in records(found):
        sure = row["pd"] >= evidence.cuts["direction"]
        way = "undecided"
        if sure:
            way = "larger" if row["mean"] > 0 else "smaller"
        said.append(
            f"{inline(moderator_label(evidence, row))} ({row['note']}), on "
            f"{inline(outcome_label(evidence, row))}: {way}, {numbers_of(evidence, row)}"
        )
    places = dict.fromkeys(
        note
        for note in main.loc[main["level"].eq("population") & main["exposure"].eq(exposure), "note"]
        if note
    )
    at = f" Its means are {joined(places)}." if places else ""
    return f"Change of its effects by moderators: {'; '.join(said)}.{at}" if said else ""


def _pomp(row: Mapping[str, Any]) -> Tree:
    return {
        "pomp": number(row["mean"], 1),
        "pomp_interval": interval(row["lower"], row["upper"], 1),
    }


def _answer_levels(evidence: Results, name: str, levels: pd.DataFrame) -> Tree:
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
            put(tree, [*path, row["outcome"]], leaves, row)
        families = [m for _, m in mine.groupby(family, sort=False) if len(m) > 1]
        for own in families:
            leaves = traced(_top(evidence, own, draws), *records(own))
            put(tree, [*path, evidence.vocabulary.family(own["outcome"].iloc[0]), "top"], leaves)
            if len(families) == 1:
                put(tree, [*path, "top"], leaves)
    return tree


def _top(evidence: Results, own: pd.DataFrame, draws: Mapping[str, np.ndarray]) -> Tree:
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
