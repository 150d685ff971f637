"""Checks of a codebook: all that is wrong with it, at once."""

from __future__ import annotations

from dataclasses import replace

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.checks import arms, declared, outcomes, rules, segments, shape, variables
from metastudy.codebook.checks import study as checks_study
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.json_schema import validator, violations
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import Document

__all__ = ["check"]


def check(document: Document, vocabulary: Vocabulary) -> tuple[Vocabulary, list[Problem]]:
    """Check a codebook against the schema, the vocabulary and itself.

    Parameters
    ----------
    document : the codebook as it was read.
    vocabulary : the common vocabulary.

    Returns
    -------
    The vocabulary with the study's additions, and every problem found. Where the shape is wrong,
    only what is sound around it is checked further, so no mistake is reported twice.
    """
    raw = document.data if isinstance(document.data, dict) else {}
    errors = list(validator(shape.SCHEMA).iter_errors(document.data))
    problems = [
        document.problem(one.place, one.found, one.expected)
        for error in errors
        for one in violations(error)
    ]
    sound = shape.Sound(raw, {tuple(error.absolute_path)[:2] for error in errors})
    additions = raw.get("vocabulary") if sound.section("vocabulary") else None
    vocabulary, more = vocabularies.extend(vocabulary, document, additions)
    problems += more
    parts = (
        checks_study.study_problems,
        variables.variable_problems,
        variables.finding_problems,
        arms.arm_problems,
        segments.segment_problems,
        rules.rule_problems,
        declared.moderator_problems,
        declared.dependence_problems,
        declared.reliability_problems,
        declared.published_table_problems,
        rules.quality_problems,
        rules.weight_problems,
        outcomes.use_problems,
        outcomes.interaction_problems,
    )
    for part in parts:
        problems += part(document, sound, vocabulary)
    study = document.path.absolute().parent.name
    return vocabulary, [replace(problem, study=study) for problem in problems]
