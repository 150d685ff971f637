"""Parcels of a study that were made before: what two of them tell together is not of few people.

Who has two parcels can subtract one from the other. What is left must be nobody, or so many people
that it could be a cell of its own. All earlier parcels of a study are compared, in the units of the
scales: standard units are of the people of each parcel, and change with one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from metastudy.common.code_digest import file_digest
from metastudy.common.problems import BadInput
from metastudy.parcelling.older_cells import check_cells
from metastudy.parcelling.older_codes import check_codes
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


def check_against_older(new: Documents, older: Parcel, least: int, path: Path) -> None:
    """Check that a parcel and an older one of the study differ by nobody, or by many.

    Sums of answers by :func:`metastudy.parcelling.older_cells.check_cells`, counts of codes by
    :func:`metastudy.parcelling.older_codes.check_codes`.

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
        elif KIND not in kinds:
            check_cells(new[fit], older.documents[fit], fit, least, older.id, path)
