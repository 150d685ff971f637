"""Inspect a study: its harmonized tables in, what a careful reader wants to know of them out.

Nothing leaves this module that may not be published: small cells are hidden here, and texts from
the raw data do not enter.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.data_report.inspection.parcel import inspected_at_home
from metastudy.data_report.inspection.study import inspect
from metastudy.harmonized.study import load_study

__all__ = ["main"]


def main() -> None:
    """Inspect one study: the entry point of the rule ``inspect``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study", type=Path, required=True, help="folder of harmonized tables")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--smallest-cell", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    args = parser.parse_args()
    study = load_study(args.study, measured=None)
    if study.parcel is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(inspected_at_home(study, study.parcel).to_json(), "utf-8")
        return
    vocabulary = vocabularies.of_studies(args.vocabulary, [study.vocabulary])
    found = inspect(study, vocabulary, args.smallest_cell)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(found.to_json(), "utf-8")


if __name__ == "__main__":
    run(main)
