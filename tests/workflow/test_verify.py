"""`snakemake verify` from the shell: a rebuild in a folder of its own, and 0, 1 or 2 at its end.

The workflow here is a stand-in that draws from a posterior it knows, so that it takes seconds. What
is real is the command, the nested Snakemake, the record, the verdict and the hook.
"""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from helpers.records import CONFIG, finished_build
from helpers.repository import ROOT
from metastudy.record.record_file import dumped, made

pytestmark = pytest.mark.ci

SNAKEFILE = """
import json, sys
sys.path.insert(0, "{root}/workflow")
configfile: "config/config.yaml"

rule all:
    output:
        "results/run_config.yaml",
    params:
        seed=config["sampling"]["seed"],
    shell:
        "PYTHONPATH={root}/workflow:{root}/tests {python} {project}/build.py {{params.seed}}"

rule verify:
    params:
        config=json.dumps(config),
    shell:
        "{python} -m metastudy.commands.verify --record {project}/record.json"
        " --config {{params.config:q}}"
        " --repository {project} --snakefile {project}/Snakefile --cores 1 --out results/verdict"

onsuccess:
    from metastudy.record.exit_code import end_with_the_verdict

    end_with_the_verdict(workflow.dag_settings.targets)
"""
# The build of the stand-in, in the folder where Snakemake runs; its model is off by `shift`.
BUILD = """
import shutil, sys
from pathlib import Path
from helpers.records import finished_build
made = finished_build(Path("made"), seed=int(sys.argv[1]), shift={shift})
for name in ("results", "workflow", "envs"):
    shutil.copytree(made / name, name, dirs_exist_ok=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A build with its record, and a wrong number planted in its results afterwards."""
    project = finished_build(tmp_path / "project")
    config = CONFIG | {
        "pseudonyms": {"key_file": None},
        "verify": {"folder": ".verify", "seed": None},
    }
    (project / "config/config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    (project / "record.json").write_text(dumped(made(project / "results", project)), "utf-8")
    names = {"root": ROOT, "python": sys.executable, "project": project}
    (project / "Snakefile").write_text(SNAKEFILE.format(**names), "utf-8")
    (project / "results/contrasts/threat.parquet").write_bytes(b"planted")
    (project / ".store/fits").mkdir(parents=True)
    (project / ".store/fits/planted.nc").write_bytes(b"a wrong posterior")
    return project


def verify(project: Path, shift: float = 0.0) -> subprocess.CompletedProcess[str]:
    (project / "build.py").write_text(BUILD.format(shift=shift), "utf-8")
    path = os.pathsep.join(map(str, (ROOT / "workflow", ROOT / "tests")))
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "verify", "--cores", "1"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


def digests(project: Path) -> dict[str, str]:
    """Of results and store, without what `verify` writes."""
    paths = [*(project / "results").rglob("*"), *(project / ".store").rglob("*")]
    return {
        str(path): sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and "verdict" not in path.parts
    }


def test_the_shell_gets_the_code_of_the_verdict_and_what_is_planted_is_left_alone(
    project: Path,
) -> None:
    before = digests(project)
    done = verify(project)
    assert done.returncode == 0, done.stdout
    assert "reproduced: The raw data and all numbers agree, with other seed" in done.stdout
    assert digests(project) == before
    page = (project / "results/verdict/verdict.html").read_text("utf-8")
    assert "[Simulated data] Reproduced" in page

    assert verify(project, shift=0.05).returncode == 1
    answers = project / "data/raw/study/answers.csv"
    answers.write_bytes(answers.read_bytes().replace(b"\n", b"\r\n"))
    assert verify(project).returncode == 0
    answers.write_text("id;item\n1;3\n", "utf-8")
    done = verify(project, shift=0.05)
    assert done.returncode == 2, done.stdout
    assert digests(project) == before


def test_a_rebuild_that_fails_has_no_verdict(project: Path) -> None:
    (project / "data/appraisal.csv").unlink()
    (project / "results/verdict").mkdir()
    old = project / "results/verdict/verdict.json"
    old.write_text('{"code": 0}', "utf-8")
    done = verify(project, shift="no number")  # type: ignore[arg-type]
    assert done.returncode == 1
    assert "the rebuild failed, so there is no verdict" in done.stdout
    assert not old.exists()
