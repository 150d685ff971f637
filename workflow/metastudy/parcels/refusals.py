"""Refusals of parcels: each says what was found in the file, what belongs there and what to do."""

from __future__ import annotations

from pathlib import Path

from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown

__all__ = ["AGAIN", "Refusal", "refused"]

AGAIN = "ask the owner of the data for the parcel again, made with `snakemake parcel`"


class Refusal(Exception):
    """What is wrong with a parcel; whoever knows the file makes it a problem."""

    def __init__(
        self, found: str, expected: str, fix: str = AGAIN, code: str = "parcel", place: str = ""
    ):
        super().__init__(found)
        self.found, self.expected, self.fix = found, expected, fix
        self.code, self.place = code, place


def refused(path: Path, said: Refusal, study: str | None = None) -> BadInput:
    """Make the error with which a parcel is given back."""
    return BadInput(
        Problem(
            file=shown(path),
            found=said.found,
            expected=said.expected,
            fix=said.fix,
            study=study or path.parent.name,
            column=said.place or None,
            code=said.code,
        )
    )
