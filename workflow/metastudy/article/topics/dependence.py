"""Dependent published effects: where their covariance is from, and the result with another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, estimate_and_interval, metric_label
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, number, share
from metastudy.display.pipe_table import Table
from metastudy.models.base import AT
from metastudy.synthesis.dependence import SOURCES

__all__ = ["NOT_DONE", "table", "variables"]

NOT_DONE = (
    "Dependent effects: not done, because no study has several published estimates of one place "
    "that are pooled."
)


def table(evidence: Results) -> Table:
    """Pooled effects of estimates that hang together, with the correlations 0.3 and 0.9."""
    found = evidence.synthesis.get("dependence", pd.DataFrame())
    rows = []
    for row in records(found):
        label = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
        outcome = inline(evidence.labels.outcome(str(row["outcome"])))
        assumed = f" ({row['correlation']:g})" if row["assumed"] else ""
        pairs = [f"{row[n]} {n}{assumed * (n == 'assumed')}" for n in SOURCES if row[n]]
        rows.append(
            {
                "Effect": f"{label}: {outcome}, {metric_label(str(row['metric']))}",
                "Studies": str(row["studies"]),
                "Estimates": str(row["effects"]),
                "Pairs": "; ".join(pairs),
                "Pooled": "{} ({})".format(*estimate_and_interval(row)),
                **{f"At {at:g}": _at(row, at) for at in AT},
                "Gate missed": row["missed"] or "–",
            }
        )
    caption = (
        "Estimates of one publication that hang together: pairs whose covariance is given, whose "
        "correlation is declared, and for which one is assumed; the pooled effect with its "
        f"{share(evidence.interval)} interval"
    )
    others = len(found) and found["assumed"].gt(0).any()
    caption += ", and what it is with other assumed correlations." if others else "."
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    if rows and not others:
        shown = shown.drop(columns=[f"At {at:g}" for at in AT])
    if rows and not found["missed"].any():
        shown = shown.drop(columns="Gate missed")
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def _at(row: Mapping[str, Any], at: float) -> str:
    mean, lower, upper = (row[f"{name}_{100 * at:.0f}"] for name in ("mean", "lower", "upper"))
    return "–" if pd.isna(mean) else f"{number(mean)} ({interval(lower, upper)})"


def variables(evidence: Results) -> Tree:
    """How many effects rest on dependent estimates, in a sentence; none without a second stage."""
    if "estimates" not in evidence.synthesis:
        return {}
    joint = _joint(evidence.synthesis.get("correlations", pd.DataFrame()))
    found = evidence.synthesis.get("dependence", pd.DataFrame())
    if not len(found):
        return {"sentence": NOT_DONE + joint}
    assumed = found[found["assumed"] > 0]
    apart = assumed[["mean_30", "mean_90"]].sub(assumed["mean"], axis=0)
    moved = float(apart.abs().max().max())
    n = len(found)
    said = (
        f"Of the pooled effects, {count(n)} {'rests' if n == 1 else 'rest'} on several estimates "
        "of one publication"
    )
    if not len(assumed):
        return {"sentence": f"{said}, whose covariance is given or declared.{joint}"}
    rest = "no refit with another one could be made" if pd.isna(moved) else (
        f"with 0.3 or 0.9 in its place none of the means moves by more than {number(moved)}"
    )  # fmt: skip
    of = "it" if n == 1 else f"{count(len(assumed))} of them"
    said += f"; for {of} a correlation is assumed, and {rest}."
    return {"sentence": said + joint}


def _joint(found: pd.DataFrame) -> str:
    """Which effects are pooled jointly, in a sentence that goes on; empty where none could be."""
    if found.empty:
        return ""
    pooled = found[found["reason"] == ""]
    zero = len(found) - len(pooled)
    said = "No two effects are pooled jointly"
    if len(pooled):
        low, high = pooled["mean"].min(), pooled["mean"].max()
        ends = number(low) if len(pooled) == 1 else f"from {number(low)} to {number(high)}"
        said = (
            f"Of {len(pooled)} pairs of effects that two or more studies measure together the "
            f"deviations from their means are correlated, with posterior means {ends}"
            if len(pooled) > 1
            else "The deviations of two effects that two or more studies measure together are "
            f"correlated, with a posterior mean of {ends} "
            f"({interval(pooled['lower'].iloc[0], pooled['upper'].iloc[0])})"
        )
    rest = f"; for {zero} more the correlation is taken as zero" if len(pooled) else (
        f": for {zero} that are measured together the correlation is taken as zero"
    )  # fmt: skip
    why = "; ".join(dict.fromkeys(found.loc[found["reason"] != "", "reason"]))
    return f" {said}{f'{rest}, as {why}' * (zero > 0)}."
