"""Codings: effects on codes and their prevalence, as figure, tables and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.effect_sentences import (
    contrast_variables,
    exposure_variables,
    findings_of,
    sentence_variables,
)
from metastudy.article.figure_rows import FOREST, NUMBERS, SHAPES, effect_axis, mark_of
from metastudy.article.results import Evidence
from metastudy.article.table_rows import (
    BORDER_NOTE,
    FEW,
    are_predictions,
    columns_of,
    estimate_and_interval,
    percent_interval,
    percent_points,
    role_label,
    rope_cells,
    study_marks,
    verdict_label,
    verdict_of,
)
from metastudy.article.topics.refits import kept
from metastudy.article.variable_tree import Tree, put
from metastudy.common.tables import records
from metastudy.design.new_settings import DECIDED, PLACES, is_prediction
from metastudy.display.formatting import (
    count,
    inline,
    interval,
    joined,
    number,
    percent,
    percents,
    probability,
    share,
    words,
)
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import phrases, summary

__all__ = [
    "effects_table",
    "figure",
    "places_table",
    "prevalence_table",
    "variables",
]


def effects_table(evidence: Evidence, module: str) -> Table:
    """Effects of a module's exposures on codes, in log-odds and in percentage points.

    Families of codes have the mean of their codes; each effect is also given with every coding
    taken as true.
    """
    labels, everything = evidence.labels, evidence.contrasts[module]
    table = everything[everything["estimand"] == "effect"]
    rows, full = [], []
    for (exposure, kind, outcome), mine in table.groupby(
        ["exposure", "exposure_type", "outcome"], sort=False
    ):
        by = {(r["variant"], r["metric"]): r for r in records(mine)}
        main = by["main", "log_odds"]
        other = by.get(("error_free", "log_odds"))
        difference = by.get(("main", "probability"))
        family = str(outcome) in evidence.vocabulary["families"]
        estimate, bounds = estimate_and_interval(main)
        rows.append(
            {
                "Exposure": labels.exposure(str(exposure), str(kind)).label,
                "Code": labels.outcome(str(outcome)) + " (mean)" * family,
                "Log-odds": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(main["pd"]),
                **rope_cells(main),
                "Difference, points": percent_points(difference) if difference else "–",
                "Codings taken as true": "{} ({})".format(*estimate_and_interval(other))
                if other
                else "–",
                "Verdict": verdict_label(evidence, main),
                "Kept": kept(evidence, main) or "–",
            }
        )
        full += [
            r | ({"verdict": verdict_of(evidence, r)} if r["metric"] == "log_odds" else {})
            for r in records(mine)
        ]
    shown = pd.DataFrame(rows)
    if len(shown) and set(shown["Kept"]) == {"–"}:
        shown = shown.drop(columns="Kept")
    if len(shown) and shown["Exposure"].nunique() == 1:
        only = shown["Exposure"].iloc[0]
        shown = shown.drop(columns="Exposure")
    else:
        only = "contrasts of codes"
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: {only}, in log-odds of a code with "
        f"{share(evidence.interval)} credible intervals, the probability of their direction, those "
        f"of lying beyond the region of practical equivalence (ROPE: ±"
        f"{evidence.rope('log_odds'):g}) on the likelier side and inside it, as differences of "
        "prevalence in percentage points, and with every coding taken as true. Kept: of the claim "
        "on a family, in how many of the refits its sign has a probability of at least 0.95; "
        f"single codes are not in the refits. {BORDER_NOTE}"
    )
    return Table(shown, pd.DataFrame(full), caption, tuple(table["provenance"]))


def prevalence_table(evidence: Evidence, module: str) -> Table:
    """Prevalence of each code, in all interviews with people of a role and by group."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    compared = ~table["level"].isin(["population", *PLACES]) & ~are_predictions(table)
    groups = table[compared]
    rows = []
    for outcome in _by_prevalence(table):
        mine = table[table["outcome"] == outcome]
        cells = {"Code": labels.outcome(outcome)}
        for role in _roles(table):
            found = mine[(mine["level"] == "population") & (mine["role"] == role)]
            cells[_everyone(evidence, table, role)] = _shares(found)
        for level, group in dict.fromkeys(zip(groups["level"], groups["group"], strict=True)):
            found = mine[(mine["level"] == level) & (mine["group"] == group)]
            within = f", {inline(words(level))}" * (group in set(table["role"]))
            cells[labels.of(group) + within] = _shares(found)
        cells["Family"] = labels.outcome(evidence.vocabulary.family(outcome))
        rows.append(cells)
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: share of interviews with each code, "
        f"corrected for coders' errors, with {share(evidence.interval)} credible intervals. "
        "There is no mean over roles; a comparison by role is that of the study that has both."
    )
    return Table(pd.DataFrame(rows), table, caption, tuple(table["provenance"]))


def _by_prevalence(table: pd.DataFrame) -> list[str]:
    """Codes, the most frequent first, by the prevalence of the role in which it is highest."""
    everyone = table[table["level"] == "population"].groupby("outcome", sort=False)["mean"].max()
    return list(everyone.sort_values(ascending=False, kind="stable").index)


def _roles(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table.loc[table["level"] == "population", "role"]))


def _everyone(evidence: Evidence, table: pd.DataFrame, role: str) -> str:
    """What all interviews are called: all, or all with people of a role."""
    return "All" if len(_roles(table)) == 1 else f"All, {role_label(evidence, role)}"


def _shares(found: pd.DataFrame) -> str:
    texts = [f"{percent(r['mean'])} ({percents(r['lower'], r['upper'])})" for r in records(found)]
    return joined(texts, "–")


def places_table(evidence: Evidence, module: str) -> Table:
    """Prevalence of each code by country and sector, and what a new one would give."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    ranked, several = _by_prevalence(table), len(_roles(table)) > 1
    table = table[table["level"].isin(PLACES) | are_predictions(table)]
    rows = []
    pairs = set(zip(table["outcome"], table["role"], strict=True))
    for outcome, role in sorted(pairs, key=lambda pair: (ranked.index(pair[0]), pair[1])):
        cells = {"Code": labels.outcome(outcome)}
        if several:
            cells["Role"] = labels.of(role, "roles")
        for level, everywhere in table.groupby("level", sort=False):
            mine = everywhere[(everywhere["outcome"] == outcome) & (everywhere["role"] == role)]
            groups = sorted(set(everywhere["group"]))
            if len(groups) > FEW:
                ends = mine.sort_values("mean").iloc[[0, -1]] if len(mine) else mine
                told = [f"{percent(r['mean'])} ({labels.of(r['group'])})" for r in records(ends)]
                cells[f"{words(str(level))}, lowest to highest"] = " to ".join(told) or "–"
                continue
            for group in groups:
                found = records(mine[mine["group"] == group])
                texts = [f"{percent(r['mean'])} ({percent_interval(r)})" for r in found]
                cells[labels.of(group) if group else words(str(level))] = joined(texts, "–")
        rows.append(cells)
    uncertain = dict.fromkeys(table.loc[table["note"] == DECIDED, "level"])
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: share of interviews with each code by "
        f"country and by sector, at the interviews that were done, with {share(evidence.interval)} "
        "credible intervals; a new country or sector is a prediction, given where the design has a "
        "spread to predict from."
    )
    if uncertain:
        named = joined(words(str(name)).lower() for name in uncertain)
        caption += f" With a standard deviation that its prior decides: {named}."
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, table, caption, tuple(table["provenance"]) or study_marks(evidence))


def figure(evidence: Evidence, name: str) -> pd.DataFrame:
    """Effects on codes and their prevalence, for the forest."""
    return pd.DataFrame(_forest_rows(evidence, name), columns=FOREST)


def _forest_rows(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    main = table["variant"] == "main"
    levels = table[main & (table["estimand"] == "level")]
    of_places = levels["level"].isin(PLACES) | levels["level"].map(is_prediction).astype(bool)
    levels = levels[~of_places]
    everyone = levels[levels["level"] == "population"].groupby("outcome", sort=False)["mean"].max()
    effects = table[(table["estimand"] == "effect") & (table["metric"] == "log_odds")]
    groups = list(dict.fromkeys(levels["level"][levels["level"] != "population"])) or ["population"]
    names = list(dict.fromkeys(levels["group"][levels["level"].isin(groups)]))
    for family in dict.fromkeys(map(evidence.vocabulary.family, everyone.index)):
        codes = [c for c in everyone.index if evidence.vocabulary.family(c) == family]
        for outcome in [*sorted(codes, key=lambda c: -everyone[c]), family]:
            row_label = labels.outcome(outcome) if outcome in codes else "Mean of the codes"
            place = {"block": labels.of(family, "families"), "row": row_label}
            for grouping in groups:
                mine = levels[(levels["level"] == grouping) & (levels["outcome"] == outcome)]
                for row in records(mine):
                    at = names.index(row["group"])
                    rows.append(
                        mark_of(
                            row,
                            **place,
                            panel="Prevalence",
                            axis="Interviews with the code, %",
                            series=labels.of(row["group"])
                            if row["group"]
                            else _everyone(evidence, levels, row["role"]),
                            style=SHAPES[at % len(SHAPES)],
                            hue=f"group{at + 1}",
                        )
                        | {n: 100 * row[m] for n, m in NUMBERS.items()}
                    )
            for row in records(effects[effects["outcome"] == outcome]):
                exposure = labels.exposure(row["exposure"], row["exposure_type"])
                real = row["variant"] == "main"
                rows.append(
                    mark_of(
                        row,
                        **place,
                        panel=exposure.label,
                        axis=effect_axis(row["exposure_type"], "log_odds"),
                        series="With coders' errors in the model"
                        if real
                        else "Every coding taken as true",
                        style=("diamond" if outcome == family else "filled") if real else "pale",
                        hue=row["exposure_type"],
                        reference=0.0,
                        rope=evidence.rope("log_odds"),
                    )
                )
    return rows


TOP = 3  # so many of the most prevalent codes are named


def variables(evidence: Evidence, name: str) -> Tree:
    """The variables of a module of codings: effects by exposure and code, levels, accuracy.

    Prevalences are under ``level``, by role under ``level.of.<role>`` where there are several.
    ``<exposure>.error_free_changes`` lists the codes with another verdict where every coding is
    taken as true; ``top`` repeats that of ``level``.
    """
    tree: Tree = {}
    table, families = evidence.contrasts[name], evidence.vocabulary["families"]
    effects = table[table["estimand"] == "effect"]
    for (exposure, kind), mine in effects.groupby(["exposure", "exposure_type"], sort=False):
        main = mine[(mine["variant"] == "main") & (mine["metric"] == "log_odds")]
        codes = [r for r in records(main) if r["outcome"] not in families]
        put(tree, [str(exposure)], exposure_variables(evidence, str(exposure), str(kind)))
        said = sentence_variables(evidence, str(exposure), str(kind), codes, codes=True)
        put(tree, [str(exposure)], said)
        moved = []
        for row in records(main):
            path = [str(exposure), row["outcome"]]
            leaves = contrast_variables(evidence, row, codes=True)
            leaves["kept"] = kept(evidence, row) or "no claim that was refitted"
            leaves |= {"log_odds": leaves["estimate"], "log_odds_interval": leaves["interval"]}
            by = {
                (r["variant"], r["metric"]): r
                for r in records(mine[mine["outcome"] == row["outcome"]])
            }
            if other := by.get(("main", "probability")):
                leaves |= {
                    "difference": number(100 * other["mean"], 0),
                    "difference_interval": interval(100 * other["lower"], 100 * other["upper"], 0),
                    "difference_pd": probability(other["pd"]),
                }
            if free := by.get(("error_free", "log_odds")):
                leaves["error_free"] = contrast_variables(evidence, free, codes=True)
                if row["outcome"] not in families and evidence.verdict(free) != evidence.verdict(
                    row
                ):
                    moved.append(inline(evidence.labels.outcome(row["outcome"])))
            put(tree, path, leaves)
        means = findings_of(evidence, [r for r in records(main) if r["outcome"] in families])
        if means:
            subject = evidence.labels.exposure(str(exposure), str(kind)).change
            text = summary(subject, means, phrases(str(kind), True), "families of codes")
            put(tree, [str(exposure), "families"], {"summary": text})
        leaves = {
            "codes": joined(moved, "none of the codes"),
            "count": count(len(moved)),
            "sentence": f"Taking every coding as true would change the verdict on {joined(moved)}."
            if moved
            else "Taking every coding as true would change the verdict on none of the codes.",
        }
        put(tree, [str(exposure), "error_free_changes"], leaves)
    tree["level"] = _code_levels(evidence, table)
    tree["top"] = tree["level"].get("top", {})
    tree["accuracy"] = _accuracy(evidence, name)
    tree["label"] = evidence.vocabulary.label("modules", name)
    return tree


def _code_levels(evidence: Evidence, table: pd.DataFrame) -> Tree:
    tree: Tree = {}
    levels = table[(table["estimand"] == "level") & (table["metric"] == "probability")]
    several = len(_roles(levels)) > 1
    for row in records(levels):
        leaves = {
            "prevalence": percent(row["mean"]),
            "interval": percents(row["lower"], row["upper"]),
        }
        free = ["error_free"] if row["variant"] == "error_free" else []
        place = [] if row["level"] == "population" else [row["group"] or row["level"]]
        put(tree, [*_of_role(row, several), *place, row["outcome"], *free], leaves)
    main = levels[levels["variant"].eq("main") & ~levels["level"].map(is_prediction).astype(bool)]
    said = []
    for (level, group, role), mine in main.groupby(["level", "group", "role"], sort=False):
        leaves = _top(evidence, mine)
        path = _of_role({"level": level, "role": role}, several)
        put(tree, [*path, *([] if level == "population" else [str(group)]), "top"], leaves)
        if level == "population":
            said.append((str(role), leaves))
    if several:
        texts = [f"{role_label(evidence, role)}: {leaves['text']}" for role, leaves in said]
        put(tree, ["top"], {"text": "; ".join(texts)})
    return tree


def _of_role(row: Mapping[str, Any], several: bool) -> list[str]:
    """Where the prevalences of a role are; a group of a comparison has people of its own."""
    by_role = row["level"] in ("population", *PLACES) or is_prediction(row["level"])
    return ["of", str(row["role"])] if several and by_role else []


def _top(evidence: Evidence, mine: pd.DataFrame) -> Tree:
    """The most prevalent codes, with their numbers."""
    best = mine.sort_values("mean", ascending=False, kind="stable").head(TOP)
    names = [inline(evidence.labels.outcome(o)) for o in best["outcome"]]
    leaves: Tree = {
        "labels": joined(names),
        "text": joined(
            f"{n} ({percent(r['mean'])}, {share(evidence.interval)} interval "
            f"{percents(r['lower'], r['upper'])})"
            for n, r in zip(names, records(best), strict=True)
        ),
    }
    for at, (label, row) in enumerate(zip(names, records(best), strict=True), 1):
        leaves[f"label_{at}"] = label
        leaves[f"prevalence_{at}"] = percent(row["mean"])
    return leaves


def _accuracy(evidence: Evidence, name: str) -> Tree:
    tree: Tree = {}
    table = evidence.heterogeneity.get(name)
    for row in records(table) if table is not None else ():
        if figure_rows.is_accuracy(row["parameter"]) and row["variant"] == "main":
            tree[row["parameter"]] = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
                "prior": number(row["prior_mean"]),
                "prior_interval": interval(row["prior_lower"], row["prior_upper"]),
                "ratio": number(row["ratio"]),
            }
    return tree
