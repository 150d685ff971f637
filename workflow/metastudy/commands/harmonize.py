"""From a study's raw file to the harmonized tables, by what its codebook says and nothing else.

A study that came as a parcel has no rows: its parcel is checked, and takes their place.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import load
from metastudy.commands._run import run
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonize.parcel import save_parcel
from metastudy.parcels.parcel import parcel_in

__all__ = ["main"]


def main() -> None:
    """Harmonize one study: the entry point of the rule ``harmonize``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study-folder", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--pseudonyms", type=json.loads, required=True, help="JSON: key, key_file")
    parser.add_argument("--request", default="", help="digest of the present one, for a parcel")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    report = _parcel(args) or _rows(args)
    print(f"{report['study']}: {report['rows_read']} rows read, {report['rows_kept']} kept")
    for note in report["notes"]:
        print(f"{report['study']}: {note}")


def _rows(args: argparse.Namespace) -> Mapping[str, Any]:
    vocabulary = vocabularies.load(args.vocabulary)
    codebook = load(args.study_folder, vocabulary, args.manifest)
    secret = pseudonyms.key(codebook, args.pseudonyms)
    harmonized = harmonize_file(codebook, secret)
    save(harmonized, args.out)
    return harmonized.report


def _parcel(args: argparse.Namespace) -> Mapping[str, Any] | None:
    path = parcel_in(args.study_folder)
    if path is None:
        return None
    return save_parcel(path, vocabularies.load(args.vocabulary), args.out, args.request)


if __name__ == "__main__":
    run(main)
