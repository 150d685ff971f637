"""What is odd about a folder of results has one line that says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.common.results_folder import strays, unrecorded, unwritable


@pytest.fixture
def results(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    for name in ("fits/a.nc", "fits/a-folded.nc", "contrasts/a-heterogeneity.parquet"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).touch()
    return made


def test_results_without_their_records_are_refused_and_those_with_them_are_not(
    results: Path, tmp_path: Path
) -> None:
    own = tmp_path / ".snakemake"
    (own / "metadata").mkdir(parents=True)  # as after a first call, which makes the folder
    said = unrecorded(results, own)
    assert said is not None
    assert "copied" in said
    assert "metadata" in said
    (own / "metadata" / "cmVz").touch()
    assert unrecorded(results, own) is None


def test_a_folder_in_which_nothing_was_built_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "README.md").touch()
    assert unrecorded(tmp_path / "results", tmp_path / ".snakemake") is None
    assert unrecorded(tmp_path / "none", tmp_path / ".snakemake") is None


def test_results_of_names_that_nothing_makes_are_strays(results: Path) -> None:
    names = {"fits": ["a"], "contrasts": ["a"]}
    assert strays(results, names) == []
    (results / "fits" / "ab.nc").touch()
    (results / "contrasts" / "b.nc").touch()
    (results / "unknown").mkdir()
    (results / "unknown" / "b.nc").touch()  # of what is made there nothing is known
    found = [Path(path).relative_to(results).as_posix() for path in strays(results, names)]
    assert found == ["contrasts/b.nc", "fits/ab.nc"]


def test_results_on_a_file_system_that_is_read_only_are_named(results: Path) -> None:
    assert unwritable(results) is None
    code = "import sys, pathlib; from metastudy.common.results_folder import unwritable\n"
    code += "print(unwritable(pathlib.Path(sys.argv[1])))"
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3" "$4"'
    words = ["unshare", "--mount", "sh", "-c", mount, "sh", results / "fits"]
    done = subprocess.run(
        [*words, sys.executable, code, results],
        env={"PYTHONPATH": str(ROOT / "workflow"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    assert done.stdout.startswith(f"{results / 'fits'} cannot be written")
    assert "--directory" in done.stdout
