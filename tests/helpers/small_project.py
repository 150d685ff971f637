"""A whole project that builds in seconds: two studies of one question, their article, short chains.

It is a copy of the repository with data, vocabulary and article of its own, so a test may change
the code as well.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.repository import copy_of_the_repository

STUDIES = {"pay_north": "NO", "pay_south": "SE"}
PLACES = {"NO": "Norway", "SE": "Sweden", "FI": "Finland"}
CHAINS = {"chains": 2, "tune": 100, "draws": 100, "target_accept": 0.8, "retries": 0}
LOOSE = {"rhat": 99, "ess_bulk": 1, "ess_tail": 1, "divergences": 9999}
ARTICLE = """\
---
title: "Pay"
author:
  - name: nobody
date: 2026-01-01
abstract: |
  Of pay.
---

## Results {#sec-results}

There are {{< var studies.count_word >}} studies.
"""
PROJECT = """\
project:
  type: manuscript
  output-dir: _manuscript
manuscript:
  article: manuscript.qmd
lang: en-GB
bibliography: references.bib
citeproc: true
format:
  html:
    embed-resources: true
    default-image-extension: svg
"""


CODEBOOK = """\
study:
  id: {study}
  title: Experiment on pay in {place}
  citation: none
  design: experiment
  response_mode: vignette_hypothetical
  country: {country}
  sector: elderly_care
  role: professional
  arrangement: volunteer_scheme
  language: en
  provenance: simulated
file: {{name: answers.csv, format: csv}}
variables:
  - {{name: person, as: id}}
  - {{name: ward, as: trait, trait: region, values: {{0: ward 0, 1: ward 1, 2: ward 2}}}}
  - name: arm
    as: factor
    randomised: true
    factors: {{task_type: {{core: core, complementary: complementary}}}}
  - {{name: pay, as: item, construct: threat_pay, min: 1, max: 7}}
outcomes: [threat_pay]
exposures: [{{factor: task_type, type: randomised}}]
vocabulary:
  countries:
    {country}: {{label: {place}}}
  constructs:
    threat_pay:
      label: Threat to the pay
      definition: The respondent fears for the pay.
      direction: more threat
      family: perceived_threat
      burden: 1
"""


def put(project: Path, study: str, country: str, seed: int, people: int = 60) -> Path:
    """Add a study to a project, with its line in the manifest; its data file comes back."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.resize(["core", "complementary"], people))
    pay = np.clip(np.round(rng.normal(4 + 0.6 * (arm == "core"), 1.2)), 1, 7).astype(int)
    folder = project / "data" / "raw" / study
    folder.mkdir(parents=True)
    path = folder / "answers.csv"
    person = np.arange(people)
    table = {"person": person, "ward": person % 3, "arm": arm, "pay": pay}
    pd.DataFrame(table).to_csv(path, index=False)
    book = CODEBOOK.format(study=study, country=country, place=PLACES[country])
    (folder / "codebook.yaml").write_text(book, "utf-8")
    listed(project, study)
    return path


def listed(project: Path, study: str) -> None:
    """Enter a study's file as it is now in the manifest of simulated ones."""
    manifest = project / "data" / "raw" / "manifest.yaml"
    digest = sha256((manifest.parent / study / "answers.csv").read_bytes()).hexdigest()
    now = yaml.safe_load(manifest.read_text("utf-8")) if manifest.exists() else {}
    write(manifest, now | {study: {"answers.csv": digest}})


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a YAML file."""
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def make(project: Path) -> Path:
    """Write the project into a new folder; nothing is built."""
    copy_of_the_repository(project)
    shutil.rmtree(project / "data" / "raw")
    (project / "data" / "truth.csv").unlink()
    for seed, (study, country) in enumerate(STUDIES.items()):
        put(project, study, country, seed)
    shutil.rmtree(project / "manuscript")
    (project / "manuscript").mkdir()
    (project / "manuscript" / "manuscript.qmd").write_text(ARTICLE, "utf-8")
    (project / "manuscript" / "_quarto.yml").write_text(PROJECT, "utf-8")
    (project / "manuscript" / "references.bib").write_text("", "utf-8")
    appraisal = project / "data" / "appraisal.csv"
    appraisal.write_text(appraisal.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    path = project / "config" / "vocabulary.yaml"
    vocabulary = yaml.safe_load(path.read_text("utf-8"))
    vocabulary["modules"] = {"threat": vocabulary["modules"]["threat"]}
    for family in vocabulary["families"].values():
        if family.get("module") not in (None, "threat"):
            del family["module"]
    write(path, vocabulary)
    path = project / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings["sensitivity"] = {}
    settings["primary"] = {}
    settings["candidates"] = []
    settings["sampling"] |= CHAINS
    settings["refits"] |= CHAINS
    settings["gates"] |= LOOSE | {"ebfmi": 0}
    settings["refit_gates"] |= LOOSE
    settings["manuscript"]["formats"] = ["html"]
    write(path, settings)
    return project


def snakemake(
    project: Path, *arguments: str, cores: int = 1, timeout: float | None = 1800
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a project; what it says is one text."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments],
        cwd=project,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )


def built(factory: pytest.TempPathFactory) -> Path:
    """The project after one plain run, made once for all workers of a session. Read only."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    project = shared / "small_project"
    with open(shared / "small_project.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not project.is_dir():
            done = snakemake(make(shared / "small_project.unfinished"))
            assert done.returncode == 0, done.stdout[-6000:]
            (shared / "small_project.unfinished").rename(project)
    return project


def digests(results: Path) -> dict[str, str]:
    """SHA-256 of everything that was made, but for logs."""
    return {
        str(path.relative_to(results)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp" and "logs" not in path.parts
    }
