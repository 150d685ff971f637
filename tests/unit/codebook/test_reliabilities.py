"""Reliabilities that a codebook declares: what they may be, and that the report has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import TABLE, codebook_of, harmonized, table_study
from metastudy.common.problems import BadInput


def test_a_declared_reliability_is_in_the_report_of_the_harmonized_study(tmp_path: Path) -> None:
    folder = table_study(tmp_path, codebook=TABLE + "reliabilities: {threat_job: 0.82}\n")
    assert codebook_of(folder).reliabilities == {"threat_job": 0.82}
    assert harmonized(folder).report["reliabilities"] == {"threat_job": 0.82}


def test_without_one_the_report_has_none(tmp_path: Path) -> None:
    assert harmonized(table_study(tmp_path)).report["reliabilities"] == {}


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("{threat_job: 0}", "0"),
        ("{threat_job: 1.2}", "1.2"),
        ("{threat_job: -0.4}", "-0.4"),
        ("{threat_job: good}", "good"),
        ("{threat_jop: 0.8}", "Did you mean 'threat_job'?"),
        ("{self_efficacy: 0.8}", "'self_efficacy', which is neither an outcome nor an exposure"),
    ],
)
def test_a_reliability_that_cannot_be_is_one_error(tmp_path: Path, entry: str, found: str) -> None:
    folder = table_study(tmp_path, codebook=TABLE + f"reliabilities: {entry}\n")
    with pytest.raises(BadInput) as error:
        codebook_of(folder)
    (problem,) = error.value.problems
    assert found in problem.found
    assert problem.study == folder.name
    assert "reliabilities" in str(problem)
