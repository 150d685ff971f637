"""The folder of rebuilds: where it may be, and how it is emptied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metastudy.common.own_folder import is_own, mark
from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.common.text import shown

__all__ = ["BESIDE", "emptied", "leads_out", "place_of"]

BESIDE = ("data/truth.csv", "data/left_out_places.csv")  # what the article shows, if it is there
# Of a project or of the repository: what a rebuild may neither be in nor hold.
SOURCES = (
    *("workflow", "envs", "config", "data", "manuscript", "profiles", "tools", "docs", "tests"),
    *("benchmarks", "examples", "parcels", ".git", ".ci", ".venv", ".snakemake"),
)


def place_of(config: Mapping[str, Any], project: Path, repository: Path, results: Path) -> Path:
    """The folder of rebuilds, ``verify.folder`` of the configuration, if it may be one.

    Parameters
    ----------
    config : of the project.
    project : what its paths are relative to.
    repository : holds ``workflow`` and ``envs``.
    results : of the build of today.

    Raises
    ------
    BadInput
        If it is a link, is in data, results or sources, or holds some of them: it is emptied, and
        data are copied into it.
    """
    named = config["verify"]["folder"]
    folder = Path(os.path.normpath(project.absolute() / named))
    real = Path(os.path.realpath(folder))
    wrong = ["a link"] if folder.is_symlink() else []
    for what, path in _protected(config, project, repository, results):
        other = Path(os.path.realpath(path))
        if real == other:
            wrong.append(f"{what}, {shown(path)}")
        elif real.is_relative_to(other):
            wrong.append(f"in {what}, {shown(path)}")
        elif other.is_relative_to(real):
            wrong.append(f"around {what}, {shown(path)}")
    if wrong:
        raise BadInput(
            Problem(
                file="config/config.yaml or --config",
                column="verify.folder",
                found=f"{named!r}, which is " + "; ".join(dict.fromkeys(wrong)),
                expected="a folder of its own apart from data, results and sources, such as "
                "`.verify`; data are copied into it, and it is emptied",
                fix="name another folder as verify.folder, or leave the key out",
                code="config",
            )
        )
    return folder


def _protected(
    config: Mapping[str, Any], project: Path, repository: Path, results: Path
) -> Iterator[tuple[str, Path]]:
    """What is read or made elsewhere, with what it is."""
    yield "the data", project / config["data"]
    yield "the results", project / results
    for key in ("vocabulary", "appraisal"):
        yield f"the file `{key}`", project / config[key]
    if store := config.get("store"):
        yield "the store", project / store
    if key_file := config.get("pseudonyms", {}).get("key_file"):
        yield "the key of pseudonyms", project / key_file
    for home in dict.fromkeys((project.absolute(), repository.absolute())):
        for name in SOURCES:
            yield "sources", home / name


def emptied(folder: Path) -> Path:
    """An empty folder, which a later call may empty again.

    Raises
    ------
    MetastudyError
        If it holds something that no earlier call made, or is a link or a file; nothing is removed.
    """
    there = os.path.lexists(folder)
    whole = folder.is_dir() and not folder.is_symlink()
    if there and not (whole and (is_own(folder) or not any(folder.iterdir()))):
        what = "is not empty" if whole else "is a link" if folder.is_symlink() else "is no folder"
        raise MetastudyError(
            f"{folder} {what} and was not made by `snakemake verify` in this place: name another "
            "folder as verify.folder in the configuration, or move this one away"
        )
    if there:
        shutil.rmtree(folder)  # which follows no links
    folder.mkdir(parents=True)
    mark(folder)
    return folder


def leads_out(name: str | Path) -> bool:
    """Whether a path leads out of the folder that it is relative to, or is absolute.

    >>> leads_out("data/raw"), leads_out("../raw"), leads_out("data/../../raw"), leads_out("/raw")
    (False, True, True, True)
    """
    return Path(name).is_absolute() or Path(os.path.normpath(name)).parts[:1] == ("..",)
