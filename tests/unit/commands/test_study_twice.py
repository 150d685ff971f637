"""A publication whose people are in a model and whose effects would pool: one error, both files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.raw_studies import FINDINGS, FOUND, harmonized, published_study, table_study
from helpers.repository import ROOT
from metastudy.commands import declare
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.harmonize import save

HEAD, EFFECT, DIRECTION = FOUND.splitlines()  # of a2020 with an error, of b2021 without
Declare = Callable[..., list[Problem]]


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Rows of `nobody2026` in a model, and a file of findings, as the rule brings them together."""

    def made(*findings: str, in_a_model: bool = True) -> list[Problem]:
        book = FINDINGS.replace("id: small", "id: trials")
        folder = published_study(tmp_path / "b", "\n".join([HEAD, *findings, ""]), book)
        trials = folder.rename(folder.parent / "trials")
        for name, path in (("rows", table_study(tmp_path / "a")), ("trials", trials)):
            save(harmonized(path), tmp_path / name)
        words = [
            *("declare", "--published", tmp_path / "trials", "--out", tmp_path / "said"),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml"),
            *(("--studies", tmp_path / "rows") if in_a_model else ()),
        ]
        monkeypatch.setattr(sys, "argv", [*map(str, words)])
        try:
            declare.main()
        except BadInput as caught:
            assert not (tmp_path / "said").exists(), "nothing is written"
            return caught.problems
        return []

    return made


def test_effects_of_people_who_are_in_a_model_are_one_error_that_names_both_files(
    declared: Declare,
) -> None:
    again = EFFECT.replace("f2", "f3").replace("0.02", "0.04")
    own = (line.replace("a2020", "nobody2026") for line in (EFFECT, again))
    (problem,) = declared(*own, EFFECT.replace("f2", "f4"))
    assert problem.code == "study-twice"
    assert problem.file == "data/raw/trials/findings.csv"
    assert "data/raw/small/answers.csv" in problem.found
    assert "'nobody2026'" in problem.found
    assert problem.row == "finding f2, f3", "not the effect of another publication"


def test_a_direction_beside_rows_is_no_error(declared: Declare) -> None:
    assert not declared(EFFECT, DIRECTION.replace("b2021", "nobody2026"))


def test_effects_of_a_study_that_is_in_no_model_are_no_error(declared: Declare) -> None:
    assert not declared(EFFECT.replace("a2020", "nobody2026"), in_a_model=False)
