"""Answers on the page of a study: items, scales, missing values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from metastudy.data_report import figures
from metastudy.data_report.inspection.values import Inspection, Item, Scale
from metastudy.data_report.pages.cells import (
    NONE,
    cell,
    coefficient,
    number_cell,
    number_or_none,
    per_cent,
)
from metastudy.display.formatting import inline, joined, number, numbered
from metastudy.display.labels import Labels
from metastudy.display.page import Parts, Table, Text, drawn

__all__ = ["items", "missing", "scales"]


def _block(row: Item | Scale, labels: Labels) -> str:
    label = labels.outcome(row.construct)
    where = row.vignette
    return label if where is None else f"{label}: {inline(labels.of(where, 'vignettes'))}"


def _several_situations(rows: Sequence[Item | Scale]) -> bool:
    return len({row.vignette for row in rows}) > 1


def _names(rows: Sequence[Item | Scale], labels: Labels) -> list[str]:
    """Names of scales: with the situation where there are several."""
    several = _several_situations(rows)
    return [_block(row, labels) if several else labels.outcome(row.construct) for row in rows]


def missing(found: Inspection, labels: Labels) -> Parts:
    """People without an answer to each item, by reason: a picture and a table."""
    answers = found.answers
    if not answers:
        return []
    reasons, items = answers.reasons, answers.items
    if not reasons:
        return [Text("Every item has an answer from everyone.")]
    names = [labels.of(reason, "missing_reasons") for reason in reasons]
    scales = _names(items, labels)
    rows = [
        (
            name,
            item.item,
            *(per_cent(item.missing[reason]) for reason in reasons),
            per_cent(item.all_missing),
        )
        for name, item in zip(scales, items, strict=True)
    ]
    sizes = Counter(scales)
    table = pd.DataFrame(
        [
            {
                "block": name if sizes[name] > 1 else _situation(item, labels) or "Single items",
                "item": item.item
                if sizes[name] > 1
                else f"{labels.outcome(item.construct)}, {item.item}",
                "reason": label,
                "share": number_or_none(item.missing[reason]),
                "provenance": found.provenance,
            }
            for name, item in zip(scales, items, strict=True)
            for reason, label in zip(reasons, names, strict=True)
        ]
    )
    alt = (
        f"Stacked bars: shares of people without an answer to "
        f"{numbered(len(items), 'item', digits=True)}, by reason "
        f"({joined(map(inline, names))}). The table below gives the numbers."
    )
    caption = "People without an answer, by item and reason; shares of few people are left out."
    note = "Rounded one by one, so that parts may not add up; no sum is given beside a hidden part."
    return [
        drawn("missing", figures.missing(table), caption, alt),
        Table(
            "People without an answer",
            ["Scale", "Item", *names, "Any reason"],
            rows,
            heads=2,
            note=note,
        ),
    ]


def _situation(row: Item | Scale, labels: Labels) -> str:
    """The situation that an item is about."""
    return "" if row.vignette is None else labels.of(row.vignette, "vignettes")


def scales(found: Inspection, labels: Labels) -> Parts:
    """Reliability, floor and ceiling of the scales; those of one item are named only."""
    answers = found.answers
    if not answers:
        return []
    every = list(zip(_names(answers.scales, labels), answers.scales, strict=True))
    single = [name for name, scale in every if scale.items == 1]
    parts: Parts = []
    if single:
        names = joined([single[0], *map(inline, single[1:])])
        parts.append(Text(f"Reliability is not computed where one item is the scale: {names}."))
    rows = [
        (
            name,
            cell(scale.items),
            cell(scale.rows),
            coefficient(scale.alpha, scale.why_alpha),
            NONE
            if scale.low is None or scale.high is None
            else f"{number(scale.low)} to {number(scale.high)}",
            coefficient(scale.omega, scale.why_omega),
            per_cent(scale.floor),
            per_cent(scale.ceiling),
        )
        for name, scale in every
        if scale.items > 1
    ]
    columns = [
        *("Scale", "Items", "Complete answers", "Cronbach’s alpha", "95% interval"),
        *("McDonald’s omega", "Floor", "Ceiling"),
    ]
    note = (
        "After alignment, so that more always means more of the construct. Floor and ceiling: "
        "people whose score is at the lowest or highest possible value."
    )
    if rows:
        parts.insert(
            0, Table("Reliability, floor and ceiling of the scales", columns, rows, note=note)
        )
    return parts


def items(found: Inspection, labels: Labels) -> Parts:
    """Answers to each item over its scale: a picture, a table per set of steps, and the ends."""
    answers = found.answers
    if not answers:
        return []
    items = answers.items
    several = _several_situations(items)
    drawing = pd.DataFrame(
        [
            {
                "block": (_situation(item, labels) or "About no particular situation")
                if several
                else "",
                "title": labels.outcome(item.construct),
                "note": item.item + (", reversed" if item.reversed else ""),
                "category": category,
                "share": number_or_none(share),
                "shown": cell(share),
                "provenance": found.provenance,
            }
            for item in items
            for category, share in zip(item.labels, item.shares, strict=True)
        ]
    )
    parts: Parts = []
    alt = (
        f"Small bar charts of the answers to {numbered(len(items), 'item', digits=True)} over "
        "their declared scales; the tables below give the numbers."
    )
    caption = (
        "Answers to each item over its declared scale, in per cent; reversed items are shown after "
        "alignment."
    )
    parts.append(drawn("answers", figures.answers(drawing), caption, alt))
    names = _names(items, labels)
    for steps in dict.fromkeys(tuple(item.labels) for item in items):
        rows = [
            (name, item.item, *(per_cent(share) for share in item.shares))
            for name, item in zip(names, items, strict=True)
            if tuple(item.labels) == steps
        ]
        title = (
            f"Answers by step, scale from {steps[0].split('–')[0]} to {steps[-1].split('–')[-1]}"
        )
        parts.append(Table(title, ["Scale", "Item", *steps], rows, heads=2))
    rows = [
        (
            name,
            item.item,
            "reversed" if item.reversed else "as asked",
            per_cent(item.floor),
            per_cent(item.ceiling),
            number_cell(item.item_rest) + (" ⚠" if (item.item_rest or 0) < 0 else ""),
        )
        for name, item in zip(names, items, strict=True)
    ]
    note = (
        "Item-rest: correlation with the mean of the scale’s other items, after alignment. A "
        "negative one (⚠) says that the keying may be wrong. A scale of one item has none."
    )
    columns = ["Scale", "Item", "Keying", "Floor", "Ceiling", "Item-rest"]
    parts.append(Table("Items at the ends of their scales, and against the rest", columns, rows,
                       heads=2, note=note))  # fmt: skip
    return parts
