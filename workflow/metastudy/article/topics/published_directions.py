"""Published directions beside the contrasts here: what was found, whatever its significance.

An effect direction plot in the form of Hilton Boon and Thomson (2021), a row for each finding: an
arrow says in which direction it is, and a finding without one says that it was not reported.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.topics.concordance import beside
from metastudy.article.topics.published import findings, outcome_label
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import JOINT, records, split_values
from metastudy.display.formatting import count, mark, words

__all__ = ["PUBLISHED", "figure", "variables"]

PUBLISHED = [
    *("module", "heading", "exposure", "outcome"),
    "direction",  # up, down or unreported: of the publication
    "n",  # missing where it is not stated
    "study",
    "here",  # up, down or sideways of each contrast here that is about the same, joined
    "decided",  # whether each of these claims a sign
    "provenance_here",
    "provenance",
]
OF_SIGN = {"positive": "up", "negative": "down"}


def figure(evidence: Results) -> pd.DataFrame:
    """Published findings about the modules' outcomes, by module and exposure, a row each.

    The direction is that of the estimate where one was published; a result that is only said to
    be not significant or not supported has none. A contrast here points where its posterior mean
    does, and sideways where it is too small to matter.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`PUBLISHED`.
    """
    families, modules = (evidence.vocabulary[name] for name in ("families", "modules"))
    place = {f: [*modules].index(v["module"]) for f, v in families.items() if v.get("module")}
    ours = [r for r in records(findings(evidence)) if families.get(r["family"], {}).get("module")]
    matched = beside(evidence)
    contrasts = {
        str(row["id"]): row for table in evidence.contrasts.values() for row in records(table)
    }
    rows = []
    for row in sorted(ours, key=lambda row: (place[row["family"]], str(row["contrast"]))):
        mine = matched[matched["finding_id"].eq(row["finding_id"])]
        here = [_points(evidence, contrasts[name]) for name in mine["contrast"]]
        module = families[row["family"]]["module"]
        rows.append(
            {
                "module": module,
                "heading": evidence.vocabulary.label("modules", module),
                "exposure": words(str(row["contrast"])),
                "outcome": outcome_label(evidence, row["outcome"]),
                "direction": _published(row),
                "n": row["n"],
                "study": _cited(str(row["citation"])),
                "here": JOINT.join(here),
                "decided": bool(len(mine))
                and all(evidence.judged(contrasts[name]).claim for name in mine["contrast"]),
                "provenance_here": JOINT.join(dict.fromkeys(mine["provenance"])),
                "provenance": row["provenance"],
            }
        )
    return pd.DataFrame(rows, columns=PUBLISHED)


def _published(row: dict[str, Any]) -> str:
    if row["direction"] in OF_SIGN:
        return OF_SIGN[row["direction"]]
    if pd.isna(row["estimate"]) or not row["estimate"]:
        return "unreported"
    return "up" if row["estimate"] > 0 else "down"


def _points(evidence: Results, row: dict[str, Any]) -> str:
    if evidence.verdict(row) == "too_small":
        return "sideways"
    return "up" if row["mean"] > 0 else "down"


def _cited(key: str) -> str:
    """A key of the bibliography as a name and a year."""
    found = re.fullmatch(r"([A-Za-z_]+?)_?(\d{4}\w?)", key)
    return f"{words(found[1])} {found[2]}" if found else words(key)


def variables(evidence: Results) -> Tree:
    """How many findings are shown and have a direction, and a sentence on what is beside them."""
    found = figure(evidence)
    if not len(found):
        return {}
    known = found[found["direction"].ne("unreported")]
    here = known[known["here"].ne("")]
    alike = [{*split_values(row["here"])} == {row["direction"]} for row in records(here)]
    same = sum(alike)
    decided = sum(bool(row["decided"]) for row in records(here[alike]))
    return {
        "shown": str(len(found)),
        "with_direction": str(len(known)),
        "provenance": "The data behind hollow arrows are simulated."
        if mark(list(filter(None, found["provenance_here"])))
        else "",
        "sentence": (
            f"Of {len(found)} published findings about outcomes of this article "
            f"{_reported(len(known))} a direction. {_beside(len(here), same, decided)}"
        ),
    }


def _reported(known: int) -> str:
    return f"{known} report" if known > 1 else f"{'one' if known else 'none'} reports"


def _beside(here: int, same: int, decided: int) -> str:
    """How the contrasts here point, of findings that have both."""
    if not here:
        return "None of these is beside a contrast of this article."
    are = "is" if here == 1 else "are"
    of = f"{count(here, capital=True)} of these {are} beside a contrast here"
    if not same:
        return f"{of}, whose posterior mean points the other way."
    if here == 1:
        sign = "with" if decided else "without"
        return f"{of}; its posterior mean points the same way, {sign} a decided sign."
    which = "all posterior means point" if same == here else f"{count(same)} posterior "
    which += "" if same == here else f"{'mean points' if same == 1 else 'means point'}"
    return (
        f"{of}; {which} the same way, {count(decided) if decided else 'none'} of them with a "
        "decided sign."
    )
