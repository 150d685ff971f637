"""What the commands share that make a parcel and that make it again to check one."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.keyed_checksum import ALGORITHM, keyed
from metastudy.common.problems import MetastudyError
from metastudy.common.text import did_you_mean
from metastudy.data_report.inspection.study import inspect
from metastudy.harmonize import pseudonyms
from metastudy.harmonized.study import Study, load_study
from metastudy.parcelling.control import Controlled, control
from metastudy.parcelling.differences import check_within
from metastudy.parcelling.make import documents
from metastudy.parcels.parcel import SUFFIX

__all__ = ["Made", "made", "options"]


@dataclass(frozen=True)
class Made:
    """A parcel before it is written, and what it was made from."""

    path: Path
    manifest: dict[str, Any]
    documents: dict[str, Any]
    study: Study
    controlled: Controlled
    vocabulary: Vocabulary


def options(description: str | None) -> argparse.Namespace:
    """The arguments of the two commands."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--study", required=True)
    parser.add_argument(
        "--studies", nargs="*", required=True, help="those that have rows of people"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the studies")
    parser.add_argument("--tables", type=Path, nargs="*", required=True, help="of the study")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--pseudonyms", type=json.loads, required=True, help="JSON: key, key_file")
    parser.add_argument("--smallest-cell", type=int, required=True)
    parser.add_argument("--code", required=True, help="digest of the code")
    parser.add_argument("--lock", required=True, help="digest of the locked requirements")
    parser.add_argument("--out", type=Path, required=True, help="folder of parcels and their pages")
    return parser.parse_args()


def made(args: argparse.Namespace) -> Made:
    """Make the parcel of a study, and write nothing.

    Raises
    ------
    MetastudyError
        For a name that is no study's with rows of people.
    BadInput
        As :func:`metastudy.parcelling.control.control`.
    """
    if args.study not in args.studies:
        raise MetastudyError(_no_study(args.study, args.studies))
    study = load_study(args.tables[0], measured=None)
    codebook = load(args.data / study.id, vocabularies.load(args.vocabulary), args.manifest)
    vocabulary = vocabularies.of_studies(args.vocabulary, [study.vocabulary])
    controlled = control(study, vocabulary, args.smallest_cell)
    least = controlled.did["least"]
    inspected = json.loads(inspect(controlled.study, vocabulary, least).to_json())
    secret = pseudonyms.key(codebook, args.pseudonyms)
    manifest = {
        "study": study.id,
        "provenance": study.provenance,
        "least": least,
        "checksum": {
            "algorithm": ALGORITHM,
            "data": keyed(codebook.data_path, secret),
            "codebook": keyed(codebook.path, secret),
        },
        "code": args.code,
        "lock": args.lock,
    }
    inside = documents(controlled, vocabulary, inspected)
    check_within(study.id, inside, least)
    path = args.out / f"{study.id}{SUFFIX}"
    return Made(path, manifest, inside, study, controlled, vocabulary)


def _no_study(name: str, there: list[str]) -> str:
    asked = f"'{name}' is no study with rows of people" if name else "no study is named"
    return (
        f"{asked}: give --config study=NAME, NAME being one of "
        f"{', '.join(there) or 'those in the data'}{did_you_mean(name, there)}"
    )
