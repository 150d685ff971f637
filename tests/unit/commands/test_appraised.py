"""The command that names studies refuses an appraisal of publications that are nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from helpers.raw_studies import harmonized, published_study, table_study
from helpers.repository import ROOT
from metastudy.commands import name_studies
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.harmonize import save

HEAD = "study,domain,judgement,certainty,reason,source,outcome\n"
HERE = (
    "nobody2026,selection,low,low,,,\n"  # of a codebook
    "a2020,selection,low,low,,,\n"  # of a finding
    "read2019,selection,low,low,,,\n"  # of the bibliography
    ",imprecision,serious,low,,,threat_job\n"  # of the vocabulary
    ",imprecision,serious,low,,,a label\n"  # of a finding
)


def problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str, *more: str
) -> list[Problem]:
    save(harmonized(table_study(tmp_path / "a")), tmp_path / "small")
    save(harmonized(published_study(tmp_path / "b")), tmp_path / "found")
    (tmp_path / "appraisal.csv").write_text(HEAD + rows, "utf-8")
    (tmp_path / "own.bib").write_text("@article{read2019,\n  title = {Read}\n}\n", "utf-8")
    words = [
        *("names", "--studies", tmp_path / "small", tmp_path / "found"),
        *("--appraisal", tmp_path / "appraisal.csv", "--bibliography", tmp_path / "own.bib"),
        *("--vocabulary", ROOT / "config" / "vocabulary.yaml", "--out", tmp_path / "names.json"),
    ]
    monkeypatch.setattr(sys, "argv", [*map(str, words), *more])
    try:
        name_studies.main()
    except BadInput as caught:
        return caught.problems
    return []


def test_publications_and_outcomes_that_are_here_may_be_appraised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not problems(tmp_path, monkeypatch, HERE)


def test_others_are_named_by_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = HERE + "a2021,selection,low,low,,,\n,imprecision,serious,low,,,threat_jobs\n"
    found = problems(tmp_path, monkeypatch, rows)
    assert [(p.code, p.column, p.row) for p in found] == [
        *(("appraisal", "study", 7), ("appraisal", "outcome", 8))
    ]
    assert "Did you mean 'b2021'?" in found[0].found


def test_of_a_part_of_the_studies_nobody_is_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not problems(
        tmp_path, monkeypatch, HERE + "a2021,selection,low,low,,,\n", "--part", "yes"
    )
