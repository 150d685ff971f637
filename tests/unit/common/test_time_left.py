"""What remains of a run, from events as Snakemake logs them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from helpers.repository import ROOT
from metastudy.common.time_left import TimeLeft, recorded


class Run:
    """A run whose clock the test turns."""

    def __init__(self, folder: Path, cores: int = 2) -> None:
        self.now, self.lines, self.folder = 0.0, list[str](), folder
        self.handler = TimeLeft(folder / "times.json", cores, self.lines.append, lambda: self.now)

    def event(self, event: str, **other: Any) -> None:
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, None, None, None)
        record.__dict__.update(other, event=event)
        self.handler.emit(record)

    def job(self, number: int, rule: str, seconds: float, threads: int = 1, said: str = "") -> None:
        log = self.folder / f"{number}.log"
        log.write_text(said, "utf-8")
        self.event("job_info", jobid=number, rule_name=rule, threads=threads, log=[str(log)])
        self.now += seconds
        self.event("job_finished", job_id=number)
        self.event("progress", done=number, total=9)


def test_a_second_run_says_what_remains_by_the_times_of_the_first(tmp_path: Path) -> None:
    first = Run(tmp_path)
    first.event("run_info", stats={"fit": 2, "draw": 4, "total": 6})
    first.job(1, "fit", 90, threads=2)
    assert first.lines == []  # most of what remains has no time on record
    first.job(2, "draw", 10)
    assert first.lines == ["about 2 min left"]  # a fit on both cores, three figures two by two
    second = Run(tmp_path)
    second.event("run_info", stats={"fit": 2, "draw": 4, "new": 1, "total": 7})
    second.job(1, "fit", 100, threads=2)
    assert second.lines == ["about 2 min left; 1 of 6 jobs has no time on record"]
    assert recorded(tmp_path / "times.json")["fit"] == {"seconds": [90.0, 100.0], "threads": 2}


def test_a_job_from_the_store_is_no_time_to_go_by(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.event("run_info", stats={"draw": 3, "total": 3})
    run.job(1, "draw", 0.2, said="taken from the store: figure\n")
    assert recorded(tmp_path / "times.json") == {}


def test_how_far_a_fit_is_comes_from_its_log(tmp_path: Path) -> None:
    run = Run(tmp_path)
    log = tmp_path / "threat.log"
    run.event("job_info", jobid=1, rule_name="fit", threads=1, log=[str(log)])
    assert run.handler.at_work() == []
    log.write_text("draws: 10 of 4000, 0 divergences\nnote\ndraws: 900 of 4000, 2 divergences\n")
    assert run.handler.at_work() == ["fit threat: 900 of 4000, 2 divergences"]
    run.event("job_finished", job_id=1)
    assert run.handler.at_work() == []


def test_a_terminal_is_told_each_new_line_once(tmp_path: Path) -> None:
    run = Run(tmp_path)
    log = tmp_path / "threat.log"
    run.event("job_info", jobid=1, rule_name="fit", threads=1, log=[str(log)])
    log.write_text("draws: 10 of 4000, 0 divergences\n")
    told = threading.Event()
    run.handler.say = lambda line: (run.lines.append(line), told.set())
    run.handler.watch(every=0.01)
    assert told.wait(60)
    told.clear()
    assert not told.wait(0.3)
    assert run.lines == ["fit threat: 10 of 4000, 0 divergences"]


def test_a_job_that_runs_counts_by_what_is_left_of_it_and_no_less_than_the_longest(
    tmp_path: Path,
) -> None:
    kept = {"fit": {"seconds": [100, 300, 200], "threads": 1}}
    (tmp_path / "times.json").write_text(json.dumps(kept), "utf-8")
    run = Run(tmp_path, cores=4)
    run.event("run_info", stats={"fit": 1, "total": 1})
    run.event("job_info", jobid=1, rule_name="fit", threads=1, log=[])
    run.now = 50
    assert run.handler.left() == (150.0, 1, 0)  # the median, not divided by cores it cannot use
    run.now = 500
    assert run.handler.left()[0] == 0.0


@pytest.mark.parametrize(
    "text", ["", "[]", '{"fit": 3}', '{"fit": {"seconds": ["x"], "threads": 1}}', "\0"]
)
def test_a_damaged_file_of_times_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "times.json"
    path.write_text(text, "utf-8")
    assert recorded(path) == {}


SNAKEFILE = """
import sys
from pathlib import Path
from snakemake.logging import logger
sys.path.insert(0, {library!r})
from metastudy.common import time_left
time_left.EVERY, time_left.LEAST = 0.0, 0.0
if workflow.is_main_process:
    logger.addHandler(time_left.TimeLeft(Path(".snakemake/times.json"), workflow.cores))

rule all:
    input: "b"

rule first:
    output: "a"
    log: "a.log"
    shell: "sleep 0.2; touch a"

rule second:
    input: "a"
    output: "b"
    log: "b.log"
    shell: "sleep 0.2; touch b"
"""


@pytest.mark.slow
def test_snakemake_logs_the_events_that_this_reads(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(library=str(ROOT / "workflow")), "utf-8")
    words = [sys.executable, "-m", "snakemake", "--cores", "1", "--forceall"]
    for times in (1, 2):
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
        )
        found = recorded(tmp_path / ".snakemake/times.json")
        counts = {rule: len(one["seconds"]) for rule, one in found.items()}
        assert counts == dict.fromkeys(("first", "second", "all"), times)
        assert done.stderr.count("about 0 s left") == (0 if times == 1 else 2)
