"""Differences between effects, which alone say that one outcome or vignette differs from another.

Two verdicts side by side are no evidence of a difference, so what the article says of several
outcomes together comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.effect_sentences import contrast_variables, numbers_of
from metastudy.article.figure_rows import vignette_label
from metastudy.article.results import Modelled, Results
from metastudy.article.table_rows import (
    BORDER_NOTE,
    columns_of,
    estimate_and_interval,
    grouped,
    is_judged,
    outcome_label,
    role_label,
    rope_cells,
    rope_label,
    study_marks,
    verdict_label,
    verdict_of,
)
from metastudy.article.variable_tree import Tree, put
from metastudy.codebook.interactions import INTERACTION
from metastudy.common.tables import records
from metastudy.display.formatting import inline, interval, joined, number, probability, share
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import Finding, differences
from metastudy.models.base import AT

__all__ = ["modelled_apart", "modelled_together", "sentences", "table"]


def table(evidence: Results, module: str) -> Table:
    """The differences between effects of a module, each with interval, probability and verdict.

    Those between studies are printed without a verdict: all that differs between the studies is in
    them.
    """
    found, metric = _of(evidence, module), evidence.kind(module).metric
    rows, full, beside = [], [], _with_other_correlations(evidence, module)
    for row in records(found):
        estimate, bounds = estimate_and_interval(row)
        rows.append(
            {
                "Exposure": evidence.labels.exposure_with_type(
                    row["exposure"], row["exposure_type"]
                ),
                "Outcome": outcome_label(evidence, row)
                if row["level"] != "role"
                else evidence.labels.outcome(row["outcome"]),
                "Difference": _between(evidence, row),
                UNIT[metric]: estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(row["pd"]),
                **rope_cells(row),
                "Verdict": verdict_label(evidence, row) if is_judged(row) else row["note"],
                **{f"At {at:g}": _at(beside.get(row["id"]), at) for at in AT if beside},
            }
        )
        full.append(row | {"verdict": verdict_of(evidence, row)})
    shown = grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: differences between effects, in "
        f"{UNITS[metric]}, with {share(evidence.interval)} credible intervals, the probability "
        "of their direction, and those of lying beyond the region of practical equivalence "
        f"(ROPE: {rope_label(evidence, metric)}) on the likelier side and inside it. "
        "Against the others of its family: against the mean of their effects. “Other studies”: a "
        f"difference between studies, of which nothing is claimed. {BORDER_NOTE}"
    )
    if beside:
        caption += (
            f" At {AT[0]:g} and {AT[1]:g}: with these correlations between outcomes of arms in "
            "place of the assumed one."
        )
    marks = tuple(found["provenance"]) or study_marks(evidence)
    return Table(shown, pd.DataFrame(full), caption, marks)


UNIT = {"sd": "SD", "log_odds": "Log-odds"}
UNITS = {"sd": "standard deviations", "log_odds": "log-odds"}


def _with_other_correlations(evidence: Results, module: str) -> dict[str, dict[str, Any]]:
    """Rows of contrasts that rest on an assumed correlation, by their ids."""
    found = evidence.correlations_of_arms
    mine = found[found["module"] == module] if len(found) else found
    return {str(row["id"]): dict(row) for row in records(mine)}


def _at(row: Mapping[str, Any] | None, at: float) -> str:
    if row is None or pd.isna(row[f"mean_{100 * at:.0f}"]):
        return "–"
    mean, lower, upper = (row[f"{name}_{100 * at:.0f}"] for name in ("mean", "lower", "upper"))
    return f"{number(mean)} ({interval(lower, upper)})"


def _of(evidence: Results, module: str) -> pd.DataFrame:
    found = evidence.contrasts[module]
    return found[(found["estimand"] == "difference") & (found["variant"] == "main")]


def _between(evidence: Results, row: Mapping[str, Any]) -> str:
    """What is compared with what."""
    level, against = str(row["level"]), str(row["against"])
    if level == "outcome":
        return "Against the others of its family"
    if level == "vignette":
        other = inline(vignette_label(evidence, against))
        return f"“{vignette_label(evidence, row['vignette'])}” rather than “{other}”"
    if level == "role":
        return f"{evidence.labels.of(row['role'], 'roles')} against {role_label(evidence, against)}"
    one, other = (evidence.labels.of(k, "exposure_types") for k in (row["exposure_type"], against))
    return f"{one} against {inline(other)}"


SENTENCES = {  # what is said where the design has no such difference
    "outcome": "It has one outcome in each family, so no outcome is compared with others.",
    "vignette": "It was in one vignette only, so no vignettes are compared.",
}


def sentences(evidence: Results, module: str, exposure: str, kind: str) -> Tree:
    """The variables of an exposure's differences.

    Returns
    -------
    ``differences.<outcome>`` with ``against_family`` or, for vignettes, ``<vignette>``, and the
    sentences ``differences.outcomes`` and ``differences.vignettes``.
    """
    found = _of(evidence, module)
    mine = found[found["exposure"] == exposure]
    noun = {"randomised": "effect", INTERACTION: INTERACTION}.get(kind, "association")
    tree: Tree = {}
    for name, level in (("outcomes", "outcome"), ("vignettes", "vignette")):
        own = mine[mine["level"] == level]
        put(tree, [], {name: _sentence(evidence, own, noun, level)}, *records(own))
    for row in records(mine):
        if row["level"] == "outcome":
            several = [row["role"]] if evidence.several_roles(module) else []
            path = [row["outcome"], *several, "against_family"]
        elif row["level"] == "vignette":
            path = [row["outcome"], f"{row['vignette']}_against_{row['against']}"]
        else:
            continue
        put(tree, path, contrast_variables(evidence, row))
    return {"differences": tree}


def _sentence(evidence: Results, rows: pd.DataFrame, noun: str, level: str) -> str:
    """What the differences say, one sentence for what each of them is against."""
    said = []
    for (vignette, against), mine in rows.groupby(["vignette", "against"], sort=False):
        what = "Against the mean of the other outcomes of the family"
        if level == "vignette":
            first, second = (inline(vignette_label(evidence, str(v))) for v in (vignette, against))
            what = f"In “{first}” rather than “{second}”"
        said.append(differences(what, [_finding(evidence, r) for r in records(mine)], noun))
    return " ".join(said) or SENTENCES[level]


def _finding(evidence: Results, row: Mapping[str, Any]) -> Finding:
    verdict = evidence.judged(row)
    label = inline(outcome_label(evidence, row))
    return Finding(label, verdict.kind, numbers_of(evidence, row), verdict.border)


def modelled_apart(evidence: Results, own: Modelled) -> str:
    """Why a module makes no differences between outcomes, where a study does not allow any."""
    names = joined(inline(evidence.labels.study(study)) for study in own.apart)
    return (
        f"Of {names} only means of arms are known, and no correlations between outcomes. So each "
        "outcome is modelled by itself: none is pooled with another, and no effects on two of them "
        "are compared."
    )


def modelled_together(evidence: Results, own: Modelled, module: str) -> str:
    """That a correlation between outcomes is assumed, and how far differences move with others."""
    names = joined(inline(evidence.labels.study(study)) for study in own.assumed)
    said = (
        f"Of {names} only means of arms are known, and no correlations between outcomes. Within a "
        f"family of outcomes one of {own.correlation:g} is assumed"
    )
    beside = _with_other_correlations(evidence, module)
    moved = [
        abs(row[f"mean_{100 * at:.0f}"] - row["mean"])
        for key in _of(evidence, module)["id"]
        for row in [beside.get(str(key))]
        for at in AT
        if row is not None and pd.notna(row[f"mean_{100 * at:.0f}"])
    ]
    if not moved:
        return f"{said}; no difference between outcomes rests on it that could be made with others."
    return (
        f"{said}; with {AT[0]:g} or {AT[1]:g} in its place no difference between effects on two "
        f"outcomes moves by more than {number(max(moved))} SD, and the table of differences has "
        "its intervals."
    )
