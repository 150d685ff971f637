"""Verify: build again from the raw data, elsewhere, and compare with the numbers of record."""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.data_report.pages import write
from metastudy.record.page import verdict_page
from metastudy.record.record_file import dumped, load, made
from metastudy.record.verdict import judge

__all__ = ["main", "other_settings", "prepare"]

OURS = ".metastudy-verify"  # marks a folder that may be emptied
TRUTH = "data/truth.csv"


def other_settings(config: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """The configuration of the rebuild: no store, another seed unless one is given."""
    found = copy.deepcopy(dict(config))
    seed = found["verify"]["seed"]
    found["sampling"]["seed"] = found["sampling"]["seed"] + 1 if seed is None else seed
    found["store"] = None
    if key := found["pseudonyms"].get("key_file"):
        found["pseudonyms"]["key_file"] = str((project / key).absolute())
    return found


def prepare(folder: Path, config: Mapping[str, Any], project: Path) -> Path:
    """Put what a build needs, and nothing that one made, into an empty folder.

    Parameters
    ----------
    folder : emptied if an earlier call made it.
    config : of the rebuild; paths that are absolute are read where they are.
    project : the folder that the others are relative to.

    Returns
    -------
    The configuration of the rebuild, a file.

    Raises
    ------
    MetastudyError
        If the folder holds something else.
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
    for name in (config["data"], config["vocabulary"], config["appraisal"], TRUTH, "manuscript"):
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


def _build(folder: Path, settings: Path, snakefile: Path, cores: int, log: Path) -> None:
    words = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    words += ["--snakefile", str(snakefile), "--directory", str(folder)]
    words += ["--configfile", str(settings)]
    with log.open("w", encoding="utf-8") as said:
        done = subprocess.run(words, stdout=said, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise MetastudyError(f"the rebuild failed, so there is no verdict; {log} says why")


def main() -> None:
    """Entry point of the rule ``verify``; it ends well whatever the verdict is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, help="of `accept`")
    parser.add_argument("--config", type=json.loads, required=True, help="JSON: all of it")
    parser.add_argument("--repository", type=Path, required=True, help="holds workflow and envs")
    parser.add_argument("--snakefile", type=Path, required=True, help="what is built")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the verdict")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "verdict.json").unlink(missing_ok=True)  # no verdict is better than an old one
    accepted = load(args.record)
    project = Path.cwd()
    config = other_settings(args.config, project)
    folder = (project / config["verify"]["folder"]).absolute()
    settings = prepare(folder, config, project)
    _build(folder, settings, args.snakefile.absolute(), args.cores, args.out / "rebuild.log")
    rebuilt = made(folder / "results", args.repository)
    verdict = judge(accepted, rebuilt)
    (args.out / "record.json").write_text(dumped(rebuilt), "utf-8")
    write([verdict_page(verdict, rebuilt["provenance"])], args.out)
    (args.out / "verdict.json").write_text(json.dumps(verdict, indent=1) + "\n", "utf-8")
    print(f"{verdict['verdict']}: {verdict['why']}")


if __name__ == "__main__":
    run(main)
