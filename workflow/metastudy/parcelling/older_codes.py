"""Counts of codes in two parcels of a study: what the difference of both tells is not of few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from metastudy.common.problems import BadInput
from metastudy.parcelling.codes import OTHERS
from metastudy.parcels.codes import ALIKE, PLACES, margins
from metastudy.parcels.parcel import SUFFIX
from metastudy.parcels.refusals import Refusal, refused

__all__ = ["check_codes", "differs"]

Document = Mapping[str, Any]
Part = tuple[np.ndarray, np.ndarray]  # counts of interviews of one coder, and of two


def check_codes(new: Document, old: Document, fit: str, least: int, study: str, path: Path) -> None:
    """Check that the counts of each code in two parcels differ by nobody, or by many.

    Organisations that are in both are compared one by one, and together all others of a setting:
    interviews can have moved between those. If as many were read as before, the counts must be the
    same. Else what was added, or left, has to be sound as a count of its own: over enough
    interviews, some with the code and some without it.

    Parameters
    ----------
    path : file of the older parcel, for the error.

    Raises
    ------
    BadInput
        ``parcel`` for the first difference that tells of few interviews.
    """
    mine, theirs = _parts(new, old), _parts(old, new)
    for place in sorted(set(mine) & set(theirs)):
        for code in sorted(set(mine[place]) & set(theirs[place])):
            if told := _few(mine[place][code], theirs[place][code], least):
                raise differs(f"in {fit}, {place}, {code}: {told}", path, study)


def differs(told: str, path: Path, study: str) -> BadInput:
    """The error that a new parcel is stopped with."""
    said = Refusal(
        f"{told}, against the parcel in {path.as_posix()}",
        "parcels of a study that differ by nobody, or by so many people that these "
        "could be a cell of their own",
        "if that parcel was never sent, remove it and make the new one; if it was, "
        "wait until more people have come or gone",
    )
    return refused(Path("parcels", f"{study}{SUFFIX}"), said, study)


def _parts(document: Document, other: Document) -> dict[str, dict[str, Part]]:
    """Counts by code of organisations that are alike in both, and of the rest of each setting."""
    numbers, names = document["numbers"], document["coordinates"]
    known = {u: _codes(document, i) for i, u in enumerate(names["organisation"])}
    there = {u: _codes(other, i) for i, u in enumerate(other["coordinates"]["organisation"])}
    found: dict[str, dict[str, Part]] = defaultdict(dict)
    for i, unit in enumerate(names["organisation"]):
        setting = ", ".join(document["texts"][name][i] for name in PLACES)
        for c, code in enumerate(names["code"]):
            if code not in known[unit]:
                continue
            alone = OTHERS not in unit and code in there.get(unit, ())
            place = unit if alone else f"{setting}, sites that changed"
            before = found[place].get(code, (np.zeros(2), np.zeros(4)))
            found[place][code] = (
                before[0] + np.array(numbers["single"][i][c], dtype=float),
                before[1] + np.array(numbers["double"][i][c], dtype=float),
            )
    return found


def _codes(document: Document, unit: int) -> set[str]:
    """Codes that a unit has interviews for."""
    single, double = (document["numbers"][name][unit] for name in ("single", "double"))
    return {
        code
        for c, code in enumerate(document["coordinates"]["code"])
        if any(single[c]) or any(double[c])
    }


def _few(new: Part, old: Part, least: int) -> str:
    """What tells of few interviews in the difference of two counts, or nothing."""
    told = [margins(single, double) for single, double in (new, old)]
    first = [one[:2] + one[2:4] for one in told]  # what the first coder, or the only one, found
    compared = [(first[0], first[1])]
    if new[1].any() and old[1].any():
        compared += [(told[0][at : at + 2], told[1][at : at + 2]) for at in (2, 4)]
        if new[1].sum() == old[1].sum() and not np.array_equal(new[1], old[1]):
            return "as many were read twice, and the coders' findings changed"
    for after, before in compared:
        by = abs(after - before)
        if not by.any():
            continue
        if after.sum() == before.sum():
            return "as many were read, and what was found in them changed"
        if by.sum() < least or by.min() < ALIKE or len(set(np.sign(after - before))) > 1:
            return f"it differs by few interviews, {by.sum():g} where it takes {least}"
    return ""
