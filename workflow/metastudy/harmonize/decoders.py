"""What a raw value means, by what its codebook says: one small reader for each role of a variable.

Each function takes a variable and gives a reader of its texts, which raises :class:`InvalidValue`
for a text that may not be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from metastudy.codebook.codebook import Variable
from metastudy.codebook.vocabulary import (
    DIRECTIONS,
    METRICS,
    PRIORITIES,
    REPORTED,
    SD_ERRORS,
    SMALL_SAMPLES,
    STANDARDISERS,
    TERMS,
    VERIFICATIONS,
    Vocabulary,
)
from metastudy.common.text import canonical, did_you_mean, numeral, private
from metastudy.harmonize.effect_rows import METRIC_OF

__all__ = [
    "InvalidValue",
    "amount",
    "entry",
    "evidence",
    "finding",
    "grouping",
    "identifier",
    "label",
    "levels",
    "moderator",
    "number",
    "rating",
    "unknown",
    "weight",
    "years",
]

# What a finding may hold as a text: a label of one line, no address of a person.
LONGEST_TEXT = 300
_QUOTE_ID = re.compile(
    r"(?=.*\d)[\w.:#/-]{1,40}"
)  # an id has a digit and no blanks; a name has not
# Fields of a finding that are numbers, and their bounds; those of people and events are whole.
_ANY, _POSITIVE = (-np.inf, np.inf, ""), (0.0, np.inf, " of at least 0")
_CORRELATION = (np.nextafter(-1.0, 0), np.nextafter(1.0, 0), " between -1 and 1")
_NUMBERS = {
    **dict.fromkeys(("estimate", "ci_lower", "ci_upper", "t", "z"), _ANY),
    **dict.fromkeys(("mean_control", "mean_treatment"), _ANY),
    **dict.fromkeys(("se", "variance", "sd_control", "sd_treatment"), _POSITIVE),
    **dict.fromkeys(("f", "chi_squared", "events_control", "events_treatment"), _POSITIVE),
    **dict.fromkeys(("time_control", "time_treatment"), (np.nextafter(0, 1), np.inf, " above 0")),
    **dict.fromkeys(("r", "paired_correlation"), _CORRELATION),
    **dict.fromkeys(("n", "df", "cluster_size"), (1.0, np.inf, " of at least 1")),
    **dict.fromkeys(("n_control", "n_treatment"), (2.0, np.inf, " of at least 2")),
    "ci_level": (50.0, np.nextafter(100.0, 0), " from 50 on and below 100, in per cent"),
    "icc": (0.0, 1.0, " from 0 to 1"),
}
_MINUS = re.compile("^[\u2212\u2013]")  # a minus as it is printed
_COMMA = "write a point for the comma, or say under file in the codebook: decimal: ','"
_WHOLE = ("n", "n_control", "n_treatment", "events_control", "events_treatment")
# A p, or an inequality of one: with a zero before the point or without it.
_P = re.compile(
    r"p?\s*([<>=\u2264\u2265]?)\s*(\d*[.,]?\d+(?:[eE]-?\d+)?)", re.ASCII | re.IGNORECASE
)
_SECTIONS = {
    "exposure_type": "exposure_types",
    "response_mode": "response_modes",
    "vignette": "vignettes",
    "family": "families",
    "role": "roles",
    "country": "countries",
    "sector": "sectors",
}
_OPTIONS = {
    "direction": DIRECTIONS,
    "term": TERMS,
    "priority": PRIORITIES,
    "metric": METRICS,
    "reported_as": REPORTED,
    "standardiser": STANDARDISERS,
    "small_sample": SMALL_SAMPLES,
    "sd_error": SD_ERRORS,
    "verification": VERIFICATIONS,
}


class InvalidValue(Exception):
    """A raw value that may not stand where it stands."""

    def __init__(self, code: str, expected: str, fix: str, found: str | None = None):
        super().__init__(code)
        self.code, self.expected, self.fix = code, expected, fix
        self.found = found  # what is said instead of the value, where that is not to be shown


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
        if not text and "" not in variable.values:  # where it is, a box was left empty
            return np.nan, "system"
        if variable.values:
            if text not in variable.values:
                raise unknown(text, variable.values, "an answer listed under 'values'")
            return float(variable.values[text]), None
        value = numeral(text)
        if value is None or not low <= value <= high or (whole and not value.is_integer()):
            raise InvalidValue(
                "off-scale",
                f"a {'whole ' * whole}number from {bounds}, or a missing code ({codes})",
                "correct the value, or the scale or missing codes of this variable in the codebook",
            )
        return value, None

    return meaning


def unknown(text: str, options: Iterable[Any], expected: str) -> InvalidValue:
    """Make the error for a text that is none of the options; it names the nearest."""
    options = list(map(str, options))
    few = ", ".join(options[:12]) + (" ..." if len(options) > 12 else "")
    return InvalidValue(
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
            raise InvalidValue(
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


def identifier(text: str) -> str:
    """Read the id of a published finding: a label, for it is no person's and gets no pseudonym."""
    return _label_text(text)


def _label_text(text: str) -> str:
    if len(text) > LONGEST_TEXT or "\n" in text or private(text):
        raise InvalidValue(
            "free-text",
            f"a label of one line, at most {LONGEST_TEXT} characters, no address and no date",
            "shorten the text; what a person wrote or who it was does not belong here",
        )
    return text


def amount(variable: Variable) -> Callable[[str], float]:
    """Make the reader of a plain number, such as a duration; NaN for nothing or a missing code."""

    def meaning(text: str) -> float:
        if not text or text in variable.missing:
            return np.nan
        value = numeral(text)
        if value is None:
            raise InvalidValue(
                "off-scale",
                "a number, or a missing code",
                "correct the value, or declare its code under 'missing' in the codebook",
            )
        return value

    return meaning


def weight(variable: Variable) -> Callable[[str], float]:
    """Make the reader of a sampling weight: a number above 0, or NaN for a missing code."""

    def meaning(text: str) -> float:
        if text in variable.missing:
            return np.nan
        value = numeral(text)
        if value is None or not 0 < value < np.inf:
            raise InvalidValue(
                "off-scale",
                "a weight, a number above 0, or a missing code",
                "correct the weight, or declare its code under 'missing' in the codebook",
            )
        return value

    return meaning


def rating(variable: Variable) -> Callable[[str], tuple[float, str | None]]:
    """Make the reader of a case's rating: -1, 0 or 1, or NaN and the reason for it."""

    def meaning(text: str) -> tuple[float, str | None]:
        if text in variable.missing:
            return np.nan, variable.missing[text]
        if not text and "" not in variable.values:  # where it is, a box was left empty
            return np.nan, "system"
        if text not in variable.values:
            raise unknown(text, variable.values, "a rating listed under 'values'")
        return float(variable.values[text]), None

    return meaning


def evidence(text: str) -> str | None:
    """Read the id of the quote that supports a rating; a quote itself is refused."""
    if text and (private(text) or not _QUOTE_ID.fullmatch(text)):
        raise InvalidValue(
            "free-text",
            "the id of a quote: up to 40 letters, digits and . : # / - without blanks, with a "
            "digit among them",
            "put the quote's id there; quotes stay outside the data",
        )
    return text or None


def finding(variable: Variable, vocabulary: Vocabulary) -> Callable[[str], Any]:
    """Make the reader of one field of a published finding.

    Parameters
    ----------
    variable : its ``field`` says what the texts are.
    vocabulary : for the fields whose values are closed.

    Returns
    -------
    A reader that gives a float for a number, else a text; ``None`` for an empty cell or a missing
    code.
    """
    field = str(variable.field)
    section = _SECTIONS.get(field)
    options: Iterable[str] = vocabulary[section] if section else _OPTIONS.get(field, ())
    fix = "correct the value in the data file"

    def meaning(text: str) -> Any:
        if not text or text in variable.missing:
            return None
        if variable.values and text not in variable.values:
            raise unknown(text, variable.values, "a value listed under 'values'")
        value = canonical(variable.values.get(text, text))
        if field == "p":
            return _p(value)
        if field in _NUMBERS:
            value = _MINUS.sub("-", value)
            number, (low, high, bounds) = numeral(value), _NUMBERS[field]
            whole = field in _WHOLE
            if number is None or not low <= number <= high or (whole and not number.is_integer()):
                expected = f"a {'whole ' * whole}number{bounds}, or an empty cell"
                point = number is None and numeral(value.replace(",", ".")) is not None
                raise InvalidValue("off-scale", expected, _COMMA if point else fix)
            return number
        if (section or field in _OPTIONS) and value not in options:
            if field == "metric" and value in METRIC_OF:
                raise InvalidValue(
                    "unknown-label",
                    f"one of {', '.join(METRICS)}",
                    f"write {METRIC_OF[value]} as the metric, and {value} under reported_as",
                )
            raise unknown(value, options, f"an entry of {section}" if section else "one of")
        return _label_text(value)

    return meaning


def _p(text: str) -> str:
    """Spell a p, or an inequality of one, in one way: ``0.03``, ``<0.001``, ``>0.05``."""
    expected = "a p above 0 and up to 1, such as 0.032, or an inequality such as <0.001 or >0.05"
    if (found := _P.fullmatch(text)) is None or float(found[2].replace(",", ".")) > 1:
        raise InvalidValue(
            "off-scale", expected, "correct the value in the data file, or empty the cell"
        )
    sign, value = found[1].replace("=", ""), float(found[2].replace(",", "."))
    if value == 0 or (sign and value == 1):
        digits = len(found[2].replace(",", ".").partition(".")[2]) or 3
        raise InvalidValue(
            "off-scale",
            expected,
            f"no p is zero: a printed {text} is an inequality, such as <{10.0**-digits:.{digits}f}",
        )
    return {"\u2264": "<", "\u2265": ">"}.get(sign, sign) + repr(value)


def moderator(variable: Variable, vocabulary: Vocabulary) -> Callable[[str], str | None]:
    """Make the reader of a moderator: the text of a number, or a level of a category."""
    options = vocabulary["moderators"][str(variable.moderator)].get("levels")
    fix = "correct the value, or declare its code under 'missing' in the codebook"

    def meaning(text: str) -> str | None:
        if not text or text in variable.missing:
            return None
        if variable.values and text not in variable.values:
            raise unknown(text, variable.values, "a value listed under 'values'")
        value = canonical(variable.values.get(text, text))
        if options and value not in options:
            raise unknown(value, options, f"a level of {variable.moderator}")
        number = None if options else numeral(value)
        if not options and (number is None or not np.isfinite(number)):
            raise InvalidValue("off-scale", "a number, an empty cell or a missing code", fix)
        return value if options else repr(number)

    return meaning


def grouping(variable: Variable) -> Callable[[str], str | None]:
    """Make the reader of a declared grouping: a short label, or nothing."""

    def meaning(text: str) -> str | None:
        known = label(variable)(text)
        return None if known is None else _label_text(known)

    return meaning


def levels(variable: Variable) -> Callable[[str], str]:
    """Make the reader of a factor: the raw text itself, if some factor has a level for it."""
    known = {raw for by_code in variable.factors.values() for raw in by_code}

    def meaning(text: str) -> str:
        if text and text not in variable.missing and text not in known:
            raise unknown(text, sorted(known), "a condition listed under 'factors'")
        return text

    return meaning
