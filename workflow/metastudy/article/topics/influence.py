"""Influence of each study on pooled means and on the heterogeneity around them."""

from __future__ import annotations

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, effect_in_metric, or_dash
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import interval, number, share
from metastudy.display.pipe_table import Table
from metastudy.synthesis.influence import MOST

__all__ = ["FEW", "MANY", "table", "variables"]

FEW = "Influence of each study: not done, because nothing is pooled over several studies."
MANY = f"Influence of each study: not done, because more than {MOST} studies are pooled together."


def table(evidence: Results) -> Table:
    """Mean and total heterogeneity of each pooled effect without each of its studies."""
    found = evidence.synthesis.get("influence", pd.DataFrame())
    rows = [
        {
            "Effect": effect_in_metric(evidence, row),
            "Without": evidence.labels.study(row["study"]),
            "Mean": number(row["mean"]),
            "Mean without it": f"{number(row['mean_without'])} "
            f"({interval(row['lower_without'], row['upper_without'])})",
            "Shift, posterior SD": number(row["shift"]),
            "Total": or_dash(row["total"]),
            "Total without it": or_dash(row["total_without"]),
            "Gate missed": row["missed"] or "–",
        }
        for row in records(found)
    ]
    caption = (
        "Influence of each study on a pooled effect: the population mean and the total "
        "heterogeneity (posterior means) with all studies and without one, with its "
        f"{share(evidence.interval)} interval. Without one of two studies, the prior decides how "
        "far the other one is from the mean."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """The largest shift in a sentence; none without a second stage."""
    if "estimates" not in evidence.synthesis:
        return {}
    found = evidence.synthesis.get("influence", pd.DataFrame())
    if not len(found):
        pooled = evidence.synthesis.get("pooled", pd.DataFrame())
        return {"sentence": MANY if len(pooled) and (pooled["studies"] > 1).any() else FEW}
    counted = found[found["missed"] == ""]
    missed = len(found) - len(counted)
    which = "the one refit" if len(found) == 1 else f"{missed} of {len(found)} refits"
    of = f"{which} without a study " + (
        "misses a gate and is not counted" if missed == 1 else "miss a gate and are not counted"
    )
    if counted.empty:
        return {"sentence": f"Influence of each study: {of}."}
    row = counted.iloc[int(counted["shift"].abs().argmax())].to_dict()
    said = (
        f"Without one study no pooled mean moves by more than {number(abs(row['shift']))} "
        f"posterior standard deviations ({effect_in_metric(evidence, row)}, without "
        f"{evidence.labels.study(row['study'])})"
    )
    totals = counted.dropna(subset=["total"])
    if len(totals):
        apart = (totals["total_without"] - totals["total"]).abs()
        most = totals.iloc[int(apart.argmax())].to_dict()
        said += (
            f", and no total heterogeneity by more than {number(apart.max())} (from "
            f"{number(most['total'])} to {number(most['total_without'])}, without "
            f"{evidence.labels.study(most['study'])})"
        )
    return {"sentence": f"{said}{'; ' + of if missed else ''}."}
