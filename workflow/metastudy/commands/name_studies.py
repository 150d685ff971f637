"""Name studies: what the article calls each study, without a number of its data.

Most figures need no more of a study than its name and its mark. As a changed answer, title or
citation leaves this file as it is, it draws none of them anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.harmonized.study import load_study

NAMED = ("id", "label")  # what a study is called by


def main() -> None:
    """Entry point of the rule ``name_studies``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=Path, nargs="*", default=[], help="harmonized folders")
    parser.add_argument("--out", type=Path, required=True, help="the file of names")
    args = parser.parse_args()
    found = sorted((load_study(folder) for folder in args.studies), key=lambda study: study.id)
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
    args.out.write_text(json.dumps(named, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(named)} studies")


if __name__ == "__main__":
    run(main)
