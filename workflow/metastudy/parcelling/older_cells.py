"""Sums of answers in two parcels of a study: their difference is of nobody, or of many people.

Who has both can add up cells as they like before they subtract: of a site, a setting or the whole
study, of one pattern of answers or of all in which some outcomes are. So each of these is compared,
and in each the people at every level of an exposure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np

from metastudy.codebook.interactions import INTERACTION, parts_of
from metastudy.parcelling.older_codes import differs
from metastudy.parcelling.sums import FEWEST

__all__ = ["check_cells"]

OTHERS = "-org-others"
TOP = 100.0  # of a scale in POMP; scores are shares here, of the size of exposures
ROUNDING = 1e-9  # of the largest sum

Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Exposures:
    """Exposures that both parcels have: ids, and type and level of each."""

    ids: list[str]
    type: dict[str, str]
    level: dict[str, str]

    def measured(self, name: str) -> bool:
        """Whether it is in units of the people of a parcel, which change with one of them."""
        return any(self.type.get(part) == "measured" for part in parts_of(name))

    def own(self, terms: int) -> list[int]:
        """Of so many terms those in units of nobody: the intercept, factors and outcomes."""
        factors = (1 + k for k, name in enumerate(self.ids) if not self.measured(name))
        return [0, *factors, *range(1 + len(self.ids), terms)]

    @property
    def columns(self) -> int:
        """What a cell takes beside its outcomes: conditions, and other exposures."""
        randomised = sum(self.type[name] == "randomised" for name in self.ids)
        others = sum(self.type[name] not in ("randomised", INTERACTION) for name in self.ids)
        return others + 2**randomised


@dataclass(frozen=True)
class _Cell:
    """Sums over the people of a cell, of the terms [intercept, exposures, outcomes]."""

    setting: str
    site: str
    outcomes: tuple[str, ...]
    n: int
    sums: np.ndarray  # (term, term)

    def of(self, outcomes: tuple[str, ...]) -> np.ndarray:
        """The sums of some of its outcomes."""
        first = len(self.sums) - len(self.outcomes)
        at = [*range(first), *(first + self.outcomes.index(name) for name in outcomes)]
        return self.sums[np.ix_(at, at)]


def check_cells(new: Document, old: Document, fit: str, least: int, study: str, path: Path) -> None:
    """Check that the sums of two parcels differ by nobody, or by many people.

    Cells of the same site and pattern are compared first. Then sites as wholes, and together all
    sites of a setting that are in only one of the two parcels, with its "others", since people can
    have moved there; then settings, and the whole study. In each of these people can have moved to
    another pattern, so cells are added up: of a pattern, and of all that hold some outcomes.

    Parameters
    ----------
    path : file of the older parcel, for the error.

    Raises
    ------
    BadInput
        ``parcel`` for the first difference that tells of few people.
    """
    both = _exposures(new, old)
    mine, theirs = _cells(new, both), _cells(old, both)
    for place, in_setting, (after, before) in _groups(mine, theirs):
        if after and before and (told := _few(after, before, least, both, in_setting)):
            raise differs(f"in {fit}, {place}: {told}", path, study)


def _exposures(new: Document, old: Document) -> _Exposures:
    ids, texts = new["coordinates"]["exposure"], new["texts"]
    types, levels = (
        dict(zip(ids, texts[f"exposure_{of}"], strict=True)) for of in ("type", "level")
    )
    shared = [name for name in ids if name in old["coordinates"]["exposure"]]
    return _Exposures(shared, types, levels)


def _cells(document: Document, exposures: _Exposures) -> list[_Cell]:
    numbers, names = document["numbers"], document["coordinates"]
    terms = [0, *(1 + names["exposure"].index(name) for name in exposures.ids)]
    found = []
    for c, n in enumerate(numbers["n"]):
        site = numbers["site_of_cell"][c]
        setting = numbers["setting_of_site"][site]
        seen = np.flatnonzero(numbers["observed"][numbers["pattern_of_cell"][c]])
        centre, scale = (
            np.array(numbers[name][setting], dtype=float)[seen] / TOP
            for name in ("centre", "scale")
        )
        xx, xy, yy = (np.array(numbers[name][c], dtype=float) for name in ("xx", "xy", "yy"))
        xx, xy, yy = xx[np.ix_(terms, terms)], xy[np.ix_(terms, seen)], yy[np.ix_(seen, seen)]
        score = xy * scale + np.outer(xx[:, 0], centre)
        crossed = np.outer(scale * xy[0], centre)
        square = yy * np.outer(scale, scale) + crossed + crossed.T + n * np.outer(centre, centre)
        found.append(
            _Cell(
                names["setting"][setting],
                names["site"][site],
                tuple(names["outcome"][k] for k in seen),
                int(n),
                np.block([[xx, score], [score.T, square]]),
            )
        )
    return found


_Sides = tuple[list[_Cell], list[_Cell]]


def _groups(new: list[_Cell], old: list[_Cell]) -> Iterator[tuple[str, bool, _Sides]]:
    """Groups of the cells of both, the smallest first, and whether each is of one setting."""
    sites = [{(cell.setting, cell.site) for cell in cells} for cells in (new, old)]
    one_sided = {setting for setting, _ in sites[0] ^ sites[1]}
    parts: dict[str, _Sides] = defaultdict(lambda: ([], []))
    settings: dict[str, _Sides] = defaultdict(lambda: ([], []))
    for side, cells in enumerate((new, old)):
        for cell in cells:
            moved = (cell.setting, cell.site) not in sites[0] & sites[1] or OTHERS in cell.site
            rest = moved and cell.setting in one_sided
            parts[f"{cell.setting}, sites that changed" if rest else cell.site][side].append(cell)
            settings[f"all of {cell.setting}"][side].append(cell)
    yield from ((name, True, sides) for name, sides in parts.items())
    yield from ((name, True, sides) for name, sides in settings.items())
    yield "the whole study", False, (new, old)


def _few(
    new: list[_Cell], old: list[_Cell], least: int, exposures: _Exposures, in_setting: bool
) -> str:
    """What tells of few people in the difference of two lists of cells, or nothing."""
    many: list[tuple[str, ...]] = []  # patterns in which answers of many changed, and nobody came

    def told(
        mine: list[_Cell], theirs: list[_Cell], outcomes: tuple[str, ...], few: int, alone: bool
    ) -> str:
        n = [sum(cell.n for cell in cells) for cells in (mine, theirs)]
        after, before = (
            np.sum([c.of(outcomes) for c in cells], axis=0) for cells in (mine, theirs)
        )
        by = abs(n[0] - n[1])
        if 0 < by < few:
            return f"by few people, {by} where it takes {few}"
        if not by and (alone or not any({*outcomes} <= {*pattern} for pattern in many)):
            if _few_changed(after, before, len(outcomes), exposures, in_setting):
                return "by few people, whose answers changed"
            own = exposures.own(len(after))
            if alone and not _zero((after - before)[np.ix_(own, own)], after):
                many.append(outcomes)
        for name, count in _levels(after - before, n[0] - n[1], exposures):
            if 0 < count < least:
                return f"at levels of '{name}' by few people, {count} where it takes {least}"
        return ""

    def enough(outcomes: Sequence[str]) -> int:
        """People of whom so many sums may be told: as for a cell that is not searched."""
        return max(least, FEWEST * (len(outcomes) + exposures.columns))

    for by_site in (True, False):
        sides = [_keyed(cells, by_site) for cells in (new, old)]
        for key in sorted(set(sides[0]) & set(sides[1])):
            if found := told(sides[0][key], sides[1][key], key[1], enough(key[1]), True):
                return f"{'a cell differs' if by_site else 'a pattern of answers differs'} {found}"
    for outcomes in _sets(new, old):
        mine, theirs = ([c for c in cells if {*outcomes} <= {*c.outcomes}] for cells in (new, old))
        few = enough(outcomes) if len(outcomes) > 2 else max(least, 2 * FEWEST)
        if mine and theirs and (found := told(mine, theirs, outcomes, few, False)):
            return f"those who answered {' and '.join(outcomes)} differ {found}"
    return ""


def _keyed(cells: list[_Cell], by_site: bool) -> dict[tuple[str, tuple[str, ...]], list[_Cell]]:
    """Cells by pattern, and by site where that is asked for."""
    found = defaultdict(list)
    for cell in cells:
        found[cell.site if by_site else "", cell.outcomes].append(cell)
    return found


def _sets(new: list[_Cell], old: list[_Cell]) -> list[tuple[str, ...]]:
    """Outcomes that are looked at together: each one, each pair, and those of each pattern."""
    patterns = {cell.outcomes for cell in (*new, *old)}
    pairs = {
        tuple(dict.fromkeys(pair))
        for pattern in patterns
        for pair in combinations_with_replacement(pattern, 2)
    }
    return sorted(pairs | patterns, key=lambda one: (-len(one), one))


def _levels(change: np.ndarray, by: int, exposures: _Exposures) -> Iterator[tuple[str, int]]:
    """By how many people levels of factors, and of two that interact, have become other ones.

    The sums say how many people are at each: a contrast of two levels is a half more or less, of
    more levels it is one or nothing.
    """
    at = {name: 1 + k for k, name in enumerate(exposures.ids)}
    high: dict[str, float] = {}  # of the level that a contrast is named by
    low = {name: 0.0 if exposures.level[name] else 0.5 for name in at}
    rest: dict[str, float] = defaultdict(lambda: float(by))  # at the reference of a factor
    for name, k in at.items():
        if exposures.type[name] not in ("measured", INTERACTION):
            high[name] = change[0, k] + low[name] * by
            rest[name.removesuffix(f"_{exposures.level[name]}")] -= high[name]
            yield name, round(abs(high[name]))
            yield name, round(abs(by - high[name]))
    yield from ((name, round(abs(count))) for name, count in rest.items())
    for name in at:
        parts = parts_of(name)
        if len(parts) == 2 and all(part in high for part in parts):
            one, other = parts
            both = change[at[one], at[other]] + low[one] * change[0, at[other]]
            both += low[other] * change[0, at[one]] + low[one] * low[other] * by
            one_only, other_only = high[one] - both, high[other] - both
            for count in (both, one_only, other_only, by - both - one_only - other_only):
                yield name, round(abs(count))


def _few_changed(
    new: np.ndarray, old: np.ndarray, outcomes: int, exposures: _Exposures, in_setting: bool
) -> bool:
    """Whether one person's answers or levels can be all that changed, or few people's must be.

    One person changes the sums by a matrix of rank two; so many people as the matrix has no room
    for leave it without full rank. Its room is that of the sums: what is the same for all of a cell
    has none beside the intercept. Measured exposures are in units of all people, around the mean of
    a setting: a change of these alone is nobody's.
    """
    own = exposures.own(len(new))
    change, whole = (one[np.ix_(own, own)] for one in (new - old, new + old))
    if not _zero(change, whole):
        rank, fixed = _rank(change, whole), len(own) - outcomes
        room = _rank(change[:fixed, :fixed], whole) + 2 * outcomes
        return rank <= 2 or rank < min(room, _rank(whole, whole))
    return in_setting and any(
        not _in_other_units(new, old, 1 + k, own, exposures)
        for k, name in enumerate(exposures.ids)
        if exposures.measured(name)
    )


def _in_other_units(
    new: np.ndarray, old: np.ndarray, at: int, own: list[int], exposures: _Exposures
) -> bool:
    """Whether sums of a measured exposure are those of before, times a number and moved by one.

    An interaction is moved by its parts.
    """
    ids = exposures.ids
    parts = [1 + ids.index(part) for part in parts_of(ids[at - 1]) if part in ids]
    by = old[np.ix_(own, [at, 0, *parts])]
    left = new[own, at] - by @ np.linalg.lstsq(by, new[own, at])[0]
    return _zero(left, np.append(old[own, at], old[0, 0]))


def _zero(change: np.ndarray, of: np.ndarray) -> bool:
    return bool(np.abs(change).max() <= ROUNDING * max(1.0, float(np.abs(of).max())))


def _rank(change: np.ndarray, of: np.ndarray) -> int:
    largest = max(1.0, float(np.abs(of).max()))
    return int(np.linalg.matrix_rank(change, tol=ROUNDING * largest * len(change)))
