"""What goes into an archive, by its place there, and what stays."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.archive.code_state import CodeState, files_of_code, state_of
from metastudy.common.problems import MetastudyError
from metastudy.record.rebuild_folder import leads_out
from metastudy.sharing.data import DataFile, divided, files_of
from metastudy.sharing.withheld import Withheld, bare_digests, keys_of, withheld

__all__ = ["CODE", "Contents", "Inputs", "gathered"]

CODE = "code/"  # where the workflow is, if the project is a folder apart from it
ELSEWHERE = "elsewhere/"  # files that the configuration names outside of the project
DATA = "data/raw"  # where data are that are outside of the project
RESULTS = "results"
# Rows, which have a rule of their own; what is no part of a build; what has times in it.
NOT_RESULTS = (
    *("harmonized", "staged", "cells", "declared"),
    *("archive", "submission", "worlds", "logs", "README.md", "verdict/rebuild.log"),
)


@dataclass(frozen=True)
class Inputs:
    """What an archive is made from.

    ``project`` is the working directory and ``repository`` holds ``workflow``; they may be one.
    ``data`` and ``results`` are relative to the project, or absolute. ``files`` are further ones
    that the build reads, such as the vocabulary. ``fits`` says of each fit its studies, and
    ``pseudonyms`` is that section of the configuration.
    """

    project: Path
    repository: Path
    data: Path
    results: Path
    files: tuple[Path, ...]
    fits: Mapping[str, Mapping[str, Any]]
    pseudonyms: Mapping[str, str | None]


@dataclass(frozen=True)
class Contents:
    """Files of an archive by their places, and what stands for those that stay.

    ``code`` is the place of the workflow, empty or ending with a slash; ``data`` is that of the
    raw data, and ``elsewhere`` has the places of other files by their paths outside of the project.
    ``digests`` are texts that must not be in the archive, with what takes their places.
    """

    files: Mapping[str, Path]
    kept: Mapping[str, Withheld]
    studies: tuple[DataFile, ...]
    code: str
    data: str
    elsewhere: Mapping[str, str]
    state: CodeState
    digests: Mapping[str, str]


def gathered(inputs: Inputs) -> Contents:
    """Look up all that goes into the archive of a finished build; nothing is copied.

    Raises
    ------
    MetastudyError
        If there is no finished build, or a file of code is one that may not be given away.
    BadInput
        If the key is missing that stands for files of observed studies.
    """
    results = inputs.project / inputs.results
    if not (results / "run_config.yaml").is_file() or not (results / "harmonized").is_dir():
        raise MetastudyError(
            f"{inputs.results} holds no finished build, so there is nothing to archive: run "
            "`snakemake --cores 2` first, in the folder of the project"
        )
    apart = inputs.project.resolve() != inputs.repository.resolve()
    code = CODE if apart else ""
    folders = [p for p in sorted((results / "harmonized").iterdir()) if p.is_dir()]
    studies = files_of(folders)
    data = inputs.project / inputs.data
    places = divided(studies, inputs.fits, data, results)
    in_data = DATA if leads_out(inputs.data) else os.path.normpath(inputs.data)

    def at(place: str) -> str:
        """The place in the archive of a file of a study."""
        kind, _, rest = place.partition("/")
        return f"{in_data}/{rest}" if kind == "raw" else f"{RESULTS}/{place}"

    found = {f"{code}{p.relative_to(inputs.repository).as_posix()}": p
             for p in files_of_code(inputs.repository)}  # fmt: skip
    if apart:
        found |= {
            p.relative_to(inputs.project).as_posix(): p for p in files_of_code(inputs.project)
        }
    elsewhere: dict[str, str] = {}
    for path in inputs.files:
        if (inputs.project / path).is_file():
            name = os.path.normpath(path)
            if leads_out(path):
                name = elsewhere[str(path)] = _free(f"{ELSEWHERE}{path.name}", found)
            found[name] = inputs.project / path
    found |= _results(results)
    kept = {at(place): what for place, what in places.kept.items()}
    found = {place: path for place, path in found.items() if place not in kept}
    found |= {at(place): path for place, path in places.given.items()}
    keys = keys_of(studies, data, inputs.pseudonyms)
    return Contents(
        files=dict(sorted(found.items())),
        kept=withheld(kept, keys),
        studies=tuple(studies),
        code=code,
        data=in_data,
        elsewhere=elsewhere,
        state=state_of(inputs.repository),
        digests=bare_digests(places.kept, keys),
    )


def _free(place: str, taken: Collection[str]) -> str:
    """A place, or where it is taken the same with a number: two files may have one name."""
    folder, _, name = place.rpartition("/")
    places = (f"{folder}/{number}-{name}" for number in itertools.count(2))
    return next(one for one in itertools.chain([place], places) if one not in taken)


def _results(results: Path) -> dict[str, Path]:
    """Files of the build but for rows and cells of studies, by their places."""
    found = {}
    for path in sorted(results.rglob("*")):
        inside = path.relative_to(results)
        if not path.is_file() or path.is_symlink():
            continue
        if any(part.startswith(".") for part in inside.parts):
            continue
        if inside.parts[0] in NOT_RESULTS or inside.as_posix() in NOT_RESULTS:
            continue
        found[f"{RESULTS}/{inside.as_posix()}"] = path
    return found
