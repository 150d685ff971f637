"""`snakemake changes` from the shell: a chain of builds, each in a folder of its own, from Git.

The workflow here is a stand-in that draws from a posterior it knows, so that it takes seconds. What
is real is the command, the nested Snakemake, the code and the data of the history, and the record.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.records import CONFIG, finished_build
from helpers.repository import ROOT
from metastudy.record import steps
from metastudy.record.record_file import dumped, load, made, without

pytestmark = pytest.mark.ci

SNAKEFILE = """
import json
configfile: "config/config.yaml"
HERE = workflow.basedir

rule all:
    output:
        "results/run_config.yaml",
    shell:
        "PYTHONPATH={HERE}/workflow:{tests} {python} {HERE}/build.py"

rule changes:
    params:
        config=json.dumps(config),
    shell:
        "PYTHONPATH={HERE}/workflow:{tests} {python} -m metastudy.commands.changes"
        " --record record.json --results results --config {{params.config:q}} --repository {HERE}"
        " --snakefile {HERE}/Snakefile --cores 1 --logs results/logs/changes"
        " --out record_changes.json"
"""
# Code, a prior and the data each move every mean by a known amount.
BUILD = """
import shutil
from pathlib import Path
import yaml
from helpers.records import finished_build
from metastudy.commands.fit import SHIFT
config = yaml.safe_load(Path("config/config.yaml").read_text())
answers = Path("data/raw/study/answers.csv").read_text()
shift = SHIFT + (config["priors"]["tau"] - 0.3) + 0.4 * answers.count("9")
made = finished_build(Path("made"), config["sampling"]["seed"], shift)
shutil.copytree(made / "results", "results", dirs_exist_ok=True)
Path("results/run_config.yaml").write_text(yaml.safe_dump(config))
shutil.rmtree(made)
"""
MEAN = ("contrasts/threat", "main|effect|a", "mean")


def run(project: Path, *words: str) -> str:
    done = subprocess.run(
        words,
        cwd=project,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def git(project: Path, *words: str) -> str:
    own = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false")
    return run(project, "git", *own, *words)


def snakemake(project: Path, target: str) -> str:
    return run(project, sys.executable, "-m", "snakemake", target, "--cores", "1", "--force")


def configure(project: Path, **other: Any) -> None:
    found = CONFIG | {
        "pseudonyms": {"key_file": None},
        "verify": {"folder": ".verify", "seed": None},
        "primary": {},
    }
    text = yaml.safe_dump(found | other)
    (project / "config/config.yaml").write_text(text, "utf-8")


def set_shift(project: Path, shift: float) -> None:
    fit = project / "workflow/metastudy/commands/fit.py"
    text = re.sub(r"^SHIFT = .*\n", "", fit.read_text("utf-8"), flags=re.M)
    fit.write_text(f"{text}SHIFT = {shift}\n", "utf-8")


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in Git with an accepted record."""
    project = finished_build(tmp_path_factory.mktemp("accepted") / "project")
    shutil.rmtree(project / "results")
    shutil.rmtree(project / "workflow")
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "workflow", project / "workflow", ignore=left_out)
    set_shift(project, 0.0)
    configure(project)
    names = {"tests": ROOT / "tests", "python": sys.executable, "HERE": "{HERE}"}
    (project / "Snakefile").write_text(SNAKEFILE.format(**names), "utf-8")
    (project / "build.py").write_text(BUILD, "utf-8")
    (project / ".gitignore").write_text("/results\n/.snakemake\n/.verify\n/.store\n", "utf-8")
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "what was built")
    snakemake(project, "all")
    record = made(project / "results", project)
    (project / "record.json").write_text(dumped(record), "utf-8")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "its record")
    return project


@pytest.fixture(scope="module")
def changed(accepted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with other priors, code, data and seed, built again."""
    project = shutil.copytree(accepted, tmp_path_factory.mktemp("changed") / "project")
    set_shift(project, 0.05)
    configure(
        project,
        priors=CONFIG["priors"] | {"tau": 0.4},
        sampling=CONFIG["sampling"] | {"seed": 4},
    )
    (project / "data/raw/study/answers.csv").write_bytes(b"id;item\n1;9\n")
    snakemake(project, "all")
    return project


@pytest.fixture
def project(changed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(changed, tmp_path / "project")


def parts(chain: steps.Chain) -> list[float]:
    """What each step did to the first mean."""
    (one,) = (n for n in chain.numbers if (n.table, n.row, n.column) == MEAN)
    return [b - a for a, b in zip(one.values[:-1], one.values[1:], strict=True)]


def test_each_change_gets_its_part_of_the_move(project: Path) -> None:
    said = snakemake(project, "changes")
    chain = steps.read(project / "record_changes.json")
    assert chain.steps == ("priors and settings", "code", "data and codebooks", "seed")
    assert chain.why == ""
    prior, code, data, seed = parts(chain)
    assert (prior, code, data) == pytest.approx((0.1, 0.05, 0.4), abs=1e-12)
    assert 0 < abs(seed) < 0.02
    assert chain.moved[3] == 0
    assert min(chain.moved[:3]) >= 6  # each mean
    assert "data and codebooks: " in said
    built = sorted(path.name for path in (project / ".verify/changes").glob("with-*"))
    assert built == ["with-code-data-priors", "with-code-priors", "with-priors"]
    assert not git(project, "status", "--porcelain", "results", ".store")


def test_without_a_history_what_needs_it_is_one_step_with_its_reason(project: Path) -> None:
    shutil.rmtree(project / ".git")
    snakemake(project, "changes")
    chain = steps.read(project / "record_changes.json")
    together = "priors and settings, code and data and codebooks, not separated"
    assert chain.steps == (together, "seed")
    assert "not a git repository" in chain.why
    assert parts(chain)[0] == pytest.approx(0.55, abs=1e-12)


def test_code_that_no_longer_runs_is_one_step_with_the_lock(project: Path) -> None:
    old = load(project / "record.json")
    (project / "build.py").write_text("raise SystemExit(3)\n", "utf-8")
    git(project, "add", "build.py")
    git(project, "commit", "--quiet", "--message", "does not run")
    commit = git(project, "rev-parse", "HEAD").strip()
    (project / "record.json").write_text(dumped(without(old | {"commit": commit}, [], [])), "utf-8")
    (project / "build.py").write_text(BUILD, "utf-8")
    snakemake(project, "changes")
    chain = steps.read(project / "record_changes.json")
    assert chain.steps == ("code", "priors and settings", "data and codebooks", "seed")
    assert "does not run" in chain.why
    assert parts(chain)[:3] == pytest.approx((0.05, 0.1, 0.4), abs=1e-12)


def test_what_is_the_same_is_not_built(accepted: Path, tmp_path: Path) -> None:
    project = shutil.copytree(accepted, tmp_path / "project")
    set_shift(project, 0.0)
    fit = project / "workflow/metastudy/commands/fit.py"
    fit.write_text(fit.read_text("utf-8") + "\n\ndef unused() -> None: ...\n", "utf-8")
    snakemake(project, "all")
    snakemake(project, "changes")
    chain = steps.read(project / "record_changes.json")
    assert (chain.steps, chain.moved, chain.numbers) == (("code",), (0,), ())
    assert not list((project / ".verify/changes").glob("with-*"))
