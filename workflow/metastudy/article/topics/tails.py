"""Heterogeneity with t tails beside that with normal ones: table and sentence."""

from __future__ import annotations

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, effect_in_metric, estimate_and_interval
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import interval, joined, number, share
from metastudy.display.pipe_table import Table

__all__ = ["NOT_DONE", "table", "variables"]

NOT_DONE = "Heterogeneity with t tails: not done, because {}."
NOTHING = "nothing is pooled over several studies"
KINDS = {"normal": "Normal", "t": "t tails"}


def table(evidence: Results) -> Table:
    """Mean and heterogeneity of each pooled effect, with normal and with t heterogeneity."""
    found = evidence.robustness.get("tails", pd.DataFrame())
    rows = []
    for row in records(found):
        done = not row["reason"]
        cells = {
            "Effect": effect_in_metric(evidence, row),
            "Studies": str(row["studies"]),
            "Main result": "{} ({})".format(*estimate_and_interval(row)),
        }
        for kind, name in KINDS.items():
            ends = interval(row[f"lower_{kind}"], row[f"upper_{kind}"]) if done else ""
            cells[name] = f"{number(row[f'mean_{kind}'])} ({ends})" if done else "–"
            cells[f"{name}: SD"] = number(row[f"total_{kind}"]) if done else "–"
        cells["Farthest"] = evidence.labels.study(row["farthest"]) if done else "–"
        rows.append(cells | {"Not done, because": row["reason"] or "–"})
    caption = (
        "Heterogeneity with heavy tails: each pooled effect of one estimate of each study (the "
        f"mean, where it has several), with {share(evidence.interval)} interval and posterior mean "
        "of the standard deviation between studies, if deviations from the mean are normal and if "
        "they have a t distribution with the same prior of their standard deviation. The main "
        "result beside them has all estimates, and no shrinkage to a family. Farthest: the study "
        "farthest from the mean."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """The largest difference that t tails make, in a sentence; none without these analyses."""
    if "tails" not in evidence.robustness:
        return {}
    found = evidence.robustness["tails"]
    if not len(found):
        return {"sentence": NOT_DONE.format(NOTHING)}
    done = found[found["reason"] == ""]
    if not len(done):
        return {"sentence": NOT_DONE.format(joined(dict.fromkeys(found["reason"])))}
    apart = done["mean_t"] - done["mean_normal"]
    row = done.iloc[int(apart.abs().argmax())].to_dict()
    said = (
        f"With t tails ({row['df']:g} degrees of freedom) in place of normal heterogeneity no "
        f"pooled mean of one estimate of each study moves by more than {number(apart.abs().max())} "
        f"({effect_in_metric(evidence, row)}: from {number(row['mean_normal'])} to "
        f"{number(row['mean_t'])}; "
        f"farthest from it is {evidence.labels.study(str(row['farthest']))})"
    )
    left = len(found) - len(done)
    return {"sentence": f"{said}{f'; for {left} it was not done' if left else ''}."}
