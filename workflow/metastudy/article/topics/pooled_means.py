"""Pooled means: shrunk to their family's or not, the family's mean, and what their prior does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import (
    estimate_and_interval,
    metric_label,
    role_label,
    verdict_label,
)
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number, numbered
from metastudy.synthesis.families import FAMILY
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["IN_FAMILY", "PULLED", "family_rows", "not_shrunk", "pulled"]

IN_FAMILY = "shrunk with the outcomes of its family"
PULLED = 0.25  # posterior standard deviations: a pull of a prior below this is not reported


def pulled(row: Mapping[str, Any]) -> str:
    """A conflict between the prior of a pooled mean and its data, where it is large."""
    if pd.isna(row["prior_pull"]) or abs(row["prior_pull"]) <= PULLED:
        return ""
    return f"pulled by its prior ({number(row['prior_pull'])} posterior SD)"


def not_shrunk(row: Mapping[str, Any]) -> str:
    """A pooled mean as it is without its family, where it is in one."""
    if pd.isna(row["mean_apart"]):
        return "–"
    alone = {name: row[f"{name}_apart"] for name in ("mean", "lower", "upper")}
    return "{} ({})".format(*estimate_and_interval(alone))


def family_rows(evidence: Results, several_roles: bool) -> Iterator[dict[str, str]]:
    """The mean that the outcomes of a family share, for each that has one."""
    pooled = evidence.synthesis["pooled"]
    for row in records(pooled[pooled["level"] == FAMILY]):
        label = evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"])
        role = f", {role_label(evidence, row['role'])}" * (several_roles and bool(row["role"]))
        yield {
            "Exposure": f"{label}, {metric_label(row['metric'])}",
            "Outcome": f"Mean of {inline(evidence.labels.outcome(row['outcome']))}{role}",
            "Studies": str(row["studies"]),
            "Study estimates": "–",
            "Pooled": "{} ({})".format(*estimate_and_interval(row)),
            "Not shrunk": "–",
            "Prediction": "–",
            "Verdict": verdict_label(evidence, row),
            "Remark": pulled(row) or "–",
        }


def over_places(evidence: Results, means: pd.DataFrame, total: int) -> str:
    """What is said where no two studies report an effect, and one study is of several places.

    Parameters
    ----------
    means : the pooled effects.
    total : estimands, pooled or not.
    """
    estimates = evidence.synthesis["estimates"]
    own = estimates.merge(means[ESTIMAND].drop_duplicates(), on=ESTIMAND)
    many = [
        f"{count(n)} {plural}"
        for column, plural in (("country", "countries"), ("sector", "sectors"))
        if (n := own[column].nunique()) > 1
    ]
    over = (
        f"pooled over {numbered(len(own), 'estimate', digits=True)} in {joined(many, 'one place')}"
    )
    if total == 1:
        return f"One effect is reported, by one study, and {over}."
    are = "is" if len(means) == 1 else "are"
    return (
        f"No two studies report one of the {total} effects; {count(len(means))} of them {are} "
        f"{over}."
    )
