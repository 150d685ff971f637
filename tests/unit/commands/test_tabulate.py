"""What the article's tables say of the record, whatever is there of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from helpers.evidence import evidence
from helpers.records import finished_build
from metastudy.article.results import Results
from metastudy.commands.tabulate import since_the_record
from metastudy.display.pipe_table import markdown
from metastudy.harmonized.study import Study
from metastudy.record import collect, history, steps
from metastudy.record.record_file import dumped, made

NAME = "threat.task_type_randomised.threat_quality"


def renamed(study: Study, name: str) -> Study:
    return replace(study, report={**study.report, "study": name})


@pytest.fixture(scope="module")
def world() -> Results:
    found = evidence("mixed")
    return replace(found, settings={**found.settings, "primary": {"abstract": [NAME]}})


def test_a_build_is_compared_with_its_record_and_a_moved_one_is_seen(
    world: Results, tmp_path: Path
) -> None:
    first, other = finished_build(tmp_path / "a"), finished_build(tmp_path / "b", shift=0.1)
    record = made(first / "results", first)
    path = tmp_path / "record.json"
    path.write_text(dumped(record), "utf-8")
    past = tmp_path / "record_history.csv"
    row = {"record": "c1", "commit": "a", "seed": 1, "name": NAME, "verdict": "undecided"}
    past.write_text(history.dump([row | dict.fromkeys(history.NUMBERS, 0.25)]), "utf-8")

    same = since_the_record(world, [path, past], first / "results")
    assert same["changes"].full.empty
    assert "0 moved beyond" in same["changes"].caption
    assert same["history"].shown["Estimate"].tolist() == ["0.25", "0.30"]
    moved = since_the_record(world, [path], other / "results")["changes"]
    assert set(moved.full["kind"]) >= {"estimate", "word"}
    assert bool(moved.full["primary"].iloc[0])
    for name, table in same.items():
        assert f"Simulated and observed data. {{#tbl-{name}" in markdown(name, table)


def test_a_study_that_was_withdrawn_is_named_beside_what_changed(
    world: Results, tmp_path: Path
) -> None:
    build = finished_build(tmp_path / "a")
    record = made(build / "results", build)
    path = tmp_path / "record.json"
    path.write_text(dumped(record), "utf-8")
    assert list(record["raw"]) == ["study"]
    said = since_the_record(world, [path], build / "results")["changes"].caption
    assert said.endswith("Studies of the record that are not in this build: Study.")
    first = world.studies[0]
    whole = replace(world, studies=(*world.studies, renamed(first, "study")))
    said = since_the_record(whole, [path], build / "results")["changes"].caption
    assert "not in this build" not in said


def test_a_record_that_is_not_there_or_damaged_costs_no_table(
    world: Results, tmp_path: Path
) -> None:
    none = since_the_record(world, [], tmp_path)
    assert "no accepted record" in none["changes"].caption
    assert none["history"].shown["Record (commit)"].tolist() == ["this build"]
    path = tmp_path / "record.json"
    path.write_text('{"schema": 2, "comm', "utf-8")
    said = since_the_record(world, [path], tmp_path)["changes"].caption
    assert "The record could not be read: no JSON" in said
    assert since_the_record(world, [path], None) == {}


def test_steps_that_cannot_be_read_cost_no_table_of_what_changed(
    world: Results, tmp_path: Path
) -> None:
    build = finished_build(tmp_path / "a")
    record = made(build / "results", build)
    given = [tmp_path / "record.json", tmp_path / "record_changes.json"]
    given[0].write_text(dumped(record), "utf-8")

    def caption(chain: str) -> str:
        given[1].write_text(chain, "utf-8")
        return since_the_record(world, given, build / "results")["changes"].caption

    damaged = caption('{"schema": 1, "rec')
    assert "0 moved beyond" in damaged
    assert "Its steps could not be read: no chain of changes" in damaged
    now = record | {"tables": collect.tables(build / "results", world.cuts)}
    chain = steps.chain_of([record, now], steps.plan(("code",)), "")
    assert "in this order: code 0." in caption(steps.dumped(chain))
    assert "in this order" not in caption(steps.dumped(replace(chain, build="of another")))
