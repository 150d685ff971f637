"""What a design can identify: levels, contrasts, variance components and their aliases.

Everything here is computed from the design alone, never from an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

__all__ = ["FULL_FROM", "VARYING_FROM", "Structure", "Term", "structure"]

# A between-group standard deviation wants groups: with two a contrast says all there is to say,
# and below six the posterior of the standard deviation is mostly its prior.
VARYING_FROM = 3
FULL_FROM = 6

Kind = Literal["contrast", "varying"]


@dataclass(frozen=True)
class Term:
    """One grouping of the units that the design identifies.

    ``index`` holds the level of each unit (shape: units); a ``contrast`` has two levels and enters
    as -1/2 and +1/2, a ``varying`` term has a standard deviation.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...]
    index: np.ndarray
    aliases: tuple[str, ...] = ()

    @property
    def prior_dominated(self) -> bool:
        """Whether the term's standard deviation is mostly its prior."""
        return self.kind == "varying" and len(self.levels) < FULL_FROM

    @property
    def coding(self) -> np.ndarray:
        """A contrast's -1/2 and +1/2 per unit."""
        return self.index - 0.5


@dataclass(frozen=True)
class Structure:
    """The terms that a set of units identifies, and why the others are left out."""

    units: int
    terms: tuple[Term, ...]
    table: pd.DataFrame  # grouping, levels, used_as, aliased_with, reason


def structure(
    units: pd.DataFrame, groupings: Sequence[str], fixed: Sequence[str] = ()
) -> Structure:
    """Decide which groupings of the units enter the model, and as what.

    One level: left out. Two: a contrast, if it raises the rank of the fixed terms. Three or more:
    a variance component, if M Z Z' M is linearly independent of those of the groupings before it,
    M projecting out the fixed terms. Six or more: a component that data can inform.

    Parameters
    ----------
    units : one row per unit (site, study, organisation); a column for each grouping.
    groupings : names of columns, in order of preference: of two aliased ones the first stays.
    fixed : names of columns that enter as fixed contrasts whatever comes after them.

    Returns
    -------
    Structure
        Terms in the order of ``groupings``, and one row per grouping that says what became of it.

    Notes
    -----
    Linear independence of the components is the condition under which the variances of a mixed
    model are identified by the second moments of the projected outcomes.
    """
    codes = {name: pd.Categorical(units[name].astype(str)) for name in (*fixed, *groupings)}
    keep = _representatives(pd.DataFrame({name: c.codes for name, c in codes.items()}))
    basis: dict[str, np.ndarray] = {"intercept": np.ones((len(keep), 1))}
    for name in fixed:
        basis[name] = _indicators(codes[name], keep)[:, 1:]

    def level_names(name: str) -> tuple[str, ...]:
        return tuple(str(level) for level in codes[name].categories)

    verdict: dict[str, tuple[str, str, str]] = {}
    for name in groupings:
        levels = len(level_names(name))
        if levels == 1:
            verdict[name] = ("left out", "", f"one level only: {level_names(name)[0]}")
        elif levels < VARYING_FROM:
            column = _indicators(codes[name], keep)[:, 1:]
            if _rank([*basis.values(), column]) > _rank(list(basis.values())):
                basis[name] = column
                verdict[name] = ("contrast", "", "two levels: a contrast, no variance")
            else:
                other = _same_partition(name, [n for n in basis if n != "intercept"], codes)
                verdict[name] = ("left out", other, f"aliased with {other}")

    project = _projector(np.hstack(list(basis.values())))
    components: dict[str, np.ndarray] = {}
    for name in groupings:
        if name in verdict:
            continue
        z = project @ _indicators(codes[name], keep)
        component = (z @ z.T).ravel()
        if _rank([c[:, None] for c in (*components.values(), component)]) > len(components):
            components[name] = component
            few = len(level_names(name)) < FULL_FROM
            verdict[name] = (
                "varying",
                "",
                "three to five levels: its standard deviation is dominated by its prior"
                if few
                else "six or more levels",
            )
        else:
            other = _same_partition(name, [*components, *fixed], codes)
            verdict[name] = ("left out", other, f"aliased with {other}")

    aliases: dict[str, list[str]] = {}
    for name, (_, other, _) in verdict.items():
        if other:
            aliases.setdefault(other, []).append(name)
    terms = tuple(
        Term(
            name,
            "contrast" if verdict[name][0] == "contrast" else "varying",
            level_names(name),
            np.asarray(codes[name].codes, dtype=np.int64),
            tuple(aliases.get(name, ())),
        )
        for name in groupings
        if verdict[name][0] != "left out"
    )
    table = pd.DataFrame(
        [
            (name, len(level_names(name)), used, other, reason)
            for name, (used, other, reason) in verdict.items()
        ],
        columns=["grouping", "levels", "used_as", "aliased_with", "reason"],
    )
    order = {name: i for i, name in enumerate(groupings)}
    return Structure(len(units), terms, table.sort_values("grouping", key=lambda c: c.map(order)).reset_index(drop=True))


def _representatives(codes: pd.DataFrame) -> np.ndarray:
    """At most two units of each combination: more of the same tells nothing new about aliases."""
    return np.flatnonzero(codes.groupby(list(codes.columns)).cumcount().to_numpy() < 2)


def _indicators(codes: pd.Categorical, keep: np.ndarray) -> np.ndarray:
    return np.eye(len(codes.categories))[np.asarray(codes.codes)[keep]]


def _projector(x: np.ndarray) -> np.ndarray:
    q, r = np.linalg.qr(x)
    q = q[:, np.abs(np.diag(r)) > 1e-9]
    return np.eye(len(x)) - q @ q.T


def _rank(columns: list[np.ndarray]) -> int:
    return int(np.linalg.matrix_rank(np.hstack(columns), tol=1e-8))


def _same_partition(name: str, among: Sequence[str], codes: dict[str, pd.Categorical]) -> str:
    """The first grouping whose levels determine those of ``name``, else all of them together."""
    for other in among:
        if pd.crosstab(codes[other].codes, codes[name].codes).gt(0).sum(axis=1).le(1).all():
            return other
    return " + ".join(among)
