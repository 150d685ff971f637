"""Moderators: what effects differ by, as columns of a design, identified or refused.

Everything here is computed from the design alone, never from an outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary

__all__ = [
    "BETWEEN",
    "DECIDED",
    "LEAST_STUDIES",
    "MODERATED",
    "NO_SLOPES",
    "WITHIN",
    "Coefficient",
    "Moderation",
    "Moderator",
    "Slopes",
    "moderate",
    "moderators_of",
    "places_of",
]

LEAST_STUDIES = 4  # studies per coefficient; with fewer, its prior decides it
MODERATED = "moderator "  # before the name of a moderator, in the columns of the estimates
DECIDED = "decided by its prior: fewer than four studies for each coefficient"
BETWEEN = "a comparison between studies"
WITHIN = "varies within studies"


@dataclass(frozen=True)
class Moderator:
    """A moderator as it is declared: a category has ``levels``, a number may have a ``unit``.

    The first of the levels is the reference.
    """

    name: str
    levels: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Coefficient:
    """One coefficient: the change per ``scale`` of a number, or from the reference to a ``level``.

    ``at`` is where the population mean is: the mean of a number, or its reference as a text.
    ``between`` says whether the moderator varies between studies only.
    """

    moderator: str
    level: str
    at: float | str
    scale: float
    unit: str
    between: bool


@dataclass(frozen=True)
class Moderation:
    """The coefficients of an estimand, their columns (rows, coefficients), and what became of each.

    ``table`` has a row for each moderator: ``grouping``, ``levels``, ``used_as``, ``aliased_with``
    and ``reason``. ``decided`` says whether there are too few studies for the coefficients.
    """

    coefficients: tuple[Coefficient, ...]
    columns: np.ndarray
    table: pd.DataFrame
    decided: bool

    @property
    def fixed(self) -> dict[str, np.ndarray]:
        """The columns by name, as numbers, for what else the design identifies beside them."""
        named = (f"{MODERATED}{c.moderator} {c.level}".strip() for c in self.coefficients)
        return dict(zip(named, self.columns.T, strict=True))


@dataclass(frozen=True)
class Slopes:
    """Coefficients of moderators by name, and the columns X (row, coefficient) that they are of."""

    names: tuple[str, ...]
    columns: np.ndarray


NO_SLOPES = Slopes((), np.zeros((0, 0)))


def moderators_of(vocabulary: Vocabulary) -> list[Moderator]:
    """The moderators that the vocabulary has, in its order."""
    return [
        Moderator(name, tuple(entry.get("levels", ())), str(entry.get("unit", "")))
        for name, entry in vocabulary["moderators"].items()
    ]


def moderate(
    rows: pd.DataFrame,
    declared: Sequence[Moderator],
    study: pd.Series,
    places: Mapping[str, tuple[float, float]] | None = None,
) -> Moderation:
    """Decide which moderators the estimates of one estimand identify.

    In the order of declaration a moderator is refused that is not known of every estimate, that is
    the same in all of them, whose columns others make up (the rank of the design), or that tells
    all studies apart, so that nothing is left of the heterogeneity between them.

    Parameters
    ----------
    rows : one per estimate; for each moderator a column that begins with :data:`MODERATED`, missing
        where it is not known. A moderator that is known of none of them is not theirs.
    declared : the moderators.
    study : of each estimate.
    places : centre and scale of a number, where several estimands are to have the same.

    Returns
    -------
    Moderation
        Without a place a number is centred at the mean of the studies' means, and its coefficient
        is the change per standard deviation of the estimates' values; that of a category is the
        difference from its reference, the first level that has estimates.
    """
    studies = pd.get_dummies(study, dtype=float).to_numpy()
    one = np.ones((len(rows), 1))
    kept: list[tuple[str, np.ndarray]] = []
    coefficients: list[Coefficient] = []
    said: list[tuple[str, int, str, str, str]] = []
    for moderator in declared:
        column = f"{MODERATED}{moderator.name}"
        if column not in rows or rows[column].isna().all():
            continue
        values = rows[column]
        number = int(values.nunique())
        entry = (moderator.name, number)
        if values.isna().any():
            lost = ", ".join(dict.fromkeys(study[values.isna()].astype(str)))
            said.append((*entry, "refused", "", f"not known of {lost}"))
            continue
        if number == 1:
            same = f"the same in all {len(rows)} estimates: {_text(values.iloc[0])}"
            said.append((*entry, "refused", "intercept", same))
            continue
        mine, columns = _coefficients(moderator, values, study, (places or {}).get(moderator.name))
        before = [one, *(c for _, c in kept)]
        if alias := _alias(columns, kept):
            said.append((*entry, "refused", alias, f"aliased with {alias}"))
        elif _rank([*before, columns]) == _rank([*before, columns, studies]):
            said.append((*entry, "refused", "study", "aliased with study: no two studies are left "
                         "to compare"))  # fmt: skip
        else:
            kept.append((moderator.name, columns))
            coefficients += mine
            between = BETWEEN if mine[0].between else WITHIN
            said.append((*entry, "fixed", "", f"{between}; population mean at {_place(mine[0])}"))
    columns = np.hstack([np.zeros((len(rows), 0)), *(c for _, c in kept)])
    decided = bool(coefficients) and studies.shape[1] < LEAST_STUDIES * len(coefficients)
    table = pd.DataFrame(said, columns=["grouping", "levels", "used_as", "aliased_with", "reason"])
    return Moderation(tuple(coefficients), columns, table, decided)


def places_of(moderation: Moderation | None) -> Iterator[str]:
    """Where a population mean is, moderator by moderator, in words."""
    found = moderation.coefficients if moderation else ()
    for one in {c.moderator: c for c in found}.values():
        if isinstance(one.at, str):
            yield f"at the reference of {one.moderator}: {one.at}"
        else:
            yield f"at the mean of {one.moderator}: {one.at:.4g} {one.unit}".strip()


def _coefficients(
    moderator: Moderator,
    values: pd.Series,
    study: pd.Series,
    place: tuple[float, float] | None,
) -> tuple[list[Coefficient], np.ndarray]:
    between = bool(values.groupby(study.to_numpy()).nunique().le(1).all())
    if not moderator.levels:
        x = values.astype(float)
        own = float(x.groupby(study.to_numpy()).mean().mean()), float(x.std())
        at, scale = place or own
        one = Coefficient(moderator.name, "", at, scale, moderator.unit, between)
        return [one], ((x.to_numpy() - at) / scale)[:, None]
    reference, *others = (level for level in moderator.levels if values.eq(level).any())
    found = [Coefficient(moderator.name, o, reference, 1.0, "", between) for o in others]
    return found, np.stack([values.eq(o).to_numpy(float) for o in others], axis=1)


def _alias(columns: np.ndarray, kept: Sequence[tuple[str, np.ndarray]]) -> str:
    """The moderators that make up columns of another one; empty where they do not."""
    one = np.ones((len(columns), 1))

    def made_up(of: Sequence[tuple[str, np.ndarray]]) -> bool:
        before = [one, *(c for _, c in of)]
        return _rank([*before, columns]) < _rank(before) + columns.shape[1]

    if not made_up(kept):
        return ""
    needed = list(kept)
    for each in kept:
        fewer = [k for k in needed if k is not each]
        if made_up(fewer):
            needed = fewer
    return " + ".join(name for name, _ in needed)


def _rank(columns: Sequence[np.ndarray]) -> int:
    return int(np.linalg.matrix_rank(np.hstack([*columns])))


def _place(one: Coefficient) -> str:
    """Where the population mean is, of one moderator."""
    if isinstance(one.at, str):
        return f"its reference {one.at}"
    return f"its mean {_text(one.at)}{f' {one.unit}' if one.unit else ''}"


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
