"""The five lines at the end of a run say what logs and results say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from metastudy.record.end_of_run import said_at_the_end

BEGAN = 1_000_000_000.0


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results after a run with three jobs; one of them was taken from the store."""
    logs = {"fit/a.log": "sampled\n", "draw/b.log": "taken from the store: 12\n", "gate.log": ""}
    for name, text in logs.items():
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (BEGAN, BEGAN))
    before = tmp_path / "logs" / "old.log"
    before.write_text("taken from the store: 34\n")
    os.utime(before, (BEGAN - 1, BEGAN - 1))
    return tmp_path


def written(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def test_five_lines_say_what_was_built_and_how_it_stands(results: Path) -> None:
    gates = [{"fit": name, "gates": [{"passed": True}]} for name in ("threat", "coping")]
    written(results / "diagnostics" / "gates.json", gates)
    verdict = {"date": "2026-01-02", "commit": "0123456789abcdef", "verdict": "reproduced"}
    written(results / "verdict" / "verdict.json", verdict)
    written(results / "manuscript" / "manuscript.html", "")
    built, passed, record, article, look = said_at_the_end([], results, BEGAN)
    assert built.endswith(", 3 jobs, 1 of them from the store")
    assert passed == "gates:   all 2 fits passed"
    assert record == "record:  the last verdict, of 2026-01-02, commit 0123456789: reproduced"
    assert article == f"article: {results}/manuscript/: manuscript.html"
    assert "data_report/index.html" in look
    assert look.endswith(f", {results}/ for all else")  # a folder of one's own has no page on them
    (results / "README.md").write_text("")
    assert f", {results}/README.md for" in said_at_the_end([], results, BEGAN)[4]
    written(results / "diagnostics" / "gates.json", gates[:1])
    assert said_at_the_end([], results, BEGAN)[1] == "gates:   the one fit passed"


def test_what_is_not_there_is_not_claimed(results: Path) -> None:
    _, gates, record, article, _ = said_at_the_end({"all"}, results, BEGAN)
    assert gates == "gates:   not asked"
    assert "not compared yet" in record
    assert article.startswith("article: none")
    missed = [{"fit": "threat", "gates": [{"passed": True}, {"passed": False}]}]
    written(results / "diagnostics" / "gates.json", missed)
    assert said_at_the_end([], results, BEGAN)[1] == "gates:   missed by threat"


def test_a_run_of_other_targets_says_nothing_and_the_beginning_is_that_of_the_process(
    results: Path,
) -> None:
    assert said_at_the_end(["check"], results) == []
    assert ", 0 jobs, " in said_at_the_end([], results)[0]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "[3]", '{"verdict": []}', '{"fit": 1}', '[{"fit": 1, "gates": [1]}]', "\ud800"],
)
def test_a_damaged_file_is_named_and_stops_nothing(results: Path, text: str) -> None:
    for name in ("diagnostics/gates.json", "verdict/verdict.json"):
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    _, gates, record, *_ = said_at_the_end({"all"}, results, BEGAN)
    if text != "[]":  # which is a build without fits
        assert gates.endswith("diagnostics/gates.json cannot be read")
    assert record.endswith("verdict/verdict.json cannot be read")
