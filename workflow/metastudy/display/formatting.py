"""Numbers and lists as texts, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from metastudy.common.tables import split_values

__all__ = [
    "count",
    "inline",
    "interval",
    "joined",
    "listed",
    "mark",
    "number",
    "numbered",
    "of_all",
    "percent",
    "percents",
    "probability",
    "share",
    "signed",
    "words",
]

MINUS = "−"
MOST_DIGITS = 4
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(value: float, digits: int = 2) -> str:
    """Write a number with so many decimals and a real minus; a rounded zero has no sign.

    >>> number(-0.256), number(-0.001)
    ('−0.26', '0.00')
    """
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign, a plus too; a rounded zero has none.

    >>> signed(0.256), signed(-0.256), signed(0.001)
    ('+0.26', '−0.26', '0.00')
    """
    return "+" * (value > 0 and float(f"{value:.{digits}f}") > 0) + number(value, digits)


def _bound(value: float, digits: int) -> str:
    """A bound of an interval with as many decimals as its sign needs to be seen."""
    for more in range(digits, MOST_DIGITS + 1):
        if float(text := f"{value:.{more}f}") != 0:
            return text.replace("-", MINUS)
    return number(value, digits)


def interval(lower: float, upper: float, digits: int = 2) -> str:
    """Write an interval; its bounds keep the sign that decides whether it spans zero.

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
    """Write a posterior probability; finitely many draws never show one, or zero.

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


def numbered(n: int, noun: str, many: str = "", digits: bool = False) -> str:
    """Write how many of something there are.

    >>> numbered(1, "verdict"), numbered(3, "verdict"), numbered(2, "country", "countries")
    ('one verdict', 'three verdicts', 'two countries')
    >>> numbered(1, "item", digits=True)
    '1 item'
    """
    return f"{n if digits else count(n)} {noun if n == 1 else many or f'{noun}s'}"


def of_all(n: int, total: int, noun: str, verb: str, digits: bool = False) -> str:
    """Write how many of all do something; of one alone that it does or does not.

    >>> of_all(0, 3, "verdict", "change"), of_all(1, 3, "verdict", "change", digits=True)
    ('none of three verdicts change', 'one of 3 verdicts changes')
    >>> of_all(0, 1, "verdict", "change"), of_all(1, 1, "verdict", "change")
    ('the one verdict does not change', 'the one verdict changes')
    """
    if total == 1:
        return f"the one {noun} {f'{verb}s' if n else f'does not {verb}'}"
    many = count(n) if n else "none"
    return f"{many} of {numbered(total, noun, digits=digits)} {f'{verb}s' if n == 1 else verb}"


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
    return {kind for text in provenances for kind in split_values(text)}


def mark(provenances: Iterable[str]) -> str:
    """The mark of what rests on these rows: nothing where all of them were observed.

    >>> mark(["simulated"]), mark(["simulated + observed"]), mark(["observed"])
    ('Simulated data', 'Simulated and observed data', '')
    """
    kinds = _kinds(provenances)
    if "simulated" not in kinds:
        return ""
    return "Simulated data" if kinds == {"simulated"} else "Simulated and observed data"
