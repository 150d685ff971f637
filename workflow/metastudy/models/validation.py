"""Check that a model can use a study's new tables, before they take the place of the old ones.

What a study's own design makes impossible (an arm without anybody, an outcome that does not vary,
an organisation in two countries) is reported here, while all that was built is still there.
"""

from __future__ import annotations

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.scale_scores import NEEDED
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one, kind_of

__all__ = ["columns_needed", "validate"]


def columns_needed(study: Study, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Columns of a study's measurements that its modules' cells are made from, each once."""
    kinds = [kind_of(module, vocabulary) for module in _modules(study, vocabulary)]
    return tuple(dict.fromkeys([*NEEDED, *(name for kind in kinds for name in kind.measured)]))


def _modules(study: Study, vocabulary: Vocabulary) -> list[str]:
    found = [vocabulary.module(outcome) for outcome in study.report["outcomes"]]
    return list(dict.fromkeys(module for module in found if module))


def validate(study: Study, vocabulary: Vocabulary) -> list[str]:
    """Check that a study by itself makes cells in each module that it has outcomes for.

    Parameters
    ----------
    study : the harmonized tables, or the parcel that it came as.
    vocabulary : with the study's additions.

    Returns
    -------
    The modules it enters.

    Raises
    ------
    BadInput
        All that makes cells impossible, such as an arm without anybody.
    """
    modules = _modules(study, vocabulary)
    problems: list[Problem] = []
    for module in modules:
        try:
            cells_of_one(study, module, vocabulary)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return modules
