"""What the commands share that make a parcel and that make it again to check one."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import Codebook, PublishedTable, load
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.keyed_checksum import ALGORITHM, keyed
from metastudy.common.problems import MetastudyError
from metastudy.common.text import did_you_mean
from metastudy.data_report.inspection.codings import coding_of_counts
from metastudy.data_report.inspection.study import inspect
from metastudy.data_report.inspection.values import Inspection
from metastudy.harmonize import pseudonyms
from metastudy.harmonized.study import Study, load_study
from metastudy.parcelling.asked import study_asked_for
from metastudy.parcelling.control import control
from metastudy.parcelling.controlled import Controlled
from metastudy.parcelling.differences import check_within
from metastudy.parcelling.flow import as_it_may_go
from metastudy.parcelling.loss import Loss, losses, said_of
from metastudy.parcelling.make import documents
from metastudy.parcels import request as requests
from metastudy.parcels.parcel import SUFFIX
from metastudy.parcels.request import Request

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
    request: Request | None = None
    not_asked: dict[str, list[str]] = field(default_factory=dict)
    tables: tuple[PublishedTable, ...] = ()
    losses: list[Loss] = field(default_factory=list)


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
    parser.add_argument("--request", default="", help="file of the analyst; none without one")
    parser.add_argument("--scratch", type=Path, default=Path("results/staged"))
    parser.add_argument("--out", type=Path, required=True, help="folder of parcels and their pages")
    return parser.parse_args()


def made(args: argparse.Namespace) -> Made:
    """Make the parcel of a study, and write nothing.

    Raises
    ------
    MetastudyError
        For a name that is no study's with rows of people, and where its tables are not made as
        another study does not load.
    BadInput
        As :func:`metastudy.parcelling.control.control`; for a request as
        :func:`metastudy.parcels.request.read` and
        :func:`metastudy.parcelling.asked.study_asked_for`.
    """
    if args.study not in args.studies:
        raise MetastudyError(_no_study(args.study, args.studies))
    request = requests.read(Path(args.request)) if args.request else None
    study, codebook, vocabulary, not_asked = _study(args, request)
    smallest = max(args.smallest_cell, request.smallest_cell if request else 0)
    controlled = control(study, vocabulary, smallest, codebook.published_tables)
    found = losses(study, controlled, vocabulary)
    told = {
        "intervals": said_of(found, controlled.did),
        "estimates_added": sum(one.added for one in found),
    }
    controlled = replace(controlled, did={**controlled.did, **told})
    least = controlled.did["least"]
    inspected = as_it_may_go(
        json.loads(_inspected(study, controlled, vocabulary).to_json()), controlled.study.people
    )
    secret = pseudonyms.key(codebook, args.pseudonyms)
    manifest = {
        "study": study.id,
        "provenance": study.provenance,
        "request": {"digest": request.digest, "not_asked": not_asked} if request else None,
        "least": least,
        "checksum": {
            "algorithm": ALGORITHM,
            "data": keyed(codebook.data_path, secret),
            "codebook": keyed(codebook.path, secret),
        },
        "code": args.code,
        "lock": args.lock,
    }
    fits = request.fits if request else None
    inside = documents(controlled, vocabulary, inspected, fits)
    check_within(study.id, inside, least)
    path = args.out / f"{study.id}{SUFFIX}"
    tables = codebook.published_tables
    return Made(
        path, manifest, inside, study, controlled, vocabulary, request, not_asked, tables, found
    )


def _inspected(study: Study, controlled: Controlled, vocabulary: Vocabulary) -> Inspection:
    """The data report of the controlled study; that of codes is made of the counts that go out."""
    least = int(controlled.did["least"])
    found = inspect(controlled.study, vocabulary, least)
    if not controlled.coded:
        return found
    counted = [cells for (_, variant), cells in controlled.coded.items() if variant == "main"]
    coders = int(study.readings["coder_id"].nunique())
    return replace(found, coding=coding_of_counts(counted, study.id, coders, least))


def _study(
    args: argparse.Namespace, request: Request | None
) -> tuple[Study, Codebook, Vocabulary, dict[str, list[str]]]:
    """The study as it was harmonized; by a request, as its vocabulary reads it."""
    folder = args.data / args.study
    if request:
        asked = study_asked_for(
            folder, request, args.vocabulary, args.manifest, args.pseudonyms, args.scratch
        )
        return asked.study, asked.codebook, asked.vocabulary, asked.not_asked
    codebook = load(folder, vocabularies.load(args.vocabulary), args.manifest)
    if not args.tables:
        raise MetastudyError(
            f"the tables of {args.study} cannot be made while something else of the data is wrong: "
            "mend what the note above names, or take that study out of the folder"
        )
    study = load_study(args.tables[0], measured=None)
    return study, codebook, vocabularies.of_studies(args.vocabulary, [study.vocabulary]), {}


def _no_study(name: str, there: list[str]) -> str:
    asked = f"'{name}' is no study with rows of people" if name.strip() else "no study is named"
    near = did_you_mean(name, there)
    return (
        f"{asked}: give --config study=NAME, NAME being one of "
        f"{', '.join(there) or 'those in the data'}{'.' if near else ''}{near}"
    )
