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
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    BORDER_NOTE,
    estimate_and_interval,
    percent_points,
    rope_cells,
    verdict_label,
    verdict_of,
)
from metastudy.article.topics.code_contrasts import sentence
from metastudy.article.topics.prevalence import everyone, level_variables
from metastudy.article.topics.refits import kept
from metastudy.article.variable_tree import Tree, put, traced
from metastudy.common.tables import records
from metastudy.design.new_settings import PLACES, is_prediction
from metastudy.display.formatting import (
    count,
    inline,
    interval,
    joined,
    number,
    probability,
    share,
)
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import phrases, summary
from metastudy.models.codings.contrasts import HYPER_MEAN

__all__ = [
    "effects_table",
    "figure",
    "variables",
]


def effects_table(evidence: Results, module: str) -> Table:
    """Effects of a module's exposures on codes, in log-odds and in percentage points.

    Families have the mean of the codes that were looked for, and the hyper-mean of all codes that
    they could have; each effect is also given with every coding taken as true.
    """
    labels, everything = evidence.labels, evidence.contrasts[module]
    table = everything[everything["estimand"] == "effect"]
    rows, full = [], []
    key = ["exposure", "exposure_type", "outcome", "level"]
    for (exposure, kind, outcome, level), mine in table.groupby(key, sort=False):
        by = {(r["variant"], r["metric"]): r for r in records(mine)}
        main = by["main", "log_odds"]
        other = by.get(("error_free", "log_odds"))
        difference = by.get(("main", "probability"))
        family = str(outcome) in evidence.vocabulary["families"]
        estimate, bounds = estimate_and_interval(main)
        rows.append(
            {
                "Exposure": labels.exposure(str(exposure), str(kind)).label,
                "Code": labels.outcome(str(outcome))
                + (f" ({MEANS[str(level)]})" if family else ""),
                "Log-odds": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(main["pd"]),
                **rope_cells(main),
                "Difference, points": percent_points(difference) if difference else "–",
                "Codings taken as true": "{} ({})".format(*estimate_and_interval(other))
                if other
                else "–",
                "Verdict": "–" if level == HYPER_MEAN else verdict_label(evidence, main),
                "Kept": "–" if level == HYPER_MEAN else kept(evidence, main) or "–",
            }
        )
        full += [
            r | ({"verdict": verdict_of(evidence, r)} if _has_verdict(r) else {})
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
        f"{evidence.vocabulary.label('modules', module)}: {only}, in log-odds of a code within an "
        f"organisation with {share(evidence.interval)} credible intervals, the probability of "
        "their direction, those "
        f"of lying beyond the region of practical equivalence (ROPE: ±"
        f"{evidence.rope('log_odds'):g}) on the likelier side and inside it, as differences of "
        "prevalence in percentage points, and with every coding taken as true. The mean of the "
        "codes asked is that of those that were looked for on both sides; the hyper-mean is that "
        "of all codes that the family could have, and has no verdict. Kept: of the claim "
        "on a family, in how many of the refits its sign has a probability of at least 0.95; "
        f"single codes are not in the refits. {BORDER_NOTE}"
    )
    return Table(shown, pd.DataFrame(full), caption, tuple(table["provenance"]))


MEANS = {"population": "mean of the codes asked", HYPER_MEAN: "hyper-mean"}  # by level


def _has_verdict(row: Mapping[str, Any]) -> bool:
    return row["metric"] == "log_odds" and row["level"] != HYPER_MEAN


def figure(evidence: Results, name: str) -> pd.DataFrame:
    """Effects on codes and their prevalence, for the forest."""
    return pd.DataFrame(_forest_rows(evidence, name), columns=FOREST)


def _forest_rows(evidence: Results, name: str) -> list[dict[str, Any]]:
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    main = table["variant"] == "main"
    levels = table[main & (table["estimand"] == "mean")]
    of_places = levels["level"].isin(PLACES) | levels["level"].map(is_prediction).astype(bool)
    levels = levels[~of_places]
    highest = levels[levels["level"] == "population"].groupby("outcome", sort=False)["mean"].max()
    effects = table[(table["estimand"] == "effect") & (table["metric"] == "log_odds")]
    effects = effects[effects["level"] != HYPER_MEAN]
    groups = list(dict.fromkeys(levels["level"][levels["level"] != "population"])) or ["population"]
    names = list(dict.fromkeys(levels["group"][levels["level"].isin(groups)]))
    for family in dict.fromkeys(map(evidence.vocabulary.family, highest.index)):
        codes = [c for c in highest.index if evidence.vocabulary.family(c) == family]
        for outcome in [*sorted(codes, key=lambda c: -highest[c]), family]:
            row_label = labels.outcome(outcome) if outcome in codes else "Mean of the codes asked"
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
                            else everyone(evidence, levels, row["role"]),
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


def variables(evidence: Results, name: str) -> Tree:
    """The variables of a module of codings: effects by exposure and code, levels, accuracy.

    Prevalences are under ``level``, by role under ``level.of.<role>`` where there are several.
    ``<exposure>.largest`` is the largest contrast, and
    ``<exposure>.error_free_changes`` lists the codes with another verdict where every coding is
    taken as true; ``top`` repeats that of ``level``.
    """
    tree: Tree = {}
    table, families = evidence.contrasts[name], evidence.vocabulary["families"]
    effects = table[table["estimand"] == "effect"]
    for (exposure, kind), both in effects.groupby(["exposure", "exposure_type"], sort=False):
        mine = both[both["level"] != HYPER_MEAN]
        main = mine[(mine["variant"] == "main") & (mine["metric"] == "log_odds")]
        codes = [r for r in records(main) if r["outcome"] not in families]
        put(tree, [str(exposure)], exposure_variables(evidence, str(exposure), str(kind)))
        said = sentence_variables(evidence, str(exposure), str(kind), codes, codes=True)
        put(tree, [str(exposure)], said)
        put(tree, [str(exposure)], sentence(evidence, str(exposure), str(kind), codes))
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
                leaves |= traced(
                    {
                        "difference": number(100 * other["mean"], 0),
                        "difference_interval": interval(
                            100 * other["lower"], 100 * other["upper"], 0
                        ),
                        "difference_pd": probability(other["pd"]),
                    },
                    other,
                )
            if free := by.get(("error_free", "log_odds")):
                leaves["error_free"] = contrast_variables(evidence, free, codes=True)
                if row["outcome"] not in families and evidence.verdict(free) != evidence.verdict(
                    row
                ):
                    moved.append(inline(evidence.labels.outcome(row["outcome"])))
            put(tree, path, leaves, row)
        for row in records(both[both["level"].eq(HYPER_MEAN) & both["variant"].eq("main")]):
            leaves = {"estimate": number(row["mean"])}
            leaves |= {"interval": interval(row["lower"], row["upper"])}
            put(tree, [str(exposure), row["outcome"], HYPER_MEAN], leaves, row)
        means = findings_of(evidence, [r for r in records(main) if r["outcome"] in families])
        if means:
            subject = evidence.labels.exposure(str(exposure), str(kind)).change
            text = summary(subject, means, phrases(str(kind), True), "families of codes")
            of = [r for r in records(main) if r["outcome"] in families]
            put(tree, [str(exposure), "families"], {"summary": text}, *of)
        leaves = {
            "codes": joined(moved, "none of the codes"),
            "count": count(len(moved)),
            "sentence": f"Taking every coding as true would change the verdict on {joined(moved)}."
            if moved
            else "Taking every coding as true would change the verdict on none of the codes.",
        }
        put(tree, [str(exposure), "error_free_changes"], leaves, *codes)
    tree["level"] = level_variables(evidence, name, table)
    tree["top"] = tree["level"].get("top", {})
    tree["accuracy"] = _accuracy(evidence, name)
    tree["label"] = evidence.vocabulary.label("modules", name)
    return tree


def _accuracy(evidence: Results, name: str) -> Tree:
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
