"""What the article says of effects: numbers, verdicts, and sentences over several outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import VERDICTS
from metastudy.article.variable_tree import Tree, traced, unit
from metastudy.display.formatting import count, inline, interval, joined, number, probability, share
from metastudy.display.sentences import DOWN, UP, Finding, comparison, phrases, summary
from metastudy.posterior.verdicts import CLAIMS, KINDS, Kind

__all__ = [
    "by_vignette",
    "contrast_variables",
    "exposure_variables",
    "findings_of",
    "numbers_of",
    "sentence_variables",
]


def contrast_variables(evidence: Results, row: Mapping[str, Any], codes: bool = False) -> Tree:
    """The variables of one effect or difference."""
    found = evidence.judged(row)
    words = phrases(str(row["exposure_type"]), codes)
    inside = row["rope"]
    leaves = {
        "estimate": number(row["mean"]),
        "interval": interval(row["lower"], row["upper"]),
        "sd": number(row["sd"]),
        "pd": probability(row["pd"]),
        "rope": "not defined" if pd.isna(inside) else probability(inside),
        "beyond": "not defined"
        if pd.isna(inside)
        else probability(max(row["above"], row["below"])),
        "text": numbers_of(evidence, row),
        "verdict": found.kind,
        "verdict_text": VERDICTS[found.kind] + " (on the border)" * found.border,
        "direction": _direction(found.kind),
        "effect": words.verb[found.kind][0],
        "effect_plural": words.verb[found.kind][1],
        "adjective": words.adjective[found.kind],
    }
    return traced(leaves, row)


def _direction(kind: Kind) -> str:
    if kind in CLAIMS:
        return "positive" if kind in UP else "negative"
    return "too small to matter" if kind == "too_small" else "undecided"


def numbers_of(evidence: Results, row: Mapping[str, Any]) -> str:
    """Numbers inside a sentence: ``0.24 SD, 95% interval 0.11 to 0.38``."""
    what = unit(str(row["metric"]))
    value = number(row["mean"])
    value = f"{what} {value}" if what.startswith("log") else f"{value} {what}"
    return f"{value}, {share(evidence.interval)} interval {interval(row['lower'], row['upper'])}"


def findings_of(evidence: Results, rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Outcome, verdict and numbers of each row of contrasts, for a sentence."""
    found = []
    for row in rows:
        verdict = evidence.judged(row)
        label = inline(evidence.labels.outcome(str(row["outcome"])))
        found.append(Finding(label, verdict.kind, numbers_of(evidence, row), verdict.border))
    return found


def sentence_variables(
    evidence: Results,
    exposure: str,
    kind: str,
    rows: Sequence[Mapping[str, Any]],
    codes: bool = False,
) -> Tree:
    """What is said of all outcomes of one exposure together.

    ``comparison`` says which of them have a decided sign. What differs between them is said by
    :mod:`metastudy.article.topics.differences`.
    """
    found = findings_of(evidence, rows)
    plural = "codes" if codes else "outcomes"
    subject = evidence.labels.exposure(exposure, kind).change
    leaves: Tree = {
        "summary": summary(subject, found, phrases(kind, codes), plural),
        "comparison": comparison(found, plural),
    }
    groups: dict[str, tuple[Kind, ...]] = {verdict: (verdict,) for verdict in KINDS}
    for name, kinds in (groups | {"any_higher": UP, "any_lower": DOWN}).items():
        mine = [f.label for f in found if f.kind in kinds]
        leaves[name] = {
            "outcomes": joined(mine, f"none of the {plural}"),
            "count": count(len(mine)),
        }
    return traced(leaves, *rows)


def by_vignette(evidence: Results, kind: str, rows: Sequence[Mapping[str, Any]]) -> Tree:
    """Which outcomes have a decided sign in which vignette: none is lost in the mean of all."""
    named = [inline(evidence.labels.of(str(row["vignette"]), "vignettes")) for row in rows]
    found = [
        replace(one, label=f"{one.label} in “{name}”")
        for one, name in zip(findings_of(evidence, rows), named, strict=True)
    ]
    noun = "effects" if kind == "randomised" else "associations"
    return traced({"comparison": comparison(found, noun)}, *rows)


def exposure_variables(evidence: Results, exposure: str, kind: str) -> Tree:
    """The names of an exposure: label, inline label, subject of a sentence, and its type."""
    said = evidence.labels.exposure(exposure, kind)
    return {
        "label": said.label,
        "inline": inline(said.label),
        "subject": said.change,
        "type": inline(evidence.labels.of(kind, "exposure_types")),
    }
