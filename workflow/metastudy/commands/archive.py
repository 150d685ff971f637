"""Archive: an RO-Crate of a finished build, as a folder and as one zip file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.archive.contents import Inputs
from metastudy.archive.make import made
from metastudy.commands._run import run
from metastudy.common.scratch import beside
from metastudy.sharing import made_folder

COMMAND = "snakemake archive"


def main() -> None:
    """Entry point of the rule ``archive``."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--project", type=Path, default=Path(), help="what paths are relative to")
    add("--repository", type=Path, required=True, help="holds workflow and envs")
    add("--data", type=Path, required=True, help="folder of the raw data")
    add("--results", type=Path, required=True, help="folder of the build")
    add("--files", type=Path, nargs="*", default=[], help="what else the build reads")
    add("--fits", type=json.loads, required=True, help="JSON: module and studies of each fit")
    add("--pseudonyms", type=json.loads, required=True, help="JSON: key, key_file")
    add("--out", type=Path, required=True, help="folder of the crate and its zip file")
    args = parser.parse_args()
    inputs = Inputs(
        project=args.project.absolute(),
        repository=args.repository.absolute(),
        data=args.data,
        results=args.results,
        files=tuple(args.files),
        fits=args.fits,
        pseudonyms=args.pseudonyms,
    )
    made_folder.free(args.out, COMMAND)  # said before the work, not after it
    # Whole or not at all: an archive that misses a part is soon published as it is.
    with beside(args.out) as scratch:
        new = scratch / "new"
        contents = made(inputs, new / "ro-crate", new / "ro-crate.zip")
        made_folder.put(new, args.out, COMMAND)
    kept = f", {len(contents.kept)} withheld" if contents.kept else ""
    print(f"{args.out}: {len(contents.files)} files{kept}. {contents.state}")


if __name__ == "__main__":
    run(main)
