"""A run that is killed at any moment is taken up by the next call, and ends in the same bytes.

Everything that belongs to the run is killed, as by a power cut or a kernel short of memory. When,
is drawn by rule: so long after the rule's job began, or when it writes its first file.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import small_project

pytestmark = [pytest.mark.slow, pytest.mark.fit]

# Of a rule: how its message begins, its seconds on an idle machine, where its files are.
RULES = {
    "harmonize": ("Harmonize", 2.0, "staged"),
    "validate": ("Validate", 2.0, "staged"),
    "promote": ("Promote", 0.02, "harmonized"),
    "inspect": ("Inspect", 2.0, "data_report"),
    "aggregate": ("Aggregate", 3.0, "cells"),
    "fit": ("Fit the", 8.0, "fits"),
    "contrast": ("Draw the contrasts", 4.0, "contrasts"),
    "refits": ("Refit the", 15.0, "refits"),
    "synthesize": ("Pool what", 15.0, "synthesis"),
    "draw": ("Draw the figures", 6.0, "figures"),
    "tabulate": ("Write the tables", 3.0, "tables"),
    "variables": ("Put the results", 3.0, "variables"),
    "render": ("Render", 0.5, "manuscript"),
}


def of_session(session: int) -> list[int]:
    """Processes of a session: Snakemake, its jobs and what they started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, its, *_ = path.read_text().rpartition(")")[2].split()
            if int(its) == session and state != "Z":  # a zombie is dead already
                found.append(int(path.parent.name))
    return found


def kill(session: int) -> None:
    """End all processes of a session at once; none may start another in between."""
    while found := of_session(session):
        for number in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.01)


def written(folder: Path) -> set[tuple[str, int]]:
    """Files below a folder with their sizes; what vanishes meanwhile is left out."""
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                found.add((str(path), path.stat().st_size))
    return found


Moment = tuple[str, bool]  # a rule, and whether it is killed when it writes


def killed_run(
    project: Path, targets: list[str], moments: list[Moment], rng: random.Random
) -> tuple[Moment | None, bool, str]:
    """Run Snakemake and kill it at the first of some moments that comes.

    Returns
    -------
    The moment, whether the run was hit, and what it said; no moment if the run ended before.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", *targets],
        cwd=project,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    moment = None
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said.append(line)
            begun = [m for m in moments if re.match(rf"Job \d+: {RULES[m[0]][0]}", line)]
            if begun:
                moment = begun[0]
                wait_for(moment, project / "results", process, rng)
                break
        hit = process.poll() is None
    finally:
        kill(process.pid)
        said.append(process.stdout.read())
        process.wait()
    return moment, hit and process.returncode == -signal.SIGKILL, "".join(said)


def wait_for(
    moment: Moment, results: Path, process: subprocess.Popen[str], rng: random.Random
) -> None:
    """Wait until a job's first file is there, or for a part of the time that it takes."""
    rule, writing = moment
    _, seconds, folder = RULES[rule]
    if not writing:
        time.sleep(rng.uniform(0, seconds))
        return
    before, until = written(results / folder), time.monotonic() + 120
    while written(results / folder) == before:
        if process.poll() is not None or time.monotonic() > until:
            return
        time.sleep(0.002)


def survives(
    project: Path, reference: Path, targets: list[str], moments: list[Moment], seed: int
) -> int:
    """Kill a build at each of some moments, let it end, and compare; how many runs were hit."""
    rng = random.Random(seed)
    print(f"seed of the moments: {seed}")
    left, hits = list(moments), 0
    while left:
        moment, hit, said = killed_run(project, targets, left, rng)
        if hits:  # some run before this one was killed
            assert "--unlock" not in said
            assert "rror in rule" not in said, said
        if moment is None:
            break
        left.remove(moment)
        hits += hit
        print(f"{moment[0]}{', writing' if moment[1] else ''}: {'hit' if hit else 'not hit'}")
    done = small_project.snakemake(project, *targets)
    assert done.returncode == 0, done.stdout
    again = small_project.snakemake(project, *targets)
    assert "Nothing to be done" in again.stdout
    made, expected = (small_project.digests(folder / "results") for folder in (project, reference))
    assert made == expected
    return hits


def built(project: Path, *targets: str) -> Path:
    done = small_project.snakemake(small_project.make(project), *targets)
    assert done.returncode == 0, done.stdout
    return project


@pytest.mark.ci
def test_three_kills_at_random_moments_end_in_the_same_bytes(tmp_path: Path) -> None:
    targets = ["results/contrasts/threat.parquet"]
    reference = built(tmp_path / "reference", *targets)
    project = small_project.make(tmp_path / "project")
    moments = [("harmonize", False), ("fit", False), ("contrast", True)]
    seed = random.SystemRandom().randrange(10**6)
    assert survives(project, reference, targets, moments, seed) == len(moments)


@pytest.mark.long(of=("metastudy.common.run_lock", "metastudy.common.result_store"))
def test_many_kills_in_all_parts_of_the_work_end_in_the_same_article(
    tmp_path: Path, figures: Callable[..., None]
) -> None:
    reference = built(tmp_path / "reference")
    project = small_project.make(tmp_path / "project")
    often = {"fit": 3, "refits": 3, "synthesize": 2, "draw": 4, "render": 2, "harmonize": 2}
    moments = [(rule, False) for rule in RULES for _ in range(often.get(rule, 1))]
    moments += [(rule, True) for rule in ("harmonize", "fit", "contrast", "draw", "tabulate")]
    hits = survives(project, reference, [], moments, 20261128)
    figures(killed=hits, runs=len(moments))
    assert hits >= 20
