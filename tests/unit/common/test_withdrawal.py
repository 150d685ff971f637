"""A withdrawn study goes with all that was made from it, and nothing else goes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from metastudy.common.own_folder import MARK, mark
from metastudy.common.problems import MetastudyError
from metastudy.common.withdrawal import mentions, withdraw

GONE, STAYS = "gone", "gone_not"  # one name begins like the other


def record(project: Path, output: str, *inputs: str) -> None:
    """Make an output, and Snakemake's record of it."""
    path = project / output
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_text("made")
    else:
        path.mkdir()
        (path / "table.parquet").write_text("made")
    name = base64.b64encode(output.encode(), altchars=b"-_").decode()
    parts = [name[i : i + 40] for i in range(0, len(name), 40)]  # as Snakemake splits long ones
    place = project / ".snakemake" / "metadata"
    place = place.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"input": inputs}))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for study in (GONE, STAYS):
        folder = project / "data" / "raw" / study
        folder.mkdir(parents=True)
        (folder / "codebook.yaml").write_text(f"study: {{id: {study}}}\n")
        record(project, f"results/staged/{study}", f"data/raw/{study}/codebook.yaml")
        record(project, f"results/harmonized/{study}", f"results/staged/{study}")
        record(
            project, f"results/data_report/{study}/inspected.json", f"results/harmonized/{study}"
        )
    record(project, "results/cells/both.nc", *(f"results/harmonized/{s}" for s in (GONE, STAYS)))
    record(project, "results/fits/both.nc", "results/cells/both.nc")
    record(project, "results/cells/other.nc", f"results/harmonized/{STAYS}")
    record(project, "results/fits/other.nc", "results/cells/other.nc")
    record(project, "results/figures/both.svg", "results/fits/both.nc", "results/fits/other.nc")
    (project / "results" / "README.md").write_text("what is made")
    (project / "results" / "run_config.yaml").write_text("studies: all")
    (project / ".store" / "aa").mkdir(parents=True)
    (project / ".store" / "aa" / f"{'a' * 64}.{'b' * 64}").write_text("a posterior")
    (project / ".store" / "mine").write_text("somebody's own")
    return project


def left(project: Path) -> set[str]:
    return {
        path.relative_to(project).as_posix()
        for folder in ("results", "data", ".store")
        for path in (project / folder).rglob("*")
        if path.is_file()
    }


def run(project: Path, study: str = GONE) -> list[str]:
    folders = project / "data" / "raw", project / "results"
    return withdraw(study, project, *folders, project / ".store", project / ".verify")


def test_all_that_was_made_from_a_study_goes_and_the_rest_stays(project: Path) -> None:
    archived = project / "results" / "archive" / "ro-crate" / "data" / "raw" / GONE
    archived.mkdir(parents=True)
    (archived / "codebook.yaml").write_text("without a record")
    said = run(project)
    assert not [path for path in project.rglob("*") if path.name == GONE], "nor an empty folder"
    assert left(project) == {
        f"data/raw/{STAYS}/codebook.yaml",
        f"results/staged/{STAYS}/table.parquet",
        f"results/harmonized/{STAYS}/table.parquet",
        f"results/data_report/{STAYS}/inspected.json",
        "results/cells/other.nc",
        "results/fits/other.nc",
        "results/README.md",
        "results/run_config.yaml",
        ".store/mine",
    }
    records = [p.read_text() for p in (project / ".snakemake/metadata").rglob("*") if p.is_file()]
    assert len(records) == 5
    assert not [text for text in records if f"/{GONE}/" in text or f'/{GONE}"' in text]
    assert any(".store" in line for line in said)


def test_an_output_that_nothing_is_known_of_counts_as_made_from_it(project: Path) -> None:
    for path in (project / ".snakemake" / "metadata").rglob("*"):
        if path.is_file():
            path.unlink()
    run(project)
    assert left(project) == {
        f"data/raw/{STAYS}/codebook.yaml",
        f"results/staged/{STAYS}/table.parquet",
        f"results/harmonized/{STAYS}/table.parquet",
        "results/README.md",
        "results/run_config.yaml",
        ".store/mine",
    }


def test_a_rebuild_of_verify_goes_and_a_folder_of_somebody_else_stays(project: Path) -> None:
    (project / ".verify").mkdir()
    (project / ".verify" / "answers.csv").touch()
    (project / ".verify" / MARK).touch()  # a stray mark does not make it one of ours
    run(project)
    assert (project / ".verify" / "answers.csv").is_file()
    mark(project / ".verify")
    run(project, STAYS)
    assert not (project / ".verify").exists()


def test_a_study_that_is_a_link_loses_the_link_and_its_target_is_named(
    project: Path, tmp_path: Path
) -> None:
    raw = project / "data" / "raw" / GONE
    elsewhere = raw.rename(tmp_path / "elsewhere")
    raw.symlink_to(elsewhere)
    said = run(project)
    assert not raw.is_symlink()
    assert (elsewhere / "codebook.yaml").is_file()
    assert any(str(elsewhere) in line for line in said)


def test_results_of_a_study_whose_raw_folder_is_gone_already_go_too(project: Path) -> None:
    (project / "data" / "raw" / GONE / "codebook.yaml").unlink()
    (project / "data" / "raw" / GONE).rmdir()
    run(project)
    assert not [path for path in left(project) if f"/{GONE}/" in path or "both" in path]


@pytest.mark.parametrize("name", ["", "..", "../raw", "/etc", "gone/..", "no_such", "Gone"])
def test_a_name_that_is_no_study_removes_nothing(project: Path, name: str) -> None:
    before = left(project)
    with pytest.raises(MetastudyError):
        run(project, name)
    assert left(project) == before


def test_what_still_names_the_study_is_listed_with_its_lines(project: Path) -> None:
    (project / "config").mkdir()
    (project / "config" / "config.yaml").write_text(f"a: 1\nstudies: [{GONE}, {STAYS}]\n")
    (project / "other.yaml").write_text(f"studies: [{STAYS}]\n")
    (project / "incoming").mkdir()
    (project / "incoming" / f"{GONE}.zip").write_bytes(b"PK\0")
    run(project)
    assert mentions(GONE, project) == ["config/config.yaml, line 2", f"incoming/{GONE}.zip"]


def test_a_parcel_that_was_made_goes_with_the_page_for_its_owner(project: Path) -> None:
    folder = project / "parcels"
    folder.mkdir()
    (folder / "older").mkdir()
    older = (f"older/{GONE}-0123.parcel", f"older/{STAYS}-0123.parcel")
    names = (f"{GONE}.parcel", f"{GONE}.html", f"{GONE}.certificate.json", f"{STAYS}.parcel")
    for name in (*names, *older):
        (folder / name).write_text("sums")
    assert "its parcels, the owner's page and certificates, under parcels" in run(project)
    left = [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")]
    assert sorted(left) == sorted([older[1], f"{STAYS}.parcel"])


def test_a_study_of_which_only_its_parcel_is_left_is_known(project: Path) -> None:
    run(project)
    (project / "parcels").mkdir()
    (project / "parcels" / f"{GONE}.html").write_text("the owner's page")
    run(project)
    assert not list((project / "parcels").iterdir())


def test_a_study_that_came_as_a_parcel_is_among_those_that_are_there(project: Path) -> None:
    (project / "data/raw/sent").mkdir()
    (project / "data/raw/sent/sent.parcel").write_text("sums")
    with pytest.raises(MetastudyError, match=f"the studies are {GONE}, {STAYS}, sent"):
        run(project, "nobody")


def test_rows_that_a_killed_run_left_in_a_temporary_folder_go_with_their_study(
    project: Path,
) -> None:
    for study in (GONE, STAYS):
        folder = project / "results" / "staged" / f".{study}-5dzeox76"
        folder.mkdir()
        (folder / "respondents.parquet").write_text("rows")
    assert any(".gone-5dzeox76" in line for line in mentions(GONE, project))
    run(project)
    staged = {name for name in left(project) if name.startswith("results/staged/.")}
    assert staged == {f"results/staged/.{STAYS}-5dzeox76/respondents.parquet"}
