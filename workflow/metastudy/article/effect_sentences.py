"""What the article says of effects: numbers, verdicts, and sentences over several outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metastudy.article.results import Evidence
from metastudy.article.variable_tree import UNITS, Tree
from metastudy.display.formatting import count, inline, interval, joined, number, probability, share
from metastudy.display.sentences import Finding, comparison, phrases, summary
from metastudy.posterior.verdicts import KINDS, Kind

__all__ = ["contrast_variables", "exposure_variables", "findings_of", "sentence_variables"]


def contrast_variables(evidence: Evidence, row: Mapping[str, Any], codes: bool = False) -> Tree:
    """The variables of one contrast in standard deviations or log-odds."""
    kind = evidence.verdict(row)
    words = phrases(str(row["exposure_type"]), codes)
    return {
        "estimate": number(row["mean"]),
        "interval": interval(row["lower"], row["upper"]),
        "sd": number(row["sd"]),
        "pd": probability(row["pd"]),
        "rope": probability(row["rope"]),
        "text": _numbers(evidence, row),
        "verdict": kind,
        "direction": _direction(kind, row),
        "effect": words.verb[kind][0],
        "effect_plural": words.verb[kind][1],
        "adjective": words.adjective[kind],
    }


def _direction(kind: Kind, row: Mapping[str, Any]) -> str:
    if kind in ("higher", "lower"):
        return "positive" if kind == "higher" else "negative"
    return "practically none" if kind == "equivalent" else "unclear"


def _numbers(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """Numbers inside a sentence: ``0.24 SD, 95% interval 0.11 to 0.38``."""
    what = UNITS[str(row["metric"])]
    value = number(row["mean"])
    value = f"{value} {what}" if what == "SD" else f"{what} {value}"
    return f"{value}, {share(evidence.interval)} interval {interval(row['lower'], row['upper'])}"


def findings_of(evidence: Evidence, rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Outcome, verdict and numbers of each row of contrasts, for a sentence."""
    return [
        Finding(
            inline(evidence.labels.outcome(str(row["outcome"]))),
            evidence.verdict(row),
            _numbers(evidence, row),
        )
        for row in rows
    ]


def sentence_variables(
    evidence: Evidence,
    exposure: str,
    kind: str,
    rows: Sequence[Mapping[str, Any]],
    codes: bool = False,
) -> Tree:
    """What is said of all outcomes of one exposure together."""
    found = findings_of(evidence, rows)
    plural = "codes" if codes else "outcomes"
    subject = evidence.labels.exposure(exposure, kind).change
    leaves: Tree = {
        "summary": summary(subject, found, phrases(kind, codes), plural),
        "comparison": comparison(found, plural),
    }
    for verdict in KINDS:
        mine = [f.label for f in found if f.kind == verdict]
        leaves[verdict] = {
            "outcomes": joined(mine, f"none of the {plural}"),
            "count": count(len(mine)),
        }
    return leaves


def exposure_variables(evidence: Evidence, exposure: str, kind: str) -> Tree:
    """The names of an exposure: label, inline label, subject of a sentence, and its type."""
    said = evidence.labels.exposure(exposure, kind)
    return {
        "label": said.label,
        "inline": inline(said.label),
        "subject": said.change,
        "type": inline(evidence.labels.of(kind, "exposure_types")),
    }
