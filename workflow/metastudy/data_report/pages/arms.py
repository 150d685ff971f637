"""Arms on the page of a study: balance and attrition."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from metastudy.common.tables import JOINT
from metastudy.data_report import figures
from metastudy.data_report.balance import Difference
from metastudy.data_report.inspection.values import Arms, Inspection
from metastudy.data_report.pages.cells import NONE, cell, number_cell
from metastudy.display.formatting import inline, joined, number, numbered, words
from metastudy.display.labels import Labels
from metastudy.display.page import Parts, Table, Text, drawn

__all__ = ["arms"]


def _arm(arm: str, factors: Sequence[str], labels: Labels) -> str:
    levels = arm.split(JOINT)
    names = []
    for factor, level in zip(factors, levels, strict=False):
        names.append(labels.vocabulary.levels(factor).get(level, level))
    if len(levels) != len(factors):
        return arm
    return joined([names[0], *map(inline, names[1:])])


def arms(found: Inspection, labels: Labels) -> Parts:
    """People by arm, balance, who left, and manipulation checks; empty without arms."""
    arms = found.arms
    if not arms:
        return []
    rows = [
        (
            _arm(one.arm, arms.factors, labels),
            NONE if one.vignette is None else labels.of(one.vignette, "vignettes"),
            cell(one.n),
        )
        for one in arms.counts
    ]
    parts: Parts = [Table("People by arm", ["Arm", "Situation", "People"], rows, heads=2)]
    parts += _balance(arms, found.provenance, labels)
    parts += _left(arms, labels)
    checks = arms.checks
    if not checks:
        parts.append(Text("Manipulation checks: none declared."))
    else:
        parts.append(
            Table(
                "Manipulation checks",
                ["Check", "Level", "People", "Mean, % of the scale", "Difference, SD"],
                [
                    (
                        labels.outcome(one.construct),
                        labels.vocabulary.levels(one.factor)[one.level],
                        cell(one.n),
                        number_cell(one.mean, 1),
                        number_cell(one.difference),
                    )
                    for one in checks
                ],
                heads=2,
            )
        )
    return parts


def _balance(arms: Arms, provenance: str, labels: Labels) -> Parts:
    rows = arms.balance
    if not rows:
        return [Text("Balance: no trait was recorded that could be compared between arms.")]
    several = len({row.vignette for row in rows}) > 1

    def panel(row: Difference) -> str:
        levels = labels.vocabulary.levels(row.factor)
        text = f"{levels[row.level]} against {inline(levels[row.reference])}"
        where = row.vignette
        return f"{text} ({inline(labels.of(where, 'vignettes'))})" if several and where else text

    table = pd.DataFrame(
        [
            {
                "panel": panel(row),
                "trait": words(row.trait),
                "category": row.category,
                "difference": row.difference,
                "chance": row.chance,
                "provenance": provenance,
            }
            for row in rows
        ]
    )
    largest = max(rows, key=lambda row: abs(row.difference))
    alt = (
        f"Standardised differences of {numbered(len(rows), 'trait', digits=True)} between arms. "
        "The largest is "
        f"{number(largest.difference)} ({inline(words(largest.trait))} "
        f"{largest.category})."
    )
    caption = (
        "How people differ between arms, in standard deviations. Grey: what chance explains in 95 "
        "of 100 traits; diamonds lie outside."
    )
    wide = table.pivot_table(
        index=["trait", "category"], columns="panel", values="difference", sort=False
    )
    cells = [
        (trait, category or NONE, *("–" if pd.isna(v) else number(v) for v in values))
        for (trait, category), values in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return [
        drawn("balance", figures.balance(table), caption, alt),
        Table(
            "Standardised differences between arms",
            ["Trait", "Category", *map(str, wide.columns)],
            cells,
            heads=2,
        ),
    ]


def _left(arms: Arms, labels: Labels) -> Parts:
    left = arms.left
    if left is None:
        return [Text("Who left from which arm: not recorded.")]
    if not left:
        return [Text("Who left from which arm: no row left whose arm is known.")]
    rows = [
        (
            words(row.rule),
            labels.of(row.factor, "factors"),
            labels.vocabulary.levels(row.factor)[row.level],
            cell(row.n),
            NONE if row.share is None else f"{row.share:.1f}%",
        )
        for row in left
    ]
    note = (
        "Shares are of all rows read whose level is known; a level in which a count is hidden has "
        "none."
    )
    columns = ["Rule", "Factor", "Level", "Rows", "Share"]
    return [Table("Who left, by arm", columns, rows, heads=3, note=note)]
