"""Published findings as rows of effects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from metastudy.codebook import vocabulary as vocabularies
from metastudy.harmonize import decoders
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema

__all__ = ["effects"]


def effects(study: Study, ids: pd.Series) -> pd.DataFrame:
    """Make one row a published finding; what no field says is the study's own."""
    codebook = study.codebook
    own = codebook.study
    identity = codebook.having("id")[0].name
    study.decode(identity, decoders.identifier)
    data: dict[str, Any] = {
        "study_id": own.id,
        "finding_id": ids,
        "provenance": own.provenance,
        "role": own.role or None,
        "country": own.country or None,
        "sector": own.sector or None,
    }
    fields = {str(variable.field): variable for variable in codebook.having("finding")}
    for field_, variable in fields.items():
        reader = decoders.finding(variable, codebook.vocabulary)
        data["finding_id" if field_ == "finding" else field_] = study.decode(variable.name, reader)
    table = schema.shape("effects", pd.DataFrame(data, index=ids.index))
    for name, column in schema.TABLES["effects"].columns.items():
        declared = fields.get("finding" if name == "finding_id" else name)
        empty = table[name].isna()
        told = {problem.column for problem in study.problems}
        if (
            declared
            and not column.null
            and empty.any()
            and study.table.place(declared.name) not in told
        ):
            study.report(
                empty.to_numpy(),
                declared.name,
                "an empty cell",
                f"the finding's {name} in every row",
                "fill the cell in, or take the row out",
                "incomplete-finding",
            )
    lost = table["estimate"].notna() & table["metric"].isna()
    if "estimate" in fields and lost.any():
        study.report(
            lost.to_numpy(),
            fields["estimate"].name,
            "an estimate without a metric",
            f"one of {', '.join(vocabularies.METRICS)} beside each estimate",
            "fill the metric in",
            "incomplete-finding",
        )
    return table.sort_values("finding_id", ignore_index=True)
