"""Design-based estimates with sampling weights, beside the model: the table."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, grouped
from metastudy.common.tables import records
from metastudy.display.formatting import inline, interval, number, share
from metastudy.display.pipe_table import Table

__all__ = ["table"]


def table(evidence: Results) -> Table:
    """Design-based estimates in SD, with weights and, beside them, without."""
    found, labels = shown_people.of_estimates(evidence, evidence.design_based), evidence.labels
    rows, key = [], ["study", "exposure", "outcome", "vignette"]
    plain: Mapping[tuple[str, ...], float] | pd.Series
    plain = found[~found["weighted"]].set_index(key)["estimate"] if len(found) else {}
    for row in records(found[found["weighted"]]) if len(found) else ():
        head = labels.exposure(row["exposure"], row["exposure_type"]).label
        if row["vignette"]:
            head += f", {inline(figure_rows.vignette_label(evidence, row['vignette']))}"
        rows.append(
            {
                "Exposure": head,
                "Outcome": labels.outcome(row["outcome"]),
                "Weighted, SD": number(row["estimate"]),
                f"{share(evidence.interval)} interval": interval(row["low"], row["high"]),
                "Unweighted, SD": number(plain[tuple(row[k] for k in key)]),
                "n": str(row["n"]),
            }
        )
    shown = grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Sensitivity analysis: design-based estimates with sampling weights and standard errors "
        "robust to clusters, beside the same regression without weights."
    )
    marks = tuple(found["provenance"]) if len(found) else ()
    return Table(shown, found, caption, marks)
