"""The effects that publications enter with: each estimate, its error, and how it came about."""

from __future__ import annotations

from string import ascii_lowercase

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, metric_label
from metastudy.article.topics.published import findings, outcome_label
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, joined, number, words
from metastudy.display.pipe_table import Table

__all__ = ["AS_GIVEN", "entered", "table", "variables"]

AS_GIVEN = "as published"
DIGITS = 2
PLACES = {"country": "countries", "sector": "sectors"}


def entered(evidence: Results) -> pd.DataFrame:
    """Published findings with an estimate and its standard error, in the order of their files."""
    found = findings(evidence)
    if not {"estimate", "se"} <= set(found):
        return found.head(0)
    return found[found["estimate"].notna() & found["se"].notna()].reset_index(drop=True)


def table(evidence: Results) -> Table:
    """One row an effect: publication, contrast, place, outcome, metric, estimate, error, method."""
    found = entered(evidence)
    labels, rows = evidence.labels, []
    # A formula is said once, in the caption.
    given = dict.fromkeys(filter(None, (_text(row.get("method")) for row in records(found))))
    letters = dict(zip(given, ascii_lowercase, strict=False))
    for row in records(found):
        place = [labels.of(row[c], s) for c, s in PLACES.items() if _text(row.get(c))]
        method = _text(row.get("method"))
        small = min(abs(row["estimate"]), row["se"]) < 0.1
        rows.append(
            {
                "Study": f"@{row['citation']}",
                "Contrast": words(row["contrast"]),
                "Place": ", ".join(place) or "–",
                "Outcome": outcome_label(evidence, row["outcome"]),
                "Metric": metric_label(_text(row.get("metric"))) or "–",
                "Estimate": number(row["estimate"], DIGITS + small),
                "Standard error": number(row["se"], DIGITS + small),
                "How it came about": letters.get(method, method) or AS_GIVEN,
            }
        )
    caption = (
        "Effects that are entered: the estimate of each contrast in its metric, with its standard "
        "error, and how either was computed from what was published."
    )
    caption += "".join(f" {letter}: {method}." for method, letter in letters.items())
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    if len(shown) and shown["Place"].nunique() == 1:
        shown = shown.drop(columns="Place")
    return Table(shown, found, caption, ("observed",))


def variables(evidence: Results) -> Tree:
    """How many effects are entered, in which metrics, and how many were computed; else empty."""
    found = entered(evidence)
    if not len(found):
        return {}
    computed = int(sum(bool(_text(row.get("method"))) for row in records(found)))
    metrics = [metric_label(_text(name)) for name in dict.fromkeys(found["metric"])]
    n, given = len(found), len(found) - computed
    one = "effect with its standard error is"
    effects = one if n == 1 else "effects with their standard errors are"
    how = [f"{count(given) if computed else 'all' if n > 1 else ''} as published".strip()] * bool(
        given
    )
    many = count(computed) if given else "all" if n > 1 else ""
    how += [f"{many} computed from what was published".strip()] * bool(computed)
    return {
        "count": str(n),
        "computed": str(computed),
        "sentence": f"{count(n, capital=True)} {effects} entered, {joined(how)} "
        f"(in {joined(metrics)}).",
    }


def _text(value: object) -> str:
    """A text of a table; empty where there is none."""
    return value if isinstance(value, str) else ""
