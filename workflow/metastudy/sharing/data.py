"""Data files that may be given away, and those that may not: one rule for all that leaves here.

Files of observed studies stay where they are, raw, harmonized and as cells, unless the codebook
says ``share: yes``. Those of simulated studies always may go.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.codebook.parts import may_be_shared
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.pseudonyms import has_persons
from metastudy.sharing.reports import read_report

__all__ = ["DataFile", "Places", "copied", "divided", "files_of"]

STAND_IN = "Simulated stand-in; made by the code, and in this folder."


@dataclass(frozen=True)
class DataFile:
    """The data file of a study, with what its codebook says of it.

    ``persons`` says whether the study is of people who were observed.
    """

    study: str
    title: str
    file: str
    sha256: str
    provenance: str
    shareable: bool
    licence: str
    availability: str
    citation: str
    persons: bool


@dataclass(frozen=True)
class Places:
    """Files of studies: by their place below ``raw``, ``harmonized`` or ``cells``, where they are.

    ``kept`` may not be given away, and says of each file the study that forbids it.
    """

    given: Mapping[str, Path]
    kept: Mapping[str, tuple[Path, str]]


def files_of(harmonized: Iterable[Path]) -> list[DataFile]:
    """The data file of each study, from the reports of their harmonized tables.

    Raises
    ------
    BadInput
        If a study has no report, or one of another form; of all studies at once.
    """
    found = []
    problems: list[Problem] = []
    for folder in sorted(harmonized):
        try:
            report = read_report(folder)
        except BadInput as bad:
            problems += bad.problems
            continue
        said = report["codebook"]
        shareable = may_be_shared({**said, "provenance": report["provenance"]})
        licence, where = "not stated", "not stated"
        if report["provenance"] == "simulated":
            licence, where = "that of the code", STAND_IN
        found.append(
            DataFile(
                study=str(report["study"]),
                title=str(said["title"]),
                file=str(report["file"]),
                sha256=str(report["sha256"]),
                provenance=str(report["provenance"]),
                shareable=shareable,
                licence=str(said.get("licence") or licence),
                availability=str(said.get("availability") or where),
                citation=str(said.get("citation") or ""),
                persons=has_persons(str(report["provenance"]), str(said.get("design") or "")),
            )
        )
    if problems:
        raise BadInput(problems)
    return found


def divided(
    files: Sequence[DataFile],
    fits: Mapping[str, Mapping[str, Any]],
    data: Path,
    results: Path,
) -> Places:
    """Divide raw, harmonized and cell files into those that may be given away and the others.

    Parameters
    ----------
    files : of :func:`files_of`. What is of no study here is in neither part.
    fits : by name ``studies`` of each fit; cells may go only where every study in them may.
    data, results : folders of the raw data and of the results.
    """
    given: dict[str, Path] = {}
    kept: dict[str, tuple[Path, str]] = {}

    def put(place: str, path: Path, forbids: str) -> None:
        if forbids:
            kept[place] = (path, forbids)
        else:
            given[place] = path

    for file in files:
        for origin, name in (
            (data / file.study, "raw"),
            (results / "harmonized" / file.study, "harmonized"),
        ):
            for path in _files(origin):
                inside = path.relative_to(origin).as_posix()
                put(f"{name}/{file.study}/{inside}", path, "" if file.shareable else file.study)
    may = {file.study for file in files if file.shareable}
    for name, fit in fits.items():
        path = results / "cells" / f"{name}.nc"
        if path.is_file():
            put(f"cells/{path.name}", path, min(set(fit["studies"]) - may, default=""))
    return Places(given, kept)


def _files(folder: Path) -> list[Path]:
    """All files of a folder but hidden ones; a link in it leads to what nobody declared."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def copied(
    files: Sequence[DataFile],
    fits: Mapping[str, Mapping[str, Any]],
    data: Path,
    results: Path,
    target: Path,
) -> list[str]:
    """Copy raw, harmonized and cell files as far as they may be given away.

    Parameters
    ----------
    files, fits, data, results : as for :func:`divided`.

    Returns
    -------
    list of str
        The files below ``target`` in order.
    """
    given = divided(files, fits, data, results).given
    for place, path in given.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / place)
    return sorted(given)
