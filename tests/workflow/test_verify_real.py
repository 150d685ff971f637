"""`snakemake verify` of a real model: a line of its likelihood is changed, and rewritten.

The project has the studies of an example of this repository, two of which pool, and the library is
a copy of it: the second stage alone is fitted. What is built ends with the variables of the
article: pictures and pages have no other numbers. `test_verify.py` has what surrounds it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.repository import ROOT, copy_of_the_repository
from metastudy.record.record_file import dumped, made

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci, pytest.mark.timeout(1800)]

EXAMPLE = ROOT / "examples" / "integrity"
MODEL = Path("workflow/metastudy/synthesis/model.py")
LINE = "        likelihood(BlockNormal()(residual, v, variance, *found.arrays)[0])\n"
CHANGED = LINE.replace("(BlockNormal", "(0.5 * BlockNormal")
REWRITTEN = """\
        density, *_ = BlockNormal()(residual, v, variance, *found.arrays)
        likelihood(density)
"""
SNAKEFILE = """
configfile: "config/config.yaml"

rule numbers:
    input:
        "results/run_config.yaml",
        "results/diagnostics/gates.json",
        "results/variables/_variables.yml",

module metastudy:
    snakefile:
        "{library}/workflow/Snakefile"
    config:
        config

use rule * from metastudy

onsuccess:
    from metastudy.record.exit_code import end_with_the_verdict

    end_with_the_verdict(workflow.dag_settings.targets)
"""
CHAINS = {"chains": 2, "tune": 500, "draws": 2000, "retries": 0}
SHORT = {"chains": 2, "tune": 100, "draws": 100, "retries": 0}
LOOSE = {"rhat": 99, "ess_bulk": 1, "ess_tail": 1, "divergences": 9999}  # test_gates.py has gates


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the repository, and beside it a project with an accepted record."""
    base = tmp_path_factory.mktemp("real")
    library, project = copy_of_the_repository(base / "library"), base / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("results", ".*"))
    config = project / "config" / "config.yaml"
    said = yaml.safe_load(config.read_text("utf-8")) | {"sampling": CHAINS, "refits": SHORT}
    said |= {"gates": LOOSE | {"ebfmi": 0}, "refit_gates": LOOSE}
    config.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    (project / "Snakefile").write_text(SNAKEFILE.format(library=library), "utf-8")
    done = snakemake(library, project)
    assert done.returncode == 0, done.stdout[-6000:]
    record = dumped(made(project / "results", library, project))
    (project / "manuscript" / "record.json").write_text(record, "utf-8")
    return library, project


def snakemake(library: Path, project: Path, *target: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(library / "workflow")}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *target, "--cores", "2"],
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )


def verified(accepted: tuple[Path, Path], line: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the verdict with a line in place of that of the model."""
    library, project = accepted
    text = (ROOT / MODEL).read_text("utf-8")
    assert text.count(LINE) == 1
    (library / MODEL).write_text(text.replace(LINE, line), "utf-8")
    done = snakemake(library, project, "verify")
    verdict = project / "results" / "verdict" / "verdict.json"
    assert verdict.is_file(), done.stdout[-6000:]
    return done.returncode, json.loads(verdict.read_text("utf-8"))


def test_a_factor_in_a_likelihood_is_not_reproduced_and_the_code_is_named(
    accepted: tuple[Path, Path],
) -> None:
    """Half the log density of a normal is that of twice its variance: the mean is less sure."""
    code, said = verified(accepted, CHANGED)
    assert (code, said["verdict"]) == (1, "not reproduced")
    assert said["begins"] == "draws"
    assert said["inputs"] == {}
    assert said["listed"]["code"]
    assert said["why"].endswith("The likely cause is the code, which differs.")
    moved = {(row["table"], row["column"]): row for row in said["moved"]}
    spread = moved["synthesis/pooled", "sd"]
    assert spread["after"] > 1.15 * spread["before"]
    page = (accepted[1] / "results" / "verdict" / "verdict.html").read_text("utf-8")
    assert "Not reproduced" in page
    assert "likely cause is the code" in page


def test_the_same_line_written_otherwise_is_reproduced(accepted: tuple[Path, Path]) -> None:
    code, said = verified(accepted, REWRITTEN)
    assert (code, said["verdict"]) == (0, "reproduced"), said["why"]
    assert said["listed"]["code"], "the code differs, which is no judgement"
    assert said["listed"]["seed"]
    assert said["moved"] == []
    assert said["cut"]["numbers"] > 20
