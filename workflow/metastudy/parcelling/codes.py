"""Counts of codes made coarse enough to leave the building: by organisation and pattern of reading.

What goes out of a code is a table of its own: in an organisation so many of its interviews have it.
No two codes are ever counted together. So what the counts tell of a person is in their margins
(:func:`metastudy.parcels.codes.margins`), and counts that are added up stay sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from metastudy.parcels.codes import PLACES, margins

__all__ = ["OTHERS", "Coarser", "coarser_codes"]

OTHERS = "org-others"
OF_ONE, OF_TWO = 2, 4  # patterns of interviews of one coder, and of two

Groups = dict[str, np.ndarray]  # by unit: counts of interviews, shape (code, pattern) or (pattern,)


@dataclass
class Coarser:
    """Cells of codes after control, and what it did, in numbers of interviews.

    ``moved``: whose organisation is one of others, for one code at least. ``without``: of settings
    in which some code is left out. ``second``: that two coders read; ``unused``: of these, the
    second reading counts for no code, or not for each. ``missing``: pairs of a setting and a code
    that are left out, of ``pairs``. ``only_others``: settings without an organisation of its own.
    ``people``: of each setting that stays, by its place.
    """

    cells: xr.Dataset
    moved: int = 0
    without: int = 0
    second: int = 0
    unused: int = 0
    missing: int = 0
    pairs: int = 0
    only_others: int = 0
    people: dict[tuple[str, ...], int] = field(default_factory=dict)


def coarser_codes(cells: xr.Dataset, least: int, alike: int) -> Coarser:
    """Make the counts of one study's codes coarse enough, setting by setting.

    A setting is of one country, sector, role and arrangement. In each, first alike for all codes:
    (a) it leaves if it has fewer than ``least`` interviews; (b) interviews of two coders stay such
    where an organisation has enough of them, the rest are together those of ``others``, and if
    these are too few, only their first reading is counted, as of one coder; (c) organisations with
    too few interviews of one coder become part of ``others``, with the smallest of the larger ones
    if ``others`` are too few. Then for each code: (d) counts of two coders with a margin below
    ``alike`` become those of the first; (e) organisations with such a margin are counted with
    ``others``, and so is the smallest of the rest until these are sound; (f) if nothing helps, the
    code is left out in the setting.

    Parameters
    ----------
    cells : of one study (:func:`metastudy.models.codings.cells.code_cells`), in which each
        interview was read for all codes.
    least : smallest number of interviews behind a count.
    alike : smallest number with a code, and without it.

    Returns
    -------
    Cells with the units that are left; the same as before where nothing had to be done.
    """
    keys = list(zip(*(cells[name].values.astype(str).tolist() for name in PLACES), strict=True))
    places = sorted(set(keys))
    found = Coarser(cells)
    rows: list[tuple[str, int, Groups, Groups]] = []
    for number, place in enumerate(places, start=1):
        here = [u for u, key in enumerate(keys) if key == place]
        name = f"{cells.study.values[0]}-{OTHERS}" + (f"-{number}" if len(places) > 1 else "")
        one = {str(cells.organisation.values[u]): cells.single.values[u] for u in here}
        two = {str(cells.organisation.values[u]): cells.double.values[u] for u in here}
        people, second = (sum(_size(g) for g in groups.values()) for groups in (one, two))
        if people + second < least:
            continue
        found.second += second
        found.people[place] = people + second
        rows += _setting(name, here[0], one, two, least, alike, found)
    found.cells = _put_together(cells, rows)
    if found.cells.identical(cells):
        found.cells = cells
    return found


def _setting(
    others: str, at: int, one: Groups, two: Groups, least: int, alike: int, found: Coarser
) -> Iterator[tuple[str, int, Groups, Groups]]:
    """Units of a setting: name, a unit of before that is of its place, and counts by code."""
    codes = next(iter(one.values())).shape[0]
    people = sum(map(_size, [*one.values(), *two.values()]))
    size = {unit: _size(one[unit]) + _size(two[unit]) for unit in one}
    few = {unit: _size(counts) for unit, counts in two.items()}
    one, two, folded = _alike_for_all(others, one, two, least)
    kept_one: dict[str, Groups] = {}
    kept_two: dict[str, Groups] = {}
    moved = {unit for unit in size if size[unit] and unit not in one and unit not in two}
    told, second = 0, sum(map(_size, two.values()))
    for code in range(codes):
        mine, pairs, away = _of_code(
            others,
            {unit: counts[code] for unit, counts in one.items()},
            {unit: counts[code] for unit, counts in two.items()},
            least,
            alike,
        )
        moved |= away
        second = min(second, int(sum(counts.sum() for counts in pairs.values())))
        found.pairs += 1
        found.missing += not mine and not pairs
        told += bool(mine or pairs)
        for kept, groups in ((kept_one, mine), (kept_two, pairs)):
            for unit, counts in groups.items():
                kept.setdefault(unit, {})[str(code)] = counts
    found.unused += folded + sum(map(_size, two.values())) - second
    found.moved += sum(size[unit] for unit in moved - {others})
    if others in two:  # interviews of two coders whose organisation stays for those of one
        found.moved += sum(few[unit] for unit in few if unit not in two and unit not in moved)
    found.without += people if told < codes else 0
    units = sorted({*kept_one, *kept_two})
    found.only_others += units == [others]
    for unit in units:
        yield unit, at, kept_one.get(unit, {}), kept_two.get(unit, {})


def _alike_for_all(others: str, one: Groups, two: Groups, least: int) -> tuple[Groups, Groups, int]:
    """Units whose counts are over enough interviews, and how many second readings are not used."""
    codes = len(next(iter(one.values())))
    one, pairs = dict(one), {unit: c for unit, c in two.items() if _size(c) >= least}
    few = {unit: c for unit, c in two.items() if 0 < _size(c) < least}
    folded = 0
    if sum(map(_size, few.values())) >= least:
        pairs[others] = sum(few.values(), start=np.zeros((codes, OF_TWO)))
    else:
        for unit, counts in few.items():
            one[unit] = one[unit] + _first(counts)
            folded += _size(counts)
    one = {unit: c for unit, c in one.items() if _size(c)}
    small = [unit for unit, c in one.items() if _size(c) < least]
    large = sorted(set(one) - set(small), key=lambda unit: (-_size(one[unit]), unit))
    pool = np.zeros((codes, OF_ONE))
    for unit in small:
        pool = pool + one.pop(unit)
    while small and _size(pool) < least and large:
        pool = pool + one.pop(large.pop())
    while small and _size(pool) < least:  # nearly all was read twice
        unit = min(pairs, key=lambda unit: (_size(pairs[unit]), unit))
        folded += _size(pairs[unit])
        pool = pool + _first(pairs.pop(unit))
    if small:
        one[others] = pool
    return one, pairs, folded


def _of_code(
    others: str, one: Groups, two: Groups, least: int, alike: int
) -> tuple[Groups, Groups, set[str]]:
    """Counts of one code that are sound, and the units that are counted with others."""

    def sound(single: np.ndarray, double: np.ndarray) -> bool:
        n = np.array([single.sum(), double.sum(), double.sum()]).repeat(2)
        told = margins(single, double)
        return bool(((n == 0) | ((n >= least) & (told >= alike))).all())

    nobody, no_pair = np.zeros(OF_ONE), np.zeros(OF_TWO)
    one, two = dict(one), dict(two)
    for unit in [unit for unit, counts in two.items() if not sound(nobody, counts)]:
        one[unit] = one.get(unit, nobody) + _first(two.pop(unit))
    pooled = {unit for unit, c in one.items() if unit == others or not sound(c, no_pair)}
    pool = sum((one.pop(unit) for unit in sorted(pooled)), start=nobody)
    rest = sorted(one, key=lambda unit: (-one[unit].sum(), unit))
    while pool.sum() and not sound(pool, no_pair) and rest:
        unit = rest.pop()
        pooled.add(unit)
        pool = pool + one.pop(unit)
    while pool.sum() and not sound(pool, no_pair) and two:
        unit = min(two, key=lambda unit: (two[unit].sum(), unit))
        pooled.add(unit)
        pool = pool + _first(two.pop(unit))
    if pool.sum() and sound(pool, no_pair):
        one[others] = pool
    return one, two, pooled


def _size(counts: np.ndarray) -> int:
    """Interviews behind counts of codes (code, pattern), of which each is over all of them."""
    return int(counts.sum(axis=-1).max(initial=0))


def _first(double: np.ndarray) -> np.ndarray:
    """What the first of two coders found, as if nobody else had read."""
    both, first, second, none = np.moveaxis(double, -1, 0)
    return np.stack([both + first, second + none], axis=-1)


def _put_together(cells: xr.Dataset, rows: list[tuple[str, int, Groups, Groups]]) -> xr.Dataset:
    """The cells of before with the units that are left, in the order of their names."""
    rows = sorted(rows, key=lambda row: row[0])
    codes = cells.sizes["code"]
    single, double = np.zeros((len(rows), codes, OF_ONE)), np.zeros((len(rows), codes, OF_TWO))
    for u, (_, _, one, two) in enumerate(rows):
        for whole, groups in ((single, one), (double, two)):
            for code, counts in groups.items():
                whole[u, int(code)] = counts
    units = [name for name, *_ in rows]
    where = {str(name): u for u, name in enumerate(cells.organisation.values)}
    before = [where.get(name, at) for name, at, *_ in rows]
    site = [str(cells.site.values[where[name]]) if name in where else name for name in units]
    found = cells.isel(organisation=before).assign_coords(organisation=np.array(units, dtype=str))
    found = found.assign(
        single=(cells.single.dims, single),
        double=(cells.double.dims, double),
        site=("organisation", np.array(site, dtype=str)),
    )
    asked = (single.sum(axis=(0, 2)) + double.sum(axis=(0, 2))) > 0
    found = found.isel(code=np.flatnonzero(asked))
    families = list(dict.fromkeys(found.family_of.values.tolist()))
    coords = {name: found[name].values for name in cells.coords if name != "family"}
    coords["family"] = np.array(families, dtype=str)
    return xr.Dataset(
        {name: (one.dims, one.values) for name, one in found.data_vars.items()}, coords, cells.attrs
    )
