"""Effects on two outcomes of one family, pair by pair: the difference of each two, from the draws.

A verdict on one outcome beside another on the next is no statement about how the two differ; nor is
the difference from the mean of the others, of which there is one an outcome
(:mod:`metastudy.article.topics.differences`). Which outcome differs from which is asked here. The
draws of two effects on the same people depend on each other, so an interval is that of the joint
draws and not of the two that are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.effect_sentences import numbers_of
from metastudy.article.results import Results, drawn_by_chain
from metastudy.article.table_rows import (
    BORDER_NOTE,
    columns_of,
    estimate_and_interval,
    grouped,
    is_judged,
    role_label,
    rope_cells,
    rope_label,
    study_marks,
    verdict_label,
    verdict_of,
)
from metastudy.article.variable_tree import Tree, put, shortcode_key, traced
from metastudy.common.tables import join_values, records, split_values
from metastudy.display.formatting import count, inline, joined, number, probability, share
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import UP
from metastudy.models.base import OTHER_STUDIES
from metastudy.posterior.summarise import summarize
from metastudy.posterior.verdicts import wrong_signs

__all__ = ["pairs", "table", "variables"]

GROUP = ["exposure", "exposure_type", "role"]  # effects that are compared have these in common
ASSOCIATION = ("association", "with")
MOST_NAMED = 3  # exposures that a sentence names
Row = Mapping[str, Any]


def pairs(evidence: Results, module: str) -> pd.DataFrame:
    """The difference of each two effects on outcomes of one family, among people of one role.

    An outcome is among those of a family where the model compares it with the others of the family;
    outcomes that are modelled apart have no joint draws that mean anything, and no pairs.

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order of the contrasts: ``module``, ``exposure``, ``exposure_type``,
        ``role``, ``outcome``, ``level``, ``against`` (what is taken away), ``family``, ``metric``,
        ``note`` (:data:`OTHER_STUDIES` between studies), ``provenance``, ``ids`` (of both effects),
        and the numbers of :func:`metastudy.posterior.summarise.summarize`. Empty without draws.
    """
    rows = list(_pairs(evidence, module))
    draws = drawn_by_chain(evidence, module, {i for row in rows for i in row["ids"]})
    known = set() if draws is None else set(draws["contrast"].values)
    rows = [row for row in rows if set(row["ids"]) <= known]
    if draws is None or not rows:
        return pd.DataFrame()
    one, other = (draws.sel(contrast=[r["ids"][k] for r in rows]).to_numpy() for k in (0, 1))
    between = draws.isel(contrast=np.zeros(len(rows), dtype=int)).copy(data=one - other)
    between = between.assign_coords(contrast=np.arange(len(rows)))
    numbers = summarize(between, evidence.interval, evidence.rope(rows[0]["metric"]))
    return pd.concat([pd.DataFrame(rows), numbers.reset_index(drop=True)], axis=1)


def _pairs(evidence: Results, module: str) -> Iterator[dict[str, Any]]:
    """What each pair is, without its numbers."""
    found = evidence.contrasts[module]
    main = found[found["variant"].eq("main") & found["metric"].eq(evidence.kind(module).metric)]
    among = main[main["estimand"].eq("difference") & main["level"].eq("outcome")]
    compared = {tuple(row[k] for k in [*GROUP, "outcome"]) for row in records(among)}
    effects = main[main["estimand"].eq("effect") & main["level"].eq("population")]
    for _, same in effects.groupby(GROUP, sort=False):
        mine = [r for r in records(same) if tuple(r[k] for k in [*GROUP, "outcome"]) in compared]
        for one, other in combinations(mine, 2):
            families = [evidence.vocabulary.family(str(r["outcome"])) for r in (one, other)]
            if families[0] != families[1]:
                continue
            studies = [set(split_values(r["study"])) for r in (one, other)]
            # The note of a population effect is its place among the moderators.
            together = bool(studies[0] & studies[1]) and one["note"] == other["note"]
            yield {
                **{k: one[k] for k in ("module", *GROUP, "outcome", "metric")},
                "level": "outcome",
                "against": other["outcome"],
                "family": families[0],
                "note": "" if together else OTHER_STUDIES,
                "provenance": join_values(
                    mark for r in (one, other) for mark in split_values(r["provenance"])
                ),
                "ids": (str(one["id"]), str(other["id"])),
            }


def table(evidence: Results, module: str) -> Table:
    """Every pair with estimate, interval, probability of its direction, and verdict."""
    found = pairs(evidence, module)
    rows = []
    for row in records(found):
        estimate, bounds = estimate_and_interval(row)
        head = evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"])
        if evidence.several_roles(module):
            head += f", {role_label(evidence, str(row['role']))}"
        rows.append(
            {
                "Exposure": head,
                "Outcome": evidence.labels.outcome(str(row["outcome"])),
                "Minus": evidence.labels.outcome(str(row["against"])),
                "SD": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(row["pd"]),
                **rope_cells(row),
                "Verdict": verdict_label(evidence, row) if is_judged(row) else row["note"],
            }
        )
    shown = grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=columns_of(rows))
    full = found.drop(columns="ids") if len(found) else found
    if len(found):
        full = full.assign(verdict=[verdict_of(evidence, row) for row in records(found)])
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: the effect on an outcome minus that on "
        "another one of its family, pair by pair, in standard deviations, with "
        f"{share(evidence.interval)} credible intervals of the joint draws, the probability of "
        "their direction, and those of lying beyond the region of practical equivalence "
        f"(ROPE: {rope_label(evidence)}) on the likelier side and inside it. “Other studies”: a "
        f"difference between studies, of which nothing is claimed. {BORDER_NOTE}"
    )
    marks = tuple(found["provenance"]) if len(found) else study_marks(evidence)
    return Table(shown, full, caption, marks)


def variables(evidence: Results, module: str) -> Tree:
    """What the pairs say, under ``pairs``: of the primary exposures, and of each exposure.

    Returns
    -------
    ``pairs.primary`` and ``pairs.of.<exposure>``, each with ``total``, ``count`` (pairs with a
    decided sign), ``wrong`` (how many of these signs are expected to be wrong) and ``sentence``.
    Primary are the exposures that the configuration names in ``primary``; where it names none of
    the module, all are.
    """
    found = pairs(evidence, module)
    judged = [row for row in records(found) if is_judged(row)]
    named = [name.split(".") for names in _primary(evidence) for name in names]
    lead = {name[1] for name in named if name[0] == module and len(name) > 1}
    mine = [r for r in judged if shortcode_key(str(r["exposure"])) in lead] or judged
    tree: Tree = {"primary": _leaves(evidence, mine)}
    for exposure in dict.fromkeys(str(row["exposure"]) for row in judged):
        own = [row for row in judged if row["exposure"] == exposure]
        put(tree, ["of", exposure], _leaves(evidence, own))
    return {"pairs": tree}


def _primary(evidence: Results) -> Iterator[list[str]]:
    for names in (evidence.settings.get("primary") or {}).values():
        yield list(names or ())


def _leaves(evidence: Results, rows: list[dict[str, Any]]) -> Tree:
    """Counts and a sentence, which know the effects that they are of."""
    verdicts = [evidence.judged(row) for row in rows]
    claims = sum(verdict.claim for verdict in verdicts)
    wrong = number(wrong_signs(verdicts))
    leaves = {"total": str(len(rows)), "count": str(claims), "wrong": wrong}
    leaves["sentence"] = _sentence(evidence, rows, claims, wrong)
    return traced(leaves, *({"id": i} for row in rows for i in row["ids"]))


def _sentence(evidence: Results, rows: list[dict[str, Any]], claims: int, wrong: str) -> str:
    if not rows:
        return "No two outcomes of a family are in one study, so no pair of them is compared."
    labels = dict.fromkeys(_exposure(evidence, row) for row in rows)
    of = joined(labels) if len(labels) <= MOST_NAMED else f"{count(len(labels))} exposures"
    have = f"{count(claims)} {'has' if claims == 1 else 'have'}" if claims else "none has"
    said = (
        f"Of {count(len(rows))} {'pair' if len(rows) == 1 else 'pairs'} of outcomes of one family, "
        f"under {of}, {have} a difference with a decided sign"
    )
    said += f" (expected number of wrong signs: {wrong})" * bool(claims)
    largest = max(rows, key=lambda row: abs(row["mean"]))
    return f"{said}. {_largest(evidence, largest, len(labels) > 1)}"


def _exposure(evidence: Results, row: Row) -> str:
    return inline(
        evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    )


def _largest(evidence: Results, row: Row, named: bool) -> str:
    """The largest difference in a sentence, with its exposure where it is one of several."""
    labels, verdict = evidence.labels, evidence.judged(row)
    one, other = (inline(labels.outcome(str(row[k]))) for k in ("outcome", "against"))
    lead = "The largest difference" + f", under {_exposure(evidence, row)}," * named
    numbers, border = numbers_of(evidence, row), "; on the border" * verdict.border
    if verdict.claim:
        noun, on = ("effect", "on") if row["exposure_type"] == "randomised" else ASSOCIATION
        way = "higher" if verdict.kind in UP else "lower"
        size = "clear" if verdict.kind.startswith("clear") else "size open"
        said = f"the {noun} is {way} {on} {one} than {on} {other}"
        return f"{lead.rstrip(',')}: {said} ({numbers}; {size}{border})."
    if verdict.kind == "too_small":
        lead = lead.rstrip(",")
        return f"{lead}, {one} minus {other} ({numbers}{border}), is too small to matter."
    state = (
        "has an interval that holds zero" if row["lower"] <= 0 <= row["upper"] else "is undecided"
    )
    return f"{lead} {state}: {one} minus {other} ({numbers}{border})."
