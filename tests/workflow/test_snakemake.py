"""What Snakemake plans, says and reruns, in copies of the project that are built up to cells."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT, copy_of_the_repository

RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
CELLS = [f"results/cells/{module}.nc" for module in ("threat", "coping", "strain")]
UPDATED, OTHERS = (
    "coping_survey",
    (
        *("coping_cases", "coping_experiment", "finnish_cases", "frontline_interviews"),
        "threat_experiment",
    ),
)
# Rules with the command of another; no study that ships has events.
INHERITED = ("draw_answers", "draw_codings")
LONG_AGO = 946_684_800  # a modification time in the year 2000

pytestmark = pytest.mark.slow


def snakemake(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a copy; what it says is in ``stdout``."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


def build(project: Path, *arguments: str) -> str:
    done = snakemake(project, "--cores", "2", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def plan(project: Path, *arguments: str) -> dict[str, list[str]]:
    """What a dry run would run: the messages of the jobs, by the verb that each begins with."""
    done = snakemake(project, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout
    jobs: dict[str, list[str]] = {}
    for message in re.findall(r"^(?:Job \d+|localrule): (.+)\.$", done.stdout, re.MULTILINE):
        jobs.setdefault(message.split()[0], []).append(message)
    assert bool(jobs) != ("Nothing to be done" in done.stdout), done.stdout
    return jobs


def counts(output: str) -> dict[str, int]:
    """Jobs per rule in the table that Snakemake prints."""
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def rules() -> dict[str, str]:
    """Text of every rule by its name."""
    found = {}
    for path in [ROOT / "workflow" / "Snakefile", *RULES]:
        parts = re.split(r"^rule (\w+):\n", path.read_text("utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            found[name] = re.split(r"^\S", text, flags=re.MULTILINE)[0]
    return found


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    """Bytes and modification time of all files below a folder, without Snakemake's own."""
    return {
        str(path.relative_to(folder)): (
            sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, f"{path} has changed: {old!r} is not in it"
    path.write_text(text.replace(old, new, 1), "utf-8")


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the repository holds, as it is now; nothing is built. Read only."""
    return copy_of_the_repository(tmp_path_factory.mktemp("snakemake") / "clone")


@pytest.fixture(scope="session")
def aggregated(clone: Path) -> Path:
    """A copy that is built as far as the cells. Read only."""
    project = clone.with_name("aggregated")
    shutil.copytree(clone, project)
    build(project, *CELLS)
    return project


@pytest.fixture
def fresh(clone: Path, tmp_path: Path) -> Path:
    """A copy of a test's own in which nothing is built."""
    return shutil.copytree(clone, tmp_path / "project")


@pytest.fixture
def project(aggregated: Path, tmp_path: Path) -> Path:
    """A copy of a test's own that is built as far as the cells."""
    return shutil.copytree(aggregated, tmp_path / "project")


# --- the rules ----------------------------------------------------------------------------------


def test_a_clean_copy_plans_every_rule(clone: Path):
    planned = set()
    for target in ("all", "calibration", "accept", "verify", "changes", "submission", "archive"):
        done = snakemake(clone, "--dry-run", target)
        assert done.returncode == 0, done.stdout
        planned |= set(counts(done.stdout))
    asked_for = {"simulate", "codebook", "check", "withdraw", "start"}
    asked_for |= {"parcel", "request", "verify_parcel", "leave_out_places"}
    assert planned == {*rules(), *INHERITED, "total"} - asked_for


def test_lint_finds_nothing(clone: Path):
    done = snakemake(clone, "--lint")
    assert done.returncode == 0, done.stdout


def test_the_graph_of_the_rules_can_be_drawn(clone: Path):
    done = snakemake(clone, "--rulegraph", "mermaid-js")
    assert done.returncode == 0
    assert "flowchart" in done.stdout
    assert "[harmonize]" in done.stdout


@pytest.mark.parametrize("name", rules())
def test_every_rule_says_what_it_does_and_keeps_a_log(name: str):
    directives = set(re.findall(r"^    (\w+):", rules()[name], re.MULTILINE))
    assert "message" in directives
    if "shell" in directives:
        assert "log" in directives
        assert "{log:q}" in rules()[name]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_part_of_the_workflow_opens_with_what_it_does(path: Path):
    text = re.match(r'"""(.+?)"""', path.read_text("utf-8"), re.DOTALL)
    assert text, f"{path.name} has no docstring"
    if path.stem != "common":
        assert "REQUIRED INPUTS:" in text[1]
        assert "OUTPUTS:" in text[1]


def test_nothing_heavy_is_imported_while_the_snakefile_is_read(fresh: Path):
    write = "Path('{}').write_text('\\n'.join(sys.modules))\n"
    head = "import sys\nfrom pathlib import Path\n"
    for name, include in (("empty", ""), ("ours", 'include: "Snakefile"\n')):
        (fresh / f"{name}.smk").write_text(head + include + write.format(name))
        snakemake(fresh, "--dry-run", "--snakefile", f"{name}.smk")
    ours, empty = (set((fresh / name).read_text().split()) for name in ("ours", "empty"))
    assert "metastudy.config" in ours
    heavy = {
        "arviz",
        "matplotlib",
        "numba",
        "numpy",
        "pandas",
        "pandera",
        "pyarrow",
        "pymc",
        "xarray",
    }
    assert heavy & (ours - empty) == set()


# --- what goes wrong before anything runs -------------------------------------------------------


def refused(project: Path, *arguments: str) -> str:
    """What a refused dry run says: all problems under one head, and nothing of the machinery."""
    done = snakemake(project, "--dry-run", *arguments)
    assert done.returncode != 0, done.stdout
    assert len(re.findall(r"\d+ problems? in the input", done.stdout)) == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert "additionalProperties" not in done.stdout, "the schema is dumped"
    return done.stdout


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (
            "sampelling=1",
            ["'sampelling'", "sampling, refits, ", "Did you mean 'sampling'?"],
        ),
        (
            'sampling={"chain": 2}',
            ["column sampling", "'chain'", "chains, tune, draws", "Did you mean 'chains'?"],
        ),
        (
            'sampling={"chains": "two"}',
            ["column sampling.chains", "'two'", "a value of type integer"],
        ),
        ('sampling={"chains": 1}', ["column sampling.chains", "a number of at least 2"]),
        (
            "studies=coping_surwey",
            [*OTHERS, "'coping_surwey'", "Did you mean 'coping_survey'?"],
        ),
        ("modules=treat", ["'treat'", "threat, coping, strain", "Did you mean 'threat'?"]),
    ],
)
def test_a_typo_in_the_configuration_is_told_with_what_may_stand_there(
    clone: Path, setting: str, says: list[str]
):
    listed = refused(clone, "--config", setting)
    assert [text for text in says if text not in listed] == []


def test_a_missing_data_file_is_told_before_anything_runs(fresh: Path):
    (fresh / "data/raw/coping_survey/coping_survey.csv").unlink()
    listed = refused(fresh)
    assert "[missing-file] data/raw/coping_survey/coping_survey.csv" in listed


def test_a_typo_in_a_codebook_is_told_before_anything_runs(fresh: Path):
    path = fresh / "data/raw/coping_survey/codebook.yaml"
    edit(path, "construct: coping_avoidance", "construct: coping_avoidence")
    listed = refused(fresh)
    assert "data/raw/coping_survey/codebook.yaml" in listed
    assert "Did you mean 'coping_avoidance'?" in listed


# --- parts of it ----------------------------------------------------------------------------------


def test_answers_item_by_item_have_chains_and_gates_of_refits_and_the_rest_those_of_fits(
    clone: Path,
) -> None:
    """As the command line of the jobs has them."""
    config = yaml.safe_load((clone / "config" / "config.yaml").read_text("utf-8"))
    fits = ("threat", "threat-ordinal")
    targets = [f"results/diagnostics/{fit}.json" for fit in fits]
    said = snakemake(clone, "--dry-run", "--printshellcmds", *targets).stdout
    found = {}
    for option in ("sampling", "thresholds"):
        lines = [line for line in said.splitlines() if f"--{option} " in line]
        for line in lines:
            text = re.search(rf"--{option} '(.+?)'", line)
            assert text, line
            name = "threat-ordinal" if "threat-ordinal" in line else "threat"
            found[name, option] = json.loads(text[1])
    longer = {"draws": 2 * config["refits"]["draws"]}
    assert found["threat", "sampling"] == config["sampling"]
    assert found["threat-ordinal", "sampling"] == config["sampling"] | config["refits"] | longer
    assert found["threat", "thresholds"] == config["gates"]
    assert found["threat-ordinal", "thresholds"] == config["gates"] | config["refit_gates"]


@pytest.mark.parametrize(
    ("setting", "study", "fits"),
    [
        (
            "studies=coping_experiment",
            "coping_experiment",
            {"coping", "coping-folded", "coping-ordinal"},
        ),
        ("modules=threat", "threat_experiment", {"threat", "threat-ordinal"}),
    ],
)
def test_a_subset_plans_what_belongs_to_it_and_nothing_else(
    clone: Path, setting: str, study: str, fits: set[str]
):
    jobs = plan(clone, "--config", setting)
    assert jobs["Harmonize"] == [f"Harmonize {study}"]
    assert set(jobs["Aggregate"]) == {f"Aggregate the cells of the {fit} fit" for fit in fits}
    assert set(jobs["Fit"]) == {f"Fit the {fit} model" for fit in fits}
    assert "Render" not in jobs  # the article speaks of all studies


def test_check_makes_a_page_for_each_study_before_any_model(project: Path):
    listed = build(project, "check")
    made = project / "results/data_report"
    studies = {path.parent.name for path in (ROOT / "data/raw").glob("*/codebook.yaml")}
    assert {path.stem for path in made.glob("*.html")} == {"index", *studies}
    assert {path.stem for path in made.glob("*.md")} == {"index", *studies}
    assert not (project / "results/fits").exists()
    assert set(counts(listed)) <= {
        "harmonize",
        "validate",
        "promote",
        "inspect",
        "declare",
        "name_studies",
        "report_data",
        "check",
        "total",
    }
    assert plan(project, "check") == {}


def test_a_codebook_is_drafted_from_a_data_file(project: Path):
    data = project / "data/raw/new_study/answers.csv"
    data.parent.mkdir()
    data.write_text("person,arm,q1\n1,core,4\n2,complementary,2\n3,core,5\n", "utf-8")
    listed = build(project, "codebook", "--config", "study=new_study", f"file={data}")
    drafted = data.with_name("codebook.yaml")
    assert str(drafted.relative_to(project)) in listed
    assert "q1" in drafted.read_text("utf-8")
    again = snakemake(
        project, "--cores", "1", "codebook", "--config", "study=new_study", f"file={data}"
    )
    assert again.returncode != 0, "what somebody may have completed is not overwritten"
    assert "Traceback" not in again.stdout


# --- what reruns ----------------------------------------------------------------------------------


def test_a_touch_of_everything_reruns_nothing(project: Path):
    for path in project.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    assert plan(project, *CELLS) == {}


def test_comments_docstrings_and_blank_lines_rerun_nothing(project: Path):
    for name in (
        "harmonize/harmonize",
        "models/answers/cells",
        "harmonized/scale_scores",
        "common/problems",
    ):
        path = project / f"workflow/metastudy/{name}.py"
        tree = ast.parse(path.read_text("utf-8"))
        doc = ast.get_docstring(tree, clean=False)
        assert doc
        edit(path, doc, f"{doc}\n\nAnd a second paragraph.")
        append(path, "\n\n\n# a comment\n")
    assert plan(project, *CELLS) == {}


@pytest.mark.parametrize(
    ("helper", "expected"),
    [
        ("harmonized/scale_scores.py", {"Validate": 6, "Promote": 6, "Aggregate": 3}),
        ("harmonize/pseudonyms.py", {"Harmonize": 6, "Validate": 6, "Promote": 6, "Aggregate": 3}),
        ("readers/raw.py", {"Harmonize": 6, "Validate": 6, "Promote": 6, "Aggregate": 3}),
    ],
)
def test_an_edited_helper_reruns_the_rules_that_import_it(
    project: Path, helper: str, expected: dict[str, int]
):
    append(project / "workflow/metastudy" / helper, "\n\nA_NEW_CONSTANT = 1\n")
    assert {verb: len(jobs) for verb, jobs in plan(project, *CELLS).items()} == expected


def test_a_changed_setting_reruns_what_uses_it(project: Path):
    key = 'pseudonyms={"key": "another"}'
    assert len(plan(project, *CELLS, "--config", key)["Harmonize"]) == 1 + len(OTHERS)
    assert plan(project, *CELLS, "--config", 'sampling={"draws": 100}') == {}


def another_world(project: Path) -> None:
    """Simulate one study anew; its file looks older than all that was made from the old one."""
    generator = project / "data/generator"
    command = [sys.executable, generator / "generate.py", "--world", generator / "world.yaml"]
    subprocess.run(
        [
            *(*command, "--out", project / "data/raw", "--manifest"),
            *("--studies", UPDATED, "--set", "seed=1"),
        ],
        check=True,
        capture_output=True,
    )
    os.utime(project / f"data/raw/{UPDATED}/{UPDATED}.csv", (LONG_AGO, LONG_AGO))


def test_new_data_with_an_older_date_rerun_their_study_and_no_other(project: Path):
    harmonized, cells = project / "results/harmonized", project / "results/cells"
    before = {study: snapshot(harmonized / study) for study in (UPDATED, *OTHERS)}
    before_cells = snapshot(cells)
    another_world(project)
    assert plan(project, *CELLS) == {
        "Harmonize": [f"Harmonize {UPDATED}"],
        "Validate": [f"Validate the tables of {UPDATED}"],
        "Promote": [f"Promote the tables of {UPDATED}"],
        "Aggregate": ["Aggregate the cells of the coping fit"],
    }
    build(project, *CELLS)
    for study in OTHERS:
        assert snapshot(harmonized / study) == before[study]
    assert snapshot(harmonized / UPDATED) != before[UPDATED]
    changed = {name for name, now in snapshot(cells).items() if now != before_cells[name]}
    assert changed == {"coping.nc"}
    assert plan(project, *CELLS) == {}


# --- what fails, and what is then left ------------------------------------------------------------


def test_bad_data_lose_nothing_that_was_built_and_are_told_every_time(project: Path):
    before = snapshot(project / "results/harmonized") | snapshot(project / "results/cells")
    data = project / f"data/raw/{UPDATED}/{UPDATED}.csv"
    good = data.read_bytes()
    data.write_bytes(good + b"one more line\n")
    os.utime(data, (LONG_AGO, LONG_AGO))
    for _ in range(2):  # Snakemake takes down a failed job as done; it must fail again all the same
        done = snakemake(project, "--cores", "2", *CELLS)
        assert done.returncode != 0, done.stdout
        assert done.stdout.count(f"[provenance] data/raw/{UPDATED}/{UPDATED}.csv") == 1
        assert "Traceback" not in done.stdout
        after = snapshot(project / "results/harmonized") | snapshot(project / "results/cells")
        assert after == before
    data.write_bytes(good)
    build(project, *CELLS)
    assert plan(project, *CELLS) == {}


def test_data_that_no_model_can_take_lose_nothing_that_was_built(project: Path):
    before = snapshot(project / "results/harmonized") | snapshot(project / "results/cells")
    codebook = project / "data/raw/threat_experiment/codebook.yaml"
    edit(codebook, "2: core", "2: complementary")
    edit(codebook, "4: core", "4: complementary")
    done = snakemake(project, "--cores", "2", *CELLS)
    assert done.returncode != 0, done.stdout
    assert "[empty-arm]" in done.stdout
    assert "Traceback" not in done.stdout
    assert snapshot(project / "results/harmonized") | snapshot(project / "results/cells") == before


def test_everything_that_a_job_makes_is_asked_for(clone: Path):
    """Otherwise the output of a failed job would stay away, and a second run would be content."""
    done = snakemake(clone, "--dry-run")
    reason = re.search(r"Everything is up to date\.\nReason: (.+)", done.stdout)
    assert reason, done.stdout
    asked = set(re.findall(r"results/[\w./-]+", reason[1]))
    table = snakemake(clone, "--summary").stdout.splitlines()
    made = {line.split("\t")[0] for line in table if line.startswith("results/")}
    beside = {path for path in made if path.startswith("results/staged/")}  # see the test above
    beside |= {path for path in made if path.startswith("results/data_report/")}  # its pages ask
    together = {"results/manuscript/source", "results/manuscript/render.json"}  # with the article
    together |= {path for path in made if path.endswith((".csv", ".png"))}  # with the .svg
    assert made - beside - together - asked == set()


# At each landing test_what_reruns.py builds a small project again from the store, all of it.
@pytest.mark.fit
@pytest.mark.long(of=("metastudy.common.result_store", "metastudy.commands.fit"))
def test_the_same_cells_take_their_posterior_from_the_store(project: Path):
    tiny = {"chains": 2, "tune": 50, "draws": 50}
    target, log = "results/fits/strain.nc", project / "results/logs/fit/strain.log"
    settings = ["--config", "studies=finnish_cases", f"sampling={json.dumps(tiny)}"]
    build(project, target, *settings)
    posterior = project / target
    first = posterior.read_bytes()
    assert "sampled" in log.read_text()
    assert "taken from the store" not in log.read_text()

    posterior.unlink()
    build(project, target, *settings)
    assert "taken from the store: " in log.read_text()
    assert posterior.read_bytes() == first

    # Other code of the first phase that ends in the same cells costs no fit.
    append(project / "workflow/metastudy/harmonize/pseudonyms.py", "\n\nA_NEW_CONSTANT = 1\n")
    jobs = plan(project, target, *settings)
    assert set(jobs) == {"Harmonize", "Validate", "Promote", "Aggregate", "Fit"}
    log.unlink()
    build(project, target, *settings)
    assert "taken from the store: " in log.read_text()
    assert posterior.read_bytes() == first
