"""Codings on the page of a study: codes, agreement, ratings, published findings."""

from __future__ import annotations

import pandas as pd

from metastudy.data_report import figures
from metastudy.data_report.alerts import LOW_AGREEMENT
from metastudy.data_report.inspection.values import Inspection, Part
from metastudy.data_report.pages.cells import (
    NONE,
    cell,
    coefficient,
    number_or_none,
    per_cent,
)
from metastudy.display.formatting import inline, joined, numbered, words
from metastudy.display.labels import Labels
from metastudy.display.page import Parts, Table, Text, drawn

__all__ = ["coding", "published", "ratings"]


def _part(part: Part | None) -> tuple[str, str]:
    """A number of sources and its share."""
    if part is None:
        return "not shown", NONE
    share = part.share
    return cell(part.n), NONE if share is None else f"{share:.0f}%"


def coding(found: Inspection, labels: Labels) -> Parts:
    """Codes of the sources with their prevalence and the agreement of coders."""
    coding = found.coding
    if not coding:
        return []
    names = [labels.of(row.code, "codes") for row in coding.codes]
    parts: Parts = [
        Text(
            f"Sources read: {coding.read}. Read by two coders or more: {coding.double}. "
            f"Coders: {coding.coders}."
        )
    ]
    if not coding.enough_double:
        parts.append(Text("Too few sources were read twice: agreement is not shown."))
    if all(row.sources is None for row in coding.codes):
        codes = joined([names[0], *map(inline, names[1:])]) if names else "none"
        few = f"there are fewer than {found.smallest_cell} sources, so none is counted"
        return [*parts, Text(f"Codes looked for: {codes}; {few}.")]
    table = pd.DataFrame(
        [
            {
                "code": name,
                "share": float("nan") if row.sources is None else number_or_none(row.sources.share),
                "alpha": number_or_none(row.alpha),
                "kappa": number_or_none(row.kappa),
                "limit": LOW_AGREEMENT,
                "provenance": found.provenance,
            }
            for name, row in zip(names, coding.codes, strict=True)
        ]
    )
    if table[["share", "alpha"]].notna().any(axis=None):
        caption = (
            "How many sources have a code, and how far coders agree on it. Dashed: "
            f"{LOW_AGREEMENT:g}, below which Krippendorff draws no conclusion."
        )
        shown = table["share"].notna().sum()
        low = int((table["alpha"] < LOW_AGREEMENT).sum())
        alt = (
            f"Prevalence of {numbered(int(shown), 'code', digits=True)} and agreement of the "
            f"coders; alpha is below {LOW_AGREEMENT:g} for {low} of "
            f"{numbered(len(table), 'code', digits=True)}. The table below gives the numbers."
        )
        parts.append(drawn("codes", figures.codes(table), caption, alt))
    why = "nothing varies" if coding.enough_double else "too few sources"
    rows = [
        (
            name,
            *_part(row.sources),
            _part(row.double)[1] if coding.enough_double else NONE,
            coefficient(row.alpha, why),
            coefficient(row.kappa, why),
        )
        for name, row in zip(names, coding.codes, strict=True)
    ]
    columns = [
        *("Code", "Sources", "Share", "Share in readings of double-coded sources"),
        *("Krippendorff’s alpha", "Cohen’s kappa"),
    ]
    note = (
        "A source has a code if a coder found it there. Agreement is on the presence of the code "
        f"in a source, from the sources that several coders read ({coding.double}). Kappa is "
        "the mean over pairs of coders, weighted by the sources that they share. Both are low "
        "where a code is rare, whatever the coders do."
    )
    parts.append(Table("Codes: prevalence and agreement", columns, rows, note=note))
    return parts


def ratings(found: Inspection, labels: Labels) -> Parts:
    """Ratings of the cases: shares, or each rating where there are few cases."""
    rated = found.ratings
    if not rated:
        return []
    dimensions = labels.vocabulary["dimensions"]
    rows: list[tuple[str, ...]] = []
    if rated.few:
        for one in rated.dimensions:
            poles = dimensions[one.dimension]["poles"]
            listed = [str(poles[str(value)]) for value in one.listed or ()]
            listed += ["not rated"] * int(one.unrated)
            rows.append((labels.of(one.dimension, "dimensions"), "; ".join(listed)))
        note = (
            f"Fewer than {found.smallest_cell} cases: each rating is listed, in the order of "
            "the poles and not of the cases, and no share is given."
        )
        return [Table("Ratings of the cases", ["Dimension", "Ratings"], rows, heads=2, note=note)]
    for one in rated.dimensions:
        poles = dimensions[one.dimension]["poles"]
        for value, share in zip(("1", "0", "-1"), one.shares or (), strict=True):
            name = labels.of(one.dimension, "dimensions")
            rows.append((name, str(poles[value]), per_cent(share)))
        rows.append((labels.of(one.dimension, "dimensions"), "Not rated", cell(one.unrated)))
    title = f"Ratings of {rated.cases} cases"
    return [Table(title, ["Dimension", "Pole", "Share of the rated"], rows, heads=2)]


def published(found: Inspection, _: Labels) -> Parts:
    """Findings of publications, by direction and level of verification."""
    published = found.published
    if not published:
        return []
    counts = pd.DataFrame(published.counts)
    table = counts.pivot_table(
        index="direction", columns="verification", values="n", fill_value=0, aggfunc="sum"
    )
    rows = [
        (words(str(direction)), *(f"{n:.0f}" for n in values), f"{sum(values):.0f}")
        for direction, values in zip(table.index, table.to_numpy(), strict=True)
    ]
    columns = ["Direction", *(words(str(name)) for name in table.columns), "All"]
    return [
        Text(
            f"{published.findings} findings from {published.publications} publications. They "
            "are public, so no count is hidden."
        ),
        Table("Findings by direction and level of verification", columns, rows),
    ]
