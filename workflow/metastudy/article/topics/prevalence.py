"""Prevalence of codes: by role, by group and by place, as tables and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import (
    MAX_COLUMNS_PER_PLACE,
    are_predictions,
    columns_of,
    percent_interval,
    role_label,
    study_marks,
)
from metastudy.article.variable_tree import Tree, put, traced
from metastudy.common.tables import records
from metastudy.design.new_settings import DECIDED, PLACES, is_prediction
from metastudy.display.formatting import inline, joined, percent, percents, share, words
from metastudy.display.pipe_table import Table
from metastudy.display.place_order import with_order

__all__ = ["everyone", "level_variables", "places_figure", "places_table", "prevalence_table"]

MOST_CODES = 12  # of a figure in the article
CODE_PLACES = ["family", "code", "place", "role", "mean", "lower", "upper", "provenance"]


def prevalence_table(evidence: Results, module: str) -> Table:
    """Prevalence of each code, in all interviews with people of a role and by group."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "mean") & (table["variant"] == "main")]
    compared = ~table["level"].isin(["population", *PLACES]) & ~are_predictions(table)
    groups = table[compared]
    rows = []
    for outcome in _by_prevalence(table):
        mine = table[table["outcome"] == outcome]
        cells = {"Code": labels.outcome(outcome)}
        for role in _roles(table):
            found = mine[(mine["level"] == "population") & (mine["role"] == role)]
            cells[everyone(evidence, table, role)] = _shares(found)
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


def places_figure(evidence: Results, module: str) -> pd.DataFrame:
    """The most frequent codes by country, of the role that most countries were asked about.

    Codes are those that were looked for in two countries or more; families and countries in the
    order of the vocabulary, codes by the largest of their means.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CODE_PLACES`.
    """
    labels, table = evidence.labels, evidence.contrasts[module]
    mine = table[table["estimand"].eq("mean") & table["variant"].eq("main")]
    mine = mine[mine["level"].eq("country")]
    if len(mine):
        roles = mine.groupby("role", sort=False)["group"].nunique()
        mine = mine[mine["role"].eq(str(roles.idxmax()))]
    mine = mine[mine.groupby("outcome")["group"].transform("nunique") > 1]
    largest = mine.groupby("outcome")["mean"].max().sort_values(ascending=False, kind="stable")
    kept = list(largest.index[:MOST_CODES])
    mine = mine[mine["outcome"].isin(kept)]
    family = {code: evidence.vocabulary.family(code) for code in kept}
    order = list(dict.fromkeys(family[c] for c in evidence.vocabulary["codes"] if c in family))
    rows: list[dict[str, Any]] = [
        {
            "family": labels.outcome(family[row["outcome"]]),
            "code": labels.outcome(row["outcome"]),
            "place": labels.of(row["group"], "countries"),
            "role": labels.of(row["role"], "roles"),
            **{name: row[name] for name in ("mean", "lower", "upper", "provenance")},
            "at": (
                *(order.index(family[row["outcome"]]), kept.index(row["outcome"])),
                labels.position(row["group"]),
            ),
        }
        for row in records(mine)
    ]
    rows.sort(key=lambda row: tuple(row["at"]))
    places = sorted(dict.fromkeys(mine["group"]), key=labels.position)
    named = [labels.of(place, "countries") for place in places]
    return with_order(pd.DataFrame(rows, columns=CODE_PLACES), {"place": named})


def _by_prevalence(table: pd.DataFrame) -> list[str]:
    """Codes, the most frequent first, by the prevalence of the role in which it is highest."""
    everyone = table[table["level"] == "population"].groupby("outcome", sort=False)["mean"].max()
    return list(everyone.sort_values(ascending=False, kind="stable").index)


def _roles(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table.loc[table["level"] == "population", "role"]))


def everyone(evidence: Results, table: pd.DataFrame, role: str) -> str:
    """What all interviews are called: all, or all with people of a role."""
    return "All" if len(_roles(table)) == 1 else f"All, {role_label(evidence, role)}"


def _shares(found: pd.DataFrame) -> str:
    texts = [f"{percent(r['mean'])} ({percents(r['lower'], r['upper'])})" for r in records(found)]
    return joined(texts, "–")


def places_table(evidence: Results, module: str) -> Table:
    """Prevalence of each code by country and sector, and what a new one would give."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "mean") & (table["variant"] == "main")]
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
            groups = sorted(dict.fromkeys(everywhere["group"]), key=labels.position)
            if len(groups) > MAX_COLUMNS_PER_PLACE:
                ends = mine.sort_values("mean").iloc[[0, -1]] if len(mine) else mine
                listed = [f"{percent(r['mean'])} ({labels.of(r['group'])})" for r in records(ends)]
                cells[f"{words(str(level))}, lowest to highest"] = " to ".join(listed) or "–"
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


TOP = 3  # the most prevalent codes that are named


def level_variables(evidence: Results, module: str, table: pd.DataFrame) -> Tree:
    """Prevalences of a module by role, group and place, and the most frequent codes of each."""
    tree: Tree = {}
    if by_place := _first_of_places(evidence, places_figure(evidence, module)):
        tree["places"] = {"sentence": by_place[0].upper() + by_place[1:] + ".", "inline": by_place}
    levels = table[(table["estimand"] == "mean") & (table["metric"] == "probability")]
    several = len(_roles(levels)) > 1
    for row in records(levels):
        leaves = {
            "prevalence": percent(row["mean"]),
            "interval": percents(row["lower"], row["upper"]),
        }
        free = ["error_free"] if row["variant"] == "error_free" else []
        place = [] if row["level"] == "population" else [row["group"] or row["level"]]
        put(tree, [*_of_role(row, several), *place, row["outcome"], *free], leaves, row)
    main = levels[levels["variant"].eq("main") & ~levels["level"].map(is_prediction).astype(bool)]
    said = []
    for (level, group, role), mine in main.groupby(["level", "group", "role"], sort=False):
        leaves = traced(_top(evidence, mine), *records(mine))
        path = _of_role({"level": level, "role": role}, several)
        put(tree, [*path, *([] if level == "population" else [str(group)]), "top"], leaves)
        if level == "population":
            said.append((str(role), leaves))
    if several:
        texts = [f"{role_label(evidence, role)}: {leaves['text']}" for role, leaves in said]
        put(
            tree, ["top"], {"text": "; ".join(texts)}, *records(main[main["level"] == "population"])
        )
    return tree


def _first_of_places(evidence: Results, shown: pd.DataFrame) -> str:
    """The most frequent code of each place, of those that are compared between places."""
    if not len(shown):
        return ""
    best = shown.loc[shown.groupby("place", sort=False)["mean"].idxmax()]
    best = best.sort_values("mean", ascending=False, kind="stable")
    labels = evidence.labels
    named = {labels.of(c, "countries"): c for c in evidence.vocabulary["countries"]}
    places = [labels.country_in_sentence(named.get(p, p)) for p in best["place"]]
    each = joined(
        f"{inline(r['code'])} in {place} ({percent(r['mean'])})"
        for r, place in zip(records(best), places, strict=True)
    )
    return f"of the codes that several countries were asked about, the most frequent are {each}"


def _of_role(row: Mapping[str, Any], several: bool) -> list[str]:
    """Where the prevalences of a role are; a group of a comparison has people of its own."""
    by_role = row["level"] in ("population", *PLACES) or is_prediction(row["level"])
    return ["of", str(row["role"])] if several and by_role else []


def _top(evidence: Results, mine: pd.DataFrame) -> Tree:
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
