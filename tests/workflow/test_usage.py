"""The workflow runs from both entries, in a folder of somebody else, and as a module."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT, copy_of_the_repository

STUDY = "coping_experiment"
HARMONIZED = f"results/harmonized/{STUDY}"
STANDARD = ROOT / "workflow" / "Snakefile"

pytestmark = pytest.mark.slow


def snakemake(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """Run Snakemake in a folder; what it says, if it went well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PATH": path} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def counts(said: str) -> dict[str, int]:
    """Jobs per rule in the table that Snakemake prints."""
    table = said.split("Job stats:")[1].split("\n\n")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def outputs(said: str) -> set[str]:
    """What the jobs of a dry run would make."""
    listed = re.findall(r"^Reason: .*?Missing output files: (.+?)(?:; |$)", said, re.MULTILINE)
    return {path for line in listed for path in line.split(", ")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of somebody else: a configuration and the data of one study, no code, no article."""
    folder = tmp_path / "somebody's folder"  # with what a shell would stumble over
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "data" / "raw" / STUDY, folder / "data" / "raw" / STUDY)
    shutil.copy(ROOT / "data" / "raw" / "manifest.yaml", folder / "data" / "raw")
    shutil.copy(ROOT / "data" / "appraisal.csv", folder / "data")
    return folder


def another_workflow(folder: Path, snakefile: str, prefix: str = "") -> None:
    """A workflow of somebody else, with a rule before and a shell prefix after the module."""
    moved = f"    prefix:\n        {prefix!r}\n" if prefix else ""
    made = Path(prefix, HARMONIZED).as_posix()
    settings = yaml.safe_load((folder / "config/config.yaml").read_text("utf-8"))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"own": 1, "metastudy": settings}), "utf-8")
    (folder / "Snakefile").write_text(
        f"""\
configfile: "mine.yaml"

rule all:
    input:
        "{made}"
    output:
        "mine.txt"
    shell:
        'cp {{input}}/report.json {{output}}; echo "${{{{PYTHONPATH-none}}}}" > environment.txt'

module metastudy:
    snakefile:
        {snakefile}
    config:
        config["metastudy"]
{moved}
use rule * from metastudy as metastudy_*

shell.prefix("true; ")
""",
        "utf-8",
    )


def test_both_entries_plan_the_same_jobs(tmp_path: Path) -> None:
    project = copy_of_the_repository(tmp_path / "project")
    entry, standard = (
        snakemake(project, "--dry-run", "--snakefile", name)
        for name in ("Snakefile", "workflow/Snakefile")
    )
    assert counts(entry) == counts(standard)
    assert "results/manuscript/manuscript.html" in outputs(entry)
    assert outputs(entry) == outputs(standard)


def test_the_standard_entry_runs_a_study_with_the_profile_beside_it(folder: Path) -> None:
    # What a shell would run, or take for several words, in every name that a user may choose.
    data, vocabulary = "raw `touch ran`;touch ran", "it's a $(touch ran)\".yaml"
    (folder / "data" / "raw").rename(folder / data)
    (folder / "config" / "vocabulary.yaml").rename(folder / vocabulary)
    settings = folder / "config" / "config.yaml"
    given = yaml.safe_load(settings.read_text("utf-8")) | {"data": data, "vocabulary": vocabulary}
    settings.write_text(yaml.safe_dump(given), "utf-8")
    said = snakemake(folder, "--snakefile", STANDARD, HARMONIZED)  # `cores` is in the profile
    assert "profiles/default" in said
    assert (folder / HARMONIZED / "report.json").is_file()
    assert not list(folder.rglob("ran"))


def test_another_folder_gets_its_own_results_and_an_article_that_grows(
    folder: Path, tmp_path: Path
) -> None:
    there = ("--snakefile", ROOT / "Snakefile", "--directory", folder)
    snakemake(tmp_path, *there, "--cores", "1", HARMONIZED)
    assert (folder / HARMONIZED / "report.json").is_file()
    assert not (tmp_path / "results").exists()

    rendered = ("results/manuscript/render.json", "--dry-run", "--verbose")
    said = snakemake(tmp_path, *there, *rendered)
    skeleton = ROOT / "workflow" / "skeleton" / "manuscript"
    assert str(skeleton / "manuscript.qmd") in said
    assert str(skeleton / "assets" / "tables.lua") in said
    assert str(ROOT / "manuscript" / "manuscript.qmd") not in said
    (folder / "manuscript").mkdir()
    (folder / "manuscript" / "manuscript.qmd").write_text("Of its own.", "utf-8")
    assert str(skeleton) not in snakemake(tmp_path, *there, *rendered)


@pytest.mark.parametrize("prefix", ["", "evidence"])
def test_a_module_makes_what_another_workflow_asks_for(folder: Path, prefix: str) -> None:
    another_workflow(folder, repr(str(STANDARD)), prefix)
    said = snakemake(folder, "--cores", "1")
    assert counts(said).keys() == {
        *("metastudy_harmonize", "metastudy_validate", "metastudy_promote", "all", "total")
    }
    assert (folder / "mine.txt").read_bytes()
    assert (folder / prefix / HARMONIZED / "report.json").is_file()
    # The other workflow's own rules see nothing of this one.
    assert (folder / "environment.txt").read_text("utf-8").strip() == os.environ.get(
        "PYTHONPATH", "none"
    )


def test_a_prefix_moves_all_that_is_made_and_nothing_that_is_given(folder: Path) -> None:
    shutil.copytree(ROOT / "data", folder / "data", dirs_exist_ok=True)
    targets = ("--dry-run", "metastudy_all", "metastudy_calibration")
    another_workflow(folder, repr(str(STANDARD)))
    plain = snakemake(folder, *targets)
    another_workflow(folder, repr(str(STANDARD)), "evidence")
    moved = snakemake(folder, *targets)
    assert counts(plain) == counts(moved)
    assert outputs(moved) == {f"evidence/{path}" for path in outputs(plain)}
    printed = snakemake(folder, *targets, "--printshellcmds")
    named = re.findall(r"[\w./-]*\b(?:results|data/raw|config)/[\w./-]+", printed)
    assert {path.split("/")[0] for path in named if "results/" in path} == {"evidence"}
    assert not [path for path in named if path.startswith("evidence/") and "results/" not in path]


def test_a_hosted_module_brings_its_library_along(folder: Path, tmp_path: Path) -> None:
    """As snakedeploy writes it; the host is a folder here, behind the address of GitHub."""
    project = copy_of_the_repository(tmp_path / "project")
    user = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for words in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*user, "commit", "--quiet", "--message", "All."),
        ("tag", "v1"),
        ("clone", "--quiet", "--bare", ".", str(tmp_path / "host" / "owner" / "metastudy")),
    ):
        subprocess.run(["git", *words], cwd=project, check=True)
    another_workflow(folder, 'github("owner/metastudy", path="workflow/Snakefile", tag="v1")')
    host = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/host/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    snakemake(folder, "--cores", "1", **host)
    assert (folder / HARMONIZED / "report.json").is_file()
    (unpacked,) = (folder / ".snakemake" / "metastudy").iterdir()
    assert (unpacked / "workflow" / "metastudy" / "config.py").is_file()


def test_the_catalogue_finds_what_it_looks_for() -> None:
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text("utf-8"))["usage"]
    assert usage["software-stack-deployment"]["report"] is True
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment"}
    assert STANDARD.is_file()
    readme = (ROOT / "README.md").read_text("utf-8").lower()
    assert {"snakemake", "workflow"} <= set(re.findall(r"\w+", readme))


def test_the_page_on_configuration_names_every_section_that_a_user_gives() -> None:
    page = (ROOT / "config" / "README.md").read_text("utf-8")
    settings = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    named = {name.split(".")[0] for name in re.findall(r"`([\w.]+)`", page)}
    given = {"data", "vocabulary", "appraisal", "studies", "modules", "pseudonyms", "store"}
    assert given <= named & settings.keys()
