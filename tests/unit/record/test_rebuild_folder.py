"""The folder of rebuilds: apart from data, results and sources, and emptied only if it is ours."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from metastudy.common.own_folder import MARK, is_own
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.record.rebuild_folder import emptied, place_of

CONFIG: dict[str, Any] = {
    "data": "data/raw",
    "vocabulary": "config/vocabulary.yaml",
    "appraisal": "tables/appraisal.csv",
    "store": ".store/fits",
    "pseudonyms": {"key": "k", "key_file": "../keys/secret.key"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in ("data/raw/s", "config", "results", "tables", ".store/fits"):
        (project / name).mkdir(parents=True)
    (tmp_path / "repository" / "workflow").mkdir(parents=True)
    return project


def place(project: Path, folder: str, **other: Any) -> Path:
    config = CONFIG | other | {"verify": {"folder": folder, "seed": None}}
    return place_of(config, project, project.parent / "repository", Path("results"))


@pytest.mark.parametrize("folder", [".verify", "scratch/verify", "../elsewhere", "data/../.again"])
def test_a_folder_of_its_own_is_taken(project: Path, folder: str) -> None:
    found = place(project, folder)
    assert found.is_absolute()
    assert found.resolve() == (project / folder).resolve()


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("data/raw/rebuild", "in the data"),
        ("data/raw", "the data, "),
        ("data", "around the data"),
        (".", "around the data"),
        ("..", "around the results"),
        ("data/rebuild", "in sources"),
        ("results/rebuild", "in the results"),
        ("results", "the results, "),
        ("tables", "around the file `appraisal`"),
        (".store", "around the store"),
        (".store/fits/a", "in the store"),
        ("config/rebuild", "in sources"),
        (".git/rebuild", "in sources"),
        ("../repository/workflow/rebuild", "in sources"),
        ("../repository", "around sources"),
        ("../keys", "around the key of pseudonyms"),
        ("scratch/../data/raw/x", "in the data"),
    ],
)
def test_a_folder_in_or_around_data_results_and_sources_is_one_error(
    project: Path, folder: str, said: str
) -> None:
    with pytest.raises(BadInput) as bad:
        place(project, folder)
    (problem,) = bad.value.problems
    assert said in problem.found
    assert (problem.column, problem.code) == ("verify.folder", "config")


def test_links_hide_nothing(project: Path) -> None:
    (project / "way").symlink_to("data")
    (project / "linked").symlink_to(project.parent)
    with pytest.raises(BadInput, match="in the data"):
        place(project, "way/raw/rebuild")
    with pytest.raises(BadInput, match="a link"):
        place(project, "linked")
    (project.parent / "raw").mkdir()
    (project / "data/other").symlink_to(project.parent / "raw")
    with pytest.raises(BadInput, match="in the data"):
        place(project, "../raw/rebuild", data="data/other")


def test_data_that_hold_the_project_leave_no_place_in_it(project: Path) -> None:
    with pytest.raises(BadInput, match="in the data"):
        place(project, ".verify", data="..")


def test_only_a_folder_that_was_made_here_is_emptied(tmp_path: Path) -> None:
    folder = emptied(tmp_path / "a" / "rebuild")
    (folder / "results").mkdir()
    assert is_own(folder)
    assert [path.name for path in emptied(folder).iterdir()] == [MARK]
    (tmp_path / "empty").mkdir()
    assert is_own(emptied(tmp_path / "empty"))


@pytest.mark.parametrize(
    "text", ["", "Made by `snakemake verify`, which empties it.\n", "[1]", "{"]
)
def test_a_stray_mark_makes_no_folder_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / MARK).write_text(text, "utf-8")
    (tmp_path / "mine" / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(MetastudyError, match="was not made by"):
        emptied(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_a_copy_of_a_rebuild_is_somebody_s_own(tmp_path: Path) -> None:
    copy = shutil.copytree(emptied(tmp_path / "rebuild"), tmp_path / "copy")
    (copy / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(MetastudyError, match="was not made by"):
        emptied(copy)
    assert (copy / "thesis.txt").is_file()


def test_links_and_files_are_not_emptied_and_links_in_it_are_not_followed(tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine", emptied(tmp_path / "rebuild")
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", "utf-8")
    (folder / "mine").symlink_to(mine)
    emptied(folder)
    assert (mine / "thesis.txt").is_file()
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(MetastudyError, match="is a link"):
        emptied(tmp_path / "link")
    with pytest.raises(MetastudyError, match="is no folder"):
        emptied(mine / "thesis.txt")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(MetastudyError, match="is a link"):
        emptied(tmp_path / "dangling")
