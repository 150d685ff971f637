"""Text: canonical forms, quoting in messages, and what looks private."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

__all__ = [
    "canonical",
    "did_you_mean",
    "numeral",
    "of_a_person",
    "private",
    "quoted",
    "shown",
    "some_of",
]

LONGEST_QUOTED = 60  # characters of a label that a message shows
LONGEST_NUMBER = 6  # digits of an answer that a message shows; telephones and persons have more
LONGEST_SIGN = 3  # such as "-" and "???"
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_MOMENT_OR_MACHINE = re.compile(
    r"\d{4}-\d\d?-\d\d?.*|\d\d?[-./]\d\d?[-./]\d{4}.*|\d{1,3}(\.\d{1,3}){3}"
)  # a date, an IP address
_TELEPHONE = re.compile(r"(\+|00)[\d ()-]{7,}\d|\d{2,4}( \d{2,4}){3,}")
_WHOLE_WITH_ZEROS = re.compile(r"[-+]?\d+\.0+", re.ASCII)
_NUMERAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def canonical(value: object) -> str:
    """Give the one spelling by which a raw value and a codebook's code are compared.

    Parameters
    ----------
    value : a number, a text, a truth value or nothing.

    Returns
    -------
    The text in Unicode NFC without surrounding blanks; whole numbers without ``.0``;
    ``True`` or ``False`` however they were capitalised; ``""`` for nothing.

    Examples
    --------
    >>> canonical(1.0), canonical(" 1.0 "), canonical("TRUE"), canonical(float("nan"))
    ('1', '1', 'True', '')
    """
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = unicodedata.normalize("NFC", str(value)).strip()
    if _WHOLE_WITH_ZEROS.fullmatch(text):
        return text.partition(".")[0]
    return text.capitalize() if text.lower() in ("true", "false") else text


def numeral(text: str) -> float | None:
    """Read a number written in plain digits with a decimal point; ``None`` for any other text."""
    return float(text) if _NUMERAL.fullmatch(text) else None


def private(text: str) -> bool:
    """Tell whether a text looks like what identifies a person: an address, a date, a machine."""
    whole = (_MOMENT_OR_MACHINE, _TELEPHONE)
    return bool(_ADDRESS.search(text) or any(kind.fullmatch(text) for kind in whole))


def of_a_person(text: str) -> str:
    """Say what kind of thing a cell holds that may be a person's own words; they are not shown.

    Only a short number is shown, and a sign without letters: neither is anybody's words or number.

    Examples
    --------
    >>> of_a_person("9"), of_a_person("?"), of_a_person("0101901234")
    ("'9'", "'?'", 'a number of 10 characters')
    >>> of_a_person("never"), of_a_person("x"), of_a_person("my sister did it")
    ('a word of 5 letters', 'a letter', 'a text of 16 characters')
    """
    if not text:
        return "an empty cell"
    if len(text) <= LONGEST_SIGN and not any(map(str.isalnum, text)):
        return f"'{text}'"
    if numeral(text) is not None:
        short = sum(map(str.isdigit, text)) <= LONGEST_NUMBER
        return f"'{text}'" if short else f"a number of {len(text)} characters"
    if text.isalpha():
        return "a letter" if len(text) == 1 else f"a word of {len(text)} letters"
    return f"a text of {len(text)} characters"


def quoted(text: str) -> str:
    """Spell a text of the study's makers in a message; it is only counted where it looks private.

    What a cell holds that a person filled in is never spelt: :func:`of_a_person`.
    """
    if not text:
        return "an empty cell"
    if private(text) or len(text) > LONGEST_QUOTED:
        return f"a text of {len(text)} characters"
    return f"'{text}'"


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Name the option nearest to a misspelt word, as a question; empty if none is near.

    >>> did_you_mean("contry", ["country", "sector"])
    " Did you mean 'country'?"
    """
    options = list(options)
    by_lower = {option.lower(): option for option in reversed(options)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""


def shown(path: Path) -> str:
    """Give a path as the user knows it: relative to the working directory if it lies inside."""
    try:
        return Path(path).absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return Path(path).as_posix()


def some_of(values: Sequence[object], most: int, *, uncounted: bool = False) -> str:
    """List at most this many values, and say how many more there are.

    Parameters
    ----------
    values : numbers or texts.
    most : how many are listed.
    uncounted : whether there may be more than ``values``.

    Examples
    --------
    >>> some_of("abcd", 2), some_of("ab", 2), some_of("ab", 2, uncounted=True)
    ('a, b and 2 more', 'a, b', 'a, b and more')
    """
    listed = ", ".join(map(str, values[:most]))
    if uncounted:
        return f"{listed} and more"
    return f"{listed} and {len(values) - most} more" if len(values) > most else listed
