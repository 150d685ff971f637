"""How things are called and written for the reader: labels, numbers, lists, the mark of the data.

Labels come from the vocabulary and the codebooks; nothing here knows what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metastudy.vocabulary import Vocabulary

__all__ = [
    "JOINT",
    "Exposure",
    "Labels",
    "count",
    "inline",
    "interval",
    "joined",
    "listed",
    "mark",
    "number",
    "percent",
    "percents",
    "probability",
    "share",
    "words",
]

MINUS = "−"
JOINT = " + "  # joins several values in one cell of a table of contrasts
MOST_DIGITS = 4
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


# --- numbers ------------------------------------------------------------------------------------


def number(value: float, digits: int = 2) -> str:
    """Write a number with so many decimals and a real minus; a rounded nought has no sign.

    >>> number(-0.256), number(-0.001)
    ('−0.26', '0.00')
    """
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def _bound(value: float, digits: int) -> str:
    """A bound of an interval with as many decimals as its sign needs to be seen."""
    for more in range(digits, MOST_DIGITS + 1):
        if float(text := f"{value:.{more}f}") != 0:
            return text.replace("-", MINUS)
    return number(value, digits)


def interval(lower: float, upper: float, digits: int = 2) -> str:
    """Write an interval; its bounds keep the sign that decides whether it spans nought.

    >>> interval(-0.0003, 0.277)
    '−0.0003 to 0.28'
    """
    return f"{_bound(lower, digits)} to {_bound(upper, digits)}"


def percent(value: float, digits: int = 0) -> str:
    """Write a share as a percentage.

    >>> percent(0.374)
    '37%'
    """
    return f"{number(100 * value, digits)}%"


def percents(lower: float, upper: float, digits: int = 0) -> str:
    """Write an interval of shares as percentages."""
    return f"{percent(lower, digits)} to {percent(upper, digits)}"


def share(value: float) -> str:
    """Write the probability of an interval: ``95%``, ``99.9%``."""
    return f"{100 * value:g}%"


def probability(value: float) -> str:
    """Write a posterior probability; finitely many draws never show one, or nought.

    >>> probability(1.0), probability(0.9741), probability(0.0)
    ('above 0.999', '0.974', 'below 0.001')
    """
    if value > 0.999:
        return "above 0.999"
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def count(value: int, capital: bool = False) -> str:
    """Write a small count as a word, others in digits.

    >>> count(3), count(12), count(0, capital=True)
    ('three', '12', 'No')
    """
    text = _COUNTS[value] if 0 <= value < len(_COUNTS) else str(value)
    return text.capitalize() if capital else text


# --- words --------------------------------------------------------------------------------------


def joined(items: Iterable[str], empty: str = "none", word: str = "and") -> str:
    """Join items as a sentence does.

    >>> joined(["a", "b", "c"]), joined(["a", "b"], word="or"), joined([])
    ('a, b and c', 'a or b', 'none')
    """
    *most, last = [*items] or [empty]
    return f"{', '.join(most)} {word} {last}" if most else last


def listed(labels: Iterable[str], empty: str = "none") -> str:
    """Join labels as a sentence does, with a small letter from the second on.

    >>> listed(["A first thing", "A second thing"])
    'A first thing and a second thing'
    """
    first, *rest = [*labels] or [empty]
    return joined([first, *map(inline, rest)])


def words(name: str) -> str:
    """A name as words: ``no_consent`` becomes ``No consent``."""
    text = " ".join(name.replace("_", " ").split())
    return text[:1].upper() + text[1:]


def inline(label: str) -> str:
    """A label inside a sentence: its first letter small, unless a capital or digit follows it.

    >>> inline("A label of two words"), inline("EU funds")
    ('a label of two words', 'EU funds')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() or label[1:2] in " -" else label


def _kinds(provenances: Iterable[str]) -> set[str]:
    return {kind for text in provenances for kind in str(text).split(JOINT) if kind}


def mark(provenances: Iterable[str]) -> str:
    """The mark of what rests on these rows: nothing where all of them were observed.

    >>> mark(["simulated"]), mark(["simulated + observed"]), mark(["observed"])
    ('Simulated data', 'Simulated and observed data', '')
    """
    kinds = _kinds(provenances)
    if "simulated" not in kinds:
        return ""
    return "Simulated data" if kinds == {"simulated"} else "Simulated and observed data"


# --- labels -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exposure:
    """What an exposure's id says: ``<name>_<type>``, with ``_<level>`` where there are several."""

    id: str
    type: str
    name: str
    label: str
    change: str  # what one unit of it is, as the subject of a sentence


@dataclass(frozen=True)
class Labels:
    """Names for the reader of everything that has a key.

    Parameters
    ----------
    vocabulary : the common vocabulary with what the studies add to it.
    studies : label of each study.
    """

    vocabulary: Vocabulary
    studies: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: str, *sections: str) -> str:
        """The label of a key in the first of these sections that has it, else the key as words."""
        for section in sections or tuple(self.vocabulary.sections):
            if key in self.vocabulary[section]:
                return self.vocabulary.label(section, key)
        return self.studies.get(key) or words(key)

    def outcome(self, key: str) -> str:
        """Label of a construct, code or family."""
        return self.of(key, "constructs", "codes", "families")

    def study(self, key: str) -> str:
        """Label of a study."""
        return self.studies.get(key) or words(key)

    def setting(self, key: str) -> str:
        """Label of a setting: a study, with its country and sector where it has several."""
        study, *places = key.split(":")
        return ", ".join([self.study(study), *(self.of(p, "countries", "sectors") for p in places)])

    def many(self, keys: str, *sections: str) -> list[str]:
        """Labels of the keys that a cell joins."""
        return [self.of(key, *sections) for key in keys.split(JOINT) if key]

    def exposure(self, key: str, kind: str) -> Exposure:
        """Read an exposure's id, with the words for its label and for one unit of it."""
        factors, constructs = self.vocabulary["factors"], self.vocabulary["constructs"]
        stem, _, level = key.rpartition(f"_{kind}")
        name = stem or key
        if name in factors and (kind != "measured" or name not in constructs):
            levels = self.vocabulary.levels(name)
            reference, second = list(levels)[:2]
            other = level.lstrip("_") or second
            label = self.of(name, "factors")
            low, high = inline(levels[reference]), inline(levels[other])
            if level:
                label = f"{label}: {levels[other]}"
            change = f"a change from {low} to {high}"
            if kind != "randomised":
                change = f"the {inline(words(name))} “{high}” rather than “{low}”"
            return Exposure(key, kind, name, label, change)
        label = self.of(name, *(("constructs",) if name in constructs else ("factors",)))
        return Exposure(key, kind, name, label, f"one standard deviation more of {inline(label)}")

    def parameter(self, name: str) -> list[str]:
        """Words for each part of a parameter's name, ``name[part, part]``.

        Known keys become their labels, exposures too; ``tau`` says only that the parameter is a
        standard deviation, and goes.
        """
        head, _, inside = name.partition("[")
        parts = [head, *inside.rstrip("]").split(", ")] if inside else [head]
        return [self._part(part) for part in parts]

    def _part(self, part: str) -> str:
        if part == "intercept":
            return "Baseline"
        known = {
            f"{name}_{kind}": self.exposure(f"{name}_{kind}", kind)
            for kind in self.vocabulary["exposure_types"]
            for name in (*self.vocabulary["factors"], *self.vocabulary["constructs"])
        }
        found = []
        for piece in part.replace("|", " | ").split():
            if piece in ("tau", "all", "|") or piece in self.vocabulary["exposure_types"]:
                continue
            ours = [key for key in known if piece == key or piece.startswith(f"{key}_")]
            if ours:
                best = known[max(ours, key=len)]
                label = f"{best.label} ({inline(self.of(best.type, 'exposure_types'))})"
                found.append(label)
            elif any(piece in entries for entries in self.vocabulary.sections.values()):
                found.append(self.of(piece))
            else:
                found.append(words(piece.removesuffix("_tau")))
        first, *rest = found or [""]
        return ", ".join([first, *map(inline, rest)])


def study_label(study: Mapping[str, Any]) -> str:
    """A study's short name: what its codebook says, else its id as words."""
    return str(study.get("label") or words(str(study["id"])))
