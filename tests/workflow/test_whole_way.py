"""The whole way once: a clean copy of the project, one command, from the raw files to the article.

Everything else about the workflow is tested on parts of it; this is the way that a reviewer goes.
It is gone at each landing, in `make test-ci`, with the shipped settings but for short chains.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
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

from helpers.browser import chromium, open_browser
from helpers.repository import ROOT, copy_of_the_repository
from helpers.sentences import contradictions

ANALYSES = ("threat-ordinal", "coping-folded", "coping-ordinal", "strain-interviews")
FITS = {"threat", "coping", "strain", "synthesis", *ANALYSES}
AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci, pytest.mark.timeout(4200)]


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


# What is held here needs no good draws; test_gates.py has the shipped chains and gates.
SHORT = {"chains": 2, "tune": 60, "draws": 60, "retries": 0}
LOOSE = {"rhat": 9, "ess_bulk": 1, "ess_tail": 1, "divergences": 9999, "ebfmi": 0.01}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the repository holds, after ``snakemake --cores 2``."""
    project = copy_of_the_repository(tmp_path_factory.mktemp("whole") / "project")
    config = project / "config" / "config.yaml"
    said = yaml.safe_load(config.read_text("utf-8"))
    for chains, gates in (("sampling", "gates"), ("refits", "refit_gates")):
        said[chains] |= SHORT
        said[gates] = {name: LOOSE[name] for name in said[gates]}
    config.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    done = in_project(project, "snakemake", "--cores", "2")
    assert done.returncode == 0, done.stdout[-6000:]
    return project


def test_one_command_makes_the_article(built: Path) -> None:
    record = json.loads((built / "results/manuscript/render.json").read_text())
    for document in ("manuscript", "supplement"):
        assert {p.suffix for p in (built / "results/manuscript").glob(f"{document}.*")} == {
            ".html",
            ".pdf",
            ".docx",
        }
    assert record["asked"] == "auto"
    gates = json.loads((built / "results/diagnostics/gates.json").read_text())
    assert {fit["fit"] for fit in gates} == FITS


def test_a_second_run_and_a_touch_of_everything_run_nothing(built: Path) -> None:
    again = in_project(built, "snakemake", "--cores", "2")
    assert "Nothing to be done" in again.stdout, again.stdout[-3000:]
    for path in built.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    touched = in_project(built, "snakemake", "--cores", "2", "-n")
    assert "Nothing to be done" in touched.stdout, touched.stdout[-3000:]


def test_the_report_of_snakemake_is_clicked_to_a_figure_and_its_caption(built: Path) -> None:
    """By hand it would be: Figures, the eye of a figure, its description; then a table's."""
    done = in_project(built, "snakemake", "--report", "report.zip")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (built / "report.zip").stat().st_size < 10e6
    with zipfile.ZipFile(built / "report.zip") as archive:
        archive.extractall(built / "opened")
    if not chromium():
        pytest.skip("no Chromium")
    named = "[...document.querySelectorAll('a')].find(a => a.innerText.trim() === '{}').click()"
    row = "[...document.querySelectorAll('tr')].find(r => r.innerText.trim() === '{}')"
    drawn = "[...document.images].some(i => i.src.includes('{}') && i.naturalWidth > 100)"
    with open_browser(built / "browser_of_report") as page:
        page.show(built / "opened" / "report" / "report.html", 1280)

        def until(said: str) -> None:
            """The page draws itself a little after the click."""
            waits = f"new Promise(r => {{ const t = () => {said} ? r(true) : setTimeout(t, 50);"
            page.run(f"{waits} t(); setTimeout(() => r(false), 10000); }})")
            assert page.run(said), said

        def of_row(name: str, icon: str) -> None:
            until(f"!!{row.format(name)}")
            page.run(f"{row.format(name)}.querySelector('[iconname={icon}]').click()")

        page.run(named.format("Figures"))
        of_row("arms_threat", "eye")
        until(drawn.format("arms_threat.svg"))
        of_row("arms_threat", "information-circle")
        until("/core tasks raises|are undecided|95% interval [0-9−]/.test(document.body.innerText)")
        until("document.body.innerText.includes('Simulated data.')")
        page.show(built / "opened" / "report" / "report.html", 1280)
        page.run(named.format("Tables"))
        of_row("effects_threat", "information-circle")
        until("document.body.innerText.includes('within a setting with 95% credible intervals')")
        assert page.complaints() == []


def test_the_pages_keep_no_reader_out(built: Path) -> None:
    """By axe-core, wide and narrow, by day and by night."""
    if not (AXE.is_file() and chromium()):
        pytest.skip("no Chromium, or no axe-core: npm ci --prefix tests/browser")
    files = sorted((built / "results" / "manuscript").glob("*.html"))
    assert [file.stem for file in files] == ["ledger", "manuscript", "supplement"]
    asked = "axe.run().then(found => found.violations.map(one => one.id))"
    with open_browser(built / "browser") as page:
        for file, width, dark in itertools.product(files, (1280, 390), (False, True)):
            page.show(file, width, dark)
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), file.name
            page.run(AXE.read_text("utf-8") + ";0")
            assert page.run(asked) == [], (file.name, width, dark)


def test_every_figure_and_table_of_simulated_data_is_marked(built: Path) -> None:
    documents = ("manuscript", "supplement")
    pages = [(built / f"results/manuscript/{d}.html").read_text("utf-8") for d in documents]
    article = "".join(pages)
    pattern = r'<figure class="table.*?<figcaption[^>]*>(.*?)</figcaption>'
    tables = re.findall(pattern, article, re.S)
    assert len(tables) >= 4
    marked = [c for c in tables if re.search("Simulated (and observed )?data", c)]
    real = [c for c in tables if c not in marked]
    assert len(marked) >= 10
    assert len(real) == 6, "expectations, findings, outcomes, certainty, bounds and appraisal"
    of_article = re.findall(r'<figure class="table.*?</figure>', pages[0], re.S)
    assert len(of_article) <= 5
    assert all(table.count("<tr") <= 21 for table in of_article)  # with its head
    assert all("ublished" in caption for caption in real)
    drawn = list((built / "results/figures").glob("*.csv"))
    assert len(drawn) >= 6
    for path in drawn:
        text = path.read_text("utf-8")
        # What no codebook declares and nobody published has a figure without rows.
        may = ("caterpillar", "left_out", "moderated", "moderators", "selection")
        empty = path.stem.startswith(may) and text.count("\n") == 1
        assert empty or text.count("imulated") > 0, path.name


def test_every_variable_of_the_article_is_made_by_the_workflow(built: Path) -> None:
    tree = yaml.safe_load((built / "results/variables/_variables.yml").read_text("utf-8"))
    text = "".join(path.read_text("utf-8") for path in (built / "manuscript").glob("*.qmd"))
    used = re.findall(r"\{\{< var (\S+) >\}\}", text)
    assert len(used) > 60
    for key in used:
        value = tree
        for part in key.split("."):
            value = value[part]
        assert isinstance(value, str)


def test_the_article_has_at_most_fourteen_pages_before_its_references(built: Path) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("needs pdftotext")
    command = ["pdftotext", "-layout", str(built / "results/manuscript/manuscript.pdf"), "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pages = printed.split("\f")
    references = [n for n, page in enumerate(pages, 1) if re.search(r"^\s*References$", page, re.M)]
    assert len(references) == 1
    assert references[0] <= 14


def running_text(page: str) -> str:
    """What is read of a web page: no figures, tables, formulas and references."""
    body = page.partition("<main")[2].partition('id="references"')[0]
    for inside in ("figure", "script", "style", "math", "svg"):
        body = re.sub(rf"<{inside}\b.*?</{inside}>", " ", body, flags=re.S)
    return re.sub(r"<[^>]+>", " ", body)


def test_the_article_is_as_long_as_a_reader_bears(built: Path) -> None:
    pages = {p.stem: p.read_text("utf-8") for p in (built / "results/manuscript").glob("*.html")}
    assert 4000 <= len(running_text(pages["manuscript"]).split()) <= 5500
    for name, page in pages.items():
        assert len(page.encode()) < 2_500_000, name


def test_four_figures_of_the_article_are_low_and_none_is_half_a_page(built: Path) -> None:
    text = (built / "manuscript" / "manuscript.qmd").read_text("utf-8")
    heights = []
    for name in re.findall(r"\(figures/(\w+)\)", text):
        head = (built / f"results/figures/{name}.svg").read_text("utf-8")[:2000]
        width, height = (
            float(re.search(rf'\s{side}="([\d.]+)pt"', head)[1])  # type: ignore[index]
            for side in ("width", "height")
        )
        heights.append(16.2 * height / width)  # cm, at the width of the text
    assert len(heights) == 8
    assert max(heights) <= 29.7 / 2
    assert sum(height <= 29.7 / 3 for height in heights) >= 4


def turned(
    table: pd.DataFrame, draws: xr.DataArray, world: str
) -> tuple[pd.DataFrame, xr.DataArray]:
    """The same results in a world in which effects are absent, or have the other sign."""
    table, effect = table.copy(), table["estimand"].isin(["effect", "difference"]).to_numpy()
    if world == "reversed":
        flipped = -table.loc[effect, ["mean", "upper", "lower"]].to_numpy()
        table.loc[effect, ["mean", "lower", "upper"]] = flipped
        table.loc[effect, ["above", "below"]] = table.loc[effect, ["below", "above"]].to_numpy()
        table.loc[effect, "positive"] = 1 - table.loc[effect, "positive"]
        return table, draws * xr.DataArray(np.where(effect, -1.0, 1.0), dims="contrast")
    shift = table["mean"].where(effect, 0.0)
    for column in ("mean", "lower", "upper"):
        table[column] = table[column] - shift
    table.loc[effect, ["pd", "positive"]] = 0.5
    measured = effect & table["rope"].notna().to_numpy()
    table.loc[measured, ["above", "below", "rope"]] = 0.1, 0.1, 0.8
    return table, draws - xr.DataArray(shift.to_numpy(), dims="contrast")


def what_is_described(project: Path, contrasts: Path) -> list[str]:
    """The options of the job that wrote the variables, with the contrasts of another folder."""
    target = "results/variables/_variables.yml"
    planned = in_project(project, "snakemake", "-n", "-p", "--forcerun", "variables", "--", target)
    command = next(c for c in planned.stdout.splitlines() if "-m metastudy.commands.variables" in c)
    words = shlex.split(command.partition("metastudy.commands.variables")[2])
    given = words[: words.index("--engine")]
    return [word.replace("results/contrasts", str(contrasts)) for word in given]


@pytest.mark.parametrize("world", ["null", "reversed"])
def test_no_sentence_of_the_article_contradicts_its_numbers_in_another_world(
    built: Path, tmp_path: Path, world: str
) -> None:
    (tmp_path / "tables").mkdir()
    contrasts = shutil.copytree(built / "results/contrasts", tmp_path / "contrasts")
    for path in contrasts.glob("*.nc"):
        table = pd.read_parquet(path.with_suffix(".parquet"))
        with xr.open_datatree(path) as tree:
            other, draws = turned(table, tree["contrasts"]["value"].load(), world)
        other.to_parquet(path.with_suffix(".parquet"))
        xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}).to_netcdf(path)
    results = built / "results"
    evidence = what_is_described(built, contrasts)
    variables = str(tmp_path / "_variables.yml")
    for command in (
        ["metastudy.commands.variables", *evidence, "--out", variables],
        [
            *("metastudy.commands.tabulate", *evidence, "--build", str(results)),
            *("--out", str(tmp_path / "tables")),
        ],
        [
            *("metastudy.commands.render", "--manuscript", "manuscript", "--formats", "html"),
            *("--figures", str(results / "figures"), "--tables", str(tmp_path / "tables")),
            *("--variables", variables, "--engine", "pandoc", "--asked", "pandoc"),
            *("--out", str(tmp_path / "article")),
        ],
    ):
        done = in_project(built, sys.executable, "-m", *command)
        assert done.returncode == 0, done.stdout[-3000:]
    documents = ("manuscript", "supplement")
    html = "".join((tmp_path / f"article/{d}.html").read_text("utf-8") for d in documents)
    body = re.sub(r"<(style|figure|table|math|head)\b.*?</\1>", " ", html, flags=re.S)
    ends = re.sub(r"</(p|li|h[1-6])>", " ¶ ", body)  # a heading has no full stop
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", ends))
    sentences = re.split(r"(?<=[.;:]) (?=[A-Z])| ¶ ", text)
    assert len(sentences) > 100
    assert [c for sentence in sentences for c in contradictions(sentence)] == []
    core = yaml.safe_load(Path(variables).read_text("utf-8"))["threat"]["task_type_randomised"]
    expected = {"null": "undecided", "reversed": "lower"}[world]
    assert core["threat_quality"]["verdict"] == expected
    assert core["summary"] in text.replace("\u00a0", " ").replace("\u2019", "'")
