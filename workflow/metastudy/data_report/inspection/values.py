"""What an inspection finds: plain texts, numbers and counts, a class for each part of the page.

A study's inspection is kept as JSON, with the names of the fields as keys in their order. Counts
are numbers, or texts such as ``<5``; shares are per cent, or such a text; ``None`` is what does not
apply, is not defined, or may not be shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from metastudy.common.disclosure import Count, Share
from metastudy.data_report.balance import Difference

__all__ = [
    "Answers",
    "ArmSize",
    "Arms",
    "Check",
    "Code",
    "Coding",
    "Dimension",
    "FindingCount",
    "Inspection",
    "Item",
    "Left",
    "Organisation",
    "Part",
    "Place",
    "Published",
    "Ratings",
    "Reading",
    "RuleRows",
    "Scale",
    "number_or_none",
    "text_or_none",
]


@dataclass(frozen=True)
class RuleRows:
    """A rule of the codebook, and how many rows it left out or marked."""

    rule: str
    rows: Count


@dataclass(frozen=True)
class Reading:
    """The raw file: what was read of it and what left."""

    file: str
    format: str
    sha256: str
    rows_read: int | None  # none where it would tell a small count
    rows_kept: Count
    excluded: tuple[RuleRows, ...]
    unmapped: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...] = ()  # what of the file is not among the rows


@dataclass(frozen=True)
class Place:
    """A place and role, and how many people or findings it has."""

    country: str | None
    sector: str | None
    role: str | None
    arrangement: str | None
    n: Count


@dataclass(frozen=True)
class Item:
    """An item after alignment; ``shares`` are those of ``labels``, its steps or bins."""

    construct: str
    vignette: str | None
    item: str
    reversed: bool
    low: float
    high: float
    missing: Mapping[str, Share | None]  # by reason
    all_missing: Share | None
    much_missing: bool
    labels: tuple[str, ...]
    shares: tuple[Share | None, ...]
    floor: Share | None
    ceiling: Share | None
    item_rest: float | None


@dataclass(frozen=True)
class Scale:
    """The scale that a construct's items make; ``low`` and ``high`` are the interval of alpha."""

    construct: str
    vignette: str | None
    items: int
    rows: int
    alpha: float | None
    low: float | None
    high: float | None
    omega: float | None
    why_alpha: str
    why_omega: str
    floor: Share | None
    ceiling: Share | None
    loadings: Mapping[str, float] | None  # by item
    names: tuple[str, ...]  # of the items


@dataclass(frozen=True)
class Answers:
    """Items and scales, with the reasons for which answers are missing."""

    reasons: tuple[str, ...]
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]


@dataclass(frozen=True)
class ArmSize:
    """People in an arm, the levels of all factors joined; without a vignette in all of them."""

    vignette: str | None
    arm: str
    n: Count | None


@dataclass(frozen=True)
class Left:
    """Rows of a level that left by a rule; ``differs`` if the levels do by more than chance."""

    rule: str
    factor: str
    level: str
    n: Count | None
    share: float | None
    differs: bool


@dataclass(frozen=True)
class Check:
    """A manipulation check in one level: its mean, and its difference from the first level."""

    construct: str
    factor: str
    level: str
    n: Count
    mean: float | None
    difference: float | None


@dataclass(frozen=True)
class Arms:
    """The arms of an experiment; ``left`` is none where harmonizing did not record it."""

    factors: tuple[str, ...]
    counts: tuple[ArmSize, ...]
    balance: tuple[Difference, ...]
    left: tuple[Left, ...] | None
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Part:
    """So many of a total, and their share where the number is shown."""

    n: Count
    of: int
    share: float | None


@dataclass(frozen=True)
class Code:
    """A code: the sources that have it, and how far coders agree on it."""

    code: str
    sources: Part | None
    double: Part | None  # of the readings of sources that several coders read
    alpha: float | None
    kappa: float | None
    pairs: int


@dataclass(frozen=True)
class Organisation:
    """Sources of an organisation."""

    organisation: str
    n: Count | None


@dataclass(frozen=True)
class Coding:
    """Sources, coders and codes."""

    read: Count
    double: Count
    enough_double: bool
    coders: int
    organisations: tuple[Organisation, ...]
    codes: tuple[Code, ...]


@dataclass(frozen=True)
class Dimension:
    """Ratings on a dimension: each one where cases are few, else the shares of its poles."""

    dimension: str
    listed: tuple[int, ...] | None
    shares: tuple[Share | None, ...] | None
    unrated: Count


@dataclass(frozen=True)
class Ratings:
    """Ratings of cases; ``few`` if each is listed."""

    few: bool
    cases: Count
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True)
class FindingCount:
    """Published findings of one direction and level of verification."""

    direction: str
    verification: str
    n: int


@dataclass(frozen=True)
class Published:
    """Published findings, which are public: no count is hidden."""

    findings: int
    publications: int
    counts: tuple[FindingCount, ...]
    exposure_types: tuple[str, ...]


@dataclass(frozen=True)
class Attribute:
    """A moderator, grouping, reliability or interaction: its value, and how many findings have it.

    Of an interaction the name and the value are its two exposures.
    ``findings`` is missing where it is that of the study as a whole.
    """

    kind: str
    name: str
    value: str
    findings: int | None


@dataclass(frozen=True)
class Funnel:
    """Published effects with a standard error on one outcome, which a funnel would show."""

    exposure: str
    outcome: str
    metric: str
    effects: int
    publications: int


@dataclass(frozen=True)
class Declared:
    """What a codebook declares for analyses beside the data; all of it is public.

    ``given`` and ``correlated`` count pairs of findings with a covariance and with a correlation.
    """

    attributes: tuple[Attribute, ...]
    given: int
    correlated: int
    funnels: tuple[Funnel, ...]


@dataclass(frozen=True)
class Inspection:
    """All that is shown of a study; a part that does not apply is ``None``.

    Parameters
    ----------
    about : what the codebook says of the study as a whole, without its id.
    vocabulary : what the study adds to the common vocabulary, by section.
    smallest_cell : the smallest count that is shown.
    quality : ``None`` where harmonizing did not record it.
    """

    study: str
    about: Mapping[str, Any]
    provenance: str
    vocabulary: Mapping[str, Any]
    outcomes: tuple[str, ...]
    exposure_types: tuple[str, ...]
    smallest_cell: int
    reading: Reading
    quality: tuple[RuleRows, ...] | None
    weights: bool
    places: tuple[Place, ...]
    answers: Answers | None
    arms: Arms | None
    coding: Coding | None
    ratings: Ratings | None
    published: Published | None
    declared: Declared | None

    def to_json(self) -> str:
        """Spell the inspection as JSON, with a line break at the end."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Inspection:
        """Read what :meth:`to_json` spelt.

        Raises
        ------
        TypeError
            If a key is missing or unknown.
        """
        found: Inspection = _typed(cls, json.loads(text))
        return found


def _typed(kind: Any, value: Any) -> Any:
    """Give a value of JSON the class that its annotation names, through tuples and unions."""
    inside = [one for one in get_args(kind) if one is not NoneType]
    if value is None:
        return None
    if get_origin(kind) in (Union, UnionType):
        return _typed(inside[0], value) if len(inside) == 1 else value
    if get_origin(kind) is tuple:
        return tuple(_typed(inside[0], one) for one in value)
    if is_dataclass(kind):
        of = get_type_hints(kind)
        return kind(**{name: _typed(of.get(name), one) for name, one in value.items()})  # type: ignore[operator]
    return value


def text_or_none(value: Any) -> str | None:
    """A value as text; None if it is missing."""
    return None if value is None or pd.isna(value) else str(value)


def number_or_none(value: float | None) -> float | None:
    """A number with four digits after the point; None if it is missing or not finite."""
    return None if value is None or not np.isfinite(value) else round(float(value), 4)
