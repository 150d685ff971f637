"""Submission: a folder for a journal, blinded, with figures, data, statements and checklists."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common.scratch import beside
from metastudy.sharing import made_folder
from metastudy.submission.make import Inputs, made

COMMAND = "snakemake submission"


def main() -> None:
    """Entry point of the rule ``submission``."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--source", type=Path, required=True, help="the staged manuscript")
    add("--studies", type=Path, nargs="+", required=True, help="folders of harmonized tables")
    add("--data", type=Path, required=True, help="folder of the raw data")
    add("--results", type=Path, required=True, help="folder of the build")
    add("--repository", type=Path, required=True, help="holds workflow and CITATION.cff")
    add("--project", type=Path, default=Path(), help="may have a CITATION.cff of its own")
    add("--fits", type=json.loads, required=True, help="JSON: module and studies of each fit")
    add("--models", type=json.loads, required=True, help="JSON: kind of model of each module")
    add("--seed", type=int, required=True)
    add("--pseudonyms", type=json.loads, required=True, help="JSON: section of the configuration")
    add("--out", type=Path, required=True)
    args = parser.parse_args()
    inputs = Inputs(
        source=args.source,
        harmonized=tuple(args.studies),
        data=args.data,
        results=args.results,
        repository=args.repository,
        project=args.project,
        fits=args.fits,
        models=args.models,
        seed=args.seed,
        pseudonyms=args.pseudonyms,
    )
    made_folder.free(args.out, COMMAND)  # said before the work, not after it
    # Whole or not at all: a folder that misses a part is soon sent off as it is.
    with beside(args.out) as scratch:
        files = made(inputs, scratch / "new")
        made_folder.put(scratch / "new", args.out, COMMAND)
    print(f"{args.out}: {len(files)} files")


if __name__ == "__main__":
    run(main)
