"""Accept: write down every number of a finished build, as the record of the next verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.commands._run import run
from metastudy.record.record_file import dumped, made


def main() -> None:
    """Entry point of the rule ``accept``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the build")
    parser.add_argument("--project", type=Path, default=Path(), help="what paths are relative to")
    parser.add_argument("--repository", type=Path, required=True, help="holds workflow and envs")
    parser.add_argument("--out", type=Path, required=True, help="record.json")
    args = parser.parse_args()
    text = dumped(made(args.results, args.repository, args.project))
    # Whole or not at all: what is there is the only record of the numbers before.
    new = args.out.with_name(f".{args.out.name}.new")
    new.write_text(text, "utf-8")
    new.replace(args.out)
    print(f"{args.out}: {len(text)} characters")


if __name__ == "__main__":
    run(main)
