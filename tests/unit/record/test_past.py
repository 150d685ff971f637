"""The past of a record: what a record names reaches Git as a commit, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from metastudy.common.problems import MetastudyError
from metastudy.record import past

CONFIG = {"data": "data/raw", "vocabulary": "v.yaml", "appraisal": "a.csv"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "data/raw/study").mkdir(parents=True)
    for name in ("Snakefile", "v.yaml", "a.csv", "data/raw/study/answers.csv"):
        (folder / name).write_text("one\n", "utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return folder


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *own, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def record(commit: str) -> dict[str, Any]:
    return {"commit": commit, "raw": {"study": {}}, "codebooks": {}}


def test_the_code_of_a_commit_is_unpacked_by_its_whole_or_short_name(
    repository: Path, tmp_path: Path
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    for at, name in enumerate((commit, commit[:7])):
        folder = past.code_of(record(name), repository, tmp_path / f"code{at}")
        assert (folder / "Snakefile").read_text("utf-8") == "one\n"


@pytest.mark.parametrize(
    "commit", ["--output={}/x", "--remote={}/x", "HEAD", "main", "../../x", "0123456\n", "a b"]
)
def test_what_is_no_commit_does_not_reach_git(
    repository: Path, tmp_path: Path, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = commit.format(tmp_path)
    asked: list[tuple[str, ...]] = []
    real = past._git
    monkeypatch.setattr(past, "_git", lambda *words: asked.append(words) or real(*words))
    with pytest.raises(MetastudyError, match="as its commit, which is none"):
        past.code_of(record(commit), repository, tmp_path / "code")
    with pytest.raises(MetastudyError, match="as its commit, which is none"):
        past.data_of(record(commit), CONFIG, repository, Path("record.json"), tmp_path / "data")
    assert asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repository"]


def test_a_name_with_signs_of_a_pattern_is_a_name(repository: Path, tmp_path: Path) -> None:
    """A folder of data that is called as a pattern of Git takes no other files with it."""
    name = ":(glob)**"
    (repository / "data/raw").rename(repository / name)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "another name")
    commit = git(repository, "rev-parse", "HEAD")
    with pytest.raises(MetastudyError, match="no commit of the record"):
        past.data_of(
            record(commit), CONFIG | {"data": name}, repository, Path("record.json"),
            tmp_path / "data",
        )  # fmt: skip
    unpacked = tmp_path / "data" / commit
    assert (unpacked / name / "study/answers.csv").is_file()
    assert not (unpacked / "Snakefile").exists()
