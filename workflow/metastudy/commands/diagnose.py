"""Check a fit against the gates."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.inference.convergence import diagnose


def main() -> None:
    """Entry point of the rule ``diagnose``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posterior", type=Path, required=True, help="a fit to check")
    parser.add_argument("--fit", required=True, help="what it is called in the checks")
    parser.add_argument("--thresholds", type=json.loads, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    result = diagnose(args.posterior, args.fit, args.thresholds)
    args.out.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
