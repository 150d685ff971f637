"""Check that a model can use a study's new tables, before they take the place of the old ones.

What a study's own design makes impossible (an arm without anybody, an outcome that does not vary,
an organisation in two countries) is reported here, while all that was built is still there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.harmonized.study import load_study
from metastudy.models.validation import columns_needed, validate


def main() -> None:
    """Entry point of the rule ``validate``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    study = load_study(args.tables)
    vocabulary = vocabularies.of_studies(args.vocabulary, [study.vocabulary])
    columns = columns_needed(study, vocabulary)
    modules = validate(load_study(args.tables, columns), vocabulary)
    args.out.write_text(json.dumps({"study": study.id, "modules": modules}) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
