"""The page of one study in the data report: what was inspected, in the order in which one looks."""

from __future__ import annotations

from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages import answers, arms, cells, codings, declared, reading
from metastudy.display.formatting import inline, joined, mark
from metastudy.display.labels import Labels
from metastudy.display.page import Page, Parts, Section, Text

__all__ = ["study_page"]


def study_page(found: Inspection, labels: Labels) -> Page:
    """Write the page of a study.

    Parameters
    ----------
    found : what :func:`metastudy.data_report.inspection.study.inspect` gives.
    labels : names for the reader.

    Returns
    -------
    Sections for all that applies; what does not is named at the end.
    """
    writers = {
        "Summary": reading.summary,
        "What was read": reading.reading,
        "Where it comes from": reading.places,
        "Missing answers": answers.missing,
        "Scales": answers.scales,
        "Items": answers.items,
        "Arms": arms.arms,
        "Codes and coders": codings.coding,
        "Case ratings": codings.ratings,
        "Published findings": codings.published,
        "Moderators, dependence and funnels": declared.declared,
    }
    sections, absent = [], []
    for title, writer in writers.items():
        parts = writer(found, labels)
        if parts:
            sections.append(Section(title, parts))
        else:
            absent.append(inline(title))
    least = found.smallest_cell
    notes: Parts = [
        Text(
            f"Counts from 1 to {least - 1} are shown as <{least}, and so is what would give them "
            f"away (≥{least}); a list that would tell one all the same is left out. Shares are "
            f"rounded so that one step is at least {least} people; “n<{least}” is in place of the "
            f"share of fewer than {least} people. Numbers of people behind a coefficient are given "
            f"to the nearest {least}."
        )
    ]
    if absent:
        notes.append(Text(f"Does not apply to this study: {joined(absent)}."))
    sections.append(Section("How to read this page", notes))
    return Page(
        name=found.study,
        title=labels.study(found.study),
        subtitle=str(found.about.get("title", "")),
        mark=mark([found.provenance]),
        marked=cells.MARKED,
        sections=sections,
        folder=f"figures/{found.study}/",
        up="index",
    )
