"""Ways of pooling by what they predict of an organisation that is left out: rows and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import or_dash
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import inline, joined, number

__all__ = ["POOLING", "of_organisations", "organisation_rows"]

POOLING = {"pooled": "Complete pooling", "partial": "Partial pooling", "unpooled": "No pooling"}
NOT_DONE = "Prediction of left-out organisations: not compared, because {}."


def organisation_rows(evidence: Results) -> list[dict[str, Any]]:
    """Rows of the table that compares ways of pooling, of modules whose organisations are left out.

    A way without a number has dashes; its file says why.
    """
    found = evidence.organisations
    return [
        {
            "Module": evidence.vocabulary.label("modules", row["module"]),
            "Left out": "organisation",
            "Pooling": POOLING[row["pooling"]],
            "elpd": or_dash(row["elpd"], 1),
            "Standard error": or_dash(row["se"], 1),
            "Difference": or_dash(row["difference"], 1),
            "Its standard error": or_dash(row["se_difference"], 1),
            "Parameters": or_dash(row["p_loo"], 1),
            "Weight": "–",
            "High k": f"{row['high_k']} of {row['organisations']}",
        }
        for row in records(found)
        if row["pooling"]
    ]


def of_organisations(evidence: Results, module: str, table: pd.DataFrame) -> Tree:
    """What the ways of pooling predict of left-out organisations of a module, and beside it by row.

    Parameters
    ----------
    table : rows of the module in the table ``organisations``.
    """
    rows = [row for row in records(table) if row["pooling"]]
    if not rows:
        return {"sentence": NOT_DONE.format(table["reason"].iloc[0])}
    refused = [row for row in rows if row["reason"]]
    compared = sorted(
        (row for row in rows if not row["reason"]), key=lambda row: -float(row["elpd"])
    )
    left = "; ".join(f"{inline(POOLING[row['pooling']])}: {row['reason']}" for row in refused)
    why = f" Without a number: {left}." if left else ""
    if not compared:
        return {"sentence": NOT_DONE.format("no way of pooling has a reliable number") + why}
    best, others = compared[0], compared[1:]
    worse = joined(
        f"{inline(POOLING[row['pooling']])} by {number(-row['difference'], 1)} worse, standard "
        f"error {number(row['se_difference'], 1)}"
        for row in others
    )
    cells = shown_people.cells_of(evidence, module)
    people = shown_people.part_of_used(evidence, cells, int(best["people"]))
    said = (
        f"All answers of a left-out organisation ({best['organisations']} organisations, {people} "
        "people) are predicted best with "
        f"{inline(POOLING[best['pooling']])}"
    )
    said += f" ({worse})." if others else "."
    if pd.notna(best["elpd_rows"]):
        said += (
            f" Its elpd is {number(best['elpd'], 1)} by left-out organisation and "
            f"{number(best['elpd_rows'], 1)} by left-out person."
        )
    leaves: Tree = {
        "sentence": said + why,
        "best": inline(POOLING[best["pooling"]]),
        "count": str(best["organisations"]),
    }
    return leaves | {str(row["pooling"]): _numbers(row) for row in compared}


def _numbers(row: Mapping[str, Any]) -> Tree:
    return {
        "elpd": number(row["elpd"], 1),
        "difference": number(row["difference"], 1),
        "se": number(row["se_difference"], 1),
        "by_person": or_dash(row["elpd_rows"], 1),
    }
