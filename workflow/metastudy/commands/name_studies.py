"""Name studies: what the article calls each study, and that the appraisal is of what is here.

Most figures need no more of a study than its name and its mark. As a changed answer, title or
citation leaves this file as it is, it draws none of them anew. A module has a file of its own, with
its studies alone, so that a changed label draws no figure of another module.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from metastudy.codebook import appraisal
from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.common.bibliography import keys
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study, load_study

NAMED = ("id", "label")  # what a study is called by


def main() -> None:
    """Entry point of the rule ``name_studies``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=Path, nargs="*", default=[], help="harmonized folders")
    parser.add_argument("--appraisal", type=Path, nargs="*", default=[], help="its CSV, if any")
    parser.add_argument("--vocabulary", type=Path, help="where there is an appraisal")
    parser.add_argument("--bibliography", type=Path, nargs="*", default=[], help="its .bib files")
    parser.add_argument("--part", choices=("yes", "no"), default="no", help="of the studies")
    parser.add_argument(
        "--members", type=json.loads, default={}, help="JSON: the studies of each module"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file of names")
    parser.add_argument(
        "--own", type=Path, nargs="*", default=[], help="of a module's, each called after it"
    )
    args = parser.parse_args()
    found = sorted((load_study(folder) for folder in args.studies), key=lambda study: study.id)
    for file in args.appraisal:
        known = keys(args.bibliography)
        _check(file, args.vocabulary, found, known, args.part == "yes")
    named = [
        {
            "study": study.id,
            "provenance": study.provenance,
            "codebook": {k: v for k, v in study.report["codebook"].items() if k in NAMED},
            "vocabulary": study.vocabulary,
            "people": bool(study.people),
        }
        for study in found
    ]
    _write(args.out, named)
    for path in args.own:
        _write(path, [one for one in named if one["study"] in args.members[path.stem]])
    print(f"{len(named)} studies")


def _write(path: Path, named: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(named, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _check(path: Path, vocabulary: Path, studies: list[Study], cited: set[str], part: bool) -> None:
    """Refuse an appraisal that cannot be read, or is of what neither is here nor may be cited."""
    table = appraisal.read(path)
    if part:
        return
    words = vocabularies.of_studies(vocabulary, [study.vocabulary for study in studies])
    citations = cited | {str(study.report["codebook"]["citation"]) for study in studies}
    outcomes = {name for section in ("constructs", "codes", "families") for name in words[section]}
    for study in studies:
        citations |= set(study.effects["citation"])
        outcomes |= set(study.effects["outcome"])
    if problems := list(appraisal.strangers(path, table, citations, outcomes)):
        raise BadInput(problems)


if __name__ == "__main__":
    run(main)
