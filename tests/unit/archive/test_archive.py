"""An archive: whole, without what may not leave, described job by job, the same bytes again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from helpers.finished_project import (
    FITS,
    KEY,
    SECRET,
    STUDIES,
    answers,
    finished_project,
    inputs_of,
    record,
    verdict,
)
from metastudy.archive.contents import gathered
from metastudy.archive.copies import copied
from metastudy.archive.make import made
from metastudy.common.keyed_checksum import keyed
from metastudy.common.problems import BadInput, MetastudyError

Graph = dict[str, dict[str, Any]]


def archived(project: Path, out: Path, **others: Any) -> Path:
    made(inputs_of(project, **others), out / "ro-crate", out / "ro-crate.zip")
    return out / "ro-crate"


def graph_of(crate: Path) -> Graph:
    said = json.loads((crate / "ro-crate-metadata.json").read_text("utf-8"))
    return {entity["@id"]: entity for entity in said["@graph"]}


def ids(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def git(project: Path, *words: str) -> str:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(project), *name, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = finished_project(tmp_path_factory.mktemp("archive"))
    verdict(made, "0" * 40)
    return made


@pytest.fixture(scope="module")
def crate(project: Path) -> Path:
    return archived(project, project.parent / "out")


@pytest.fixture(scope="module")
def graph(crate: Path) -> Graph:
    return graph_of(crate)


def test_nothing_of_an_observed_study_is_in_any_byte(crate: Path, project: Path) -> None:
    """Neither its answers nor what would let somebody try guesses of one."""
    bare = [hashlib.sha256(answers("kept")).hexdigest(),
            hashlib.sha256(answers("kept").replace(b"\r\n", b"\n")).hexdigest()]  # fmt: skip
    planted = [SECRET, *bare, str(project.parent), KEY.decode()]
    assert any(SECRET.encode() in p.read_bytes() for p in project.rglob("*") if p.is_file())
    with zipfile.ZipFile(crate.with_suffix(".zip")) as packed:
        inside = {name: packed.read(name) for name in packed.namelist()}
    files = {p.relative_to(crate).as_posix(): p.read_bytes() for p in crate.rglob("*.*")}
    assert set(files) <= set(inside)
    for name, content in (inside | files).items():
        assert [text for text in planted if text.encode() in content] == [], name
        assert not name.startswith(("data/raw/kept", "results/harmonized/kept", "results/staged"))


def test_what_may_go_is_there_as_it_is(crate: Path, project: Path) -> None:
    for study in ("stand_in", "given"):
        assert (crate / f"data/raw/{study}/answers.csv").read_bytes() == answers(study)
        assert (crate / f"results/harmonized/{study}/report.json").is_file()
    assert (crate / "results/cells/open.nc").is_file()
    assert not (crate / "results/cells/mixed.nc").exists()  # one study of it is kept
    assert not (crate / "results/logs").exists()
    for name in ("envs/requirements.txt", "config/vocabulary.yaml", "results/tables/numbers.csv"):
        assert (crate / name).read_bytes() == (project / name).read_bytes()


def test_a_file_that_stays_has_name_size_and_keyed_checksum(
    crate: Path, project: Path, graph: Graph
) -> None:
    place = "data/raw/kept/answers.csv"
    entity = graph[f"#withheld/{place}"]
    checksum = graph[entity["identifier"]["@id"]]
    assert entity["name"] == place
    assert entity["contentSize"] == str(len(answers("kept")))
    assert checksum["propertyID"] == "HMAC-SHA-256"
    assert checksum["value"] == keyed(project / place, KEY)
    assert f"| `{place}` | kept |" in (crate / "ARCHIVE.md").read_text("utf-8")
    assert f"#withheld/{place}" in ids(graph["./"]["mentions"])
    stays = {name for name in graph if name.startswith("#withheld/results/cells/")}
    assert stays == {"#withheld/results/cells/mixed.nc"}
    sources = json.loads((crate / "results/variables/sources.json").read_text("utf-8"))
    assert sources["kept"] == checksum["value"]
    assert sources["given"] == hashlib.sha256(answers("given")).hexdigest()


def test_each_result_has_the_command_that_made_it_from_which_inputs(graph: Graph) -> None:
    jobs = [e for name, e in graph.items() if name.startswith("#job/")]
    assert len(jobs) == len(STUDIES) + 2 * len(FITS) + 1
    by_result = {result: job for job in jobs for result in ids(job["result"])}
    fit = by_result["results/fits/mixed.nc"]
    assert ids(fit["object"]) == ["#withheld/results/cells/mixed.nc"]
    assert fit["description"] == "python -m metastudy.commands.fit results/fits/mixed.nc"
    assert graph[fit["instrument"]["@id"]]["name"] == "fit"
    of_kept = by_result["#withheld/results/harmonized/kept/"]
    assert ids(of_kept["object"]) == [
        "#withheld/data/raw/kept/answers.csv",
        "config/vocabulary.yaml",
    ]
    assert of_kept["description"].startswith("PYTHONPATH=workflow python -m metastudy.commands.")
    given = by_result["results/harmonized/given/"]
    assert (given["startTime"], given["endTime"]) == (
        "2026-09-21T14:13:40+00:00",
        "2026-09-21T14:13:42+00:00",
    )
    assert "results/harmonized/given/report.json" in ids(
        graph["results/harmonized/given/"]["hasPart"]
    )


def test_the_crate_has_what_the_profile_asks_for(graph: Graph, crate: Path) -> None:
    """The required entities of Provenance Run Crate 0.5; every reference leads somewhere."""
    root, workflow = graph["./"], graph["workflow/Snakefile"]
    assert {"https://w3id.org/ro/wfrun/provenance/0.5", "https://w3id.org/ro/wfrun/workflow/0.5",
            "https://w3id.org/ro/wfrun/process/0.5"} <= set(ids(root["conformsTo"]))  # fmt: skip
    assert {"name", "description", "datePublished", "license", "mainEntity"} <= set(root)
    assert ids(root["mainEntity"]) == ["workflow/Snakefile"]
    assert set(workflow["@type"]) == {
        *("File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo")
    }
    kinds: dict[str, list[dict[str, Any]]] = {}
    for entity in graph.values():
        for kind in [entity["@type"]] if isinstance(entity["@type"], str) else entity["@type"]:
            kinds.setdefault(kind, []).append(entity)
    tools = {e["@id"] for e in kinds["SoftwareApplication"]} & set(ids(workflow["hasPart"]))
    steps = {e["@id"] for e in kinds["HowToStep"]}
    assert steps == set(ids(workflow["step"]))
    assert {e["workExample"]["@id"] for e in kinds["HowToStep"]} == tools
    runs = {e["@id"] for e in kinds["CreateAction"]} - {"#build"}
    assert {e["object"]["@id"] for e in kinds["ControlAction"]} == runs
    assert {e["instrument"]["@id"] for e in kinds["ControlAction"]} == steps
    (organized,) = kinds["OrganizeAction"]
    assert set(ids(organized["object"])) == {e["@id"] for e in kinds["ControlAction"]}
    assert (organized["result"]["@id"], organized["instrument"]["@id"]) == ("#build", "#snakemake")
    assert graph["#build"]["instrument"]["@id"] == "workflow/Snakefile"

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [value["@id"]] if set(value) == {"@id"} else []
        return [r for one in value for r in references(one)] if isinstance(value, list) else []

    for entity in graph.values():
        for value in entity.values():
            lost = [r for r in references(value) if r not in graph and not r.startswith("http")]
            assert lost == []
    for file in kinds["File"]:
        content = (crate / file["@id"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    there = {p.relative_to(crate).as_posix() for p in crate.rglob("*") if p.is_file()}
    assert there == {e["@id"] for e in kinds["File"]} | {"ro-crate-metadata.json"}


def test_the_same_build_gives_the_same_bytes(project: Path, crate: Path, tmp_path: Path) -> None:
    again = archived(project, tmp_path / "again")
    first, second = (c.with_suffix(".zip").read_bytes() for c in (crate, again))
    assert first == second
    with zipfile.ZipFile(again.with_suffix(".zip")) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(2026, 9, 21, 14, 14, 12)}
        modes = {e.filename: e.external_attr >> 16 for e in packed.infolist()}
    assert modes["envs/set-up.sh"] & 0o111
    assert not modes["envs/requirements.txt"] & 0o111


def test_the_last_verdict_is_in_it_with_its_date_and_commit(graph: Graph, crate: Path) -> None:
    said = graph["#verdict"]["description"]
    assert said in graph["./"]["description"]
    assert said in (crate / "ARCHIVE.md").read_text("utf-8")
    assert f"of 2026-09-21, of commit {'0' * 40}: reproduced. All agree." in said
    assert "not the commit of this archive" in said
    assert ids(graph["#verdict"]["result"]) == ["results/verdict/verdict.json"]


def test_without_a_verdict_it_says_so_and_with_one_that_is_broken_it_stops(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    graph = graph_of(archived(project, tmp_path / "none"))
    assert "#verdict" not in graph
    assert "There is no verdict" in graph["./"]["description"]
    verdict(project, "")
    (project / "results/verdict/verdict.json").write_text('{"verdict": "repro', "utf-8")
    with pytest.raises(MetastudyError, match="no verdict of `snakemake verify`"):
        archived(project, tmp_path / "broken")


def test_the_commit_is_said_and_whether_the_tree_is_as_in_it(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    git(project, "init", "-q")
    (project / ".gitignore").write_text("results/\n.snakemake/\nconfig/mine.yaml\n", "utf-8")
    git(project, "add", "workflow", "envs", "config", "CITATION.cff", ".gitignore")
    git(project, "commit", "-q", "-m", "all")
    commit = git(project, "rev-parse", "HEAD")
    verdict(project, commit)
    said = graph_of(archived(project, tmp_path / "clean"))["./"]["description"]
    assert f"that of commit {commit}, without a change" in said
    assert "not the commit of this archive" not in said
    (project / "workflow/Snakefile").write_text("rule all:\n# changed\n", "utf-8")
    (project / "workflow/new.smk").write_text("rule new:\n", "utf-8")
    (project / "config/mine.yaml").write_text("secret: 1\n", "utf-8")  # which Git ignores
    crate = archived(project, tmp_path / "dirty")
    said = graph_of(crate)["./"]["description"]
    assert f"commit {commit} with 2 changed or new files" in said
    assert "workflow/Snakefile, workflow/new.smk" in said
    assert "# changed" in (crate / "workflow/Snakefile").read_text("utf-8")
    assert (crate / "workflow/new.smk").is_file()
    assert not (crate / "config/mine.yaml").exists()


def test_a_project_apart_from_the_workflow_has_the_code_beside_it(tmp_path: Path) -> None:
    project, repository = finished_project(tmp_path), tmp_path / "repository"
    for name in ("workflow", "envs"):
        shutil.move(project / name, repository / name)
    made = inputs_of(project, repository=repository)
    crate = archived(project, tmp_path / "out", repository=made.repository)
    assert (crate / "code/workflow/Snakefile").is_file()
    assert (crate / "config/vocabulary.yaml").is_file()
    assert ids(graph_of(crate)["./"]["mainEntity"]) == ["code/workflow/Snakefile"]


def test_data_and_files_outside_of_the_project_land_inside_of_the_crate(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    shutil.move(project / "data/raw", tmp_path / "raw")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.yaml").write_text(f"{folder}\n", "utf-8")
    raw = "../raw/stand_in/answers.csv"
    words = f"PYTHONPATH={project}/workflow python -m metastudy.commands.harmonize {raw}"
    tables, used = "results/harmonized/stand_in", [raw, "../one/words.yaml"]
    record(project, tables, "harmonize", used, words, 1_790_000_000.0)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    crate = archived(
        project, tmp_path / "made" / "deep", data=Path("../raw"),
        files=(Path("../one/words.yaml"), tmp_path / "two/words.yaml"),
    )  # fmt: skip
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.is_relative_to(tmp_path / "made/deep") for path in after - before)
    assert (crate / "data/raw/stand_in/answers.csv").read_bytes() == answers("stand_in")
    assert not (crate / "data/raw/kept").exists()
    assert (crate / "elsewhere/words.yaml").read_text("utf-8") == "one\n"
    assert (crate / "elsewhere/2-words.yaml").read_text("utf-8") == "two\n"
    job = graph_of(crate)["#job/harmonize/results/harmonized/stand_in"]
    assert ids(job["object"]) == ["data/raw/stand_in/answers.csv", "elsewhere/words.yaml"]
    assert "../" not in job["description"]


def test_a_place_outside_of_the_crate_is_refused(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    found = gathered(inputs_of(project))
    for place in ("../outside", "data/../../outside", "/outside"):
        hostile = dataclasses.replace(found, files={place: project / "workflow/Snakefile"})
        with pytest.raises(MetastudyError, match="leads out of its folder"):
            copied(hostile, None, tmp_path / "out" / "crate")
    assert not (tmp_path / "out").exists()


def test_a_copy_of_observed_data_among_the_code_stops_it(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    (project / "docs").mkdir()
    (project / "docs/notes.csv").write_bytes(answers("kept"))
    with pytest.raises(MetastudyError, match=r"notes\.csv has the same bytes"):
        archived(project, tmp_path / "out")


def test_observed_data_without_a_key_are_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METASTUDY_PSEUDONYM_KEY_FILE", raising=False)
    project = finished_project(tmp_path)
    with pytest.raises(BadInput, match="no key file"):
        archived(project, tmp_path / "out", pseudonyms={"key": "public", "key_file": None})
    simulated = finished_project(tmp_path / "simulated", {"stand_in": STUDIES["stand_in"]})
    archived(simulated, tmp_path / "out", pseudonyms={"key": "public", "key_file": None},
             fits={"open": {"studies": ["stand_in"]}})  # fmt: skip


@pytest.mark.parametrize("gone", ["results", "results/run_config.yaml", ".snakemake"])
def test_without_a_finished_build_there_is_one_clear_error(tmp_path: Path, gone: str) -> None:
    project = finished_project(tmp_path)
    path = project / gone
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    others = {"project": project, "repository": project}
    inputs = dataclasses.replace(inputs_of(finished_project(tmp_path / "other")), **others)
    with pytest.raises(MetastudyError, match=r"`snakemake --cores 2`|no record of what made"):
        made(inputs, tmp_path / "crate", tmp_path / "zip")


def test_a_record_of_what_is_not_of_the_build_is_no_job(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    (project / "results/submission").mkdir()
    (project / "parcels").mkdir()
    for number, name in enumerate(("results/submission", "parcels", "results/gone")):
        record(project, name, "submission", [], f"true {number}", 0.0)
    graph = graph_of(archived(project, tmp_path / "out"))
    assert "#rule/submission" not in graph


def test_a_build_that_was_copied_does_not_say_where_it_was_made(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    words = "PYTHONPATH=/home/somebody/clone/workflow python -m metastudy.commands.draw"
    words += " --repository /home/somebody/clone --out results/tables"
    record(project, "results/tables", "draw", ["config/vocabulary.yaml"], words, 0.0)
    crate = archived(project, tmp_path / "out")
    assert "somebody" not in (crate / "ro-crate-metadata.json").read_text("utf-8")
    said = graph_of(crate)["#job/draw/results/tables"]["description"]
    assert said == (
        "PYTHONPATH=workflow python -m metastudy.commands.draw --repository . --out results/tables"
    )


def test_a_rule_that_has_the_command_of_another_leads_to_it(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    words = (
        "python -m metastudy.commands._stored --inputs a -- python -m metastudy.commands.fit -o b"
    )
    record(project, "results/tables", "fit_again", ["config/vocabulary.yaml"], words, 0.0)
    graph = graph_of(archived(project, tmp_path / "out"))
    for rule in ("fit", "fit_again"):
        assert ids(graph[f"#rule/{rule}"]["hasPart"]) == ["workflow/metastudy/commands/fit.py"]
