"""Candidate studies of the configuration: every wrong name is an error with the right one."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from helpers.repository import ROOT
from metastudy import config
from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.candidates import MOST, absent_candidates, wrong_candidates
from metastudy.common.problems import BadInput

SHIPPED = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
VOCABULARY = vocabularies.load(ROOT / "config" / "vocabulary.yaml")
STUDIES = ["threat_experiment", "frontline_interviews"]
COUNTRY, _, MISSION, _ = SHIPPED["candidates"]


def problems(*candidates: dict[str, Any]) -> list[Any]:
    return list(wrong_candidates(candidates, VOCABULARY))


def test_the_shipped_candidates_are_whole() -> None:
    assert problems(*SHIPPED["candidates"]) == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("module", "threats", "threat"),
        ("exposures", ["task_typ"], "task_type"),
        ("exposure_type", "randomized", "randomised"),
        ("outcomes", ["threat_qualty"], "threat_quality"),
        ("country", "SWE", "SE"),
        ("sector", "elderly_car", "elderly_care"),
        ("role", "profesional", "professional"),
        ("response_mode", "vignette", "vignette_hypothetical"),
    ],
)
def test_a_name_that_nobody_knows_is_an_error_with_those_there_are(
    key: str, value: Any, said: str
) -> None:
    (problem,) = problems(COUNTRY | {key: value})
    assert problem.column == f"candidates[0].{key}"
    assert problem.found == repr(value[0] if isinstance(value, list) else value)
    assert said in problem.expected
    assert problem.code == "candidate"


def test_an_outcome_of_another_module_is_an_error() -> None:
    (problem,) = problems(COUNTRY | {"outcomes": ["coping_avoidance"]})
    assert "an outcome or a family of the module threat" in problem.expected


@pytest.mark.parametrize(
    "change",
    [
        {"level": "missions"},
        {"exposures": ["arrangement", "role"]},
        {"exposure_type": "randomised"},
    ],
)
def test_a_level_needs_one_exposure_between_organisations_that_has_it(
    change: dict[str, Any],
) -> None:
    (problem,) = problems(MISSION | change)
    assert problem.column == "candidates[0].level"


def test_two_candidates_of_one_name_are_an_error() -> None:
    (problem,) = problems(COUNTRY, COUNTRY)
    assert problem.column == "candidates[1].name"


def test_an_unknown_or_missing_key_is_an_error() -> None:
    less = {k: v for k, v in COUNTRY.items() if k != "role"}
    with pytest.raises(BadInput) as bad:
        config.checked(SHIPPED | {"candidates": [less | {"counry": "SE"}]})
    said = str(bad.value)
    assert "counry" in said
    assert "role" in said


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("  ", "a blank name", "at least one character that can be seen"),
        ("\u2003", "a blank name", "at least one character that can be seen"),
        ("one\ntwo", r"'one\ntwo' with '\n' in it", "one line, without control characters"),
        ("one\0two", r"'one\x00two' with '\x00' in it", "one line, without control characters"),
        ("one\x85two", r"'one\x85two' with '\x85' in it", "one line, without control characters"),
        (
            "one\u2028two",
            r"'one\u2028two' with '\u2028' in it",
            "one line, without control characters",
        ),
        ("one\ud800", r"'one\ud800' with '\ud800' in it", "one line, without control characters"),
        ("x" * 101, f"'{'x' * 40}'..., 101 characters", "at most 100 characters"),
    ],
)
def test_a_name_that_a_figure_has_no_room_for_is_refused(
    name: str, found: str, expected: str
) -> None:
    with pytest.raises(BadInput) as bad:
        config.checked(SHIPPED | {"candidates": [COUNTRY, COUNTRY | {"name": name}]})
    (problem,) = bad.value.problems
    assert (problem.column, problem.code) == ("candidates[1].name", "candidate")
    assert (problem.found, problem.expected) == (found, expected)
    str(bad.value).encode("utf-8")


@pytest.mark.parametrize("name", ["x" * 100, "Étude pilote à Gävle – 2ᵉ vague", "研究"])
def test_any_other_name_is_taken(name: str) -> None:
    config.checked(SHIPPED | {"candidates": [COUNTRY | {"name": name}]})


def test_more_candidates_than_a_figure_has_room_for_are_refused_with_all_else() -> None:
    many = [COUNTRY | {"name": f"study {at}"} for at in range(MOST + 1)]
    with pytest.raises(BadInput) as bad:
        config.checked(SHIPPED | {"candidates": many})
    (problem,) = bad.value.problems
    assert (problem.found, problem.column) == ("31 candidates", "candidates")
    assert problem.expected.startswith("at most 30")
    config.checked(SHIPPED | {"candidates": many[:MOST]})
    with pytest.raises(BadInput) as bad:
        config.checked(SHIPPED | {"candidates": [*many, COUNTRY | {"name": " "}, "none"]})
    assert [one.column for one in bad.value.problems] == [
        *("candidates[32]", "candidates", "candidates[31].name")
    ]


def test_others_do_not_inherit_the_shipped_candidates() -> None:
    own = config.completed({"data": "data/raw"}, ROOT / "config" / "config.yaml")
    assert own["candidates"] == []


def test_a_candidate_of_a_study_or_a_module_that_is_not_here_is_left_out_with_the_reason() -> None:
    gone = MISSION | {"name": "one", "within": "removed_since"}
    near = MISSION | {"name": "two", "within": "threat_experimnt"}
    other = COUNTRY | {"name": "three", "module": "coping"}
    assert problems(gone, near) == []
    found = absent_candidates([COUNTRY, MISSION, gone, near, other], STUDIES, ["threat", "strain"])
    assert list(found) == ["one", "two", "three"]
    assert found["one"].endswith("removed_since, which is not here.")
    # as likely a study of another project as a slip, so it stops nothing
    assert found["two"].endswith("not here. Did you mean 'threat_experiment'?")
    assert "no study here has an outcome of coping" in found["three"]
