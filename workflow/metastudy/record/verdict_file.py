"""The file of the last verdict, read again. Light, for the Snakefile imports it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown

__all__ = ["read_verdict"]

TEXTS = ("verdict", "why", "date", "commit")
CODES = (0, 1, 2)


def read_verdict(path: Path, needed: Collection[str] = ("verdict",)) -> dict[str, Any]:
    """What `snakemake verify` wrote.

    Parameters
    ----------
    path : ``verdict.json``.
    needed : entries without which it is none.

    Raises
    ------
    BadInput
        If it is half-written or of another form, with all that is wrong.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise _none(path, [f"no JSON that can be read: {error}"]) from None
    if not isinstance(said, dict):
        raise _none(path, ["no entries by their names"])
    if wrong := list(_wrong(said, needed)):
        raise _none(path, wrong)
    return said


def _wrong(said: dict[str, Any], needed: Collection[str]) -> Iterator[str]:
    for key in dict.fromkeys((*needed, *TEXTS, "code")):
        if key not in said:
            if key in needed:
                yield f"no '{key}'"
        elif key == "code":
            if type(said[key]) is not int or said[key] not in CODES:
                yield f"'{key}' that is none of {', '.join(map(str, CODES))}"
        elif not isinstance(said[key], str):
            yield f"'{key}' that is no text"


def _none(path: Path, wrong: list[str]) -> BadInput:
    return BadInput(
        Problem(
            file=shown(path),
            found=f"no verdict of `snakemake verify`: {'; '.join(wrong)}",
            expected="what `snakemake verify` wrote",
            fix=f"run `snakemake verify` again, or remove {shown(path)}",
            code="record",
        )
    )
