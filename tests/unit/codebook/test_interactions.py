"""Interactions that a codebook declares: what they may be, and that the report has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import TABLE, codebook_of, harmonized, table_study
from metastudy.common.problems import BadInput

MORE = TABLE.replace(
    "outcomes:",
    "  - {name: b, as: factor, randomised: true,"
    " factors: {involvement_degree: {1: low, 2: high}}}\n"
    "  - {name: t, as: item, construct: self_efficacy, min: 1, max: 7}\n"
    "  - {name: u, as: item, construct: trust_government, min: 1, max: 7}\n"
    "outcomes:",
)
EXPOSURES = (
    "  - {factor: involvement_degree, type: randomised}\n"
    "  - {construct: self_efficacy, type: measured}\n"
    "  - {construct: trust_government, type: measured}\n"
)
ROWS = "nr,home,arm,q1,q2,b,t,u\n1,Aa,1,1,7,1,2,3\n2,Aa,2,7,1,2,5,1\n"


def declared(tmp_path: Path, pairs: str, more: str = EXPOSURES) -> Path:
    codebook = MORE + more + (f"interactions: {pairs}\n" if pairs else "")
    return table_study(tmp_path, rows=ROWS, codebook=codebook)


def test_declared_interactions_are_in_the_report_of_the_harmonized_study(tmp_path: Path) -> None:
    folder = declared(tmp_path, "[[task_type, involvement_degree], [self_efficacy, task_type]]")
    pairs = [["task_type", "involvement_degree"], ["self_efficacy", "task_type"]]
    assert codebook_of(folder).interactions == tuple(map(tuple, pairs))
    assert harmonized(folder).report["interactions"] == pairs


def test_without_any_the_report_is_as_it_was(tmp_path: Path) -> None:
    assert "interactions" not in harmonized(declared(tmp_path, "")).report


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ("[[task_type, task_type]]", "an interaction of 'task_type' with itself"),
        ("[[task_type, involvment_degree]]", "Did you mean 'involvement_degree'?"),
        ("[[task_type, threat_job]]", "'threat_job', which is no factor and no construct"),
        ("[[self_efficacy, trust_government]]", "two measured constructs"),
        ("[[task_type, self_efficacy], [self_efficacy, task_type]]", "a second time"),
        ("[[task_type]]", "task_type"),
        ("[task_type, involvement_degree]", "task_type"),
    ],
)
def test_an_interaction_that_cannot_be_is_refused(tmp_path: Path, pairs: str, found: str) -> None:
    folder = declared(tmp_path, pairs)
    with pytest.raises(BadInput) as error:
        codebook_of(folder)
    assert any(found in str(problem) for problem in error.value.problems)
    for problem in error.value.problems:
        assert problem.study == folder.name
        assert "interactions" in str(problem)
    if pairs.startswith("[["):
        assert len(error.value.problems) == 1


def test_a_name_that_two_exposures_have_is_ambiguous(tmp_path: Path) -> None:
    more = MORE.replace(
        "outcomes:",
        "  - {name: e, as: factor, randomised: true,"
        " factors: {external_efficacy: {1: low, 2: high}}}\n"
        "  - {name: f, as: item, construct: external_efficacy, min: 1, max: 7}\n"
        "outcomes:",
    )
    codebook = (
        more
        + "  - {factor: external_efficacy, type: randomised}\n"
        + "  - {construct: external_efficacy, type: measured}\n"
        + "interactions: [[task_type, external_efficacy]]\n"
    )
    with pytest.raises(BadInput) as error:
        codebook_of(table_study(tmp_path, codebook=codebook))
    (problem,) = error.value.problems
    assert "'external_efficacy', which is both a factor and a construct" in problem.found
