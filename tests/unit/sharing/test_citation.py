"""The citation file: read from the first folder that has one, and refused where it is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.finished_project import finished_project, inputs_of
from helpers.repository import ROOT
from metastudy.archive.make import made
from metastudy.common.problems import BadInput
from metastudy.sharing.citation import NAME, citation_of


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_text(text, "utf-8")
    return folder


def test_the_first_folder_with_a_file_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first", written(tmp_path / "second", "title: Two\n")
    assert citation_of(first, second) == {"title": "Two"}
    written(first, "title: One\nlicense: [MIT, Apache-2.0]\nmore: {is: taken}\n")
    assert citation_of(first, second)["license"] == "MIT OR Apache-2.0"
    assert citation_of(tmp_path) == {}


def test_the_file_that_ships_keeps_the_schema() -> None:
    assert citation_of(ROOT)["license"] == "MIT"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", ["(top)"]),
        ("- a list\n", ["(top)"]),
        ("only a text\n", ["(top)"]),
        ("title: [a]\n", ["title"]),
        ("title: 2024\n", ["title"]),
        ("authors: Ada\n", ["authors"]),
        ("authors: [Ada, {name: 3}]\n", ["authors[0]", "authors[1].name"]),
        ("authors: {name: Ada}\nkeywords: one\n", ["authors", "keywords"]),
        ("keywords: [one, {two: 3}]\nlicense: {name: MIT}\n", ["keywords[1]", "license"]),
        ("license: [MIT, 3]\nabstract:\n", ["license[1]", "abstract"]),
    ],
)
def test_an_entry_of_another_type_is_one_error_with_all_of_them(
    tmp_path: Path, text: str, places: list[str]
) -> None:
    with pytest.raises(BadInput) as bad:
        citation_of(written(tmp_path, text))
    assert sorted(one.column or "" for one in bad.value.problems) == sorted(places)
    assert {one.code for one in bad.value.problems} == {"citation"}
    assert all("line" in str(one.row) for one in bad.value.problems)


def test_what_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    for content in (b"title: [", b"title: a\ntitle: b\n", b"title: \xff\n", b"a: &a [*a]\n"):
        (tmp_path / NAME).write_bytes(content)
        with pytest.raises(BadInput) as bad:
            citation_of(tmp_path)
        assert len(bad.value.problems) == 1
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(BadInput, match="named pipe"):
        citation_of(tmp_path)


def test_an_archive_stops_at_it(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    written(project, "title: [a]\nauthors: Ada\n")
    with pytest.raises(BadInput) as bad:
        made(inputs_of(project), tmp_path / "crate", tmp_path / "crate.zip")
    assert len(bad.value.problems) == 2
