"""Measured associations: the confounder that would explain them, and errors of measurement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, grouped
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import inline, interval, number, percent, share
from metastudy.display.pipe_table import Table
from metastudy.models.answers.associations import INTERACTS

__all__ = ["NOT_CORRECTED", "NOT_DONE", "table", "variables"]

NOT_DONE = (
    "Robustness to confounding: not done, because no study has a measured exposure of answers."
)
NOT_CORRECTED = (
    "A correction for the reliability of scales was not made, because no codebook declares one."
)


def table(evidence: Results) -> Table:
    """Each measured association of a study, its robustness value, and its corrected estimate."""
    found = evidence.robustness.get("associations", pd.DataFrame())
    any_corrected = len(found) and found["corrected"].notna().any()
    rows = []
    for row in records(found):
        cells = {
            "Exposure": _exposure(evidence, row),
            "Outcome": evidence.labels.outcome(row["outcome"]),
            "SD": number(row["estimate"]),
            f"{share(evidence.interval)} interval": interval(row["lower"], row["upper"]),
            "Partial R²": percent(row["partial_r2"], 1),
            "Robustness": percent(row["robustness"], 1),
            "Of the interval": percent(row["robustness_interval"], 1),
        }
        if any_corrected:
            known = pd.notna(row["corrected"])
            ends = interval(row["corrected_lower"], row["corrected_upper"]) if known else ""
            of = (row["reliability_exposure"], row["reliability_outcome"])
            cells["Reliabilities"] = ", ".join(f"{r:g}" for r in of)
            cells["Corrected, SD"] = (
                f"{number(row['corrected'])} ({ends})" if known else row["reason"]
            )
        rows.append(cells)
    shown = grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Measured associations, each of one study and place by itself, by regression within sites "
        "on all exposures. Robustness: the share of what is left of the variance both of exposure "
        "and of outcome that a confounder would have to explain for the estimate to be zero; of "
        "the interval: for its interval to reach zero."
    )
    if any_corrected:
        caption += (
            " Corrected: a sensitivity analysis with true scores in place of measured ones, for "
            "the reliabilities of exposure and outcome that codebooks declare (1: none declared)."
        )
    found = shown_people.of_estimates(evidence, found)
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """The strongest association and what would explain it; none without these analyses."""
    if "associations" not in evidence.robustness:
        return {}
    found = evidence.robustness["associations"]
    if not len(found):
        return {"sentence": NOT_DONE, "reliability": NOT_DONE}
    row = found.iloc[int(found["robustness"].argmax())].to_dict()
    beyond = int((found["robustness_interval"] > 0).sum())
    size = percent(row["robustness"], 1)
    said = (
        f"Of {len(found)} measured associations, each of one study and place by itself, {beyond} "
        f"{'has' if beyond == 1 else 'have'} a {share(evidence.interval)} interval without zero. "
        f"The most robust one is {_name(evidence, row)}: a confounder that explains {size} of what "
        "is left of the variance both of exposure and of outcome would bring it to zero, and "
        f"{percent(row['robustness_interval'], 1)} its interval to zero"
    )
    return {"sentence": f"{said}.", "reliability": _corrected(evidence, found)}


def _corrected(evidence: Results, found: pd.DataFrame) -> str:
    known = found[found["corrected"].notna()]
    if not len(known):
        if found["reason"].eq(INTERACTS).any():
            return "No correction for reliability is made beside an interaction, whose error of " \
                "measurement is not that of its parts."  # fmt: skip
        declared = found[["reliability_exposure", "reliability_outcome"]].min().min() < 1
        return "The correction for reliability could not be made, because with the declared ones " \
            "errors would make up nearly all of the differences between people." \
            if declared else NOT_CORRECTED  # fmt: skip
    apart = (known["corrected"] - known["estimate"]).abs()
    row = known.iloc[int(apart.argmax())].to_dict()
    return (
        f"Corrected for the declared reliabilities of exposures and outcomes, {len(known)} of "
        f"{len(found)} associations change, none by more than {number(apart.max())} SD "
        f"({_name(evidence, row)}: from {number(row['estimate'])} to {number(row['corrected'])})."
    )


def _exposure(evidence: Results, row: Mapping[Any, Any]) -> str:
    head = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    where = evidence.labels.study(str(row["study"]))
    vignette = str(row["vignette"])
    named = f", {inline(figure_rows.vignette_label(evidence, vignette))}" if vignette else ""
    return f"{head}, {where}{named}"


def _name(evidence: Results, row: Mapping[Any, Any]) -> str:
    return f"{_exposure(evidence, row)}: {inline(evidence.labels.outcome(str(row['outcome'])))}"
