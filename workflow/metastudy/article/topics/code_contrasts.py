"""Contrasts of codes: how much more often a code is there on one side of an exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.results import Results, drawn
from metastudy.article.table_rows import role_label
from metastudy.article.variable_tree import Tree, traced
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, number, numbered, probability
from metastudy.models.codings.contrasts import HYPER_MEAN

__all__ = ["CODE_CONTRASTS", "figure", "sentence"]

INNER = 0.66  # probability of the thick intervals
CODE_CONTRASTS = [
    *("panel", "exposure", "exposure_type", "role", "low", "high"),  # low and high: its two sides
    *("family", "outcome", "label", "level"),  # level: code, or population for a family's mean
    *("estimate", "lower", "upper", "inner_lower", "inner_upper"),
    "error_free",  # the estimate where every coding is taken as true; missing where there is none
    "beyond",  # the larger of the probabilities of lying above and below the rope
    *("claim", "rope", "provenance"),
]


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Log-odds contrasts of a module's exposures, a panel each, with the means of families.

    The exposure of most codes is first. A family comes before its codes, these from the largest
    contrast to the smallest; the mean of a family with one code is that code's, and has no row.
    The inner interval is of the draws, and missing without them.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CODE_CONTRASTS`.
    """
    main, free = (_effects(evidence, module, variant) for variant in ("main", "error_free"))
    key = ["exposure", "role", "outcome"]
    without = dict(zip(free[key].itertuples(index=False, name=None), free["mean"], strict=True))
    draws = drawn(evidence, module, main["id"])
    roles = main.groupby("exposure")["role"].nunique()
    rows = []
    for row in records(_in_order(evidence, main)):
        kind, name = str(row["exposure_type"]), str(row["exposure"])
        said = evidence.labels.exposure(name, kind)
        low, high = (inline(label) for label in list(_levels(evidence, said.name).values())[:2])
        inner = (np.nan, np.nan)
        if (values := draws.get(row["id"])) is not None:
            inner = tuple(np.quantile(values, [0.5 - INNER / 2, 0.5 + INNER / 2]))
        family = _family(evidence, row["outcome"])
        whose = f", {role_label(evidence, row['role'])}" * bool(roles[name] > 1)
        rows.append(
            {
                **{c: row[c] for c in ("exposure_type", "role", "outcome", "level", "provenance")},
                "panel": said.label + whose,
                "exposure": name,
                "low": low,
                "high": high,
                "family": evidence.labels.outcome(family),
                "label": evidence.labels.outcome(row["outcome"]),
                "estimate": row["mean"],
                "lower": row["lower"],
                "upper": row["upper"],
                "inner_lower": inner[0],
                "inner_upper": inner[1],
                "error_free": without.get(tuple(row[c] for c in key), np.nan),
                "beyond": max(row["above"], row["below"]),
                "claim": evidence.judged(row).claim,
                "rope": evidence.rope("log_odds"),
            }
        )
    return pd.DataFrame(rows, columns=CODE_CONTRASTS)


def _effects(evidence: Results, module: str, variant: str) -> pd.DataFrame:
    table = evidence.contrasts[module]
    mine = table["estimand"].eq("effect") & table["metric"].eq("log_odds")
    mine &= table["variant"].eq(variant) & ~table["level"].eq(HYPER_MEAN)
    return table[mine].reset_index(drop=True)


def _in_order(evidence: Results, table: pd.DataFrame) -> pd.DataFrame:
    """The exposure of most codes first; a family's mean before its codes, these by their size."""
    single = table["level"].eq("code")
    exposures = list(table.loc[single, "exposure"].value_counts(sort=True).index)
    families = list(evidence.vocabulary["families"])
    family = table["outcome"].map(lambda name: _family(evidence, name))
    table = table.assign(
        at=table["exposure"].map(exposures.index),
        of=family.map(families.index),
        single=single,
        down=-table["mean"],
    )
    groups = table.groupby(["exposure", "role", "of"])["single"]
    table = table[table["single"] | groups.transform("sum").gt(1)]
    return table.sort_values(["at", "role", "of", "single", "down"], kind="stable")


def _family(evidence: Results, outcome: str) -> str:
    """The family of a code; a family's own mean is of itself."""
    vocabulary = evidence.vocabulary
    return outcome if outcome in vocabulary["families"] else vocabulary.family(outcome)


def _levels(evidence: Results, name: str) -> Mapping[str, Any]:
    """Labels of an exposure's levels; of a contrast that the vocabulary lacks, two plain sides."""
    try:
        found = evidence.vocabulary.levels(name)
    except KeyError:
        found = {}
    return found if len(found) > 1 else {"less": "less", "more": "more"}


def sentence(
    evidence: Results, exposure: str, kind: str, codes: Sequence[Mapping[str, Any]]
) -> Tree:
    """What the contrasts of an exposure say together, as ``largest``.

    Parameters
    ----------
    codes : its rows of contrasts on single codes, in log-odds.

    Returns
    -------
    ``code``, ``estimate``, ``interval`` and ``beyond`` of the largest contrast, and a ``sentence``.
    """
    if not codes:
        return {}
    top = max(codes, key=lambda row: abs(row["mean"]))
    claims = count(n) if (n := sum(evidence.judged(row).claim for row in codes)) else "none"
    label = inline(evidence.labels.outcome(str(top["outcome"])))
    what = evidence.labels.exposure(exposure, kind).label
    leaves = {
        "code": label,
        "estimate": number(top["mean"]),
        "interval": interval(top["lower"], top["upper"]),
        "beyond": probability(max(top["above"], top["below"])),
    }
    said = (
        f"{what}: a sign is claimed for {claims} of {numbered(len(codes), 'code')}. The largest "
        f"contrast is that of {label}, {leaves['estimate']} log-odds ({leaves['interval']}), "
        f"beyond the region of practical equivalence with probability {leaves['beyond']}."
    )
    return {"largest": traced(leaves, top) | traced({"sentence": said}, *codes)}
