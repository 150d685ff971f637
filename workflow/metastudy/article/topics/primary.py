"""The primary contrasts: those that the configuration names, for abstract, results and forest.

A name is that of the contrast's variables without the last key: of an effect
``<module>.<exposure>.<outcome>``, of a difference
``<module>.<exposure>.differences.<outcome>.against_family``, and of what several studies pool to
``synthesis.effects.<exposure>.<outcome>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import FOREST, mark_of, vignette_label
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    BORDER_NOTE,
    estimate_and_interval,
    outcome_label,
    role_label,
    rope_cells,
    rope_label,
    verdict_label,
    verdict_of,
)
from metastudy.article.topics.refits import unshrunk
from metastudy.article.variable_tree import Tree, put, shortcode_key, unit
from metastudy.common.problems import BadInput, Problem
from metastudy.common.tables import records
from metastudy.display.formatting import inline, interval, joined, number, share
from metastudy.display.pipe_table import Table

__all__ = ["contrasts", "figure", "named", "table", "variables"]

PLACES = ("abstract", "results")  # that contrasts are named for
ALONE = "Not shrunk"
SHOWN = ("Contrast", "Unit", "Estimate", "Interval", "Beyond ROPE", "Verdict", ALONE)
Row = Mapping[str, Any]


def contrasts(evidence: Results) -> dict[str, Row]:
    """Every effect and difference that may be named, with its row of results."""
    found: dict[str, Row] = {}
    for module, table in evidence.contrasts.items():
        metric, codes = evidence.kind(module).metric, evidence.model(module) == "codings"
        main = table[(table["variant"] == "main") & (table["metric"] == metric)]
        several = evidence.several_roles(module) and not codes
        for row in records(main):
            if path := _path(row, several, codes):
                found[".".join(map(shortcode_key, [module, *path]))] = row
    pooled = evidence.synthesis.get("pooled", pd.DataFrame())
    if len(pooled):
        several = _several_pooled(evidence)
        metrics = pooled.groupby(["exposure", "outcome", "role"])["metric"].transform("nunique")
        for row, of in zip(records(pooled), metrics, strict=True):
            if row["level"] == "population":
                path = [row["exposure"], row["outcome"], *([row["role"]] if several else [])]
                path += [row["metric"]] if of > 1 else []
                of_none = {
                    "module": "",
                    "estimand": "effect",
                }  # the second stage has no such columns
                name = ".".join(["synthesis", "effects", *map(shortcode_key, path)])
                found[name] = of_none | row
    return found


def _several_pooled(evidence: Results) -> bool:
    """Whether the second stage pools effects of several roles, so that a name says which."""
    return bool(evidence.synthesis["pooled"]["role"].nunique() > 1)


def _path(row: Row, several_roles: bool, codes: bool) -> list[str]:
    """The keys of a contrast below its module; none of what is no contrast of the population."""
    role = [str(row["role"])] if several_roles else []
    if row["estimand"] == "effect" and row["level"] in (
        ("population", "code") if codes else ("population",)
    ):
        return [str(row["exposure"]), str(row["outcome"]), *role]
    if row["estimand"] == "difference" and row["level"] == "outcome":
        own = [str(row["exposure"]), "differences", str(row["outcome"])]
        return [*own, *role, "against_family"]
    if row["estimand"] == "difference" and row["level"] == "vignette":
        against = f"{row['vignette']}_against_{row['against']}"
        return [str(row["exposure"]), "differences", str(row["outcome"]), against]
    return []


def named(evidence: Results, place: str = "") -> dict[str, Row]:
    """The primary contrasts of one place, or of all, in the order in which they are named.

    Raises
    ------
    BadInput
        For every name that is no contrast of these results, with the nearest that are.
    """
    asked = evidence.settings.get("primary") or {}
    lists = {p: list(asked.get(p, ())) for p in PLACES}
    if not any(lists.values()):
        return {}
    known = contrasts(evidence)
    problems = [
        Problem(
            file="config/config.yaml or --config",
            column=f"primary.{p}",
            found=repr(name),
            expected=f"a contrast of these results, such as {', '.join(_near(name, known))}",
            fix="correct the name: that of the contrast's variables, without .estimate",
            code="config",
        )
        for p, names in lists.items()
        for name in names
        if name not in known
    ]
    if problems:
        raise BadInput(problems)
    wanted = [n for p in PLACES for n in lists[p]] if not place else lists[place]
    return {name: known[name] for name in dict.fromkeys(wanted)}


def _near(name: str, known: Mapping[str, Row]) -> list[str]:
    """The nearest names: by their letters, and else those of the same module."""
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    same = [other for other in known if other.split(".")[0] == name.split(".")[0]]
    return near or same[:5] or list(known)[:5] or ["none, as there is no effect"]


def _in_results(evidence: Results) -> dict[str, Row]:
    return named(evidence, "results") or named(evidence)


def _label(evidence: Results, row: Row) -> str:
    exposure = evidence.labels.exposure(str(row["exposure"]), str(row["exposure_type"])).label
    type_ = inline(evidence.labels.of(row["exposure_type"], "exposure_types"))
    return f"{exposure}, {type_}: {inline(_outcome(evidence, row))}{_than(evidence, row)}"


def _outcome(evidence: Results, row: Row) -> str:
    """The outcome, with the role where there are several: of the module, or of what is pooled."""
    if row["module"]:
        return outcome_label(evidence, row)
    label, role = evidence.labels.outcome(str(row["outcome"])), str(row["role"])
    return f"{label}, {role_label(evidence, role)}" if role and _several_pooled(evidence) else label


def _than(evidence: Results, row: Row) -> str:
    """What a difference is from; nothing of an effect."""
    if row["estimand"] != "difference":
        return ""
    if row["level"] == "outcome":
        return ", minus the others of its family"
    one, other = (inline(vignette_label(evidence, str(row[k]))) for k in ("vignette", "against"))
    return f", “{one}” minus “{other}”"


def table(evidence: Results) -> Table:
    """The primary contrasts: estimate, interval, probability beyond the ROPE, and verdict."""
    found = _in_results(evidence)
    rows = []
    for row in found.values():
        estimate, bounds = estimate_and_interval(row)
        cells = (
            *(_label(evidence, row), unit(str(row["metric"])), estimate, bounds),
            *(rope_cells(row)["Beyond ROPE"], verdict_label(evidence, row)),
            unshrunk(evidence, row) if row["estimand"] == "effect" and row["module"] else "–",
        )
        rows.append(dict(zip(SHOWN, cells, strict=True)))
    full = pd.DataFrame(
        [{"name": n, **r, "verdict": verdict_of(evidence, r)} for n, r in found.items()]
    )
    metrics = dict.fromkeys(str(row["metric"]) for row in found.values())
    ropes = joined(rope_label(evidence, metric) for metric in metrics)
    caption = (
        f"The primary contrasts: posterior mean, {share(evidence.interval)} interval, probability "
        f"of lying beyond the region of practical equivalence (ROPE: {ropes}) on the likelier "
        f"side, and verdict. {BORDER_NOTE}"
    )
    marks = tuple(row["provenance"] for row in found.values())
    shown = pd.DataFrame(rows, columns=list(SHOWN))
    if set(shown[ALONE]) <= {"–"}:
        shown = shown.drop(columns=ALONE)
    else:
        caption += (
            f" {ALONE}: the effect without shrinking the outcomes of a family to their mean, with "
            "its verdict where that is another one."
        )
    return Table(shown, full, caption, marks)


def figure(evidence: Results) -> pd.DataFrame:
    """The primary contrasts as a forest, a panel for each unit."""
    rows = [
        mark_of(
            row,
            block="Primary contrasts",
            panel=f"In {unit(str(row['metric']))}",
            axis=f"Contrast, {unit(str(row['metric']))}",
            row=_label(evidence, row),
            series="",
            style="filled",
            hue=row["exposure_type"],
            reference=0.0,
            rope=evidence.rope(str(row["metric"])),
        )
        for row in _in_results(evidence).values()
    ]
    return pd.DataFrame(rows, columns=FOREST)


def variables(evidence: Results) -> Tree:
    """Sentences on the primary contrasts: ``abstract`` and ``results``; empty where none is named.

    Below ``of`` each has its ``sentence`` under its name, with hyphens in place of dots.
    """
    if not named(evidence):
        return {}
    tree: Tree = {}
    for place in PLACES:
        found = named(evidence, place)
        put(tree, [], {place: " ".join(_sentences(evidence, found))}, *found.values())
    for name, row in named(evidence).items():
        put(tree, ["of", name.replace(".", "-")], {"sentence": _sentence(evidence, row)}, row)
    return tree


def _sentences(evidence: Results, found: Mapping[str, Row]) -> Iterator[str]:
    """A sentence for each, and a difference in that of the effect before it, if it is of it."""
    rows = list(found.values())
    at = 0
    while at < len(rows):
        row, after = rows[at], rows[at + 1] if at + 1 < len(rows) else None
        if after is not None and _is_of(after, row):
            yield _sentence(evidence, row, f", {_difference(evidence, after)}")
            at += 1
        else:
            yield _sentence(evidence, row)
        at += 1


def _is_of(difference: Row, effect: Row) -> bool:
    same = ("exposure", "exposure_type", "outcome", "metric", "role")
    kinds = (effect["estimand"], difference["estimand"], difference["level"])
    return kinds == ("effect", "difference", "outcome") and all(
        difference[name] == effect[name] for name in same
    )


def _value(evidence: Results, row: Row) -> str:
    what = "standard deviations" if row["metric"] == "sd" else unit(str(row["metric"]))
    bounds = interval(row["lower"], row["upper"])
    return f"{number(row['mean'])} {what} ({share(evidence.interval)} interval {bounds})"


def _difference(evidence: Results, row: Row) -> str:
    return f"a difference of {_value(evidence, row)} from its mean on the others of the family"


def _sentence(evidence: Results, row: Row, more: str = "") -> str:
    said = evidence.labels.exposure(str(row["exposure"]), str(row["exposure_type"]))
    outcome, value = inline(_outcome(evidence, row)), _value(evidence, row)
    subject = said.change[:1].upper() + said.change[1:]
    noun = "effect" if row["exposure_type"] == "randomised" else "association"
    if row["estimand"] == "difference":
        than = _than(evidence, row).lstrip(", ")
        return f"The {noun} of {inline(said.label)} on {outcome} differs by {value}: {than}."
    if noun == "effect":
        return f"{subject} changes {outcome} by {value}{more}."
    return f"{subject} goes with a difference of {value} in {outcome}{more}."
