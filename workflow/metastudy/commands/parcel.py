"""Make a parcel of a study: sufficient statistics after disclosure control, in one plain file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.common.text import did_you_mean
from metastudy.data_report.inspection.study import inspect
from metastudy.harmonize import pseudonyms
from metastudy.harmonized.study import Study, load_study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.control import Controlled, control, modules_of
from metastudy.parcelling.make import documents, estimates_of, keyed
from metastudy.parcelling.page import owner_page
from metastudy.parcels.parcel import SUFFIX, write


def main() -> None:
    """Entry point of the rule ``parcel``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
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
    args = parser.parse_args()

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
            "algorithm": "HMAC-SHA-256",
            "data": keyed(codebook.data_path, secret),
            "codebook": keyed(codebook.path, secret),
        },
        "code": args.code,
        "lock": args.lock,
    }
    inside = documents(controlled, vocabulary, inspected)
    path = args.out / f"{study.id}{SUFFIX}"
    write(path, manifest, inside)
    size, moved = path.stat().st_size, _moved(study, controlled, vocabulary)
    page = path.with_suffix(".html")
    page.write_text(owner_page(manifest, inside, size, moved), "utf-8")
    did = controlled.did
    for name, found in did.items():
        print(f"{study.id}: {name.replace('_', ' ')}: {found}")
    print(f"{study.id}: " + ("no cell was touched" if did["untouched"] else "cells were merged"))
    print(f"{path}: {size} bytes; read {page} before you send it")


def _no_study(name: str, there: list[str]) -> str:
    asked = f"'{name}' is no study with rows of people" if name else "no study is named"
    return (
        f"{asked}: give --config study=NAME, NAME being one of "
        f"{', '.join(there) or 'those in the data'}{did_you_mean(name, there)}"
    )


def _moved(study: Study, controlled: Controlled, vocabulary: Vocabulary) -> list[list[str]]:
    """How far control moved each estimate, in standard errors, and how much wider it is."""
    names = ("country", "sector", "role", "exposure", "outcome", "vignette")
    rows = []
    for module in modules_of(study, vocabulary):
        before, after = (
            {
                tuple(row[name] for name in names): row
                for row in estimates_of(cells_of_one(one, module, vocabulary), vocabulary, "main")
            }
            for one in (study, controlled.study)
        )
        for key, row in before.items():
            label = [module, row["exposure"].replace("_", " "), row["outcome"].replace("_", " ")]
            if (new := after.get(key)) is None or not row["se"] > 0:
                rows.append([*label, "not in the parcel", ""])
            else:
                by = (new["estimate"] - row["estimate"]) / row["se"]
                rows.append([*label, f"{by:+.2f}", f"{new['se'] / row['se']:.2f}"])
    return rows


if __name__ == "__main__":
    run(main)
