"""What a design can identify: levels, contrasts, variance components and their aliases.

Everything here is computed from the design alone, never from an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

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
    def columns(self) -> np.ndarray:
        """What the term adds to the design matrix: -1/2 and +1/2, or an indicator per level."""
        if self.kind == "contrast":
            return (self.index - 0.5)[:, None]
        return np.eye(len(self.levels))[self.index]


@dataclass(frozen=True)
class Structure:
    """The terms that a set of units identifies, and why the others are left out."""

    units: int
    terms: tuple[Term, ...]
    table: pd.DataFrame  # grouping, levels, used_as, aliased_with, reason


def structure(
    units: pd.DataFrame,
    groupings: Sequence[str],
    fixed: Sequence[str] = (),
    residual: str | None = None,
) -> Structure:
    """Decide which groupings of the units enter the model, and as what.

    One level: left out. Two: a contrast, if it raises the rank of the fixed terms. Three or more:
    a variance component, if M Z Z' M is linearly independent of those of the groupings before it,
    M projecting out the fixed terms. Six or more: a component that data can inform.

    Parameters
    ----------
    units : one row per unit (site, study, organisation); a column for each grouping.
    groupings : names of columns, in order of preference: of two aliased ones the first stays.
    fixed : names of columns that enter whatever comes after them: numbers as they are, other
        values as contrasts.
    residual : what the units are called if the model gives them a variance of their own, from
        which that of a grouping must be told apart.

    Returns
    -------
    Structure
        Terms in the order of ``groupings``, and one row per grouping that says what became of it.

    Notes
    -----
    Linear independence of the components is the condition under which the variances of a mixed
    model are identified by the second moments of the projected outcomes. Two groupings that span
    the same space beside the fixed terms are one all the same: their components may differ in the
    weights of a few levels, and nobody would read two variances out of that.
    """
    codes = {name: pd.Categorical(units[name].astype(str)) for name in (*fixed, *groupings)}
    keep = _representatives(pd.DataFrame({name: c.codes for name, c in codes.items()}))
    basis: dict[str, np.ndarray] = {"intercept": np.ones((len(keep), 1))}
    for name in fixed:
        number = pd.api.types.is_numeric_dtype(units[name])
        basis[name] = (
            units[name].to_numpy(float)[keep, None]
            if number
            else _indicators(codes[name], keep)[:, 1:]
        )

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
    components = {residual: project.ravel()} if residual else {}
    spans: dict[str, np.ndarray] = {}
    for name in groupings:
        if name in verdict:
            continue
        z = project @ _indicators(codes[name], keep)
        component = (z @ z.T).ravel()
        independent = _rank([c[:, None] for c in (*components.values(), component)])
        if independent > len(components) and not any(_same_span(z, s) for s in spans.values()):
            components[name], spans[name] = component, z
            few = len(level_names(name)) < FULL_FROM
            verdict[name] = (
                "varying",
                "",
                "three to five levels: its standard deviation is dominated by its prior"
                if few
                else "six or more levels",
            )
        else:
            if residual and np.allclose(component, components[residual]):
                other = residual
            else:
                among = [n for n in (*components, *basis) if n in codes]
                other = _same_partition(name, among, codes)
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
    return Structure(
        len(units),
        terms,
        table.sort_values("grouping", key=lambda c: c.map(order)).reset_index(drop=True),
    )


def _representatives(codes: pd.DataFrame) -> np.ndarray:
    """At most two units of each combination: more of the same tells nothing new about aliases."""
    return np.flatnonzero(codes.groupby(list(codes.columns)).cumcount().to_numpy() < 2)


def _indicators(codes: pd.Categorical[Any], keep: np.ndarray) -> np.ndarray:
    return np.eye(len(codes.categories))[np.asarray(codes.codes)[keep]]


def _projector(x: np.ndarray) -> np.ndarray:
    return np.eye(len(x)) - x @ np.linalg.pinv(x)  # fixed terms may be aliased with each other


def _rank(columns: list[np.ndarray]) -> int:
    return int(np.linalg.matrix_rank(np.hstack(columns), tol=1e-8))


def _same_span(one: np.ndarray, other: np.ndarray) -> bool:
    return _rank([one]) == _rank([other]) == _rank([one, other])


def _same_partition(
    name: str, among: Sequence[str], codes: Mapping[str, pd.Categorical[Any]]
) -> str:
    """The fewest groupings whose levels together determine those of ``name``, else all of them."""
    own = pd.Series(codes[name].codes)
    for size in range(1, len(among)):
        fitting = {}  # number of groups by name: the coarsest says no more than it must
        for some in combinations(among, size):
            groups = own.groupby([pd.Series(codes[other].codes) for other in some])
            if groups.nunique().le(1).all():
                fitting[" + ".join(some)] = groups.ngroups
        if fitting:
            return min(fitting, key=lambda found: fitting[found])
    return " + ".join(among)
