"""What reruns after a change: nothing after a touch, and after a change what depends on it.

Snakemake decides on the rules that ship, in a small project of its own, and a matrix of changes and
rules is printed. What is made is empty here, for no decision depends on it. A job that is planned
takes its outputs from the store where its inputs are the same in the end: that is run in the small
project that is built, and has a sign of its own in the matrix.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from helpers import small_project
from metastudy.article import catalogue

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FIRST, SECOND = small_project.STUDIES
LONG_AGO = 1_000_000_000

# Rules in the order of the work, but for those that a change of any result ends in.
OF_A_STUDY = ["harmonize", "validate", "promote", "inspect"]
CELLS = ["aggregate"]
OF_A_FIT = ["fit", "diagnose", "contrast", "refits", "predictive_checks", "loo_comparison"]
OF_ALL = ["declare", "synthesize", "gate", "selection", "robustness", "design_based", "unlock"]
OF_ALL += ["name_studies"]
SHOWN = ["draw", "draw_answers", "tabulate", "variables", "render"]
RULES = [*OF_A_STUDY, "report_data", *CELLS, *OF_A_FIT, *OF_ALL, *SHOWN, "record_config"]


def planned(project: Path) -> dict[str, list[str]]:
    """What a plain call would do: the messages of its jobs, by rule."""
    done = small_project.snakemake(project, "--dry-run")
    assert done.returncode == 0, done.stdout
    table = re.search(r"^Job stats:\n(.+?)\n\n", done.stdout, re.MULTILINE | re.DOTALL)
    names = re.findall(r"^(\w+) +\d+$", table[1], re.MULTILINE) if table else []
    said = re.findall(r"^Job \d+: (.+)$", done.stdout, re.MULTILINE)
    return {name: said for name in names if name not in ("total", "all")}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which Snakemake takes everything for made. Read only."""
    project = small_project.make(tmp_path_factory.mktemp("reruns") / "project")
    for target in (["results/run_config.yaml"], ["--summary"]):
        said = small_project.snakemake(project, *target)
        assert said.returncode == 0, said.stdout
    for line in said.stdout.splitlines():
        if line.startswith("results/"):
            path = project / line.split("\t")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix:
                path.touch()
            else:
                path.mkdir(exist_ok=True)
    touched = small_project.snakemake(project, "--touch", "--forceall")
    assert touched.returncode == 0, touched.stdout
    assert planned(project) == {}
    return project


@pytest.fixture
def project(done: Path, tmp_path: Path) -> Path:
    return shutil.copytree(done, tmp_path / "project", symlinks=True)


# Signs of the matrix: taken from the store, run but some figures taken, and run.
SIGNS = TAKEN, PART, RAN = "s", "s, x", "x"


@pytest.fixture(scope="module")
def matrix() -> Iterator[dict[str, dict[str, str]]]:
    """A sign for each rule that ran, by change; it is printed at the end (pytest -s)."""
    found: dict[str, dict[str, str]] = {}
    yield found
    wide = max(map(len, found), default=0)
    heads = [f"{rule[:12]:>13}" for rule in RULES]
    print("\n" + "\n".join([" " * wide + "".join(heads), *rows(found, wide)]))


def rows(found: dict[str, dict[str, str]], wide: int) -> list[str]:
    return [
        f"{change:<{wide}}" + "".join(f"{ran.get(rule, '.'):>13}" for rule in RULES)
        for change, ran in found.items()
    ]


def settings(project: Path, section: str, **values: object) -> None:
    path = project / "config" / "config.yaml"
    now = yaml.safe_load(path.read_text("utf-8"))
    now[section] |= values
    small_project.write(path, now)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def code(project: Path, module: str, text: str) -> None:
    path = project / "workflow" / "metastudy" / module
    path.write_text(path.read_text("utf-8") + text, "utf-8")


# --- the changes ----------------------------------------------------------------------------------


def touch(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file() and not {".snakemake", "results"} & set(path.parts):
            path.touch()


def git(project: Path, *words: str) -> None:
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    subprocess.run(["git", *who, *words], cwd=project, check=True, capture_output=True)


def checkout(project: Path) -> None:
    """A branch with other data, code and prose, and back."""
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "One.")
    git(project, "checkout", "--quiet", "-b", "other")
    for change in (value, model_code, prose, prior):
        change(project)
    git(project, "commit", "--quiet", "--all", "--message", "Other.")
    git(project, "checkout", "--quiet", "main")


def comment(project: Path) -> None:
    for module in ("models/answers/model.py", "harmonize/harmonize.py", "display/plots/forest.py"):
        code(project, module, "\n\n# a comment\n")
        replace(project / "workflow" / "metastudy" / module, '"""', '"""More: ')


def value(project: Path) -> None:
    """One answer, in a file that looks older than all that was made."""
    path = project / "data" / "raw" / FIRST / "answers.csv"
    lines = path.read_text("utf-8").splitlines()
    start, _, answer = lines[1].rpartition(",")
    lines[1] = f"{start},{int(answer) % 7 + 1}"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    os.utime(path, (LONG_AGO, LONG_AGO))
    small_project.listed(project, FIRST)


def label(project: Path) -> None:
    replace(project / "data/raw" / FIRST / "codebook.yaml", "Experiment on", "An experiment on")


def prior(project: Path) -> None:
    settings(project, "priors", baseline=1.1)


def seed(project: Path) -> None:
    settings(project, "sampling", seed=1)


def model_code(project: Path) -> None:
    code(project, "models/answers/model.py", "\n\nA_NEW_CONSTANT = 1\n")


def lock(project: Path) -> None:
    path = project / "envs" / "requirements.txt"
    path.write_text(path.read_text("utf-8") + "# another\n", "utf-8")


def prose(project: Path) -> None:
    replace(project / "manuscript" / "manuscript.qmd", "There are", "In all there are")


def style(project: Path) -> None:
    path = project / "workflow/metastudy/manuscript/assets/manuscript.css"
    path.write_text(path.read_text("utf-8") + "/* wider */\n", "utf-8")


def new_study(project: Path) -> None:
    small_project.put(project, "pay_west", "FI", seed=7)


def removed_study(project: Path) -> None:
    shutil.rmtree(project / "data" / "raw" / SECOND)


POOLED = {"report_data", *CELLS, *OF_A_FIT, *OF_ALL, *SHOWN}
FROM_PRIORS = {*OF_A_FIT, "synthesize", "gate", "selection", "robustness", *SHOWN, "record_config"}
CASES: list[tuple[Callable[[Path], None], set[str]]] = [
    (touch, set()),
    (checkout, set()),
    (comment, set()),
    (value, {*OF_A_STUDY, *POOLED}),
    (label, {*OF_A_STUDY, *POOLED}),
    (new_study, {*OF_A_STUDY, *POOLED}),
    (removed_study, POOLED),
    (prior, FROM_PRIORS),
    (seed, FROM_PRIORS - {"selection"}),  # which draws nothing
    # Tables are promoted once the models take them, so `validate` comes before what they feed.
    (model_code, set(RULES) - {"harmonize", "record_config"}),
    (lock, set(RULES) - {"record_config"}),
    (prose, {"render"}),
    (style, {"variables", "render"}),  # both name the renderer
]


@pytest.mark.parametrize(("change", "expected"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_change_reruns_what_depends_on_it_and_nothing_else(
    project: Path,
    matrix: dict[str, dict[str, str]],
    change: Callable[[Path], None],
    expected: set[str],
) -> None:
    change(project)
    plan = planned(project)
    matrix[change.__name__] = dict.fromkeys(plan, RAN)
    assert set(plan) == expected
    said = "\n".join(next(iter(plan.values()), []))
    if change is value:
        assert f"Harmonize {FIRST}." in said
        assert f"Harmonize {SECOND}." not in said
    if change is new_study:
        assert "Harmonize pay_west." in said
        assert f"Harmonize {FIRST}." not in said


def signs(project: Path, since: float) -> dict[str, str]:
    """Of each rule with a log since then, how far its jobs were taken from the store."""
    found: dict[str, str] = {}
    for path in (project / "results" / "logs").rglob("*.log"):
        rule = path.relative_to(project / "results" / "logs").parts[0].removesuffix(".log")
        if path.stat().st_mtime >= since:
            taken = "taken from the store: " in path.read_text("utf-8")
            part = set(figures(path).values()) - {"drawn"}
            sign = TAKEN if taken else PART if part else RAN
            found[rule] = max(sign, found.get(rule, TAKEN), key=SIGNS.index)
    return found


def figures(log: Path) -> dict[str, str]:
    """How each figure of a job came about, by the job's log."""
    how = r"^(\w+): (drawn|as before|of the same table as before)$"
    return dict(re.findall(how, log.read_text("utf-8"), re.MULTILINE))


def test_what_comes_out_the_same_after_an_edit_is_taken_from_the_store(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    matrix: dict[str, dict[str, str]],
) -> None:
    project = tmp_path / "project"
    shutil.copytree(small_project.built(tmp_path_factory), project, symlinks=True)
    before = small_project.digests(project / "results")
    code(project, "harmonize/pseudonyms.py", "\n\nA_NEW_CONSTANT = 1\n")
    since = time.time()
    done = small_project.snakemake(project)
    assert done.returncode == 0, done.stdout[-6000:]
    found = signs(project, since)
    matrix["code, same cells"] = found
    made = {rule for rule, sign in found.items() if sign == RAN}
    # Rows of people and cells are in no store.
    assert made <= {"harmonize", "promote", "aggregate"}
    assert {"harmonize", "aggregate"} <= made
    assert {"validate", "fit", "refits", *SHOWN[:3]} <= found.keys() - made
    assert small_project.digests(project / "results") == before


def test_a_label_a_title_and_a_comment_fit_nothing_and_pool_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    matrix: dict[str, dict[str, str]],
) -> None:
    project = tmp_path / "project"
    shutil.copytree(small_project.built(tmp_path_factory), project, symlinks=True)
    kept = ("cells", "fits", "contrasts", "refits", "synthesis", "declared")
    before = [small_project.digests(project / "results" / name) for name in kept]
    label(project)
    for study in (FIRST, SECOND):  # which agree on the words that they add
        path = project / "data/raw" / study / "codebook.yaml"
        replace(path, "label: Threat to the pay", "label: A threat to the pay")
        path.write_text("# a comment\n" + path.read_text("utf-8"), "utf-8")
    words = project / "config" / "vocabulary.yaml"
    words.write_text("# a comment\n" + words.read_text("utf-8"), "utf-8")
    since = time.time()
    done = small_project.snakemake(project)
    assert done.returncode == 0, done.stdout[-6000:]
    matrix["label, title, comment"] = found = signs(project, since)
    pooled = ("fit", "diagnose", "contrast", "refits", "synthesize", "selection", "unlock")
    assert {found.get(rule) for rule in pooled} <= {TAKEN, None}
    assert "tabulate" in {rule for rule, sign in found.items() if sign == RAN}
    assert [small_project.digests(project / "results" / name) for name in kept] == before
    logs = project / "results" / "logs"
    shown = figures(logs / "draw.log") | figures(logs / "draw_answers" / "threat.log")
    assert shown["module_threat"] == "drawn", "which shows the label"
    assert shown["study_grid"] == "of the same table as before", "which shows no word of these"


def test_a_figure_by_itself_has_the_bytes_that_its_job_gave_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Others that were drawn before it in the same process leave no trace."""
    project = small_project.built(tmp_path_factory)
    files = catalogue.result_files([FIRST, SECOND], ["threat"], ["threat"], "data/appraisal.csv")
    settings = yaml.safe_load((project / "config" / "config.yaml").read_text("utf-8"))
    parts = ("report", "priors", "privacy", "primary")
    shared = ["--vocabulary", "config/vocabulary.yaml", "--out", str(tmp_path)]
    shared += ["--settings", json.dumps({name: settings[name] for name in parts})]
    models = {"threat": "answers"}
    for name in ("unlock", "predictive_threat"):  # the last of their jobs
        item = catalogue.figures(models)[name]
        given = catalogue.files_of(item, files).items()
        subprocess.run(
            [sys.executable, "-m", "metastudy.commands.draw", "--figures", name]
            + ["--models", json.dumps(models), *shared]
            + [word for kind, paths in given for word in (f"--{kind}", *paths)],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project / "workflow"), "PYTHONHASHSEED": "0"},
            check=True,
        )
        for suffix in ("csv", "svg", "png"):
            made = tmp_path / f"{name}.{suffix}"
            assert made.read_bytes() == (project / "results/figures" / made.name).read_bytes()


def test_a_clone_with_results_and_their_records_runs_nothing(done: Path, tmp_path: Path) -> None:
    clone = small_project.make(tmp_path / "elsewhere")
    shutil.copytree(done / "results", clone / "results", dirs_exist_ok=True)
    alone = small_project.snakemake(clone, "--dry-run")
    assert alone.returncode != 0, "a change would pass unseen"
    assert "was copied without the record of what it was made from" in alone.stdout
    assert "Traceback" not in alone.stdout
    shutil.copytree(done / ".snakemake" / "metadata", clone / ".snakemake" / "metadata")
    touch(clone)  # as files of a clone are newer than results
    assert planned(clone) == {}
    prior(clone)
    for path in (clone / "results").rglob("*"):
        path.touch()  # results are newest
    assert "fit" in planned(clone)


def test_a_brace_in_the_path_of_the_rules_is_refused_in_one_sentence(tmp_path: Path) -> None:
    project = small_project.make(tmp_path / "a{y}b")
    said = small_project.snakemake(project, "--dry-run")
    assert said.returncode != 0
    assert "has a brace in its path" in said.stdout
    assert "Traceback" not in said.stdout


def test_what_a_removed_study_left_is_named_until_it_is_withdrawn(project: Path) -> None:
    (project / "results" / "staged" / SECOND).mkdir(parents=True, exist_ok=True)
    removed_study(project)
    (project / "results" / "fits" / "renamed.nc").touch()
    said = small_project.snakemake(project, "--dry-run").stdout
    assert f"results/harmonized/{SECOND}" in said
    assert "nothing makes these results any more; remove them: results/fits/renamed.nc" in said
