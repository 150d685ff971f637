"""Whether a parcel holds what is wanted now, and what is said where it was made for something else.

Light: it is asked while the Snakefile is read.
"""

from __future__ import annotations

from pathlib import Path

from metastudy.parcels.parcel import Parcel
from metastudy.parcels.refusals import Refusal, refused
from metastudy.parcels.request import Request

__all__ = ["check_suffices", "note_on"]

FIX = (
    "run `snakemake request` and send parcels/request.json to the owner, who makes the parcel "
    "again with `snakemake parcel --config study={study} request=FILE`"
)


def check_suffices(parcel: Parcel, path: Path, wanted: Request) -> None:
    """Check that a parcel holds what the configuration of now needs of its study.

    Parameters
    ----------
    path : of the parcel.
    wanted : the request that the configuration of now makes.

    Raises
    ------
    BadInput
        ``parcel`` for fits that the study could enter and its request did not ask for, or for
        counts of fewer people than may be shown here.
    """
    fix = FIX.format(study=parcel.id)
    not_asked = (parcel.request or {}).get("not_asked", {})
    there = {module for module, _ in parcel.fits}
    lacking = [
        f"{module}, {variant}"
        for module, variants in wanted.fits.items()
        for variant in variants
        if variant in not_asked.get(module, ())
    ]
    if never := [
        f"{module}, {variant}"
        for module, variants in wanted.fits.items()
        for variant in variants
        if module in there and (module, variant) not in parcel.fits and not lacking
    ]:
        said = Refusal(
            f"a parcel without {'; '.join(never)}",
            "cells of each fit that `modules` and `sensitivity.folded` select; where a code is a "
            "part of another one, no parcel holds their counts as one code",
            "take the module out of `sensitivity.folded`, or the study out of `studies`",
            place="request",
        )
        raise refused(path, said, parcel.id)
    if lacking:
        said = Refusal(
            f"a parcel made for a request that did not ask for {'; '.join(lacking)}",
            "cells of each fit that `modules` and `sensitivity.folded` select",
            f"{fix}; or take the fit out of the configuration",
            place="request",
        )
        raise refused(path, said, parcel.id)
    least = int(parcel.manifest["least"])
    if least < wanted.smallest_cell:
        said = Refusal(
            f"counts of {least} people or more",
            f"of {wanted.smallest_cell} or more, `privacy.smallest_cell` of the configuration",
            f"{fix}; or lower `privacy.smallest_cell`",
            place="least",
        )
        raise refused(path, said, parcel.id)


def note_on(parcel: Parcel, wanted: str) -> str | None:
    """Say that a parcel was made for another request than the present one, if it was.

    Parameters
    ----------
    wanted : digest of the request that the configuration of now makes.
    """
    if parcel.request is None or parcel.request["digest"] == wanted:
        return None
    return (
        f"the parcel was made for another request ({parcel.request['digest'][:12]}) than the "
        f"present one ({wanted[:12]}); it holds all that is needed"
    )
