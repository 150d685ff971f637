"""Withdraw: remove a study and all that was made from it, and say what still names it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common.own_folder import MARK
from metastudy.common.problems import MetastudyError
from metastudy.common.withdrawal import mentions, withdraw

__all__ = ["main"]


def main() -> None:
    """Entry point of the rule ``withdraw``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="name of its folder")
    parser.add_argument("--config", type=json.loads, required=True, help="JSON: all of it")
    parser.add_argument("--log", type=Path, required=True, help="in the folder logs of the results")
    args = parser.parse_args()
    if not args.study:
        raise MetastudyError("which study? snakemake withdraw --config study=NAME")
    project, config, results = Path.cwd(), args.config, args.log.absolute().parents[1]
    store = project / config["store"] if config["store"] else None
    rebuild = project / config["verify"]["folder"]
    data = project / config["data"]
    removed = withdraw(args.study, project, data, results, store, rebuild)
    print(f"Of the study {args.study} are removed:")
    print("".join(f"  {line}\n" for line in removed), end="")
    if (rebuild / MARK).is_file():
        print(
            f"{rebuild} may hold a copy of its data and stays: its mark is not one that `snakemake "
            "verify` of now made in this place. Remove the folder yourself."
        )
    left = [line for line in mentions(args.study, project) if not line.startswith(str(args.log))]
    if left:  # beside the log of this very command
        print("Its name is still in these files, for you to look at:")
        print("".join(f"  {line}\n" for line in left), end="")
    print(
        "Not searched, and yours to clear: git's history, backups, archives and reports that you "
        "packed, and copies elsewhere."
    )


if __name__ == "__main__":
    run(main)
