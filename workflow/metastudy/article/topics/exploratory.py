"""The exploratory model over all families: figure and table."""

from __future__ import annotations

import pandas as pd

from metastudy.article.figure_rows import FOREST, by_place, mark_of
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    columns_of,
    estimate_and_interval,
    level_label,
    rope_cells,
    rope_label,
)
from metastudy.common.tables import records
from metastudy.display.formatting import joined, listed, probability, share, words
from metastudy.display.pipe_table import Table

__all__ = ["figure", "table"]


def table(evidence: Results) -> Table:
    """Estimates of the model over all families, in SD, by level and group."""
    table = evidence.synthesis["exploratory"]
    rows = []
    for row in records(by_place(evidence, table)):
        estimate, bounds = estimate_and_interval(row)
        group = "All estimates" if row["level"] == "population" else "–"
        if row["group"]:
            group = joined(evidence.labels.many(row["group"]), "")
        rows.append(
            {
                "Level": level_label(row),
                "Group": group,
                "SD": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(row["pd"]),
                **rope_cells(row),
            }
        )
    caption = (
        "Exploratory: one model over all families. Standardised estimates, signed so that more is "
        "more burden, pooled only here, with the probability of their direction, and those of "
        "lying beyond the region of practical equivalence "
        f"(ROPE: {rope_label(evidence)}) on the likelier side and inside it."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, table, caption, tuple(table["provenance"]))


def figure(evidence: Results) -> pd.DataFrame:
    """The model that spans the families: marked exploratory, and pooled nowhere else."""
    rows = []
    for row in records(by_place(evidence, evidence.synthesis["exploratory"])):
        level, group = str(row["level"]), str(row["group"])
        everything = level == "population" or level.startswith("new_")
        names = evidence.labels.many(group)
        label = (joined if level == "country" else listed)(names) if group else words(level)
        style = "diamond" if level == "population" else "filled"
        if level.startswith("new_"):
            style = "prediction"
        rows.append(
            mark_of(
                row,
                block="Exploratory: all estimates"
                if everything
                else f"Exploratory: by {words(level).lower()}",
                panel="",
                axis="Standardised effect towards more burden, SD",
                row="Mean" if level == "population" else label,
                series="Prediction" if style == "prediction" else "Partially pooled mean",
                style=style,
                hue="level",
                reference=0.0,
                rope=evidence.rope("sd"),
            )
        )
    return pd.DataFrame(rows, columns=FOREST).sort_values(
        "level", key=lambda c: ~c.str.match("population|new_"), kind="stable", ignore_index=True
    )
