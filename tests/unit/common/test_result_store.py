"""The store of fits gives back what was put in, or nothing."""

from __future__ import annotations

import hashlib
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from metastudy.common import result_store
from metastudy.common.problems import MetastudyError

KEY = result_store.key({"cells": "1", "code": "2"})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "posterior.nc"
    path.write_bytes(b"draws" * 1000)
    return path


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_key_depends_on_every_part_and_not_on_their_order():
    assert result_store.key({"code": "2", "cells": "1"}) == KEY
    others = [{"cells": "1"}, {"cells": "1", "code": "3"}, {"cells": "2", "code": "1"}, {}]
    assert len({KEY, *map(result_store.key, others)}) == 5
    assert result_store.key({"a": "b", "c": ""}) != result_store.key({"a": "", "c": "b"})


@pytest.mark.parametrize("parts", [{"draws": 1000}, {1: "x"}, {"x": None}])
def test_a_part_that_is_no_text_is_refused(parts: dict):
    with pytest.raises(TypeError, match="must be text"):
        result_store.key(parts)


def test_what_was_kept_is_fetched_byte_for_byte(tmp_path: Path, source: Path):
    assert result_store.keep(tmp_path / "store", KEY, source)
    target = tmp_path / "results.nc"
    target.write_text("an older result")
    assert result_store.fetch(tmp_path / "store", KEY, target)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o777 == source.stat().st_mode & 0o777


def test_what_was_not_kept_leaves_the_target_alone(tmp_path: Path, source: Path):
    assert not result_store.fetch(tmp_path / "no store", KEY, source)
    result_store.keep(tmp_path / "store", KEY, source)
    assert not result_store.fetch(
        tmp_path / "store", result_store.key({"cells": "other"}), tmp_path / "out"
    )
    assert not (tmp_path / "out").exists()


def test_a_damaged_entry_is_told_ignored_and_replaced(tmp_path: Path, source: Path, capsys):
    result_store.keep(tmp_path / "store", KEY, source)
    (entry,) = entries(tmp_path / "store")
    entry.write_bytes(entry.read_bytes()[:-1])
    target = tmp_path / "out.nc"
    target.write_text("before")
    assert not result_store.fetch(tmp_path / "store", KEY, target)
    assert "damaged" in capsys.readouterr().err
    assert target.read_text() == "before"
    assert {p.name for p in tmp_path.iterdir()} == {"store", "out.nc", "posterior.nc"}
    assert result_store.keep(tmp_path / "store", KEY, source)
    assert result_store.fetch(tmp_path / "store", KEY, target)


def test_keeping_over_a_damaged_entry_mends_it(tmp_path: Path, source: Path, capsys):
    result_store.keep(tmp_path / "store", KEY, source)
    (entry,) = entries(tmp_path / "store")
    entry.write_bytes(b"")
    assert result_store.keep(tmp_path / "store", KEY, source)
    assert "damaged" in capsys.readouterr().err
    assert [p.read_bytes() for p in entries(tmp_path / "store")] == [source.read_bytes()]


@pytest.mark.parametrize(
    "make",
    [
        lambda entry: (entry / "inside").mkdir(parents=True),
        lambda entry: entry.symlink_to("/nowhere"),
        lambda entry: entry.symlink_to(entry),
        os.mkfifo,
    ],
    ids=["folder", "dangling link", "link to itself", "pipe"],
)
@pytest.mark.parametrize("asked", ["fetched", "kept"])
def test_what_is_no_file_in_place_of_an_entry_is_replaced(
    tmp_path: Path, source: Path, capsys, make, asked: str
) -> None:
    result_store.keep(tmp_path / "store", KEY, source)
    (entry,) = entries(tmp_path / "store")
    entry.unlink()
    make(entry)
    if asked == "fetched":
        assert not result_store.fetch(tmp_path / "store", KEY, tmp_path / "out")
        assert "is no file; it is removed" in capsys.readouterr().err
    assert result_store.keep(tmp_path / "store", KEY, source)
    assert entry.is_file()
    assert not entry.is_symlink()
    assert result_store.fetch(tmp_path / "store", KEY, tmp_path / "out")


def test_a_target_that_cannot_be_written_is_said_and_not_computed_anew(
    tmp_path: Path, source: Path
) -> None:
    result_store.keep(tmp_path / "store", KEY, source)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as little room as on a full disk
    try:
        with pytest.raises(MetastudyError, match=r"out\.nc is in the store and cannot be written"):
            result_store.fetch(tmp_path / "store", KEY, tmp_path / "out.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(MetastudyError, match="No such file or directory; it needs"):
        result_store.fetch(tmp_path / "store", KEY, tmp_path / "no folder" / "out.nc")
    assert {path.name for path in tmp_path.iterdir()} == {"store", "posterior.nc"}


def test_the_first_intact_entry_stays(tmp_path: Path, source: Path):
    result_store.keep(tmp_path / "store", KEY, source)
    first = source.read_bytes()
    source.write_bytes(b"other bytes of the same key")
    assert result_store.keep(tmp_path / "store", KEY, source)
    result_store.fetch(tmp_path / "store", KEY, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == first


def test_an_entry_is_named_by_its_key_and_content(tmp_path: Path, source: Path):
    result_store.keep(tmp_path / "store", KEY, source)
    content = hashlib.sha256(source.read_bytes()).hexdigest()
    assert entries(tmp_path / "store") == [tmp_path / "store" / KEY[:2] / f"{KEY}.{content}"]


def test_jobs_at_the_same_time_never_see_half_an_entry(tmp_path: Path):
    sources = []
    for number in range(4):
        sources.append(tmp_path / f"{number}.nc")
        sources[-1].write_bytes(bytes([number]) * 3_000_000)
    whole = {path.read_bytes() for path in sources}

    def job(number: int) -> bool:
        result_store.keep(tmp_path / "store", KEY, sources[number % 4])
        target = tmp_path / f"out-{number}"
        return result_store.fetch(tmp_path / "store", KEY, target) and target.read_bytes() in whole

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(job, range(24)))
    assert not [path for path in entries(tmp_path / "store") if path.suffix == ".part"]


def test_a_store_that_cannot_be_written_costs_nothing_but_a_note(
    tmp_path: Path, source: Path, capsys
):
    (tmp_path / "store").write_text("a file where the folder should be")
    assert not result_store.keep(tmp_path / "store", KEY, source)
    assert "was not stored" in capsys.readouterr().err
    assert not result_store.fetch(tmp_path / "store", KEY, tmp_path / "out")


def test_a_source_that_is_missing_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        result_store.keep(tmp_path / "store", KEY, tmp_path / "nothing.nc")


@pytest.mark.parametrize("key", ["", "../../x", "abc", KEY + "/x"])
def test_what_is_no_key_touches_no_file(tmp_path: Path, source: Path, key: str):
    with pytest.raises(ValueError, match="no key"):
        result_store.fetch(tmp_path, key, tmp_path / "out")
    with pytest.raises(ValueError, match="no key"):
        result_store.keep(tmp_path, key, source)
