"""Rebuild: what a build needs in a folder of its own, and the build there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from metastudy.common.problems import MetastudyError
from metastudy.common.user_files import outside
from metastudy.record.rebuild_folder import BESIDE, emptied, leads_out

__all__ = ["PLACES", "build", "placed", "prepare"]

PLACES = ("data", "vocabulary", "appraisal")  # of the configuration: what is data of a build


def placed(config: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """A configuration whose data are below the project or absolute.

    What lies elsewhere, such as ``../raw``, is read where it is: a copy of it at the same path
    would lie outside of the rebuild.
    """
    found = dict(config)
    for key in PLACES:
        if leads_out(found[key]):
            found[key] = os.path.normpath(project.absolute() / found[key])
    return found


def prepare(
    folder: Path, config: Mapping[str, Any], project: Path, parts: tuple[str, ...] = ("manuscript",)
) -> Path:
    """Put what a build needs, and nothing that one made, into an empty folder.

    Parameters
    ----------
    folder : emptied if an earlier call made it.
    config : of the rebuild, from :func:`placed`; paths that are absolute are read where they are.
    project : the folder that the others are relative to.
    parts : what is copied beside data, vocabulary, appraisal and what the article shows of them.

    Returns
    -------
    The configuration of the rebuild, a file.

    Raises
    ------
    MetastudyError
        If the folder holds something else, or something would be copied out of it.
    """
    names = (*(config[key] for key in PLACES), *BESIDE, *parts)
    for name in names:
        if leads_out(name) and not Path(name).is_absolute():
            raise MetastudyError(
                f"{name} leads out of {project}, so it cannot be copied for a rebuild: write an "
                "absolute path into the configuration"
            )
    emptied(folder)
    for name in names:
        source, target = project / name, folder / os.path.normpath(name)
        if Path(name).is_absolute() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            _copied(source, target)
        elif source.is_file():
            shutil.copy(source, target)
    settings = folder / "config" / "config.yaml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), "utf-8")
    return settings


def _copied(source: Path, target: Path) -> None:
    """Copy a folder; it and the folders in it, as those of studies, may be links.

    A link to a file of the same study is copied as that file. Another one, and a link to a folder
    further down, is kept as it is, so that the rebuild refuses what the build refuses, and none
    leads round in a circle. Pipes and the like are left out.
    """
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.is_dir():
            _copied_below(path, target / path.name)
        else:
            _put(path, target / path.name, source)


def _copied_below(home: Path, target: Path) -> None:
    for place, folders, files in os.walk(home):
        new = target / os.path.relpath(place, home)
        new.mkdir(parents=True)
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted([*links, *files]):
            _put(Path(place, name), new / name, home)


def _put(path: Path, target: Path, home: Path) -> None:
    if path.is_symlink() and (outside(path, home) or not path.is_file()):
        target.symlink_to(os.path.join(os.path.realpath(path.parent), os.readlink(path)))  # noqa: PTH115, PTH118
    elif path.is_file():
        shutil.copy(path, target)


def build(
    folder: Path, settings: Path, snakefile: Path, cores: int, log: Path, library: Path
) -> bool:
    """Build in a prepared folder, and say whether it went well.

    Parameters
    ----------
    snakefile : of the code that builds.
    log : a file for what it prints.
    library : the folder that holds the package ``metastudy`` of that code.
    """
    words = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    words += ["--snakefile", str(snakefile), "--directory", str(folder)]
    words += ["--configfile", str(settings)]
    paths = [str(library), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with log.open("w", encoding="utf-8") as said:
        done = subprocess.run(words, stdout=said, stderr=subprocess.STDOUT, check=False, env=own)
    return done.returncode == 0
