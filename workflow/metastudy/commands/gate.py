"""Gate: let pass only fits that converged."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.inference.convergence import verdict


def main() -> None:
    """Entry point of the rule ``gate``: stop what comes after where a fit missed a gate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=Path, nargs="+", required=True, help="from `diagnose`")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    checks = [made_files.report(path) for path in args.checks]
    verdict(checks)
    args.out.write_text(json.dumps(checks, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
