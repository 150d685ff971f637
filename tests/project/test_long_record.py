"""The record of the long tests: a run writes its rows, and each run says which are old."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import long_record
from helpers.long_record import COLUMNS, FILE, code_of, read, said_of
from helpers.repository import ROOT

MODULE = "metastudy.calibration.rank_bands"
NAME = "tests/test_it.py::test_long"
TESTS = f"""
import pytest

@pytest.mark.long(of="{MODULE}")
def test_long(figures):
    figures(share=0.94321, runs=20)

@pytest.mark.long(of=("{MODULE}", "metastudy.common.text"))
@pytest.mark.parametrize("bad", [False, True])
def test_several(bad):
    assert not bad

def test_short():
    pass
"""
CONFTEST = """
from pathlib import Path
from helpers.long_record import LongRecord
from conftest import figures

def pytest_configure(config):
    record = LongRecord(config, Path({path!r}))
    config.pluginmanager.register(record, "long-record")
"""


def ran(folder: Path, *words: str) -> str:
    """Run small tests of their own, with a record of their own; what pytest printed."""
    tests = folder / "tests"
    tests.mkdir(exist_ok=True)
    (tests / "test_it.py").write_text(TESTS, "utf-8")
    text = CONFTEST.format(path=str(folder / "long.csv"))
    (tests / "conftest.py").write_text(text, "utf-8")
    paths = " ".join(str(ROOT / name) for name in ("workflow", "tests"))
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {paths}\naddopts = --import-mode=importlib\n"
        "markers =\n  long: long\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), ("--numprocesses", "2")], ids=["alone", "workers"])
def test_a_run_of_the_long_tests_writes_a_row_for_each(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    said = ran(tmp_path, "-m", "long", *workers)
    assert "2 passed" in said, said
    rows = read(tmp_path / "long.csv")
    assert list(rows) == sorted(rows)
    assert len(rows) == 3
    row = rows[NAME]
    assert tuple(row) == COLUMNS
    assert (row["of"], row["result"], row["code"]) == (MODULE, "passed", code_of(MODULE))
    assert row["figures"] == "share=0.9432; runs=20"
    ends = {name.partition("[")[2]: row["result"] for name, row in rows.items()}
    assert ends == {"": "passed", "False]": "passed", "True]": "failed"}
    assert "test_several [True]: failed" in said
    assert "test_long:" not in said.partition("long tests to run again")[2]


@pytest.mark.parametrize("workers", [(), ("--numprocesses", "1")], ids=["alone", "workers"])
def test_a_run_of_others_says_which_long_tests_never_ran(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    said = ran(tmp_path, "-m", "not long", *workers)
    assert "1 passed" in said, said
    assert f"{NAME}: never run" in said
    assert "test_several [False, True]: never run" in said
    assert not (tmp_path / "long.csv").exists()


def a_row(of: str = MODULE, result: str = "passed", code: str = "") -> dict[str, dict[str, str]]:
    row = dict.fromkeys(COLUMNS, "")
    return {NAME: row | {"of": of, "result": result, "code": code or code_of(of)}}


def test_a_row_is_old_when_the_code_that_it_tests_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workflow" / "lib").mkdir(parents=True)
    monkeypatch.setattr(long_record, "ROOT", tmp_path)
    files = {name: tmp_path / "workflow" / "lib" / f"{name}.py" for name in ("__init__", "a", "b")}
    for path in files.values():
        path.write_text("")
    files["a"].write_text("from lib import b\n")
    rows = a_row(of="lib.a")
    assert said_of(rows) == []
    files["b"].write_text("# a comment\n")
    assert said_of(rows) == []
    files["b"].write_text("SCALE = 2\n")
    assert "older than lib.a" in said_of(rows)[0]
    files["a"].unlink()
    assert "is no more" in said_of(rows)[0]


def test_a_row_of_another_python_or_of_a_failure_is_not_passed_over() -> None:
    assert said_of(a_row()) == []
    assert "another Python" in said_of(a_row(code="2.7-0123456789abcdef"))[0]
    assert "failed" in said_of(a_row(result="failed"))[0]


def in_long_files() -> set[str]:
    """The tests in files where something is marked as long, as file and function."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text("utf-8")
        if "mark.long" in text:
            names = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
            found |= {f"{path.relative_to(ROOT).as_posix()}::{name}" for name in names}
    return found


def test_every_row_of_the_record_is_of_a_test_that_there_is() -> None:
    rows = read(FILE)
    assert list(rows) == sorted(rows)
    assert {name.partition("[")[0] for name in rows} <= in_long_files()
