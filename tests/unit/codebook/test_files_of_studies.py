"""What is put into a study's folder is looked at before it is read: where it leads, kind and size.

A link in a study's folder may not lead out of it; the folder itself may be a link, and is said to
be one. A pipe, a device or a huge file is refused, and nothing waits for it or is read of it.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from helpers.raw_studies import VOCABULARY, codebook_of, harmonized, table_study
from metastudy import config
from metastudy.codebook.codebook import load
from metastudy.common import user_files
from metastudy.common.problems import BadInput, Problem

NAMES = ["answers.csv", "codebook.yaml"]
SECRET = "root:x:0:0:a line of a file that is none of the study's: [\n"


def refused(folder: Path) -> Problem:
    with pytest.raises(BadInput) as caught:
        codebook_of(folder)
    assert SECRET[:10] not in str(caught.value)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "../other/answers.csv", "/nowhere"])
def test_a_link_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, name: str, target: str
) -> None:
    folder = table_study(tmp_path)
    (folder.parent / "secret").write_text(SECRET)
    table_study(tmp_path / "second").rename(folder.parent / "other")
    (folder / name).unlink()
    (folder / name).symlink_to(target)
    problem = refused(folder)
    assert problem.code == "outside"
    assert problem.file.endswith(f"small/{name}")
    assert "link the folder" in problem.fix


def test_a_link_through_a_second_link_is_refused_too(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    (folder / "answers.csv").unlink()
    (folder / "inner").symlink_to("/etc")
    (folder / "answers.csv").symlink_to("inner/passwd")
    assert refused(folder).code == "outside"


def test_a_link_inside_the_folder_and_a_linked_folder_stay_allowed(tmp_path: Path) -> None:
    kept = table_study(tmp_path / "drive")
    expected = harmonized(kept)
    (kept / "answers.csv").rename(kept / "answers-v2.csv")
    (kept / "answers.csv").symlink_to("answers-v2.csv")
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "small").symlink_to(kept)
    (raw / "manifest.yaml").write_bytes((kept.parent / "manifest.yaml").read_bytes())
    assert harmonized(raw / "small").tables.keys() == expected.tables.keys()
    assert config.links({"data": raw}, ["small"]) == [
        f"{raw / 'small'} is a link: its files are read from {kept.resolve()}"
    ]
    assert config.links({"data": kept.parent}, ["small"]) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "a named pipe (FIFO)"),
        (os.mkdir, "a folder"),
        (lambda path: path.symlink_to(path.name), None),
    ],
)
def test_what_is_no_plain_file_is_refused_by_its_kind(
    tmp_path: Path, name: str, make, said
) -> None:
    folder = table_study(tmp_path)
    (folder / name).unlink()
    make(folder / name)
    problem = refused(folder)
    assert problem.code == "missing-file"
    assert "Did you mean" not in problem.found
    assert said is None or problem.found == said


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    folder = table_study(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (folder / name).open("r+b") as file:
        file.truncate(2 * 10**9)  # sparse: it takes no room
    problem = refused(folder)
    assert problem.code == "too-large"
    assert problem.found == "a file of 2.0 GB"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB


def test_a_file_that_is_missing_names_the_one_that_may_be_meant(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    (folder / "answers.csv").rename(folder / "answer.csv")
    assert refused(folder).found == "no such file. Did you mean 'answer.csv'?"


def test_a_file_that_grows_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert user_files.read_whole(path, 10) == b"0123456789"
    with pytest.raises(user_files.NotReadable, match="a file of"):
        user_files.read_whole(path, 9)
    with pytest.raises(user_files.NotReadable, match="a device"):
        user_files.read_whole(Path("/dev/zero"), 9)
    assert load(table_study(tmp_path / "raw"), VOCABULARY).study.id == "small"
