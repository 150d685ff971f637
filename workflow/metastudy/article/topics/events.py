"""Events: log-odds ratios of 0/1 outcomes, and the shares behind them, as figure and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.effect_sentences import contrast_variables, exposure_variables
from metastudy.article.figure_rows import (
    FOREST,
    MOST_SETTINGS,
    NUMBERS,
    SHAPES,
    in_order,
    mark_of,
)
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    BORDER_NOTE,
    NEXT_IN_FILE,
    are_predictions,
    estimate_and_interval,
    for_a_page,
    grouped,
    outcome_label,
    percent_points,
    place_label,
    rope_cells,
    rope_label,
    verdict_label,
    verdict_of,
)
from metastudy.article.topics.answer_figures import effect_rows
from metastudy.article.topics.answers import elsewhere, moderated, of_roles
from metastudy.article.topics.differences import sentences
from metastudy.article.topics.refits import kept
from metastudy.article.variable_tree import Tree, put, traced
from metastudy.common.tables import records
from metastudy.design.new_settings import is_prediction
from metastudy.display.formatting import (
    inline,
    interval,
    joined,
    number,
    percent,
    percents,
    probability,
    share,
)
from metastudy.display.pipe_table import Table
from metastudy.models.events.contrasts import ARM, SHARE

__all__ = ["effects_table", "figure", "shares_table", "variables"]

METRIC = "log_odds"
PLACE = ["exposure", "exposure_type", "outcome", "role", "level", "group"]  # what an effect is of


def figure(evidence: Results, name: str) -> pd.DataFrame:
    """Log-odds ratios of a module, and the share of people with each outcome by arm."""
    rows = effect_rows(evidence, name)
    found = _main(evidence, name)
    arms = found[(found["estimand"] == "mean") & (found["level"] == ARM)]
    for (exposure, kind), mine in arms.groupby(["exposure", "exposure_type"], sort=False):
        names = list(dict.fromkeys(mine["group"]))
        for row in records(mine):
            at = names.index(row["group"])
            rows.append(
                mark_of(
                    row,
                    block="Shares by arm, over all settings",
                    panel=evidence.labels.exposure(str(exposure), str(kind)).label,
                    axis="People with the outcome, %",
                    row=outcome_label(evidence, row),
                    series=_level(evidence, row),
                    style=SHAPES[at % len(SHAPES)],
                    hue=f"group{at + 1}",
                )
                | {n: 100 * row[m] for n, m in NUMBERS.items()}
            )
    return pd.DataFrame(in_order(rows, evidence), columns=FOREST)


def _main(evidence: Results, name: str) -> pd.DataFrame:
    table = evidence.contrasts[name]
    return table[table["variant"] == "main"]


def _level(evidence: Results, row: Mapping[str, Any]) -> str:
    """The label of the level of a factor that a mean is of."""
    said = evidence.labels.exposure(row["exposure"], row["exposure_type"])
    levels = evidence.vocabulary.levels(said.name)
    return str(levels.get(str(row["group"]), row["group"]))


def effects_table(evidence: Results, module: str) -> Table:
    """Effects of a module's exposures as log-odds ratios, odds ratios and percentage points.

    Where there are many settings, effects in single ones are only in the table's file.
    """
    found = _main(evidence, module)
    table = found[found["estimand"].isin(["effect", "moderator"])]
    points = {_place(row): row for row in records(table[table["metric"] == SHARE])}
    rows, full, in_file = [], [], []
    ratios = table[table["metric"] == METRIC]
    for (exposure, kind, _, _), mine in ratios.groupby(PLACE[:4], sort=False):
        own = mine[mine["level"] == "study"]
        shown = mine
        if len(own) == 1:  # the population mean is then the effect of the one setting
            shown = shown[shown["level"] != "study"]
        elif own["group"].nunique() > MOST_SETTINGS:
            full += [row | {"verdict": verdict_of(evidence, row)} for row in records(own)]
            shown = shown[shown["level"] != "study"]
        shown, left = for_a_page(evidence, shown)
        in_file += [row | {"verdict": verdict_of(evidence, row)} for row in records(left)]
        for row in records(shown):
            estimate, bounds = estimate_and_interval(row)
            difference = points.get(_place(row))
            claim = kept(evidence, row) if row["level"] == "population" else ""
            rows.append(
                {
                    "Exposure": evidence.labels.exposure_with_type(str(exposure), str(kind)),
                    "Outcome": outcome_label(evidence, row),
                    "Of": place_label(evidence, row, vignettes=False),
                    "Log-odds": estimate,
                    f"{share(evidence.interval)} interval": bounds,
                    "Direction": probability(row["pd"]),
                    **rope_cells(row),
                    "Difference, points": percent_points(difference) if difference else "–",
                    "Verdict": verdict_label(evidence, row),
                    "Kept": claim or "–",
                }
            )
            full.append(row | {"verdict": verdict_of(evidence, row), "kept": claim})
    full += records(table[table["metric"] == SHARE])
    shown_table = grouped(rows, "Exposure", "Outcome")
    if len(shown_table):
        again = shown_table["Outcome"].eq(shown_table["Outcome"].shift())
        shown_table["Outcome"] = shown_table["Outcome"].mask(again, "")
        if set(shown_table["Kept"]) <= {"–", ""}:
            shown_table = shown_table.drop(columns="Kept")
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: effects in log-odds with "
        f"{share(evidence.interval)} credible intervals, the probability of their direction, those "
        "of lying beyond the region of practical equivalence "
        f"(ROPE: {rope_label(evidence, METRIC)}) on the likelier side and inside it, and as "
        "differences of shares in percentage points, standardised over the people of the settings "
        "at hand. Kept: of a claim, in how many of the refits its sign has a probability of at "
        f"least 0.95. {BORDER_NOTE}"
    )
    if table.loc[table["level"].eq("study"), "group"].nunique() > MOST_SETTINGS:
        caption += " Each setting's effect is in the table's file."
    if in_file:
        caption += NEXT_IN_FILE
    return Table(shown_table, pd.DataFrame(full + in_file), caption, tuple(table["provenance"]))


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in PLACE)


def shares_table(evidence: Results, module: str) -> Table:
    """Share of people with each outcome: by arm over all settings, and of each setting."""
    found = _main(evidence, module)
    table = found[found["estimand"] == "mean"]
    few = table.loc[table["level"].eq("study"), "group"].nunique() <= MOST_SETTINGS
    shown = table if few else table[table["level"] == ARM]
    rows = []
    for row in records(shown):
        of = place_label(evidence, row, vignettes=False)
        if row["level"] == ARM:
            label = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
            of = f"{label}: {_level(evidence, row)}"
        bounds = percents(row["lower"], row["upper"])
        rows.append(
            {
                "Outcome": outcome_label(evidence, row),
                "Of": of,
                "People with it": percent(row["mean"]),
                f"{share(evidence.interval)} interval": bounds,
            }
        )
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: shares of people with each outcome. By "
        "arm they are standardised: as if all people of a setting were in that arm, averaged over "
        "the settings, each counted alike."
    )
    if not few:
        caption += " Each setting's share is in the table's file."
    return Table(pd.DataFrame(rows), table, caption, tuple(table["provenance"]))


def variables(evidence: Results, name: str) -> Tree:
    """The variables of a module of events: effects by exposure and outcome, shares, label.

    An effect is under ``<exposure>.<outcome>`` with its role where there are several, and with its
    level and group where it is not that of all; ``difference`` has the same in percentage points,
    and ``arms`` the shares of the arms. Sentences over several outcomes are under ``<exposure>``.
    ``sites`` says which log-odds ratios are reported where sites are known in a part of the fit,
    ``apart`` between which outcomes no difference is made; where they are made, they are under
    ``<exposure>.differences`` as those of scores are.
    """
    tree: Tree = {}
    main = _main(evidence, name)
    several = evidence.several_roles(name)
    effects = main[main["estimand"] == "effect"]
    compared = bool((main["estimand"].eq("difference") & main["level"].eq("outcome")).any())
    points = {_place(row): row for row in records(effects[effects["metric"] == SHARE])}
    for (exposure, kind), both in effects.groupby(["exposure", "exposure_type"], sort=False):
        mine = both[both["metric"] == METRIC]
        leaves = exposure_variables(evidence, str(exposure), str(kind))
        leaves |= of_roles(evidence, str(exposure), str(kind), mine[mine["level"] == "population"])
        if compared:
            leaves |= sentences(evidence, name, str(exposure), str(kind))
        if changes := moderated(evidence, main, str(exposure)):
            leaves["moderators"] = {"sentence": changes}
        of_all = both[both["metric"].eq(SHARE) & both["level"].eq("population")]
        said = _in_points(evidence, of_all)
        leaves["points"] = traced({"sentence": said}, *records(of_all))
        new = mine[are_predictions(mine)]
        leaves["elsewhere"] = traced({"sentence": elsewhere(evidence, mine)}, *records(new))
        put(tree, [str(exposure)], leaves)
        for row in records(mine):
            path = [str(exposure), row["outcome"], *([row["role"]] if several else [])]
            if row["level"] != "population":
                path += [row["level"], *([row["group"]] if row["group"] else [])]
            if is_prediction(row["level"]):
                put(tree, path, {"interval": interval(row["lower"], row["upper"])}, row)
                continue
            leaves = contrast_variables(evidence, row)
            if row["level"] == "population":
                leaves |= traced({"kept": kept(evidence, row) or "no claim"}, row)
            if found := points.get(_place(row)):
                leaves |= traced(_points(found), found)
            put(tree, path, leaves, row)
    means = main[main["estimand"] == "mean"]
    for row in records(means):
        own = {
            "share": percent(row["mean"], 1),
            "interval": percents(row["lower"], row["upper"], 1),
        }
        path = ["level", row["group"], row["outcome"]]
        if row["level"] == ARM:
            role = [row["role"]] if several else []
            path = [row["exposure"], row["outcome"], *role, "arms", row["group"]]
        put(tree, path, own, row)
    tree["label"] = evidence.vocabulary.label("modules", name)
    if said := _over_sites(evidence, name):
        tree["sites"] = {"sentence": said}
    if not compared and (said := _not_compared(evidence, name, effects)):
        tree["apart"] = {"sentence": said}
    return tree


def _not_compared(evidence: Results, name: str, effects: pd.DataFrame) -> str:
    """Between which outcomes no difference is made, and why; nothing where there is one outcome."""
    outcomes = [inline(evidence.labels.outcome(of)) for of in dict.fromkeys(effects["outcome"])]
    if len(outcomes) < 2:
        return ""
    own = evidence.cells.get(name)
    why = "which of these one person has together is not modelled"
    if own and own.apart:
        names = joined(inline(evidence.labels.study(study)) for study in own.apart)
        why = f"of {names} only counts by arm are known, not which of these one person has"
        why += " together"
    elif own and own.joint:
        why = "they are outcomes of different families"
    return f"No difference is made between effects on {joined(outcomes)}: {why}."


def _over_sites(evidence: Results, name: str) -> str:
    """Which log-odds ratio is reported where sites are known in a part; nothing where in all."""
    own = evidence.cells.get(name)
    if own is None or not own.over_sites:
        return ""
    known, unknown = (
        joined(inline(evidence.labels.study(study)) for study in of)
        for of in (own.within_sites, own.over_sites)
    )
    return (
        f"People of {known} have known sites, and those of {unknown} have not, so counts say what "
        "an effect is within a site (conditional) in the one and over sites (marginal) in the "
        "other. All log-odds ratios here are conditional: counts over sites are taken as averages "
        "over sites that vary as the known ones do. Differences of shares, standardised over "
        "people and sites, are marginal everywhere, and the quantity that both have in common."
    )


def _in_points(evidence: Results, rows: pd.DataFrame) -> str:
    """The differences of shares of all outcomes; nothing where there is none."""
    found = [
        f"{inline(outcome_label(evidence, row))} {number(100 * row['mean'], 1)} "
        f"({interval(100 * row['lower'], 100 * row['upper'], 1)})"
        for row in records(rows)
    ]
    said = "In percentage points, standardised over the people of the settings"
    return f"{said}: {joined(found)}." if found else ""


def _points(row: Mapping[str, Any]) -> Tree:
    return {
        "difference": number(100 * row["mean"], 1),
        "difference_interval": interval(100 * row["lower"], 100 * row["upper"], 1),
        "difference_pd": probability(row["pd"]),
    }
