"""What is odd about a folder of results; light, for the Snakefile imports it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

__all__ = ["strays", "unrecorded", "unwritable"]

MADE_FIRST = ("harmonized", "cells", "fits")  # what all else is made from
METADATA = ("metadata", "metadata.db")  # Snakemake's records, as files or as a database


def unrecorded(results: Path, snakemake: Path) -> str | None:
    """Say that there are results and no record of what they were made from.

    Snakemake would compare times alone: a changed prior, value or model would pass unseen where the
    results are newer, and everything would be built again where they are older.

    Parameters
    ----------
    results : folder of the results.
    snakemake : Snakemake's own folder, ``.snakemake`` of the working directory.
    """
    if not any(any((results / kind).glob("*")) for kind in MADE_FIRST):
        return None
    if any((snakemake / name).exists() and _holds_any(snakemake / name) for name in METADATA):
        return None
    return (
        f"{results} was copied without the record of what it was made from ({snakemake}/metadata), "
        "so no change of data, priors or code would be noticed: copy that folder as well from "
        f"where the results were built, or delete what is in {results}"
    )


def _holds_any(path: Path) -> bool:
    return path.is_file() or any(one.is_file() for one in path.rglob("*"))


def unwritable(results: Path) -> str | None:
    """Name the first folder of the results that this user cannot write, with what to do."""
    for folder in (results, *sorted(path for path in results.glob("*") if path.is_dir())):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            return (
                f"{folder} cannot be written, so no job can run: make it writable for you, or work "
                "in a folder of your own with --directory"
            )
    return None


def strays(results: Path, made: Mapping[str, Collection[str]]) -> list[str]:
    """List results that nothing makes any more, as after a module or a figure was renamed.

    Parameters
    ----------
    results : folder of the results.
    made : by folder below it, the names that are made there, without suffixes. After a name there
        may be ``-`` and more.
    """
    return sorted(
        str(path)
        for folder, names in made.items()
        for path in (results / folder).glob("*")
        if path.is_file() and path.name[0] != "." and not _is_of(path.name.split(".")[0], names)
    )


def _is_of(stem: str, names: Collection[str]) -> bool:
    return stem in names or any(stem.startswith(f"{name}-") for name in names)
