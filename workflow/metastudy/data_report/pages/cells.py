"""Cells of the tables of the data report: counts, shares and coefficients as texts."""

from __future__ import annotations

from typing import Any

from metastudy.display.formatting import number
from metastudy.display.labels import Labels

__all__ = [
    "MARKED",
    "NONE",
    "cell",
    "coefficient",
    "number_cell",
    "number_or_none",
    "per_cent",
    "spot",
]

MARKED = (
    "The data are simulated stand-ins: no number on this page says anything about people, "
    "organisations or places."
)
NONE = "–"


def cell(value: Any) -> str:
    """A count or text in a table; a dash where there is none."""
    return NONE if value is None else str(value)


def per_cent(value: Any) -> str:
    """A share in a table; where it is hidden, what is known of the number behind it."""
    if value is None:
        return NONE
    return f"n{value}" if isinstance(value, str) else f"{value:.0f}%"


def number_cell(value: float | None, digits: int = 2) -> str:
    """A number in a table; a dash where there is none."""
    return NONE if value is None else number(value, digits)


def number_or_none(value: Any) -> float:
    """A number for a picture; NaN where it is missing or hidden behind a text."""
    return float("nan") if value is None or isinstance(value, str) else float(value)


def coefficient(value: float | None, why: str) -> str:
    """A coefficient, or why there is none."""
    return f"not computed: {why}" if value is None else number(value)


def spot(labels: Labels, *places: str | float | None) -> tuple[int, ...]:
    """Where a line stands by its country and sector; one that is not said comes first."""
    return tuple(labels.position(place if isinstance(place, str) else "") for place in places)
