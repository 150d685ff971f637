"""Identification: which terms a design tells apart, and what stays aliased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import DIRECTIONS
from metastudy.article.results import Results
from metastudy.article.table_rows import study_marks
from metastudy.article.topics.effect_directions import PLACES
from metastudy.common.tables import records
from metastudy.common.unsaid import NOT_SAID
from metastudy.display.formatting import inline, listed, words
from metastudy.display.pipe_table import Table

__all__ = ["figure", "relabelled", "table"]


def table(evidence: Results) -> Table:
    """What the design identifies, and why the rest is left out; outcomes alike share a row."""
    labels, table = evidence.labels, evidence.synthesis["structure"].fillna("")
    keys = [
        "module_or_family",
        "exposure",
        "grouping",
        "levels",
        "used_as",
        "aliased_with",
        "reason",
    ]
    types = {**_types(evidence), **_types_of_modules(evidence)}
    rows = []
    named = table["exposure"] != ""
    table = table.assign(module_or_family=table["module_or_family"].mask(named, ""))
    for values, mine in table.groupby(keys, sort=False):
        family, exposure, grouping, levels, used, _, reason = map(str, values)
        outcomes = [labels.outcome(o) for o in dict.fromkeys(mine["outcome"]) if o and o != family]
        what = labels.of(family)
        if exposure:
            kind = types.get(exposure, exposure.rpartition("_")[2])
            what = labels.exposure_with_type(exposure, kind)
        rows.append(
            {
                "Estimand": what + (f": {inline(listed(outcomes))}" if outcomes else ""),
                "Grouping": words(grouping),
                "Levels": levels,
                "Used as": used,
                "Reason": relabelled(evidence, reason),
            }
        )
    caption = (
        "What the design identifies: each grouping of an estimand, whether it enters the model, "
        "and what it cannot be distinguished from. Computed from the design alone."
    )
    shown = pd.DataFrame(rows, columns=["Estimand", "Grouping", "Levels", "Used as", "Reason"])
    return Table(shown, table, caption, study_marks(evidence))


def _types(evidence: Results) -> dict[str, str]:
    estimates = evidence.synthesis["estimates"]
    return dict(zip(estimates["exposure"], estimates["exposure_type"], strict=True))


def _types_of_modules(evidence: Results) -> dict[str, str]:
    tables = evidence.contrasts.values()
    return {
        str(e): str(k)
        for t in tables
        for e, k in zip(t["exposure"], t["exposure_type"], strict=True)
    }


def relabelled(evidence: Results, reason: str) -> str:
    """Keys inside a reason as words, studies by their labels."""
    found = []
    for word in evidence.labels.of_reason(reason).split(" "):
        bare = word.strip(",;:")
        known = any(bare in entries for entries in evidence.vocabulary.sections.values())
        label = (
            evidence.labels.of(bare).lower() if known and "_" in bare else bare.replace("_", " ")
        )
        found.append(word.replace(bare, label) if bare else word)
    return " ".join(found)


def figure(evidence: Results) -> pd.DataFrame:
    """What the design of each module identifies, grouping by grouping, as signs.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`DIRECTIONS`; ``direction`` is ``varying``, ``joined``, ``fixed``, ``alias``,
        ``single`` or ``unsaid``. Where outcomes differ, it is the first of these that
        one of them has.
    """
    structure = evidence.synthesis["structure"].fillna("")
    rows = []
    for module, table in evidence.contrasts.items():
        mine = structure[(structure["module_or_family"] == module) & (structure["exposure"] != "")]
        # What a model has no term for is not what its design tells apart.
        other = mine["grouping"].isin(list(evidence.vocabulary["moderators"]))
        mine = mine[~(other & mine["used_as"].eq("left out"))]
        found = _signs(mine)
        effects = table[table["estimand"] == "effect"]
        types = dict(zip(effects["exposure"], effects["exposure_type"], strict=True))
        marks = dict(zip(effects["exposure"], effects["provenance"], strict=True))
        columns = [*PLACES, *(g for g in dict.fromkeys(mine["grouping"]) if g not in PLACES)]
        for exposure, kind in types.items():
            row = evidence.labels.exposure_with_type(exposure, kind)
            for grouping in columns:
                rows.append(
                    {
                        "section": module,
                        "heading": evidence.vocabulary.label("modules", module),
                        "row": row,
                        "column": words(grouping),
                        "direction": found.get((exposure, grouping), "single"),
                        "n": "",
                        "study": "",
                        "exposure": exposure,
                        "exposure_type": kind,
                        "outcome": grouping,
                        "provenance": marks[exposure],
                    }
                )
    return pd.DataFrame(rows, columns=DIRECTIONS)


SIGNS = ("varying", "joined", "fixed", "alias", "single", "unsaid")


def _signs(structure: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The sign of each exposure and grouping, over all outcomes."""
    found: dict[tuple[str, str], str] = {}
    for (exposure, _), mine in structure.groupby(["exposure", "outcome"], sort=False):
        varying = mine[mine["used_as"] == "varying"]
        others = set(varying["aliased_with"]) - {""}
        for row in records(mine):
            key = str(exposure), str(row["grouping"])
            sign = _used(row, row["grouping"] in others)
            found[key] = min(sign, found.get(key, sign), key=SIGNS.index)
    return found


def _used(row: Mapping[str, Any], has_others: bool) -> str:
    """What a grouping is; ``has_others`` says whether others are in its component."""
    if row["used_as"] == NOT_SAID:
        return "unsaid"
    if row["levels"] == 1:
        return "single"
    if row["used_as"] == "varying":
        return "joined" if row["aliased_with"] or has_others else "varying"
    return "fixed" if row["used_as"] == "fixed" else "alias"
