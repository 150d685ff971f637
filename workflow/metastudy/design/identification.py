"""What a design can identify: fixed terms, components of variance, and what is one with what.

Everything here is computed from the design alone, never from an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.common.unsaid import NOT_SAID, is_unsaid, note

__all__ = ["ALIKE", "SETTING", "Component", "Identification", "identify"]

SETTING = "setting"  # a study in a country and a sector, with people of one role
# Variances whose matrices correlate above this are one: no data tell them apart.
ALIKE = 0.99
DEPENDENT = 1e-9  # of a matrix's own square: less than this is rounding
SPAN = 1e-6  # how far a unit vector of one space may lie from another that is the same


@dataclass(frozen=True)
class Component:
    """What varies with one variance: a grouping, or several that the design cannot tell apart.

    ``index`` holds the level of each unit (shape: units). Of several groupings, the levels are
    those of the one that says most beside the fixed terms, and of two that say the same those of
    the one with fewer levels: what the other has more is a fixed term's.
    ``shared`` says whether the variance is a share of the total between settings.
    """

    names: tuple[str, ...]
    levels: tuple[str, ...]
    index: np.ndarray
    shared: bool = True

    @property
    def name(self) -> str:
        """All names in one word, such as ``study+country``."""
        return "+".join(self.names)


@dataclass(frozen=True)
class Identification:
    """What a set of units identifies, and what became of each grouping."""

    units: int
    components: tuple[Component, ...]
    table: pd.DataFrame  # grouping, levels, used_as, aliased_with, reason

    def component(self, grouping: str) -> Component | None:
        """The component that a grouping is part of, if any."""
        return next((c for c in self.components if grouping in c.names), None)


def identify(
    units: pd.DataFrame,
    groupings: Sequence[str],
    fixed: Sequence[str] = (),
    apart: Sequence[str] = (),
    residual: str | None = None,
) -> Identification:
    """Decide which groupings of the units have a variance of their own.

    A grouping has one, from two levels on, if M Z Z' M is linearly independent of those of the
    groupings before it, Z being the indicators of its levels and M projecting out the intercept and
    the fixed terms. Two whose matrices correlate above :data:`ALIKE`, or that span the same space,
    are one component with both names.

    Parameters
    ----------
    units : one row per unit (setting, study, organisation); a column for each grouping.
    groupings : columns whose variances are shares of the total between settings, in order of
        preference: what others make up is left out.
    fixed : columns that enter whatever comes after them: numbers as they are, other values with a
        mean for each level.
    apart : columns that vary with a standard deviation of their own; they come last, and one that
        cannot be distinguished from a grouping is a part of it.
    residual : what the units are called if the model gives them a variance of their own whatever
        the design is; it comes first, and what cannot be distinguished from it is in it.

    Returns
    -------
    Identification
        Components in the order of ``groupings`` and ``apart``, and one row per fixed term of
        several levels and per grouping that says what became of it.

    Notes
    -----
    Linear independence of the components is the condition under which the variances of a mixed
    model are identified by the second moments of the projected outcomes. Inner products of the
    matrices are sums of squares of ``Z_a' M Z_b``, so none of them is made. Components of two
    groupings that span the same space differ in the weights of a few levels at most, and nobody
    would read two variances out of that.
    """
    names = [*groupings, *apart]
    codes = {name: pd.Categorical(units[name].astype(str)) for name in (*fixed, *names)}
    levels = {name: tuple(map(str, c.categories)) for name, c in codes.items()}
    index = {name: np.asarray(c.codes, dtype=np.int64) for name, c in codes.items()}
    columns, rows = [np.ones((len(units), 1))], []
    for name in fixed:
        if pd.api.types.is_numeric_dtype(units[name]):
            columns.append(units[name].to_numpy(float)[:, None])
            continue
        columns.append(np.eye(len(levels[name]))[index[name]])
        if len(levels[name]) > 1:
            rows.append((name, len(levels[name]), "fixed", "", "each level has a mean of its own"))
    span = _basis(np.hstack(columns))

    kept: list[_Candidate] = []
    rank: dict[str, int] = {}
    if residual:
        kept.append(_Candidate.of([residual], np.eye(len(units)), span))
    for name in names:
        count = len(levels[name])
        said = note(name, levels[name])
        if said and all(map(is_unsaid, levels[name])):
            rows.append((name, count, NOT_SAID, "", f"in no component: {said}"))
            continue
        if count == 1:
            rows.append((name, 1, "left out", "", f"one level only: {levels[name][0]}"))
            continue
        mine = _Candidate.of([name], np.eye(count)[index[name]], span)
        if mine.square <= DEPENDENT * np.square(np.bincount(index[name])).sum():
            other = " + ".join(n for n in fixed if _determines(index, n, name)) or " + ".join(fixed)
            rows.append((name, count, "left out", other, f"aliased with {other}"))
            continue
        rank[name] = _basis(mine.projected).shape[1]
        same = [one for one in kept if one.alike(mine)]
        if same:
            first = same[0]
            first.names.append(name)
            why = f"cannot be distinguished from {first.names[0]}: one component with both names"
            rows.append((name, count, "varying", first.names[0], _with(why, said)))
        elif other := _made_up_of(mine, kept):
            rows.append((name, count, "left out", other, f"aliased with {other}"))
        else:
            kept.append(mine)
            rows.append((name, count, "varying", "", _with("has a variance of its own", said)))

    components = []
    for one in kept:
        mine_of = [n for n in one.names if n in index]
        if residual in one.names:
            continue  # the model has it whatever the design is
        best = max(mine_of, key=lambda n: (rank[n], -len(levels[n])))
        shared = any(name in groupings for name in mine_of)
        components.append(Component(tuple(mine_of), levels[best], index[best], shared))
    table = pd.DataFrame(rows, columns=["grouping", "levels", "used_as", "aliased_with", "reason"])
    return Identification(len(units), tuple(components), table)


@dataclass(frozen=True)
class _Candidate:
    """Groupings of one component, and their indicators with the fixed terms projected out."""

    names: list[str]
    projected: np.ndarray
    square: float  # of the matrix M Z Z' M with itself

    @classmethod
    def of(cls, names: list[str], z: np.ndarray, span: np.ndarray) -> _Candidate:
        projected = z - span @ (span.T @ z)
        return cls(names, projected, float(np.square(projected.T @ projected).sum()))

    def inner(self, other: _Candidate) -> float:
        """Inner product of the two matrices M Z Z' M."""
        return float(np.square(self.projected.T @ other.projected).sum())

    def alike(self, other: _Candidate) -> bool:
        """Whether the two are one component: nearly the same matrix, or the same space."""
        if self.inner(other) > ALIKE * np.sqrt(self.square * other.square):
            return True
        one, two = _basis(self.projected), _basis(other.projected)
        if one.shape != two.shape:
            return False
        return bool(np.linalg.norm(two - one @ (one.T @ two)) < SPAN)


def _with(why: str, said: str) -> str:
    """A reason, and which studies do not say where they are: each is a level of its own."""
    return f"{why}; {said}, each a level of its own" if said else why


def _basis(x: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span those of x, which may be aliased with each other."""
    u, size, _ = np.linalg.svd(x, full_matrices=False)
    return np.asarray(u[:, size > 1e-10 * size[0]])


def _made_up_of(one: _Candidate, kept: Sequence[_Candidate]) -> str:
    """The components that make up another one together; empty where they do not."""
    if not kept:
        return ""
    gram = np.array([[a.inner(b) for b in kept] for a in kept])
    with_one = np.array([a.inner(one) for a in kept])
    size = np.sqrt(np.diag(gram))
    weight = np.linalg.lstsq(gram / np.outer(size, size), with_one / size, rcond=None)[0] / size
    if one.square - weight @ with_one > DEPENDENT**0.5 * one.square:
        return ""
    part = np.abs(weight) * size / np.sqrt(one.square) > 1e-6
    return " + ".join("+".join(a.names) for a, used in zip(kept, part, strict=True) if used)


def _determines(index: dict[str, np.ndarray], one: str, other: str) -> bool:
    """Whether the levels of one grouping determine those of another."""
    return bool(pd.Series(index[other]).groupby(index[one]).nunique().le(1).all())
