"""The verdict: reproduced within Monte Carlo error, not reproduced, or not comparable."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from helpers.records import ERROR, rebuilt, small_record
from metastudy.record.exit_code import end_with_the_verdict
from metastudy.record.page import verdict_page
from metastudy.record.verdict import CODES, cut_of, judge

TABLE = "contrasts/threat"


def shifted(record: dict[str, Any], errors: float, row: str = "row 3") -> dict[str, Any]:
    """A rebuild in which one estimate is off by so many errors of a difference."""
    found = copy.deepcopy(record)
    found["tables"][TABLE]["rows"][row][0][0] += errors * ERROR * 2**0.5
    return found


def with_word(record: dict[str, Any], word: str, others: list[str] | None) -> dict[str, Any]:
    found = copy.deepcopy(record)
    values, beside = found["tables"][TABLE]["rows"]["row 3"]
    values[2], beside[2] = word, others
    return found


def changed(record: dict[str, Any], *place: str, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(record)
    node = found
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = to
    return found


OLD = small_record()
GATE = ("tables", "diagnostics/threat", "rows", "posterior|rhat")
MOVED = shifted(OLD, 10)
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "identical": (OLD, "reproduced"),
    "another seed": (rebuilt(OLD, 7), "reproduced"),
    "two errors off": (shifted(OLD, 2), "reproduced"),
    "ten errors off": (MOVED, "not reproduced"),
    "another word": (with_word(OLD, "higher", None), "not reproduced"),
    "word on the border of the rebuild": (with_word(OLD, "higher", ["undecided"]), "reproduced"),
    "other code, same numbers": (changed(OLD, "code", "fit", to="c9"), "reproduced"),
    "other lock and machine": (
        changed(changed(OLD, "lock", to="m"), "machine", "processor", to="q"),
        "reproduced",
    ),
    "other code, moved": (changed(MOVED, "code", "fit", to="c9"), "not reproduced"),
    "other prior, moved": (changed(MOVED, "priors", "tau", to=0.5), "not comparable"),
    "a prior's family, moved": (changed(MOVED, "priors", "effect", to=0.5), "not comparable"),
    "other prior, not moved": (changed(OLD, "priors", "tau", to=0.5), "reproduced"),
    "other setting, moved": (
        changed(MOVED, "settings", "sampling.draws", to=500),
        "not comparable",
    ),
    "a setting that the record's code had not": (
        changed(MOVED, "settings", "pooling.correlation", to=0.6),
        "not reproduced",
    ),
    "other codebook, moved": (changed(MOVED, "codebooks", "study", to="b9"), "not comparable"),
    "raw data missing": (changed(OLD, "raw", "study", to={}), "not comparable"),
    "raw data differ": (
        changed(MOVED, "raw", "study", "answers.csv", to="d9"),
        "not comparable",
    ),
    "a row is gone": (
        changed(OLD, "tables", TABLE, "rows", to={"row 0": OLD["tables"][TABLE]["rows"]["row 0"]}),
        "not reproduced",
    ),
    "a gate is missed": (
        changed(OLD, *GATE, to=[[1.02], [False]]),
        "not reproduced",
    ),
    "a diagnostic on its side": (
        changed(OLD, *GATE, to=[[1.009], [True]]),
        "reproduced",
    ),
    "a printed number": (
        changed(OLD, "texts", "threat.quality", "estimate", to="0.32"),
        "not reproduced",
    ),
    "a printed version": (
        changed(OLD, "texts", "build", "pymc", to="6.5"),
        "reproduced",
    ),
    "a sentence": (
        changed(OLD, "texts", "threat.quality", "estimate", to="about 0.22"),
        "reproduced",
    ),
}


@pytest.mark.parametrize(("new", "word"), CASES.values(), ids=CASES.keys())
def test_a_pair_of_records_has_its_verdict_its_code_and_a_page(
    new: dict[str, Any], word: str
) -> None:
    found = judge(OLD, new)
    assert (found["verdict"], found["code"]) == (word, CODES[word])
    page = verdict_page(found, new["provenance"])
    assert page.mark == "Simulated data"
    assert page.title.lower() == word


def test_a_count_is_equal_or_it_is_not_reproduced() -> None:
    new = copy.deepcopy(OLD)
    new["tables"][TABLE]["rows"]["row 1"][0][1] = 31.0
    found = judge(OLD, new)
    assert found["verdict"] == "not reproduced"
    assert [(m["row"], m["column"], m["before"], m["after"]) for m in found["moved"]] == [
        ("row 1", "n", 30.0, 31.0)
    ]


def test_an_estimate_that_moved_is_named_with_the_difference_in_its_errors() -> None:
    (moved,) = judge(OLD, MOVED)["moved"]
    assert (moved["table"], moved["row"], moved["column"]) == (TABLE, "row 3", "mean")
    assert moved["errors"] == pytest.approx(10)
    assert moved["difference"] == pytest.approx(10 * ERROR * 2**0.5)


def test_numbers_are_compared_in_full_precision_and_not_as_printed() -> None:
    old, new = copy.deepcopy(OLD), copy.deepcopy(OLD)
    for record, value in ((old, 0.20002), (new, 0.20048)):  # both printed as 0.20
        values, beside = record["tables"][TABLE]["rows"]["row 3"]
        values[0], beside[0] = value, 2e-5
    assert judge(old, new)["verdict"] == "not reproduced"


def test_a_word_off_the_border_in_both_records_is_not_reproduced() -> None:
    old = with_word(OLD, "undecided", ["too_small"])
    assert judge(old, with_word(OLD, "higher", None))["verdict"] == "not reproduced"
    assert judge(with_word(OLD, "undecided", ["higher"]), with_word(OLD, "higher", None))[
        "on_the_border"
    ]


def test_new_numbers_are_listed_and_the_record_decides() -> None:
    new = copy.deepcopy(OLD)
    new["tables"]["contrasts/new"] = OLD["tables"][TABLE]
    found = judge(OLD, new)
    assert found["verdict"] == "reproduced"
    assert found["added"] == ["contrasts/new: 40 rows"]


CAUSES: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "code": (lambda new: changed(new, "code", "fit", to="c9"), "likely cause is the code,"),
    "lock": (lambda new: changed(new, "lock", to="m"), "likely cause is the lock,"),
    "machine": (lambda new: changed(new, "machine", "processor", to="q"), "the machine,"),
    "nothing": (lambda new: new, "a result was altered"),
}


@pytest.mark.parametrize(("change", "said"), CAUSES.values(), ids=CAUSES.keys())
def test_the_likely_cause_is_what_differs(
    change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    assert said in judge(OLD, change(MOVED))["why"]


@pytest.mark.parametrize("stage", ["harmonized", "cells", "draws", "article"])
def test_the_stage_at_which_a_difference_begins_is_named(stage: str) -> None:
    if stage == "article":
        new = changed(OLD, "texts", "threat.quality", "estimate", to="0.32")
    elif stage == "draws":
        new = MOVED
    else:
        (place,) = OLD["stages"][stage]
        new = changed(MOVED, "stages", stage, place, to="other")
    assert judge(OLD, new)["begins"] == stage
    assert judge(OLD, rebuilt(OLD, 7))["begins"] == ""


def test_five_per_cent_of_rebuilds_are_false_alarms_where_two_errors_would_be_nearly_all() -> None:
    """Of 200 with 150 independent numbers each; 3 to 19 is the 99 % band of 5 %."""
    old = small_record(150)
    found = [judge(old, rebuilt(old, seed)) for seed in range(1000, 1200)]
    alarms = sum(one["verdict"] != "reproduced" for one in found)
    assert 3 <= alarms <= 19
    assert sum(one["cut"]["largest"] > 2 for one in found) >= 190


def test_the_cut_is_that_of_the_largest_of_so_many() -> None:
    assert cut_of(1) == pytest.approx(1.959964, abs=1e-6)
    assert cut_of(10_000) > cut_of(100) > cut_of(1)


def test_the_stated_power_is_what_a_move_of_that_size_shows() -> None:
    old = small_record(30)
    for row in old["tables"][TABLE]["rows"].values():
        row[0].append(1.0)
        row[1].append(None)
    old["tables"][TABLE]["columns"] = [*old["tables"][TABLE]["columns"], "sd"]
    old["tables"][TABLE]["kinds"] = [*old["tables"][TABLE]["kinds"], "diagnostic"]
    power = judge(old, rebuilt(old, 5))["power"]
    seen = 0
    for seed in range(200):
        new = rebuilt(old, 5000 + seed)
        new["tables"][TABLE]["rows"]["row 0"][0][0] += power["largest_sd"]
        seen += any(m["row"] == "row 0" for m in judge(old, new)["moved"])
    assert 0.91 <= seen / 200 <= 0.99


@pytest.mark.parametrize("code", [0, 1, 2])
def test_snakemake_ends_with_the_code_of_the_verdict_where_it_was_asked_for(
    code: int, tmp_path: Any
) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(f'{{"code": {code}, "verdict": "a word", "why": "a reason"}}', "utf-8")
    with pytest.raises(SystemExit) as ended:
        end_with_the_verdict(["verify"], path)
    assert ended.value.code == code
    end_with_the_verdict(["all"], path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[]", "no entries by their names"),
        ('{"code": 0}', "no 'verdict'; no 'why'"),
        ('{"code": "0", "verdict": "a", "why": "b"}', "'code' that is none of 0, 1, 2"),
        ('{"code": 7, "verdict": "a", "why": "b"}', "'code' that is none of 0, 1, 2"),
        (
            '{"code": 1, "verdict": {}, "why": 3}',
            "'verdict' that is no text; 'why' that is no text",
        ),
        ('{"code": 1, "verdict": "a", "why": "b", "commit": [1]}', "'commit' that is no text"),
    ],
)
def test_a_damaged_verdict_is_one_error_and_ends_snakemake_with_one(
    text: str, said: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SystemExit) as ended:
        end_with_the_verdict(["verify"], path)
    assert ended.value.code == 1
    assert said in capsys.readouterr().err
