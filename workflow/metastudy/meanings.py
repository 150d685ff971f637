"""What a raw value means, by what its codebook says: one small reader for each role of a variable.

Each function takes a variable and gives a reader of its texts, which raises :class:`UnfitError` for
a text that may not stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from metastudy.codebook import Variable
from metastudy.texts import canonical, did_you_mean, numeral

__all__ = ["UnfitError", "entry", "label", "levels", "number", "unknown", "years"]


class UnfitError(Exception):
    """A raw value that may not stand where it stands."""

    def __init__(self, code: str, expected: str, mend: str):
        super().__init__(code)
        self.code, self.expected, self.mend = code, expected, mend


def number(variable: Variable) -> Callable[[str], tuple[float, str | None]]:
    """Make the reader of an item: a text gives a number, or NaN and the reason for it."""
    low, high = float(variable.min or 0), float(variable.max or 0)
    # Whole bounds declare a scale of whole numbers; 0.0 and 100.0 declare one with decimals.
    whole = not variable.values and isinstance(variable.min, int) and isinstance(variable.max, int)
    bounds = f"{variable.min} to {variable.max}"
    codes = ", ".join(variable.missing) or "none declared"

    def meaning(text: str) -> tuple[float, str | None]:
        if text in variable.missing:
            return np.nan, variable.missing[text]
        if not text:
            return np.nan, "system"
        if variable.values:
            if text not in variable.values:
                raise unknown(text, variable.values, "an answer listed under 'values'")
            return float(variable.values[text]), None
        value = numeral(text)
        if value is None or not low <= value <= high or (whole and not value.is_integer()):
            raise UnfitError(
                "off-scale",
                f"a {'whole ' * whole}number from {bounds}, or a missing code ({codes})",
                "correct the value, or the scale or missing codes of this variable in the codebook",
            )
        return value, None

    return meaning


def unknown(text: str, options: Iterable[Any], expected: str) -> UnfitError:
    """Make the error for a text that is none of the options; it names the nearest."""
    options = list(map(str, options))
    few = ", ".join(options[:12]) + (" ..." if len(options) > 12 else "")
    return UnfitError(
        "unknown-label",
        f"{expected}: {few}.{did_you_mean(text, options)}",
        "correct the value, or list it for this variable in the codebook",
    )


def label(variable: Variable) -> Callable[[str], str | None]:
    """Make the reader of a trait: its mapped value; its text if the codebook lists no values."""

    def meaning(text: str) -> str | None:
        if not text or text in variable.missing:
            return None
        if variable.values and text not in variable.values:
            raise unknown(text, variable.values, "a value listed under 'values'")
        return canonical(variable.values.get(text, text))

    return meaning


def years(variable: Variable) -> Callable[[str], float]:
    """Make the reader of a number of years."""

    def meaning(text: str) -> float:
        known = label(variable)(text)
        value = np.nan if known is None else numeral(known)
        if value is None or value < 0:
            raise UnfitError(
                "off-scale",
                "a number of years from 0 on, or a missing code",
                "correct the value, or declare its code under 'missing' in the codebook",
            )
        return value

    return meaning


def entry(variable: Variable, options: Mapping[str, Any]) -> Callable[[str], str]:
    """Make the reader of a place: its value must be an entry of the vocabulary."""

    def meaning(text: str) -> str:
        value = canonical(variable.values.get(text, text))
        if value not in options or (variable.values and text not in variable.values):
            raise unknown(text, variable.values or options, "a listed value")
        return value

    return meaning


def levels(variable: Variable) -> Callable[[str], str]:
    """Make the reader of a factor: the raw text itself, if some factor has a level for it."""
    known = {raw for by_code in variable.factors.values() for raw in by_code}

    def meaning(text: str) -> str:
        if text and text not in variable.missing and text not in known:
            raise unknown(text, sorted(known), "a condition listed under 'factors'")
        return text

    return meaning
