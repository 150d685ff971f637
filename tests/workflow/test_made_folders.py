"""`snakemake submission` and `archive` from the shell: what somebody put into their folders stays.

The rules are those that ship; what they are made of is a small build that is written by hand.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.finished_project import STUDIES, finished_project
from helpers.repository import ROOT
from helpers.small_manuscript import staged
from helpers.small_project import snakemake

pytestmark = pytest.mark.ci

ARTICLE = """---
title: "A page"
author:
  - name: Ada Example-Person
date: 2026-02-03
abstract: A text.
provenance: Every number here is made up.
provenance-mark: Simulated data
---

## Results {#sec-results}

A sentence.
"""
# What the other rules and their configuration say where these two are included.
SNAKEFILE = """
import json, os
from pathlib import Path
from types import SimpleNamespace

configfile: "config/config.yaml"

LIBRARY = "PYTHONPATH={root}/workflow"
REPOSITORY = Path("{project}")
STUDIES, FITS, FITS_AS_JSON, LOCK = ["stand_in"], [], "{{}}", "lock"
FOUND = SimpleNamespace(
    studies={{"stand_in": SimpleNamespace(files=["data/raw/stand_in/answers.csv"])}}, modules={{}}
)
VOCABULARY, MANIFEST, TRUTH = "config/vocabulary.yaml", "data/raw/manifest.yaml", "data/truth.csv"
LEFT_OUT = "data/left_out_places.csv"

def local(path):
    return path

def code(command):
    return command

def as_json(section):
    return json.dumps({{"key": "public", "key_file": None}})

rule all:
    input:
        "results/run_config.yaml",

include: "{root}/workflow/rules/submission.smk"
include: "{root}/workflow/rules/archive.smk"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = finished_project(tmp_path, {"stand_in": STUDIES["stand_in"]})
    staged(project / "results/manuscript/source", ARTICLE)
    text = SNAKEFILE.format(root=ROOT, project=project)
    (project / "Snakefile").write_text(text, "utf-8")
    config = project / "config/config.yaml"
    more = "sampling: {seed: 1}\nappraisal: data/appraisal.csv\n"
    config.write_text(config.read_text("utf-8") + more, "utf-8")
    return project


def run(project: Path, target: str, *more: str) -> tuple[int, str]:
    done = snakemake(project, target, *more)
    log = project / "results/logs" / f"{target}.log"
    return done.returncode, done.stdout + (log.read_text("utf-8") if log.is_file() else "")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("target", ["submission", "archive"])
def test_the_folder_is_made_anew_and_what_was_put_into_it_is_left(
    project: Path, target: str
) -> None:
    folder = project / "results" / target
    folder.mkdir()
    letter = folder / "cover_letter.md"
    letter.write_text("mine", "utf-8")
    code, said = run(project, target)
    assert code != 0
    assert "[made-folder]" in said
    assert "cover_letter.md" in said
    assert "Traceback" not in said
    assert contents(folder) == {"cover_letter.md": b"mine"}

    letter.unlink()
    code, said = run(project, target)
    assert code == 0, said
    first = contents(folder)
    assert len(first) > 5
    code, said = run(project, target, "--forcerun", target)
    assert code == 0, said
    assert set(contents(folder)) == set(first)

    letter.write_text("mine", "utf-8")
    (folder / ("README.md" if target == "submission" else "ro-crate/ARCHIVE.md")).write_text("own")
    before = contents(folder)
    code, said = run(project, target, "--forcerun", target)
    assert code != 0
    assert "cover_letter.md, which was not made by it" in said
    assert "which was changed since" in said
    assert contents(folder) == before
    shutil.rmtree(folder)
    code, said = run(project, target)
    assert code == 0, said
    assert set(contents(folder)) == set(first)
