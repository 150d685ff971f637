"""The page of the calibration: ranks, coverage and missed gates of every model."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.calibration_report.page import calibration_page
from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.data_report.pages import write


def main() -> None:
    """Entry point of the rule ``report_calibration``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=Path, nargs="+", required=True, help="one a module")
    parser.add_argument("--gates", type=Path, nargs="+", required=True, help="in the same order")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    args = parser.parse_args()
    ranked = {path.stem: made_files.table(path) for path in args.ranks}
    checks = dict(zip(ranked, map(made_files.table, args.gates), strict=True))
    made = calibration_page(ranked, checks, vocabularies.load(args.vocabulary))
    print(f"{len(write([made], args.out))} files in {args.out}")


if __name__ == "__main__":
    run(main)
