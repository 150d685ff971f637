"""Published findings as rows of effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import Variable
from metastudy.harmonize import decoders
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema

__all__ = ["effects"]

OF_SD = ("standardiser", "small_sample", "sd_error")  # fields that say something of the metric sd
SDS = ("sd_control", "sd_treatment")


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
        listed = {problem.column for problem in study.problems}
        if (
            declared
            and not column.null
            and empty.any()
            and study.table.place(declared.name) not in listed
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
    _check_standardisers(study, fields, table)
    return table.sort_values("finding_id", ignore_index=True)


def _check_standardisers(study: Study, fields: Mapping[str, Variable], table: pd.DataFrame) -> None:
    """Report what is said of standard deviations and arms and cannot be true."""

    def report(hits: pd.Series, field: str, found: str, expected: str, fix: str) -> None:
        if field in fields and hits.any():
            name = fields[field].name
            study.report(hits.to_numpy(), name, found, expected, fix, "standardiser")

    other = table["metric"].notna() & table["metric"].ne("sd")
    for field in OF_SD:
        report(
            other & table[field].notna(),
            field,
            "what only an effect in standard deviations has, beside another metric",
            "an empty cell, or sd as the metric",
            "empty the cell, or correct the metric",
        )
    for field, partner in (SDS, SDS[::-1]):
        report(
            table[field].notna() & table[partner].isna(),
            field,
            "the standard deviation of one arm without that of the other",
            f"both {SDS[0]} and {SDS[1]}, or neither",
            f"fill in {partner}, or empty the cell",
        )
        report(
            table[field].eq(0),
            field,
            "a standard deviation of zero",
            "a standard deviation above zero",
            "correct it, or empty the cells of both arms",
        )
    report(
        table["n_control"].fillna(2) + table["n_treatment"].fillna(2) > table["n"],
        "n",
        "more respondents in the arms than in all",
        "n_control and n_treatment that make up n at most",
        "correct the numbers, all of the respondents that the effect is of",
    )
