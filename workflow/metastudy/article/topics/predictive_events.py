"""Predictive checks of events: shares of studies and places, and what comes together, as figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.topics import predictive_checks
from metastudy.article.topics.predictive_checks import (
    OF_EVENTS,
    PLACES,
    farthest,
    farthest_blocks,
    marks,
    of_how_many,
    outcome_label,
    panels,
    whole_studies,
)
from metastudy.common.tables import records

__all__ = ["figure"]


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Predictive checks of a module (:func:`metastudy.article.topics.predictive_checks.figure`)."""
    return predictive_checks.figure(evidence, module, _predictive_rows)


def _predictive_rows(evidence: Results, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    labels, whole = evidence.labels, whole_studies(table)
    blocks, remark = farthest_blocks(whole, ["study"])
    for (study,), own in blocks:
        yield from panels(evidence, own, OF_EVENTS, labels.study(study) + remark)
    pairs = whole[(whole["statistic"] == "correlation") & (whole["kind"] == "posterior")]
    worst = farthest(pairs)
    heading = "Correlations between outcomes" + of_how_many(len(worst), len(pairs))
    for row in records(pairs[pairs.index.isin(worst)]):
        panel = labels.study(row["study"]) if pairs["study"].nunique() > 1 else ""
        label = outcome_label(evidence, row, vignettes=False)
        yield from marks(evidence, row, {"block": heading, "panel": panel, "row": label})
    shares = table[table["statistic"] == "share"]
    for place, (said, section) in PLACES.items():
        for row in records(shares[shares[place] != ""]):
            panel = outcome_label(evidence, row, vignettes=False)
            what = {"block": f"Shares {said}", "panel": panel}
            yield from marks(evidence, row, what | {"row": labels.of(row[place], section)})
