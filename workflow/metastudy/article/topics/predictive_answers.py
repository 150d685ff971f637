"""Predictive checks of answers: distributions, correlations and means by place, as a figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.topics import predictive_checks
from metastudy.article.topics.predictive_checks import (
    PLACES,
    SHAPE,
    SPREAD,
    farthest,
    farthest_blocks,
    marks,
    of_how_many,
    outcome_label,
    panels,
    whole_studies,
)
from metastudy.common.tables import records
from metastudy.display.formatting import inline

__all__ = ["figure"]


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Predictive checks of a module (:func:`metastudy.article.topics.predictive_checks.figure`)."""
    return predictive_checks.figure(evidence, module, _predictive_rows)


def _predictive_rows(evidence: Results, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    labels, whole = evidence.labels, whole_studies(table)
    number = whole.groupby("study")["vignette"].nunique()
    several = {str(study): n > 1 for study, n in number.items()}
    blocks, remark = farthest_blocks(whole, ["study", "vignette"])
    for (study, vignette), own in blocks:
        block = labels.study(study)
        if several[study]:
            block += f", {inline(figure_rows.vignette_label(evidence, vignette))}"
        yield from panels(evidence, own, SHAPE, block + remark)
        if len(blocks) == 1 and (own["statistic"] == "site_sd").any():
            yield from panels(evidence, own, SPREAD, f"{block}: standard deviations")
    pairs = whole[(whole["statistic"] == "correlation") & (whole["kind"] == "posterior")]
    pairs = pairs[pairs["study"].isin([study for (study, _), _ in blocks])]
    worst = farthest(pairs)
    heading = "Correlations between outcomes" + of_how_many(len(worst), len(pairs))
    for row in records(pairs[pairs.index.isin(worst)]):
        panel = labels.study(row["study"]) if pairs["study"].nunique() > 1 else ""
        label = outcome_label(evidence, row, several[row["study"]])
        yield from marks(evidence, row, {"block": heading, "panel": panel, "row": label})
    means = table[table["statistic"] == "mean"]
    for place, (said, section) in PLACES.items():
        for row in records(means[means[place] != ""]):
            panel = outcome_label(evidence, row, table["vignette"].nunique() > 1)
            what = {
                "block": f"Means {said}",
                "panel": panel,
                "row": labels.of(row[place], section),
            }
            yield from marks(evidence, row, what)
