"""Pages: what was inspected of all studies in, the pages of the data report out."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages import pages, write

__all__ = ["main"]


def main() -> None:
    """Write the pages of the data report: the entry point of the rule ``report_data``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--inspected", type=Path, nargs="+", required=True, help="JSON, one a study"
    )
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    args = parser.parse_args()
    studies = [Inspection.from_json(path.read_text("utf-8")) for path in sorted(args.inspected)]
    written = write(pages(studies, vocabularies.load(args.vocabulary)), args.out)
    print(f"{len(written)} files in {args.out}")


if __name__ == "__main__":
    run(main)
