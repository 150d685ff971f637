"""Prepare a folder in which the workflow runs on another simulated world.

    python data/generator/prepare.py config/worlds/null.yaml results/worlds/null

simulates the raw data of a world (generate.py, *replications.py) into `<folder>/data/raw`, beside
the published findings, which are what they are in any world. Configuration, article, appraisal and
the store of fits are links to those of this project: only the data differ.
`snakemake --directory <folder>` does the rest.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import yaml

import generate
import replications

__all__ = ["main", "prepare"]

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
LINKS = ("config", "manuscript", "data/appraisal.csv", ".store")
MARK = "world.yaml"  # is in each prepared folder, and says what differs there


def prepare(world: Path, folder: Path, settings: tuple[str, ...] = ()) -> None:
    """Make `folder` ready for the workflow; a second time it is made anew, its results stay.

    Its data are thrown away, so a folder that was not prepared here is left as it is.
    """
    if not world.is_file():
        known = ", ".join(sorted(path.stem for path in (PROJECT / "config/worlds").glob("*.yaml")))
        raise SystemExit(f"error: there is no file {world}; config/worlds/ has {known}")
    if folder.exists() and not folder.is_dir():
        raise SystemExit(f"error: {folder} is no folder; name one that is new")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise SystemExit(
            f"error: {folder} holds other things than a simulated world, and its data would be "
            "thrown away; name a new folder, or an empty one"
        )
    made_of = generate.load_world(HERE / "world.yaml", settings, world)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(world, folder / MARK)
    raw = folder / "data" / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    for codebook in sorted((PROJECT / "data" / "raw").glob("*/codebook.yaml")):
        study = codebook.parent.name
        published = yaml.safe_load(codebook.read_text("utf-8"))["study"]["design"] == "published"
        if published or study in generate.STUDIES:
            files = codebook.parent.iterdir() if published else [codebook]
            (raw / study).mkdir(parents=True)
            for file in files:
                shutil.copyfile(file, raw / study / file.name)
    made = generate.generate(made_of, raw, list(generate.STUDIES))
    like = yaml.safe_load((raw / replications.LIKE / "codebook.yaml").read_text("utf-8"))
    made |= replications.write(made_of, raw, like)
    for more in generate.ELSEWHERE.values():
        like = yaml.safe_load((raw / more.LIKE / "codebook.yaml").read_text("utf-8"))
        made |= more.write(made_of, raw, like)
    generate.write_manifest(raw / "manifest.yaml", made)
    for link in LINKS:
        target, place = PROJECT / link, folder / link
        if link == ".store":
            target.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(os.path.relpath(target, place.parent))


def main() -> None:
    """Read the command line and prepare."""
    parser = argparse.ArgumentParser(description="Prepare a folder for another simulated world.")
    parser.add_argument("world", type=Path, help="what differs from data/generator/world.yaml")
    parser.add_argument("folder", type=Path, help="where the world's data and results shall be")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    options = parser.parse_args()
    prepare(options.world, options.folder, tuple(options.settings))


if __name__ == "__main__":
    main()
