"""A folder that is made anew: only what was made there, and is as it was made, is removed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from metastudy.common.problems import BadInput
from metastudy.sharing.made_folder import LISTING, free, put

COMMAND = "snakemake archive"


def files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def new(folder: Path, **texts: str) -> Path:
    for name, text in (texts or {"README.md": "one", "data/a.csv": "1,2\n"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "archive"
    put(new(tmp_path / "new"), folder, COMMAND)
    return folder


def test_what_was_made_is_listed_with_its_checksums_and_made_anew(
    made: Path, tmp_path: Path
) -> None:
    listed = json.loads((made / LISTING).read_text("utf-8"))["files"]
    assert set(listed) == {"README.md", "data/a.csv"}
    assert set(files(made)) == {*listed, LISTING}
    (made / "data/a.csv").unlink()  # what is gone already is no obstacle
    put(new(tmp_path / "next", **{"other.txt": "two"}), made, COMMAND)
    assert set(files(made)) == {"other.txt", LISTING}
    assert not (made / "data").exists()


def test_an_empty_folder_and_none_are_filled(tmp_path: Path) -> None:
    (tmp_path / "empty" / "folders").mkdir(parents=True)
    for name in ("empty", "above/none"):
        put(new(tmp_path / "new"), tmp_path / name, COMMAND)
        assert (tmp_path / name / "README.md").read_text("utf-8") == "one"


def added(folder: Path) -> None:
    (folder / "data" / "notes.txt").write_text("mine", "utf-8")


def changed(folder: Path) -> None:
    (folder / "README.md").write_text("with my words", "utf-8")


def linked(folder: Path) -> None:
    (folder.parent / "mine.txt").write_text("mine", "utf-8")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(folder.parent / "mine.txt")


def linked_folder(folder: Path) -> None:
    new(folder.parent / "mine")
    (folder / "more").symlink_to(folder.parent / "mine")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def no_listing(folder: Path) -> None:
    (folder / LISTING).unlink()


def damaged(folder: Path) -> None:
    (folder / LISTING).write_text('{"version": 1, "files"', "utf-8")


def of_another_form(folder: Path) -> None:
    (folder / LISTING).write_text('{"version": 1, "files": ["README.md"]}', "utf-8")


def no_checksum(folder: Path) -> None:
    (folder / LISTING).write_text('{"version": 1, "files": {"README.md": 3}}', "utf-8")


def linked_listing(folder: Path) -> None:
    (folder / LISTING).rename(folder.parent / "listing")
    (folder / LISTING).symlink_to(folder.parent / "listing")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (added, "data/notes.txt, which was not made by it"),
        (changed, "README.md, which was changed since"),
        (linked, "README.md, a link"),
        (linked_folder, "more, a link"),
        (pipe, "pipe, which was not made by it"),
        (no_listing, "no .made.json that says who made them: README.md, data/a.csv"),
        (damaged, "is no listing of files"),
        (of_another_form, "no checksums of files"),
        (no_checksum, "no checksums of files"),
        (linked_listing, "(a link)"),
    ],
)
def test_what_was_not_made_there_is_one_error_and_nothing_is_removed(
    made: Path, tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    change(made)
    before = files(tmp_path / "results")
    with pytest.raises(BadInput) as bad:
        free(made, COMMAND)
    (problem,) = bad.value.problems
    assert said in problem.found
    assert problem.code == "made-folder"
    assert "nothing was removed" in problem.fix
    with pytest.raises(BadInput):
        put(new(tmp_path / "next"), made, COMMAND)
    assert files(tmp_path / "results") == before


def test_all_of_it_is_named_at_once(made: Path) -> None:
    added(made)
    changed(made)
    with pytest.raises(BadInput) as bad:
        free(made, COMMAND)
    (problem,) = bad.value.problems
    assert "notes.txt" in problem.found
    assert "README.md" in problem.found


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_or_a_file_in_the_place_of_the_folder_is_left(tmp_path: Path, kind: str) -> None:
    mine, folder = new(tmp_path / "mine"), tmp_path / "archive"
    if kind == "link":
        put(new(tmp_path / "first"), mine / "made", COMMAND)
        folder.symlink_to(mine / "made")
    else:
        folder.write_text("mine", "utf-8")
    before = files(tmp_path)
    with pytest.raises(BadInput, match="a link" if kind == "link" else "no folder"):
        put(new(tmp_path / "next"), folder, COMMAND)
    assert before.items() <= files(tmp_path).items()


def test_a_listing_that_names_files_elsewhere_removes_none_of_them(
    made: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", "utf-8")
    said = json.loads((made / LISTING).read_text("utf-8"))
    digest = said["files"]["README.md"]
    said["files"] |= {"../../mine.txt": digest, str(mine): digest}
    (made / LISTING).write_text(json.dumps(said), "utf-8")
    put(new(tmp_path / "next"), made, COMMAND)
    assert mine.read_text("utf-8") == "mine"
