"""How many people came, left and stayed, so that none who are few can be counted from the rest.

Those who are kept are the number that everything else starts from: who was read is the kept and
the excluded, who is in a model the kept without the dropped. Where so few left that their number is
hidden, the other end of the step is a range, as wide as what is said of those who left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from metastudy.common.disclosure import protect

__all__ = ["Bounds", "Left", "kept", "left", "number", "part", "total", "used"]

UNSAID = ""


@dataclass(frozen=True)
class Bounds:
    """A number of people as it may be said: one number, or a range that it lies in.

    >>> str(Bounds(40, 40)), str(Bounds(1, 4)), str(Bounds(41, 44))
    ('40', 'fewer than 5', '41 to 44')
    """

    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @property
    def short(self) -> str:
        """As tables and pictures have it: ``40``, ``<5``, ``41–44``."""
        if self.exact:
            return str(self.low)
        return f"<{self.high + 1}" if self.low <= 1 else f"{self.low}–{self.high}"

    def __str__(self) -> str:
        if self.exact:
            return str(self.low)
        return f"fewer than {self.high + 1}" if self.low <= 1 else f"{self.low} to {self.high}"

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Bounds) -> Bounds:
        return Bounds(max(0, self.low - other.high), self.high - other.low)


@dataclass(frozen=True)
class Left:
    """Who left by which rule, and how many they are together."""

    steps: Mapping[str, Bounds]
    total: Bounds


def number(n: int, least: int) -> Bounds:
    """One number by itself; few are anything below the smallest cell, but nobody is zero."""
    return Bounds(min(1, max(0, least - 2)), least - 1) if 0 < n < least else Bounds(n, n)


def total(numbers: Iterable[Bounds]) -> Bounds:
    """Add numbers up, and what is not known of them."""
    return sum(numbers, Bounds(0, 0))


def left(rules: Mapping[str, int], least: int) -> Left:
    """Tell who left by rule, beside those who stayed.

    What is said of a rule depends on that rule alone, and the total on what is said: so no number
    tells another one.

    Parameters
    ----------
    rules : how many people left by each rule, each person by one of them.
    least : the smallest number of people that is shown.

    >>> str(left({"a": 3, "b": 40}, 5).total), str(left({"a": 3}, 5).total)
    ('41 to 44', 'fewer than 5')
    """
    steps = {name: number(n, least) for name, n in rules.items()}
    return Left(steps, total(steps.values()))


def kept(people: int, places: Sequence[int], least: int) -> Bounds:
    """Tell how many people a study kept, beside how many it has in each of its places.

    What is said of the places decides first: a study of few people must not look like one whose
    total is hidden for another reason.

    >>> str(kept(8, [4, 4], 5)), str(kept(90, [3, 87], 5))
    ('2 to 8', '90')
    """
    shown = protect(places, least)
    return Bounds(*shown.between) if places else number(people, least)


def used(
    kept: Bounds, people: int, rules: Mapping[str, int], rest: int, least: int
) -> tuple[Mapping[str, Bounds], Bounds]:
    """Tell who of the kept did not enter a model, by rule, and who did.

    Where so few could be in it that they are few themselves, the rules are one step.

    Parameters
    ----------
    kept : as they are shown, and ``people``, as many as they are.
    rules : how many people left by each rule.
    rest : how many are in the model.
    least : the smallest number of people that is shown.
    """
    unsaid = max(0, people - rest - sum(rules.values()))  # left by no rule that is recorded
    found = left({**rules, UNSAID: unsaid}, least)
    steps = {name: n for name, n in found.steps.items() if name != UNSAID}
    model = kept - found.total
    if least <= 1 or not found.total.high or model.low >= least:
        return steps, model
    widest = (least - 1) * (len(rules) + 2) + kept.high - kept.low
    few = Bounds(0, min(kept.high, widest))
    name = next(iter(rules)) if len(rules) == 1 else f"{len(rules)} rules together"
    return ({name: kept - few} if rules else {}), few


def part(kept: Bounds, n: int, least: int) -> Bounds:
    """Tell how many of some people an analysis is of, beside how many of them there are.

    Where somebody is not in it, the number is a range as wide as the smallest cell. So the few who
    are not in it cannot be counted, nor the few whom one analysis has and another has not. Where
    the people are a range themselves, one that depends on their number would tell it. Then the
    analysis has the same range or fewer; or a range from one on, where fewer would be too few.

    Parameters
    ----------
    kept : the people as they are shown.
    n : how many of them the analysis is of, no more than there are.
    least : the smallest number of people that is shown.

    >>> [str(part(Bounds(40, 40), n, 5)) for n in (40, 38, 33, 3)]
    ['40', '36 to 39', '31 to 35', 'fewer than 5']
    >>> [str(part(Bounds(41, 44), n, 5)) for n in (44, 41, 40)]
    ['41 to 44', '41 to 44', 'fewer than 41']
    """
    if least <= 1 or n == 0:
        return Bounds(n, n)
    if not kept.exact and kept.low < least:
        return Bounds(min(1, kept.low), kept.high)
    if not kept.exact:
        return kept if n >= kept.low else Bounds(1, kept.low - 1)
    gone = kept.high - n
    if gone <= 0:
        return kept
    if kept.high < 2 * least:
        return Bounds(1, max(1, kept.high - 1))
    if n < least:
        return number(n, least)
    step = gone - gone % least
    return Bounds(max(least, kept.low - step - least + 1), kept.high - max(1, step))
