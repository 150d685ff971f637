"""Declared groupings of the second stage: what studies are in, and what is in studies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pandas as pd

from metastudy.common.problems import BadInput, Problem

__all__ = ["EFFECT", "NESTED", "Nesting", "nesting"]

EFFECT = "effect"  # each published effect by itself
NESTED = "nesting "  # before the name of a declared grouping, in the columns of the estimates
PLACE = ["study", "country", "sector", "role"]


@dataclass(frozen=True)
class Nesting:
    """Groupings above the study and below it, from the outermost in, and their levels by row."""

    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    levels: Mapping[str, pd.Series] = field(default_factory=dict)


def nesting(rows: pd.DataFrame) -> Nesting:
    """What the declared columns are beside the study of the estimates of one estimand.

    A study whose grouping is not known is one of its own. Several effects of a study in one place
    have a spread of their own, below all others.

    Parameters
    ----------
    rows : one per estimate, with ``study``, ``id``, and columns that begin with :data:`NESTED`.

    Raises
    ------
    BadInput
        ``crossed``, for a grouping that is neither in studies nor are studies in it, or two of
        which neither is in the other.
    """
    columns = [c for c in map(str, rows) if c.startswith(NESTED) and rows[c].notna().any()]
    unknown = "unknown in " + rows["study"].astype(str)
    levels = {c.removeprefix(NESTED): rows[c].where(rows[c].notna(), unknown) for c in columns}
    if problems := [*_crossed(rows, levels)]:
        raise BadInput(problems)
    order = sorted(levels, key=lambda name: levels[name].nunique())
    above = tuple(name for name in order if _within(rows["study"], levels[name]) is None)
    below = [name for name in order if name not in above]
    if EFFECT in rows and rows.duplicated(PLACE).any():
        below.append(EFFECT)
    return Nesting(above, tuple(below), levels)


def _crossed(rows: pd.DataFrame, levels: Mapping[str, pd.Series]) -> Iterator[Problem]:
    pairs = [(name, "study") for name in levels]
    pairs += [*pairwise(sorted(levels, key=lambda name: levels[name].nunique()))]
    for one, other in pairs:
        a, b = levels[one], levels[other] if other in levels else rows["study"]
        first, second = _within(a, b), _within(b, a)
        if first is None or second is None:
            continue
        ids = rows["id"] if "id" in rows else rows["study"]
        at = rows.index[b.eq(second)][0]
        study, _, row = str(ids[at]).partition("|")
        yield Problem(
            file=f"data/raw/{study}",
            found=f"'{one}' and '{other}' crossed: {one} {first} is in several of {other}, and "
            f"{other} {second} in several of {one}",
            expected="a grouping that is in studies, or that studies are in",
            fix=f"give each {one} a name of its own in each {other}, or take the column out",
            study=study,
            row=f"finding {row}" if row else None,
            column=one,
            code="crossed",
        )


def _within(inner: pd.Series, outer: pd.Series) -> str | None:
    """A level of the inner grouping that is in several of the outer one, if any is."""
    number = outer.groupby(inner.astype(str).to_numpy()).nunique()
    several = number.index[number > 1]
    return str(several[0]) if len(several) else None
