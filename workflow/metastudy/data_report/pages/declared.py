"""Moderators, groupings, reliabilities, dependence and funnels on the page of a study."""

from __future__ import annotations

from metastudy.codebook.interactions import INTERACTION
from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages.cells import NONE
from metastudy.display.formatting import words
from metastudy.display.labels import Labels
from metastudy.display.page import Parts, Table, Text

__all__ = ["ENOUGH", "NO_MODERATOR", "declared"]

ENOUGH = 10  # effects from which selection and heterogeneity can be told apart (Sterne et al. 2011)
NO_MODERATOR = "No moderator is declared, so effects are not compared by one."
NO_PAIR = "Nothing is declared of how estimates of one publication hang together."


def declared(found: Inspection, labels: Labels) -> Parts:
    """What the codebook declares, and how many effects each outcome has for a funnel."""
    own = found.declared
    if not own:
        return []
    parts: Parts = []
    if own.attributes:
        rows = [
            (
                words(one.kind),
                labels.of(one.name, "moderators", "factors", "constructs"),
                labels.of(one.value, "factors", "constructs")
                if one.kind == INTERACTION
                else one.value,
                "the study" if one.findings is None else f"{one.findings} findings",
            )
            for one in own.attributes
        ]
        columns = ["What", "Name", "Value", "Of"]
        parts.append(Table("Declared by the codebook", columns, rows, heads=2))
    if all(one.kind != "moderator" for one in own.attributes):
        parts.append(Text(NO_MODERATOR))
    if own.funnels:
        pairs = own.given + own.correlated
        parts.append(
            Text(
                f"Pairs of estimates with a declared covariance: {own.given}; with a declared "
                f"correlation: {own.correlated}."
                if pairs
                else NO_PAIR
            )
        )
        effects = [
            (
                labels.of(one.exposure, "factors", "constructs"),
                labels.outcome(one.outcome),
                words(one.metric) if one.metric else NONE,
                str(one.effects),
                str(one.publications),
                "yes" if one.publications >= ENOUGH else "no, fewer than ten publications",
            )
            for one in own.funnels
        ]
        columns = ["Exposure", "Outcome", "Metric", "Effects", "Publications", "Selection models"]
        note = (
            "Effects with a standard error, in this file alone: what a funnel of them would show. "
            "Effects of other files on the same outcome are added before anything is analysed."
        )
        parts.append(Table("Effects for a funnel", columns, effects, heads=3, note=note))
    return parts
