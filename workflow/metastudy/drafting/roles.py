"""Guess the role of a column from its name, its title and its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from metastudy.common.text import numeral, private
from metastudy.drafting.hints import Hint, hint_of

__all__ = ["TODO", "Guess", "guess", "reason"]

TODO = "TODO"  # is where a person has to decide
MOST_STEPS = 11  # of an answer scale; with more, it is a number of something
MOST_GROUPS = 12  # of a variable that sorts people into groups
MOST_ALIKE = 0.9  # share of different values with which a column may still be an id
LEAST_PRIVATE = 1000  # years, telephone numbers and house numbers with a code are not below
LEAST_STEPS = 3  # of answers; two values may be of anything
AROUND_1 = (0.2, 5.0)  # means of weights that say how much a row counts
MOST_ODD = 0.2  # share of cells that are no numbers, in a column of numbers
LABEL_LENGTH = 40  # characters of a text that is more than a label
_REASONS = (  # what the label of a missing code suggests: a reason of the vocabulary
    ("dont_know", r"don.?t know|ved ikke|weet (ik )?niet|geen mening|en osaa|no opinion|unsure"),
    ("refused", r"refus|uoplyst|zeg (ik )?liever|prefer not|no answer|ikke svare|geen antwoord"),
    ("not_applicable", r"not applicable|n/?a$|ikke relevant|niet van toepassing|does not apply"),
    ("not_asked", r"not asked|ikke spurgt|niet gevraagd|missing by design"),
)
# What programs write where there is nothing; why there is nothing, they do not say.
_NOTHING = ("na", "n/a", "#n/a", "nan", "null", "none", "#null!", ".", "-")
_SEVERAL = re.compile(r"\d{1,2}(\s?[,;| ]\s?\d{1,2})+;?")  # numbers of several answers
_MARKS = (";", ", ", ",", "|")  # that form services put between the texts of several answers
# A number with marks that no number has in a data file: of thousands, units, hours and minutes.
_MARKED = re.compile(
    r"[<>~]?\s?[€$£]?\s?[-+]?\d{1,3}([.,:']?\d{1,3})*\s?(%|€|\$|£|kr|h|min|hours?|minutes?|days?|years?)?",
    re.IGNORECASE,
)
MOST_CONSENTS = 3  # values of a question for consent
_USUAL_CODES = {-99, -98, -97, -9, -8, -7, -1, 8, 9, 77, 88, 96, 97, 98, 99, 777, 888, 998, 999}


@dataclass(frozen=True)
class Guess:
    """What a column may be.

    Parameters
    ----------
    role : the codebook's ``as``, or :data:`TODO`.
    why : what the guess rests on.
    trait : with a trait, which.
    min, max : bounds of an item.
    missing : code to reason, :data:`TODO` where the reason is not known.
    values : the different values, where they are few and occur more than once; no free text.
    """

    role: str
    why: str
    trait: str | None = None
    min: float | None = None
    max: float | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()


def guess(
    name: str,
    texts: pd.Series,
    title: str = "",
    labels: Mapping[str, str] | None = None,
    declared: Sequence[str] = (),
) -> Guess:
    """Guess what a column is.

    Parameters
    ----------
    name : its raw name.
    texts : canonical texts, ``""`` where empty, shape (rows,).
    title : what the file says of the column, such as the question.
    labels : value labels of the file, by code.
    declared : codes that the file declares as missing.
    """
    labels = labels or {}
    given = texts[texts != ""].astype("str")
    counts = given.value_counts()
    known = hint_of(name, title)
    hint = known.kind
    few = len(counts) <= MOST_GROUPS and (len(counts) < len(given) / 2 or bool(labels))
    values = tuple(sorted(counts.index, key=_order)) if few else ()
    numbers = {text: number for text in counts.index if (number := numeral(text)) is not None}
    unsaid = [text for text in counts.index if text.lower() in _NOTHING]
    declared = [*declared, *unsaid]
    numeric = len(numbers) >= len(counts) - len(labels) - len(declared) and bool(numbers)
    if numeric and hint and not known.alone and (scale := _doubtful(values, numbers, hint)):
        return replace(scale, missing=_missing(numbers, labels, declared, steps=True))
    odd = not numeric and _odd(numbers, counts, hint)
    if not odd and (found := _plain(given, counts, known, len(texts))):
        return found
    if several := _several(counts.index, numbers):
        return Guess(TODO, f"several answers in one cell{several}: a column for each is needed")
    if odd:
        others = int(counts.sum() - counts[list(numbers)].sum())
        seen = f"numbers from {min(numbers.values()):g} to {max(numbers.values()):g}"
        return Guess(TODO, f"{seen}, and {others} cell{'s' * (others > 1)} of other texts")
    if hint == "consent" and 0 < len(values) <= MOST_CONSENTS:
        return Guess("consent", f"the name; {_some(values)}", values=values)
    if hint == "weight" and numeric and min(numbers.values()) > 0:
        mean = float(given.map(numbers).mean())
        if AROUND_1[0] < mean < AROUND_1[1]:
            return Guess("weight", "the name, and numbers above 0 around 1")
        return Guess(
            TODO, f"numbers with the mean {mean:.3g}: weights of rows, or what was weighed"
        )
    if hint == "arm" and 2 <= len(values) <= 8:
        return Guess("factor", f"the name, and {len(values)} values", values=values)
    if hint == "site":
        return Guess("site", f"the name, and {len(counts)} different values")
    if hint in ("country", "sector") and values:
        return Guess(hint, "the name", values=values)
    if hint == "tenure_yrs" and numeric:
        codes = _missing(numbers, labels, declared, steps=False)
        return Guess("trait", "the name, and numbers", trait=hint, missing=codes)
    if hint in ("gender", "age_band", "region", "occupation") and values:
        codes = _missing(numbers, labels, declared, steps=True)
        rest = tuple(one for one in values if one not in codes)
        return Guess("trait", "the name", trait=hint, missing=codes, values=rest)
    if hint == "duration" and known.alone:
        return Guess("ignore", "the name; a rule under 'quality' may look at it")
    if numeric:
        return _scale(numbers, labels, declared)
    if values:
        return Guess(TODO, f"few different texts: {_some(values)}", values=values)
    if given.str.fullmatch(_MARKED).mean() > 1 - MOST_ODD:
        return Guess(
            TODO, "numbers with marks of thousands, units or time: make them plain numbers"
        )
    if len(counts) <= MOST_GROUPS and len(given) < 2 * MOST_GROUPS:
        return Guess(TODO, "texts in few rows: they may be groups, or identify a person")
    return Guess("ignore", "many different texts, which may identify a person")


def _doubtful(values: Sequence[str], numbers: Mapping[str, float], hint: str) -> Guess | None:
    """Leave open what is named after something and has the numbers of an answer scale."""
    found = _scale(numbers, {}, ())
    steps = found.role == "item" and len(values) >= LEAST_STEPS
    small = hint in ("private", "date") and max(numbers.values()) < LEAST_PRIVATE
    if found.role == "ignore" or not (steps or small):
        return None
    what = {"private": "something private", "arm": "a condition"}.get(hint, f"'{hint}'")
    return Guess(TODO, f"{found.why.partition(';')[0]}, though a word of the name suggests {what}")


def _odd(numbers: Mapping[str, float], counts: pd.Series, hint: str) -> bool:
    """Tell whether a column has numbers, and few other texts, that say nothing of the others."""
    others = [text for text in counts.index if text not in numbers and text.lower() not in _NOTHING]
    share = counts[others].sum() / max(counts.sum(), 1)
    return len(numbers) > 1 and 0 < share < MOST_ODD and hint not in ("private", "date", "id")


def _plain(given: pd.Series, counts: pd.Series, known: Hint, rows: int) -> Guess | None:
    """Tell what is empty, constant, private or an id."""
    hint, alone = known.kind, known.alone
    if given.empty:
        return Guess("ignore", "no value at all")
    if hint in ("private", "date") or any(map(private, counts.index[:200])):
        return Guess("ignore", "may identify a person")
    if hint == "id" and counts.iloc[0] == 1:
        return Guess("id", "the name, and a different value in every row")
    if hint == "id" and len(counts) > MOST_ALIKE * len(given):
        again = int((counts > 1).sum())
        return Guess("id", f"the name; {again} values are in several rows: see 'duplicates'")
    if hint == "id" and alone:
        return Guess(
            TODO, "the name; but each value is in several rows, as of one person's surveys"
        )
    if hint == "event" and len(counts) > 1:
        return Guess(TODO, "the name: which of several surveys of a person a row is")
    if hint == "coder":
        return Guess("coder", "the name")
    if len(counts) == 1 and len(given) < rows and hint != "consent":
        return Guess(TODO, "one value or nothing: a box that was ticked or not, say; see 'values'")
    if len(counts) == 1 and hint != "consent":
        return Guess("ignore", "the same value in every row")
    if counts.iloc[0] == 1 and any(len(text) > LABEL_LENGTH for text in counts.index):
        return Guess("ignore", "long texts, which may identify a person")
    return None


def _several(texts: pd.Index, numbers: Mapping[str, float]) -> str:
    """Tell whether cells hold several answers: what a remark says of them, empty if they do not.

    Numbers do where all other cells are numbers too. Texts do where their parts are few and come
    again, some of them both by themselves or in front and behind others: in "Agree, strongly" the
    second part never is in front.
    """
    rest = [text for text in texts if text not in numbers and text.lower() not in _NOTHING]
    if rest and all(map(_SEVERAL.fullmatch, rest)):
        return ", such as 1,3"
    for mark in _MARKS:
        cells = [[part.strip() for part in text.split(mark) if part.strip()] for text in rest]
        parts = pd.Series([part for cell in cells for part in cell], dtype="str").value_counts()
        behind = {part for cell in cells for part in cell[1:]}
        front = {cell[0] for cell in cells if cell}
        again = [part for part in behind if parts[part] > 1]
        few = len(parts) <= MOST_GROUPS and len(parts) < len(cells)
        if (
            few
            and again
            and 2 * len(again) >= len(behind)
            and 2 * len(behind & front) >= len(again)
        ):
            return f" ({_some(sorted(parts.index))})"
    return ""


def _scale(
    numbers: Mapping[str, float], labels: Mapping[str, str], declared: Sequence[str]
) -> Guess:
    """Take numbers as answers on a scale, if they are few and whole."""
    codes = _missing(numbers, labels, declared, steps=True)
    left = sorted(number for text, number in numbers.items() if text not in codes)
    whole = all(number.is_integer() for number in left)
    if not left or not whole or len(left) > MOST_STEPS or left[-1] - left[0] >= MOST_STEPS:
        seen = f"numbers from {min(numbers.values()):g} to {max(numbers.values()):g}"
        return Guess(TODO, seen, missing=_missing(numbers, labels, declared, steps=False))
    named = [numeral(code) for code in labels if code not in codes]
    ends = [*left, *(number for number in named if number is not None)]
    low, high = min(ends), max(ends)
    if low == high:
        return Guess("ignore", "the same value in every row")
    seen = f"answers from {left[0]:g} to {left[-1]:g}"
    why = seen + (f"; the labels go from {low:g} to {high:g}" if labels else "; no labels")
    return Guess("item", why, min=low, max=high, missing=codes)


def reason(label: str) -> str:
    """Give the reason of a missing answer that a label suggests; empty if it suggests none."""
    return next((one for one, pattern in _REASONS if re.search(pattern, label.lower())), "")


def _missing(
    numbers: Mapping[str, float],
    labels: Mapping[str, str],
    declared: Sequence[str],
    steps: bool,
) -> dict[str, str]:
    """Find the codes that stand for no answer, each with the reason that its label suggests."""
    found: dict[str, str] = {}
    for code in dict.fromkeys([*numbers, *labels, *declared]):
        known = numeral(code) is not None or code.lower() in _NOTHING
        why = reason(labels.get(code, "" if known else code))
        if code in declared or why:
            found[code] = why or TODO
    # A usual code that lies apart from the other answers by more than a step.
    rest = sorted(number for text, number in numbers.items() if text not in found)
    for text, number in numbers.items():
        others = [one for one in rest if one not in _USUAL_CODES or 0 <= one < 8]
        apart = others and (number < others[0] - 1 or number > others[-1] + 1)
        if (
            text not in found
            and number in _USUAL_CODES
            and apart
            and (steps or number in (-9, 999))
        ):
            found[text] = TODO
    return dict(sorted(found.items(), key=lambda pair: _order(pair[0])))


def _order(text: str) -> tuple[bool, float, str]:
    number = numeral(text)
    return (number is None, number or 0.0, text)


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:MOST_GROUPS])
