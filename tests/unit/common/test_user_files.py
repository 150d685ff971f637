"""What a project is described by is a file in it, or it is refused before a byte of it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from metastudy.common.problems import BadInput
from metastudy.common.user_files import refuse_others


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_out(path: Path) -> None:
    secret = path.parent.parent / "secret"
    secret.write_text("password: 1", "utf-8")
    path.symlink_to(secret)


@pytest.mark.parametrize(
    ("make", "code", "found"),
    [
        (pipe, "missing-file", "pipe"),
        (link_out, "outside", "link"),
        (Path.mkdir, "missing-file", "folder"),
    ],
    ids=["a pipe", "a link out", "a folder"],
)
def test_another_thing_is_refused_and_nothing_of_it_is_said(
    tmp_path: Path, make: Callable[[Path], None], code: str, found: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "good.yaml").touch()
    make(project / "vocabulary.yaml")
    with pytest.raises(BadInput) as caught:
        refuse_others([project / "good.yaml", project / "vocabulary.yaml"], [project])
    (problem,) = caught.value.problems
    assert problem.code == code
    assert found in problem.found
    assert "password" not in str(caught.value)


def test_files_links_inside_and_what_is_not_there_pass(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    (tmp_path / "b.yaml").symlink_to("a.yaml")
    other = tmp_path / "repository"
    other.mkdir()
    (other / "c.yaml").symlink_to(tmp_path / "a.yaml")
    refuse_others([tmp_path / name for name in ("a.yaml", "b.yaml", "none.yaml")], [tmp_path])
    refuse_others([other / "c.yaml"], [other, tmp_path])
