"""Admit a study's new tables: before they take the place of the old ones, can a model take them?

What a study's own design makes impossible (an arm without anybody, an outcome that does not vary,
an organisation in two countries) is told here, while all that was built still stands.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy import vocabulary as vocabularies
from metastudy.aggregate import CELLS
from metastudy.cells import Study, load_study
from metastudy.errors import BadInput, Problem, run
from metastudy.vocabulary import Vocabulary

__all__ = ["admit"]


def admit(study: Study, vocabulary: Vocabulary) -> list[str]:
    """Check that a study by itself makes cells in each module that it has outcomes for.

    Parameters
    ----------
    study : the harmonized tables.
    vocabulary : with the study's additions.

    Returns
    -------
    The modules it enters.

    Raises
    ------
    BadInput
        All that :func:`metastudy.cells.answer_cells` and :func:`metastudy.cells.code_cells` find.
    """
    found = [vocabulary.module(outcome) for outcome in study.report["outcomes"]]
    modules = list(dict.fromkeys(module for module in found if module))
    problems: list[Problem] = []
    for module in modules:
        try:
            CELLS[vocabulary["modules"][module]["model"]]([study], module, vocabulary)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return modules


def main() -> None:
    """Entry point of the rule ``admit``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    study = load_study(args.tables)
    common = vocabularies.load(args.vocabulary)
    modules = admit(study, vocabularies.merge(common, [study.report["vocabulary"]]))
    args.out.write_text(json.dumps({"study": study.id, "modules": modules}) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
