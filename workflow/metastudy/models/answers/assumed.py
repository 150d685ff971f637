"""What cells of arms say of correlations between outcomes: known to nobody, or assumed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

__all__ = [
    *("APART", "IF_ONE", "assumed_correlation", "joined_marks", "marked", "studies_apart"),
    *("studies_assumed", "studies_in_parts", "with_correlation"),
]

# Attributes with ids of studies, with blanks between them: those whose outcomes come from the same
# people nobody knows how correlated, so that no outcome of the module is pooled with another; those
# whose people are in several cells, each with a part of their outcomes; and those with an assumed
# correlation, which is an attribute of its own.
APART, IN_PARTS, ASSUMED = "apart", "in_parts", "assumed"
CORRELATION = "correlation_of_arms"
IF_ONE = "yy_assumed"  # what a correlation of one would add to ``yy``


def marked(
    cells: xr.Dataset, study: str, in_parts: bool, if_one: np.ndarray, value: float | None
) -> xr.Dataset:
    """Cells of a study of arms, marked with what is not known of its outcomes.

    Parameters
    ----------
    in_parts : whether some outcomes are in cells of their own.
    if_one : what an assumed correlation of one would add to ``yy``, in the same shape.
    value : the assumed correlation, which is in ``yy``; ``None`` where none is.
    """
    if value is None:
        return cells.assign_attrs({APART: study}) if in_parts else cells
    marks = {ASSUMED: study, CORRELATION: str(value)} | ({IN_PARTS: study} if in_parts else {})
    return cells.assign({IF_ONE: (cells.yy.dims, if_one)}).assign_attrs(marks)


def joined_marks(parts: Sequence[xr.Dataset]) -> dict[str, str]:
    """The marks of the cells of several studies together."""
    found = {
        name: " ".join(p.attrs[name] for p in parts if name in p.attrs)
        for name in (APART, IN_PARTS, ASSUMED)
    }
    found[CORRELATION] = next((p.attrs[CORRELATION] for p in parts if CORRELATION in p.attrs), "")
    return {name: value for name, value in found.items() if value}


def studies_apart(cells: xr.Dataset) -> tuple[str, ...]:
    """Studies in which nobody knows how outcomes of the same people are correlated."""
    return tuple(str(cells.attrs.get(APART, "")).split())


def studies_in_parts(cells: xr.Dataset) -> tuple[str, ...]:
    """Studies whose people are in several cells, each with a part of their outcomes."""
    return (*studies_apart(cells), *str(cells.attrs.get(IN_PARTS, "")).split())


def studies_assumed(cells: xr.Dataset) -> tuple[str, ...]:
    """Studies between whose outcomes a correlation is assumed."""
    return tuple(str(cells.attrs.get(ASSUMED, "")).split())


def assumed_correlation(cells: xr.Dataset) -> float | None:
    """The assumed correlation of outcomes of arms; ``None`` where none is."""
    return float(cells.attrs[CORRELATION]) if CORRELATION in cells.attrs else None


def with_correlation(cells: xr.Dataset, value: float) -> xr.Dataset:
    """The same cells, in the same shapes, with another correlation where one is assumed.

    Cross-products of two outcomes are a straight line in the correlation of their scores.
    """
    apart = value - float(cells.attrs[CORRELATION])
    changed = cells.assign(yy=cells.yy + apart * cells[IF_ONE])
    return changed.assign_attrs({CORRELATION: str(value)})
