"""The chain of builds: its order, what needs a build, and steps that sum to the move."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

from helpers.records import ERROR, small_record
from metastudy.common.problems import BadInput
from metastudy.record import history, past, steps


def record(**other: Any) -> dict[str, Any]:
    return small_record() | {"checksum": "c1" * 32} | other


def moved(old: dict[str, Any], row: str, by: float, word: str = "") -> dict[str, Any]:
    found = copy.deepcopy(old)
    values = found["tables"]["contrasts/threat"]["rows"][row][0]
    values[0] += by
    values[2] = word or values[2]
    return found


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        ({}, ()),
        ({"lock": "l2"}, ("lock",)),
        ({"machine": {"processor": "p2"}}, ("lock",)),
        ({"priors": {"tau": 0.6, "effect": None}}, ("priors",)),
        ({"settings": {"sampling.draws": 100}}, ("priors",)),
        ({"settings": {"sampling.draws": 2000, "new.key": 1}}, ("code",)),
        ({"code": {"fit": "c9", "draw": "c2"}}, ("code",)),
        ({"raw": {"study": {"answers.csv": "d2"}}}, ("data",)),
        ({"codebooks": {"study": "b2"}}, ("data",)),
        ({"seed": 9, "lock": "l2", "commit": "b"}, ("lock", "seed")),
    ],
)
def test_a_part_that_differs_is_a_step_and_another_is_none(
    other: dict[str, Any], parts: tuple[str, ...]
) -> None:
    assert steps.changed_parts(record(), record(**other)) == parts


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        (
            {},
            ["lock and machine", "priors and settings", "code", "data and codebooks", "seed"],
        ),
        (
            {"no_code": True},
            [
                "lock and machine and code, not separated",
                *("priors and settings", "data and codebooks", "seed"),
            ],
        ),
        (
            {"no_data": True},
            [
                "lock and machine, priors and settings, code and data and codebooks, not separated",
                "seed",
            ],
        ),
    ],
)
def test_the_order_is_fixed_and_what_cannot_be_had_is_one_step(
    missing: dict[str, bool], names: list[str]
) -> None:
    assert [step.name for step in steps.plan(steps.PARTS, **missing)] == names
    assert steps.plan(()) == ()
    assert [step.name for step in steps.plan(("data",), **missing)] == ["data and codebooks"]


def test_steps_sum_to_the_move_and_one_by_chance_is_called_that(tmp_path: Path) -> None:
    first = record()
    second = moved(first, "row 3", 20 * ERROR)
    third = moved(moved(second, "row 3", ERROR), "row 5", 40 * ERROR, "clear_higher")
    last = moved(third, "row 5", -40 * ERROR, "undecided")
    chain = steps.chain_of(
        [first, second, third, last], [steps.Step((part,)) for part in ("code", "data", "seed")], ""
    )
    assert chain.moved == (1, 2, 2)  # a mean and a word of row 5 go and come back
    by_row = {(one.row, one.column): one for one in chain.numbers}
    three, five = by_row["row 3", "mean"], by_row["row 5", "mean"]
    assert three.by_chance == (False, True, False)
    assert three.errors == (pytest.approx(math.sqrt(2) * ERROR),) * 3
    for one in (three, five):
        parts = [b - a for a, b in zip(one.values[:-1], one.values[1:], strict=True)]
        assert math.fsum(parts) == pytest.approx(one.values[-1] - one.values[0], abs=1e-15)
    path = tmp_path / "record_changes.json"
    path.write_text(steps.dumped(chain), "utf-8")
    assert steps.read(path) == chain
    table = history.steps_table(chain)
    row = table.shown.set_index("Number").loc["contrasts/threat, row 3, mean"]
    assert (row["By code"], row["By data and codebooks"], row["By seed"]) == (
        "+0.200 (0.014)",
        "Monte Carlo",
        "0",
    )
    word = table.shown.set_index("Number").loc["contrasts/threat, row 5, verdict"]
    assert word["By data and codebooks"] == "now clear higher"
    assert "code 1; data and codebooks 2; seed 2" in table.caption
    assert len(table.full) == 3


def test_a_pure_refactoring_moves_nothing() -> None:
    chain = steps.chain_of([record(), record(code={"fit": "c9"})], steps.plan(("code",)), "")
    assert (chain.moved, chain.numbers) == ((0,), ())
    said = history.steps_table(chain)
    assert "in this order: code 0." in said.caption
    same = steps.chain_of([record()], (), "")
    assert "differs from the record" in history.steps_table(same).caption


def test_a_number_that_is_gone_between_is_not_there_and_no_zero() -> None:
    old = record()
    between = copy.deepcopy(old)
    del between["tables"]["contrasts/threat"]["rows"]["row 0"]
    chain = steps.chain_of([old, between, old], steps.plan(("code", "data")), "")
    one = next(n for n in chain.numbers if (n.row, n.column) == ("row 0", "mean"))
    assert one.values[1] is None
    assert one.values[0] == one.values[2]
    row = history.steps_table(chain).shown.iloc[0]
    assert row["By code"] == "not there"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "Expecting value"),
        ('{"schema": 0}', "another version"),
        ('{"schema": 1, "numbers": []}', "missing"),
        ("[]", "another version"),
    ],
)
def test_a_damaged_chain_is_one_error(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "record_changes.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="snakemake changes") as caught:
        steps.read(path)
    assert found in caught.value.problems[0].found


def number(**other: Any) -> dict[str, Any]:
    return {
        "table": "t",
        "row": "r",
        "column": "c",
        "kind": "estimate",
        "primary": True,
        "values": [1.0, 2.0],
        "errors": [0.1],
        "by_chance": [False],
    } | other


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"steps": "code"}, "steps of another form"),
        ({"steps": [1]}, "steps of another form"),
        ({"steps": None}, "steps of another form"),
        ({"cut": "2.8"}, "cut of another form"),
        ({"compared": None}, "compared of another form"),
        ({"moved": [1, 2]}, "moved of another form"),
        ({"moved": ["1"]}, "moved of another form"),
        ({"why": {}}, "why of another form"),
        ({"numbers": {}}, "numbers of another form"),
        ({"numbers": [3]}, "numbers of another form"),
        ({"numbers": [number(values=3)]}, "values of number 1 of another form"),
        ({"numbers": [number(values=[[], {}])]}, "values of number 1 of another form"),
        ({"numbers": [number(), number(errors=["a"])]}, "errors of number 2 of another form"),
        ({"numbers": [number(by_chance=[])]}, "by_chance of number 1 of another form"),
        ({"numbers": [number(table=None)]}, "table of number 1 of another form"),
    ],
)
def test_a_chain_with_entries_of_another_type_is_one_error(
    tmp_path: Path, other: dict[str, Any], found: str
) -> None:
    whole = {"schema": 1, "record": "r", "build": "b", "steps": ["code"], "why": "", "cut": 2.8}
    whole |= {"compared": 3, "moved": [1], "numbers": [number()]}
    path = tmp_path / "record_changes.json"
    path.write_text(json.dumps(whole), "utf-8")
    assert history.steps_table(steps.read(path)).caption
    path.write_text(json.dumps(whole | other), "utf-8")
    with pytest.raises(BadInput) as caught:
        steps.read(path)
    (problem,) = caught.value.problems
    assert found in problem.found


TODAY: dict[str, Any] = {
    "data": "new/raw",
    "vocabulary": "v.yaml",
    "appraisal": "a.csv",
    "store": "/store",
    "pseudonyms": {"key_file": None},
    "primary": {"results": ["x"]},
    "manuscript": {"engine": "auto", "formats": ["html", "docx"]},
    "priors": {"tau": 0.6, "fresh": 1.0},
    "sampling": {"seed": 9, "draws": 100},
    "report": {"clear": 0.975, "fresh": 3},
    "require": {"threat": ["country"]},
}
RECORD = {
    "seed": 3,
    "priors": {"tau": 0.3, "gone": 2.0},
    "settings": {"sampling.draws": 2000, "report.clear": 0.95, "require": {}, "old.key": 1},
}
OLD = {key: value for key, value in TODAY.items() if key != "manuscript"} | {
    "data": "old/raw",
    "priors": {"tau": 0.1, "gone": 2.0},
    "report": {"clear": 0.9},
    "old": {"key": 5},
}


def test_old_code_gets_the_keys_that_it_knows_and_today_s_places() -> None:
    found = past.configuration(OLD, TODAY, RECORD, {"lock"}, old_code=True)
    assert found["priors"] == {"tau": 0.3, "gone": 2.0}
    assert found["sampling"] == {"seed": 3, "draws": 2000}
    assert (found["report"], found["old"], found["require"]) == ({"clear": 0.95}, {"key": 1}, {})
    assert (found["data"], found["primary"]) == ("new/raw", {})
    later = past.configuration(OLD, TODAY, RECORD, {"lock", "priors"}, old_code=True)
    assert later["priors"] == {"tau": 0.6, "gone": 2.0}
    assert later["report"] == {"clear": 0.975}
    assert later["sampling"] == {"seed": 3, "draws": 100}


def test_new_code_with_old_priors_keeps_the_keys_that_are_new() -> None:
    found = past.configuration(TODAY, TODAY, RECORD, {"lock", "code"}, old_code=False)
    assert found["priors"] == {"tau": 0.3, "fresh": 1.0}
    assert found["report"] == {"clear": 0.95, "fresh": 3}
    assert "old" not in found
    assert found["manuscript"]["formats"] == ["html"]
    all_but_seed = past.configuration(
        TODAY, TODAY, RECORD, {"lock", "code", "priors", "data"}, old_code=False
    )
    assert all_but_seed["priors"] == TODAY["priors"]
    assert all_but_seed["sampling"] == {"seed": 3, "draws": 100}
    assert TODAY["sampling"]["seed"] == 9
