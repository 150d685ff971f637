"""Parcels of a study that were made before: what two of them tell together is not of few people.

Who has two parcels can subtract one from the other. What is left must be nobody, or so many people
that it could be a cell of its own. All earlier parcels of a study are compared, in the units of the
scales: standard units are of the people of each parcel, and change with one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from metastudy.common.code_digest import file_digest
from metastudy.common.problems import BadInput
from metastudy.parcelling.older_codes import check_codes, differs
from metastudy.parcelling.sums import FEWEST
from metastudy.parcels.codes import KIND
from metastudy.parcels.parcel import SUFFIX, Parcel, read

__all__ = [
    "OLDER",
    "check_against_older",
    "older_parcels",
    "put_aside",
    "put_words_aside",
    "read_older",
]

OLDER = "older"  # folder beside the parcels, for those that a new one took the place of
OTHERS = "-org-others"
_WORDS = (".certificate.json", ".certificate.html", ".certificate.md", f"{SUFFIX}.sig")
DIGITS = 12  # of the digest in the name of a parcel that is kept

Documents = Mapping[str, Any]


def older_parcels(path: Path) -> list[Path]:
    """Files of all parcels of a study that were made before, the one at its place included."""
    kept = sorted((path.parent / OLDER).glob(f"{path.stem}-*{SUFFIX}"))
    return [*kept, path] if path.is_file() else kept


def read_older(path: Path, study: str) -> Parcel:
    """Read an earlier parcel of a study, with which a new one is compared.

    Raises
    ------
    BadInput
        As :func:`metastudy.parcels.parcel.read`, with what can be done at the owner's.
    """
    try:
        return read(path, study)
    except BadInput as bad:
        (wrong,) = bad.problems
        raise BadInput(
            replace(
                wrong,
                found=f"{wrong.found}, in an earlier parcel of this study",
                expected=f"{wrong.expected}, as a new parcel is compared with each earlier one",
                fix=f"move {wrong.file} out of the folder and make the parcel again. If it was "
                "sent, put the file that was sent in its place: what is not here is not compared, "
                "and the difference of the two could tell of few people",
            )
        ) from None


def put_aside(path: Path) -> Path | None:
    """Keep a parcel before a new one takes its place; where it is now, or nothing without one."""
    if not path.is_file():
        return None
    seal = str(read(path, path.stem).manifest["seal"])
    aside = path.parent / OLDER / f"{path.stem}-{seal[:DIGITS]}{SUFFIX}"
    aside.parent.mkdir(exist_ok=True)
    aside.write_bytes(path.read_bytes())
    return aside


def put_words_aside(path: Path, aside: Path | None) -> list[Path]:
    """Move what was said of a parcel before a new one to where that is kept, with its name.

    Its certificate and its signature are of no other file. Without a parcel before, a certificate
    that is not of the new one is of one that is gone, and is removed.

    Parameters
    ----------
    path : of the new parcel.
    aside : where the one before it is kept now.

    Returns
    -------
    Where they were.
    """
    found = [path.with_name(f"{path.stem}{suffix}") for suffix in _WORDS]
    found = [one for one in found if one.is_file()]
    if not aside:
        of_this = file_digest(path)
        found = [one for one in found if one.suffix != ".sig"]
        found = [] if any(of_this in one.read_text("utf-8") for one in found) else found
    for one in found:
        if aside:
            one.replace(aside.with_name(aside.stem + one.name.removeprefix(path.stem)))
        else:
            one.unlink()
    return found


@dataclass(frozen=True)
class _Cell:
    """Sums over the people of a cell, of the terms [intercept, conditions, outcomes in POMP]."""

    setting: str
    site: str
    outcomes: tuple[str, ...]
    n: int
    conditions: int
    sums: np.ndarray  # (term, term)

    @property
    def enough(self) -> int:
        """People of whom so many sums may be told: as for a cell that is not searched."""
        return FEWEST * (len(self.outcomes) + 2**self.conditions)


def check_against_older(new: Documents, older: Parcel, least: int, path: Path) -> None:
    """Check that a parcel and an older one of the study differ by nobody, or by many.

    Cells of the same site and pattern are compared first. Then sites as wholes, outcome by outcome
    and pair by pair, since people can have moved to another pattern; and together all sites that
    are in only one of the two parcels, with "others", since people can have moved there.

    Parameters
    ----------
    path : file of the older parcel, for the error.

    Raises
    ------
    BadInput
        ``parcel`` for the first difference that tells of few people.
    """
    for fit in sorted(set(new) & set(older.documents)):
        if not fit.startswith("cells/"):
            continue
        kinds = {str(one[fit]["attributes"]["model"]) for one in (older.documents, new)}
        if kinds == {KIND}:
            check_codes(new[fit], older.documents[fit], fit, least, older.id, path)
        if kinds & {KIND}:
            continue
        before, after = _cells(older.documents[fit]), _cells(new[fit])
        for place, (mine, theirs) in _parts(after, before).items():
            if told := _few(mine, theirs, least):
                raise differs(f"in {fit}, {place}: {told}", path, older.id)


def _cells(document: Documents) -> list[_Cell]:
    numbers, names = document["numbers"], document["coordinates"]
    kinds = document["texts"]["exposure_type"]
    terms = [0, *(1 + k for k, kind in enumerate(kinds) if kind == "randomised")]
    found = []
    for c, n in enumerate(numbers["n"]):
        site = numbers["site_of_cell"][c]
        setting = numbers["setting_of_site"][site]
        seen = np.flatnonzero(numbers["observed"][numbers["pattern_of_cell"][c]])
        centre, scale = (
            np.array(numbers[name][setting], dtype=float)[seen] for name in ("centre", "scale")
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
                len(terms) - 1,
                np.block([[xx, score], [score.T, square]]),
            )
        )
    return found


_Parts = dict[str, tuple[list[_Cell], list[_Cell]]]


def _parts(new: list[_Cell], old: list[_Cell]) -> _Parts:
    """The cells of both parcels in parts that nobody moves between: sites, and what is no site."""
    sites = [{(cell.setting, cell.site) for cell in cells} for cells in (new, old)]
    one_sided = {setting for setting, _ in sites[0] ^ sites[1]}
    parts: _Parts = defaultdict(lambda: ([], []))
    for side, cells in enumerate((new, old)):
        for cell in cells:
            moved = (cell.setting, cell.site) not in sites[0] & sites[1] or OTHERS in cell.site
            rest = moved and cell.setting in one_sided
            parts[f"{cell.setting}, sites that changed" if rest else cell.site][side].append(cell)
    return dict(parts)


def _few(new: list[_Cell], old: list[_Cell], least: int) -> str:
    """What tells of few people in the difference of two lists of cells, or nothing."""
    by_name = {(cell.site, cell.outcomes): cell for cell in old}
    for cell in new:
        before = by_name.get((cell.site, cell.outcomes))
        if before is None or before.sums.shape != cell.sums.shape:
            continue
        by = abs(cell.n - before.n)
        if 0 < by < max(least, cell.enough):
            return f"a cell differs by few people, {by} where it takes {max(least, cell.enough)}"
        if by == 0 and _one_changed(cell, before):
            return "a cell differs by few people, whose answers changed"
    if new and old:
        mine, theirs = dict(_pairs(new)), dict(_pairs(old))
        for pair in sorted(set(mine) & set(theirs)):
            by = abs(mine[pair] - theirs[pair])
            if 0 < by < max(least, 2 * FEWEST):
                names = " and ".join(dict.fromkeys(pair))
                return f"those who answered {names} differ by few people, {by}"
    return ""


def _one_changed(cell: _Cell, before: _Cell) -> bool:
    """Whether one person's answers can be all that changed, or few people's must be.

    One person changes the sums by a matrix of rank two; so many people as the matrix has no room
    for leave it without full rank.
    """
    change = cell.sums - before.sums
    largest = max(1.0, float(np.abs(cell.sums).max()))
    if np.abs(change).max() <= 1e-9 * largest:
        return False
    rank = int(np.linalg.matrix_rank(change, tol=1e-9 * largest * len(change)))
    most = min(len(change), 2 * len(cell.outcomes))
    return 0 < rank <= 2 or rank < most


def _pairs(cells: list[_Cell]) -> Iterator[tuple[tuple[str, str], int]]:
    """People of all cells who answered each pair of outcomes; of one outcome, it with itself."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for cell in cells:
        for one in cell.outcomes:
            for other in cell.outcomes:
                if one <= other:
                    found[one, other] += cell.n
    yield from found.items()
