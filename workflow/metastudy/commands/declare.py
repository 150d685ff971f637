"""Declare: what the second stage reads of codebooks and publications, without words for readers.

Folders of harmonized tables hold titles and labels, which move no number. What is written here
stays as it is when one of them is spelt otherwise, so nothing is pooled again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.terms import terms_of
from metastudy.commands._run import run
from metastudy.common.problems import BadInput
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study, load_study
from metastudy.harmonized.study_twice import twice
from metastudy.synthesis.declared import FILES, TERMS


def main() -> None:
    """Entry point of the rule ``declare``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=Path, nargs="*", default=[], help="with cells")
    parser.add_argument(
        "--published",
        type=Path,
        nargs="*",
        default=[],
        help="harmonized folders of published effects, and of studies that declare something",
    )
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    args = parser.parse_args()

    studies, published = (
        [load_study(path) for path in of] for of in (args.studies, args.published)
    )
    if problems := list(twice(studies, published)):
        raise BadInput(problems)
    added = [study.vocabulary for study in (*studies, *published)]
    vocabulary = vocabularies.of_studies(args.vocabulary, added)
    args.out.mkdir(parents=True, exist_ok=True)
    tables = {name: _joined(published, name) for name in FILES}
    for name, table in tables.items():
        table.to_parquet(args.out / f"{name}.parquet", index=False)
    terms = {
        "vocabulary": terms_of(vocabulary).sections,
        "reliabilities": {s.id: s.report.get("reliabilities", {}) for s in published},
    }
    (args.out / TERMS).write_text(json.dumps(terms, indent=1) + "\n", "utf-8")
    print(f"{len(studies)} studies, {len(tables['effects'])} published findings")


def _joined(studies: list[Study], name: str) -> pd.DataFrame:
    return pd.concat([schema.empty(name), *(study[name] for study in studies)], ignore_index=True)


if __name__ == "__main__":
    run(main)
