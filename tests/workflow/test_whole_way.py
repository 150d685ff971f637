"""The whole way once: a clean copy of the project, the shipped settings, one command.

Everything else about the workflow is tested on parts of it; this is the way that a reviewer goes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from project import copy_of_the_repository
from test_verdicts import contradictions

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.timeout(4200)]


def in_project(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in the project; its output is one text."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(project / "workflow")}
    return subprocess.run(
        command,
        cwd=project,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the repository holds, after ``snakemake --cores 2``."""
    project = copy_of_the_repository(tmp_path_factory.mktemp("whole") / "project")
    done = in_project(project, "snakemake", "--cores", "2")
    assert done.returncode == 0, done.stdout[-6000:]
    return project


def test_one_command_makes_the_article_and_every_gate_is_passed(built: Path) -> None:
    record = json.loads((built / "results/manuscript/render.json").read_text())
    assert {p.suffix for p in (built / "results/manuscript").glob("manuscript.*")} == {
        ".html",
        ".pdf",
        ".docx",
    }
    assert record["asked"] == "auto"
    gates = json.loads((built / "results/diagnostics/gates.json").read_text())
    assert len(gates) == 4
    assert all(gate["passed"] for fit in gates for gate in fit["gates"])


def test_a_second_run_and_a_touch_of_everything_run_nothing(built: Path) -> None:
    again = in_project(built, "snakemake", "--cores", "2")
    assert "Nothing to be done" in again.stdout, again.stdout[-3000:]
    for path in built.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    touched = in_project(built, "snakemake", "--cores", "2", "-n")
    assert "Nothing to be done" in touched.stdout, touched.stdout[-3000:]


def test_the_report_holds_figures_tables_and_captions(built: Path) -> None:
    done = in_project(built, "snakemake", "--report", "report.zip")
    assert done.returncode == 0, done.stdout[-3000:]
    with zipfile.ZipFile(built / "report.zip") as archive:
        text = "".join(
            archive.read(name).decode("utf-8", "ignore")
            for name in archive.namelist()
            if name.endswith((".html", ".js"))
        )
    for expected in ("module_threat", "synthesis", "Intervals are equal-tailed"):
        assert expected in text


def test_every_figure_and_table_of_simulated_data_is_marked(built: Path) -> None:
    article = (built / "results/manuscript/manuscript.html").read_text("utf-8")
    pattern = r'<figure class="table.*?<figcaption[^>]*>(.*?)</figcaption>'
    tables = re.findall(pattern, article, re.S)
    assert len(tables) >= 4
    marked = [c for c in tables if re.search("Simulated (and observed )?data", c)]
    real = [c for c in tables if c not in marked]
    assert len(marked) >= 10
    assert len(real) == 3, "findings, bounds and appraisal"
    assert all("ublished" in caption for caption in real)
    drawn = list((built / "results/figures").glob("*.csv"))
    assert len(drawn) >= 6
    for path in drawn:
        assert path.read_text("utf-8").count("imulated") > 0, path.name


def test_every_variable_of_the_article_is_made_by_the_workflow(built: Path) -> None:
    tree = yaml.safe_load((built / "results/variables/_variables.yml").read_text("utf-8"))
    used = re.findall(r"\{\{< var (\S+) >\}\}", (built / "manuscript/manuscript.qmd").read_text())
    assert len(used) > 60
    for key in used:
        value = tree
        for part in key.split("."):
            value = value[part]
        assert isinstance(value, str)


def turned(
    table: pd.DataFrame, draws: xr.DataArray, world: str
) -> tuple[pd.DataFrame, xr.DataArray]:
    """The same results in a world in which effects are absent, or have the other sign."""
    table, effect = table.copy(), (table["estimand"] == "effect").to_numpy()
    if world == "reversed":
        flipped = -table.loc[effect, ["mean", "upper", "lower"]].to_numpy()
        table.loc[effect, ["mean", "lower", "upper"]] = flipped
        return table, draws * xr.DataArray(np.where(effect, -1.0, 1.0), dims="contrast")
    shift = table["mean"].where(table["estimand"] == "effect", 0.0)
    for column in ("mean", "lower", "upper"):
        table[column] = table[column] - shift
    table.loc[effect, "pd"] = 0.5
    return table, draws - xr.DataArray(shift.to_numpy(), dims="contrast")


@pytest.mark.parametrize("world", ["null", "reversed"])
def test_no_sentence_of_the_article_contradicts_its_numbers_in_another_world(
    built: Path, tmp_path: Path, world: str
) -> None:
    modules = ("threat", "coping", "strain")
    (tmp_path / "tables").mkdir()
    for module in modules:
        table = pd.read_parquet(built / f"results/contrasts/{module}.parquet")
        tree = xr.load_datatree(built / f"results/contrasts/{module}.nc")
        other, draws = turned(table, tree["contrasts"]["value"], world)
        other.to_parquet(tmp_path / f"{module}.parquet")
        xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}).to_netcdf(
            tmp_path / f"{module}.nc"
        )
    results = built / "results"
    evidence = [
        *("--vocabulary", "config/vocabulary.yaml"),
        *("--settings", json.dumps(yaml.safe_load((built / "config/config.yaml").read_text()))),
        *("--studies", *map(str, sorted((results / "harmonized").iterdir()))),
        *("--cells", *(str(results / f"cells/{m}.nc") for m in modules)),
        *("--contrasts", *(str(tmp_path / f"{m}.parquet") for m in modules)),
        *("--draws", *(str(tmp_path / f"{m}.nc") for m in modules)),
        *(
            "--heterogeneity",
            *(str(results / f"contrasts/{m}-heterogeneity.parquet") for m in modules),
        ),
        *("--checks", *map(str, sorted((results / "diagnostics").glob("[!g]*.json")))),
        *("--synthesis", *map(str, sorted((results / "synthesis").glob("*.parquet")))),
        *("--appraisal", "data/appraisal.csv"),
        *("--design_based", str(results / "sensitivity/design_based.parquet")),
    ]
    variables = str(tmp_path / "_variables.yml")
    for command in (
        ["metastudy.describe", *evidence, "--out", variables],
        ["metastudy.tabulate", *evidence, "--out", str(tmp_path / "tables")],
        [
            *("metastudy.render", "--manuscript", "manuscript", "--formats", "html"),
            *("--figures", str(results / "figures"), "--tables", str(tmp_path / "tables")),
            *("--variables", variables, "--engine", "pandoc", "--asked", "pandoc"),
            *("--out", str(tmp_path / "article")),
        ],
    ):
        done = in_project(built, sys.executable, "-m", *command)
        assert done.returncode == 0, done.stdout[-3000:]
    html = (tmp_path / "article/manuscript.html").read_text("utf-8")
    body = re.sub(r"<(style|figure|table|math|head)\b.*?</\1>", " ", html, flags=re.S)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))
    sentences = re.split(r"(?<=[.;:]) (?=[A-Z])", text)
    assert len(sentences) > 100
    assert [c for sentence in sentences for c in contradictions(sentence)] == []
    core = yaml.safe_load(Path(variables).read_text("utf-8"))["threat"]["task_type_randomised"]
    expected = {"null": "imprecise", "reversed": "lower"}[world]
    assert core["threat_quality"]["verdict"] == expected
    assert core["summary"] in text.replace("\u00a0", " ")


def test_a_subset_ends_with_its_own_figures_and_tables(built: Path, tmp_path: Path) -> None:
    project = tmp_path / "subset"
    shutil.copytree(built, project, symlinks=True)
    done = in_project(
        project, "snakemake", "--cores", "2", "--config", "studies=frontline_interviews"
    )
    assert done.returncode == 0, done.stdout[-4000:]
    table = pd.read_csv(project / "results/tables/studies.csv")
    assert set(table["study"]) == {"frontline_interviews"}
