"""Claims: how many effects are said to have a sign, and how many of those signs may be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from metastudy.article.results import Results
from metastudy.article.table_rows import is_judged
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, number
from metastudy.posterior.verdicts import Verdict, wrong_signs

__all__ = ["variables"]

PRIMARY = ("population", "code")  # levels of the effects that the article speaks of


def variables(evidence: Results) -> Tree:
    """By module and over all: verdicts, claims, and the expected number of wrong signs.

    Returns
    -------
    ``<module>`` with ``count``, the number of claims among ``total`` effects, ``wrong``, how many
    of them are expected to have the wrong sign, ``border``, how many verdicts are on the border, a
    ``sentence``, and the same under ``differences``; the same again for all modules together.
    """
    if not evidence.contrasts:
        return {}
    tree: Tree = {}
    effects: list[Verdict] = []
    between: list[Verdict] = []
    for module, table in evidence.contrasts.items():
        main = table[table["variant"] == "main"]
        metric = main["metric"] == evidence.kind(module).metric
        mean = (main["estimand"] == "effect") & main["level"].isin(PRIMARY)
        own = _verdicts(evidence, records(main[mean & metric]))
        others = _verdicts(evidence, records(main[main["estimand"] == "difference"]))
        tree[module] = _leaves(own, others)
        effects += own
        between += others
    return tree | _leaves(effects, between)


def _verdicts(evidence: Results, rows: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    return [evidence.judged(row) for row in rows if is_judged(row)]


def _leaves(effects: list[Verdict], between: list[Verdict]) -> Tree:
    leaves = _counts(effects)
    leaves["differences"] = _counts(between)
    said = _sentence(effects, "effects")
    if between:
        said += " " + _sentence(between, "differences")
    return leaves | {"sentence": said}


def _counts(found: list[Verdict]) -> Tree:
    return {
        "count": str(sum(verdict.claim for verdict in found)),
        "total": str(len(found)),
        "wrong": number(wrong_signs(found)),
        "border": str(sum(verdict.border for verdict in found)),
    }


def _sentence(found: list[Verdict], what: str) -> str:
    claims = sum(verdict.claim for verdict in found)
    if not claims:
        return f"Of {len(found)} {what} none is claimed to have a sign."
    are = "is" if claims == 1 else "are"
    which = "that sign" if claims == 1 else "of these signs"
    expected = number(wrong_signs(found))
    wrong = (
        f"the probability that {which} is wrong is {expected}"
        if claims == 1
        else f"the expected number of wrong signs among them is {expected}"
    )
    return f"Of {len(found)} {what} {count(claims)} {are} claimed to have a sign; {wrong}."
