"""Ways of pooling compared by what they predict of a study, country or sector that is left out."""

from __future__ import annotations

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, or_dash
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import inline, joined, number
from metastudy.display.pipe_table import Table

__all__ = ["table", "variables"]

POOLING = {"pooled": "Complete pooling", "partial": "Partial pooling", "unpooled": "No pooling"}


def table(evidence: Results) -> Table:
    """Log predictive density of groups that are left out, by module, grouping and pooling."""
    found = evidence.robustness.get("left_out_groups", pd.DataFrame())
    rows = [
        {
            "Module": _module(evidence, row["module"]),
            "Left out": row["grouping"],
            "Pooling": POOLING.get(row["pooling"], f"Each effect {row['reason']}"),
            "Groups": str(row["groups"]),
            "elpd": or_dash(row["elpd"], 1),
            "Difference": or_dash(row["difference"], 1),
            "Its standard error": or_dash(row["se_difference"], 1),
        }
        for row in records(found)
    ]
    caption = (
        "Comparison by left-out groups of how far study estimates are pooled: the log predictive "
        "density of the estimates of a group given those of all other groups (elpd), added up over "
        "effects, with one mean for all groups, with means that vary by the prior of the "
        "heterogeneity, and with the prior of an effect alone."
    )
    if evidence.vocabulary["moderators"]:
        caption += " Declared moderators are in none of these."
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """Which way of pooling predicts left-out groups best, or why that cannot be asked."""
    if "left_out_groups" not in evidence.robustness:
        return {}
    found = evidence.robustness["left_out_groups"]
    parts = []
    for module, mine in found.groupby("module", sort=False) if len(found) else ():
        rests = [str(r).removeprefix("rests on ") for r in mine["reason"] if "rests on" in str(r)]
        sizeless = [r for r in mine["reason"] if r and "rests on" not in str(r)]
        clauses = []
        for grouping, own in mine[mine["reason"] == ""].groupby("grouping", sort=False):
            best = own.iloc[int(own["elpd"].argmax())]
            others = joined(
                f"{inline(POOLING[row['pooling']])} by {number(-row['difference'], 1)} worse"
                for row in records(own[own["pooling"] != best["pooling"]])
            )
            clauses.append(
                f"a left-out {grouping} is predicted best with {inline(POOLING[best['pooling']])} "
                f"({others})"
            )
        if rests:
            clauses.append(f"each effect rests on {joined(rests)}")
        if sizeless:
            clauses.append(f"each effect {sizeless[0]}")
        parts.append(f"{_module(evidence, str(module))}: {'; '.join(clauses)}.")
    if not parts:
        return {"sentence": "Prediction of left-out groups: not compared, for lack of estimates."}
    return {"sentence": f"By left-out groups, on study estimates: {' '.join(parts)}"}


def _module(evidence: Results, module: str) -> str:
    return evidence.vocabulary.label("modules", module) if module else "Other published effects"
