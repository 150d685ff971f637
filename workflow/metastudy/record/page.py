"""The page of the verdict: what it is, what moved, what differs, and what it could have seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metastudy.display.formatting import mark, number
from metastudy.display.page import Page, Parts, Section, Table, Text

__all__ = ["verdict_page"]

MARKED = "What was built and built again rests on such data: the verdict is about the workflow."
MEANS = {
    "reproduced": "Reproduced: the raw data agree, and so does every number of record.",
    "not reproduced": "Not reproduced: data, codebooks, priors and settings agree, and a number "
    "of record does not.",
    "not comparable": "Not comparable: what the numbers are made from is not the same, so a "
    "difference says nothing about the workflow.",
}
HOW = (
    "A rebuild began from the raw data, in a folder of its own and with an empty store. Each "
    "number of record was compared in full precision with the same number of the rebuild, as its "
    "kind asks for. Exact numbers are equal. Estimates and derived numbers agree within Monte "
    "Carlo error; a probability is taken as (s + 1/2) / (n + 1) of its effective draws. Of a "
    "diagnostic the side of its gate is compared. A word is the same, or both words are within two "
    "Monte Carlo errors."
)
STAGES = {
    "harmonized": "in the harmonized tables",
    "cells": "in the cells of the models",
    "draws": "with the draws",
    "article": "in what the article prints",
}
MOST = 200  # rows of a table on the page; verdict.json has all


def verdict_page(found: Mapping[str, Any], provenance: Mapping[str, str]) -> Page:
    """Write the page.

    Parameters
    ----------
    found : of :func:`metastudy.record.verdict.judge`.
    provenance : of the studies of the rebuild, for the mark.
    """
    begins = STAGES.get(found["begins"], "")
    first = [Text(MEANS[found["verdict"]]), Text(found["why"])]
    if begins:
        first.append(Text(f"The difference begins {begins}."))
    sections = [Section("Verdict", first)]
    if found["moved"] or found["misprinted"]:
        sections.append(Section("Numbers that do not agree", _moved(found)))
    sections += [
        Section("What differs", _differing(found)),
        Section("How numbers were compared", [Text(HOW), *_cut(found)]),
    ]
    return Page(
        name="verdict",
        title=found["verdict"].capitalize(),
        subtitle="Whether a rebuild from the raw data gave the numbers of record",
        mark=mark(provenance.values()),
        marked=MARKED,
        sections=sections,
    )


def _moved(found: Mapping[str, Any]) -> Parts:
    moved = found["moved"]
    rows = [
        [
            f"{m['table']}: {m['row'].replace('|', ', ')}",
            m["column"],
            m["kind"],
            m["stage"],
            _shown(m["before"]),
            _shown(m["after"]),
            _shown(m["difference"]),
            "–" if m["errors"] is None else number(m["errors"], 1),
        ]
        for m in moved[:MOST]
    ]
    heads = ["Number", "Column", "Kind", "Stage", "Record", "Rebuild", "Difference"]
    note = f"The first {MOST} of {len(moved)}; verdict.json has all." if len(moved) > MOST else ""
    parts: Parts = []
    if rows:
        heads = [*heads, "In Monte Carlo errors"]
        parts.append(Table("Numbers that do not agree, farthest first", heads, rows, 4, note))
    if found["misprinted"]:
        texts = [[name] for name in found["misprinted"]]
        parts.append(Table("Texts with other digits, from the same numbers", ["Text"], texts))
    return parts


def _differing(found: Mapping[str, Any]) -> Parts:
    parts: Parts = []
    rows = [
        [section, place, _shown(what) if isinstance(what, str) else " → ".join(map(_shown, what))]
        for section, places in found["inputs"].items()
        for place, what in places.items()
    ]
    if rows:
        heads = ["What", "Where", "Difference"]
        parts.append(Table("Data, codebooks, priors and settings that differ", heads, rows, 2))
    listed = []
    for section, what in found["listed"].items():
        if isinstance(what, Mapping):
            texts = [f"{key}: {' → '.join(map(_shown, both))}" for key, both in what.items()]
        elif section in ("seed", "commit"):
            texts = [" → ".join(map(_shown, what))]
        else:
            texts = list(what)
        listed.append([section, "; ".join(texts)])
    if listed:
        parts.append(Table("What else differs, listed and not judged", ["What", "How"], listed))
    if found["added"]:
        added = [[text] for text in found["added"]]
        parts.append(Table("Numbers that the record does not have", ["Where"], added))
    return parts or [Text("Nothing differs.")]


def _cut(found: Mapping[str, Any]) -> Parts:
    cut, power, texts = found["cut"], found["power"], found["texts"]
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(found["counts"].items()))
    parts: Parts = [
        Text(f"Numbers by kind: {counts}. A diagnostic without a gate is written down only."),
        Text(
            f"Of {cut['numbers']} numbers with a Monte Carlo error some are beyond two errors by "
            f"chance. So a number moved if it is beyond {number(cut['errors'], 2)} errors: the "
            f"largest of all is, with a probability of at most {cut['alpha']:g} (Šidák's bound, "
            f"for numbers as if they were independent). The largest here is "
            f"{number(cut['largest'], 2)}. Of words {len(found['on_the_border'])} differ on the "
            "border."
        ),
        Text(
            f"Of {texts['printed']} printed texts {texts['other_digits']} have other digits. "
            "Printed digits are judged only where all numbers are the same; else the numbers "
            "that they are rounded from are."
        ),
    ]
    if power:
        parts.append(
            Text(
                f"With a probability of {power['probability']:g} this sees a move of a primary "
                f"estimate by {number(power['median_sd'], 2)} of its posterior standard deviations "
                f"(median of {power['estimates']}; at most {number(power['largest_sd'], 2)}). One "
                "answer that is changed in the data is always seen: data are compared by checksum."
            )
        )
    return parts


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", "−")
    return "–" if value is None else str(value)
