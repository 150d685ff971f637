"""Predictive checks of codings: prevalence, agreement and codes per interview, as a figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.topics import predictive_checks
from metastudy.article.topics.predictive_checks import (
    MAX_IN_FIGURE,
    NUMBER,
    OF_CODES,
    PLACES,
    STATISTICS,
    between_clusters,
    farthest,
    farthest_blocks,
    marks,
    of_how_many,
    panels,
    whole_studies,
)
from metastudy.common.tables import records

__all__ = ["figure"]


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Predictive checks of a module (:func:`metastudy.article.topics.predictive_checks.figure`)."""
    return predictive_checks.figure(evidence, module, _predictive_rows)


def _predictive_rows(evidence: Results, table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    labels = evidence.labels
    table = between_clusters(evidence, table)
    whole = whole_studies(table)
    studies, remark = farthest_blocks(whole[whole["outcome"] != ""], ["study"])
    for (study,), mine in studies:
        after = mine[mine["kind"] == "posterior"]
        codes = list(dict.fromkeys(after.loc[farthest(after, len(after)), "outcome"]))
        block = (
            labels.study(study) + of_how_many(min(MAX_IN_FIGURE, len(codes)), len(codes)) + remark
        )
        shown = mine[mine["outcome"].isin(codes[:MAX_IN_FIGURE])]
        yield from panels(evidence, shown, OF_CODES, block)
    for name in NUMBER:
        for row in records(table[table["statistic"] == name]):
            places = [labels.of(row[p], section) for p, (_, section) in PLACES.items() if row[p]]
            what = {
                "block": "Number of codes per interview, by study, country and sector",
                "panel": STATISTICS[name].panel,
                "row": ", ".join(places) or labels.study(row["study"]),
            }
            yield from marks(evidence, row, what)
