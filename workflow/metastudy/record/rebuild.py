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

__all__ = ["OURS", "TRUTH", "build", "emptied", "prepare"]

OURS = ".metastudy-verify"  # marks a folder that may be emptied
TRUTH = "data/truth.csv"


def emptied(folder: Path) -> Path:
    """An empty folder, which a later call may empty again.

    Raises
    ------
    MetastudyError
        If it holds something that no earlier call made.
    """
    if folder.exists():
        if not (folder / OURS).is_file():
            raise MetastudyError(
                f"{folder} is not empty and was not made by `snakemake verify`: name another "
                "folder as verify.folder in the configuration, or move this one away"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / OURS).write_text("Made by `snakemake verify`, which empties it.\n", "utf-8")
    return folder


def prepare(
    folder: Path, config: Mapping[str, Any], project: Path, parts: tuple[str, ...] = ("manuscript",)
) -> Path:
    """Put what a build needs, and nothing that one made, into an empty folder.

    Parameters
    ----------
    folder : emptied if an earlier call made it.
    config : of the rebuild; paths that are absolute are read where they are.
    project : the folder that the others are relative to.
    parts : what is copied beside data, vocabulary, appraisal and truth.

    Returns
    -------
    The configuration of the rebuild, a file.

    Raises
    ------
    MetastudyError
        If the folder holds something else.
    """
    emptied(folder)
    for name in (config["data"], config["vocabulary"], config["appraisal"], TRUTH, *parts):
        source, target = project / name, folder / name
        if Path(name).is_absolute() or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            shutil.copy(source, target)
    settings = folder / "config" / "config.yaml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), "utf-8")
    return settings


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
