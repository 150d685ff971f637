"""Complete, partial and no pooling compared by leave-one-out: figure, table and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.results import Results, of_modules
from metastudy.article.topics.left_out_organisations import (
    POOLING,
    of_organisations,
    organisation_rows,
)
from metastudy.article.topics.predictive_checks import not_from, without
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number
from metastudy.display.pipe_table import Table

__all__ = ["figure", "table", "variables"]

CLEAR = 4.0  # a difference in elpd below this is small (Sivula, Magnusson and Vehtari 2020)


def _compared(evidence: Results) -> pd.DataFrame:
    """The comparison, with as many rows as may be said beside those that were kept."""
    found = []
    for row in records(evidence.comparison):
        cells = shown_people.cells_of(evidence, row["module"])
        said = shown_people.all_used(evidence, cells, with_rows=True)
        found.append(row if said.exact else row | {"rows": said.short})
    return (
        pd.DataFrame(found, columns=evidence.comparison.columns) if found else evidence.comparison
    )


def figure(evidence: Results) -> pd.DataFrame:
    """Difference of each way of pooling from the one that predicts best, for the forest."""
    z = evidence.z
    rows = []
    for row in records(_compared(evidence)):
        if not row["components"]:
            continue  # three fits of one model: nothing was pooled
        bad = row["high_k"] > 0
        half = z * row["se_difference"]
        rows.append(
            {
                "block": "Prediction of left-out rows",
                "panel": evidence.vocabulary.label("modules", row["module"]),
                "axis": "Difference in elpd from the best",
                "row": POOLING[row["pooling"]],
                "series": "Pareto k too high for some rows" if bad else "All Pareto k good",
                "style": "open" if bad else "filled",
                "hue": "posterior",
                "estimate": row["difference"],
                "lower": row["difference"] - half,
                "upper": row["difference"] + half,
                "reference": 0.0,
                "note": f"{row['rows']} rows",
                "group": row["pooling"],
                "metric": "elpd",
                "provenance": row["provenance"],
            }
        )
    return pd.DataFrame(rows, columns=figure_rows.FOREST)


def table(evidence: Results) -> Table:
    """The table ``comparison`` of the article: by left-out row, and by organisation."""
    found, rows = _compared(evidence), []
    for row in records(found):
        one = not row["components"]  # nothing is pooled, so the three fits are of one model
        if one and row["pooling"] != "partial":
            continue
        rows.append(
            {
                "Module": evidence.vocabulary.label("modules", row["module"]),
                "Left out": "row",
                "Pooling": "Nothing to pool" if one else POOLING[row["pooling"]],
                "elpd": number(row["elpd_loo"], 1),
                "Standard error": number(row["se"], 1),
                "Difference": "–" if one else number(row["difference"], 1),
                "Its standard error": "–" if one else number(row["se_difference"], 1),
                "Parameters": number(row["p_loo"], 1),
                "Weight": "–" if one else number(row["weight"]),
                "High k": f"{row['high_k']} of {row['rows']}",
            }
        )
    rows += organisation_rows(evidence)
    order = {evidence.vocabulary.label("modules", m): at for at, m in enumerate(evidence.contrasts)}
    rows.sort(key=lambda row: order.get(row["Module"], 0))  # an organisation's below its module's
    shown = pd.DataFrame(rows, columns=None if rows else ["Nothing to show"])
    if rows:
        shown["Module"] = shown["Module"].mask(shown["Module"].duplicated(), "")
        if set(shown["Left out"]) == {"row"}:
            shown = shown.drop(columns="Left out")
    caption = (
        "Leave-one-out comparison of how far groups are pooled: expected log predictive density "
        "of left-out rows (elpd), difference from the best, effective number of parameters, and "
        "weight in a stack of the three. Where a row has a high Pareto k, the elpd of that fit is "
        "not reliable."
    )
    if "Left out" in shown:
        caption += (
            " Of an organisation all answers are left out, and its own effects are integrated out; "
            "where one has a high Pareto k there is no number."
        )
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> dict[str, Any]:
    """For each module which way of pooling predicts best, and a sentence."""
    tree = {
        module: _module_variables(evidence, mine)
        for module, mine in of_modules(evidence, _compared(evidence))
    }
    for module in evidence.contrasts:
        if absent := evidence.without_rows(module):
            if module not in tree:
                no = not_from(evidence, module)
                one = dict.fromkeys(("elpd", "difference", "se", "weight"), no)
                words = dict.fromkeys(("best", "verdict", "sentence", "high_k"), no)
                tree[module] = {**words, **{name: dict(one) for name in POOLING}}
            said = without(tree[module]["sentence"], absent, "is no leave-one-out comparison")
            tree[module]["sentence"] = said
    for module, mine in of_modules(evidence, evidence.organisations):
        tree.setdefault(module, {})["organisations"] = of_organisations(evidence, module, mine)
    return tree


def _module_variables(evidence: Results, table: pd.DataFrame) -> dict[str, Any]:
    z = evidence.z
    rows = sorted(records(table), key=lambda row: -row["elpd_loo"])
    best, others = rows[0], rows[1:]

    def is_clear(row: Mapping[str, Any]) -> bool:
        apart = -row["difference"]
        return bool(apart > z * row["se_difference"] and apart > CLEAR)

    def numbers(row: Mapping[str, Any]) -> str:
        apart = number(-row["difference"], 1)
        return f"elpd lower by {apart}, standard error {number(row['se_difference'], 1)}"

    clauses = [
        f"{inline(POOLING[row['pooling']])} "
        f"{'predicts clearly worse' if is_clear(row) else 'cannot be distinguished from it'} "
        f"({numbers(row)})"
        for row in others
    ]
    said = f"{POOLING[best['pooling']]} predicts left-out rows best; {joined(clauses)}."
    if not best["components"]:
        said = (
            "The design has no standard deviation between groups, so there is nothing to pool: "
            "the three fits are of one model, and differ by Monte Carlo error alone."
        )
    bad = [row for row in rows if row["high_k"]]
    if bad:
        where = joined(
            f"{count(row['high_k'])} of {row['rows']} rows under {inline(POOLING[row['pooling']])}"
            for row in bad
        )
        said += f" Pareto k is too high for {where}, whose elpd is therefore not reliable."
    leaves: dict[str, Any] = {
        "best": inline(POOLING[best["pooling"]]),
        "verdict": "clear" if all(map(is_clear, others)) else "unclear",
        "sentence": said,
        "high_k": str(sum(row["high_k"] for row in rows)),
    }
    for row in rows:
        leaves[str(row["pooling"])] = {
            "elpd": number(row["elpd_loo"], 1),
            "difference": number(row["difference"], 1),
            "se": number(row["se_difference"], 1),
            "weight": number(row["weight"]),
        }
    return leaves
