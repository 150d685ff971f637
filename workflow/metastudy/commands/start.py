"""Start a project of one's own: a folder with all that a first study needs."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.commands._run import run
from metastudy.drafting.project import rules_of, start

__all__ = ["main"]

WORKFLOW = Path(__file__).parents[2]


def main() -> None:
    """Make the folder: the entry point of the rule ``start``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--to", required=True, help="the folder to make")
    args = parser.parse_args()
    files = start(args.to, WORKFLOW / "skeleton", WORKFLOW.parent)
    target = Path(args.to).expanduser().resolve()
    where = rules_of(target).rstrip()
    print(f"Made {target} with {len(files)} files. Next:")
    print(f"  enter a study: {target / 'data' / 'raw' / 'README.md'} says how")
    print(f"  check it: snakemake {where} --cores 2 check")
    print(f"  run everything: snakemake {where} --cores 2")


if __name__ == "__main__":
    run(main)
