"""A result that a disk or a copy damaged is one error that names it, wherever it is read."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.repository import ROOT
from metastudy.common import made_files
from metastudy.common.problems import MetastudyError
from metastudy.harmonized import parquet
from metastudy.harmonized.study import load_study
from metastudy.inference.netcdf import save
from metastudy.record.collect import tables
from metastudy.record.inputs import stages

LIBRARY = ROOT / "workflow" / "metastudy"
# What reads a file that a rule made, by the name in a call; two modules may.
READERS = {"read_parquet", "read_table", "load_dataset", "open_dataset", "open_datatree"}
MAY = {"common/made_files.py", "harmonized/parquet.py"}


def half(path: Path) -> Path:
    """Leave the first half of a file, as a full disk or a copy that broke off does."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def nothing(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def noise(path: Path) -> Path:
    path.write_bytes(np.random.default_rng(1).bytes(4096))
    return path


def draws(path: Path) -> Path:
    value = xr.Dataset({"value": (("draw", "contrast"), np.ones((5000, 40)))})
    save(xr.DataTree.from_dict({"contrasts": value}), path)
    return path


def rows(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"id": ["a", "b"], "mean": [0.1, 0.2]}).to_parquet(path)
    return path


def values(path: Path) -> np.ndarray:
    with made_files.tree(path) as tree:
        return np.asarray(tree["contrasts"]["value"].to_numpy())


@pytest.mark.parametrize("damage", [half, nothing, noise])
@pytest.mark.parametrize(
    ("make", "name", "read"),
    [
        (rows, "table.parquet", made_files.table),
        (rows, "table.parquet", parquet.read),
        (draws, "draws.nc", made_files.arrays),
        (draws, "draws.nc", values),
    ],
)
def test_a_damaged_result_is_named_with_what_to_do(
    make: Callable[[Path], Path],
    name: str,
    read: Callable[[Path], object],
    damage: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    read(make(tmp_path / name))  # whole, it is read
    with pytest.raises(MetastudyError) as found:
        read(damage(tmp_path / name))
    assert str(tmp_path / name) in str(found.value)
    assert "is damaged" in str(found.value)
    assert "delete it and run snakemake again" in str(found.value)


def test_a_part_of_draws_that_is_damaged_is_found_when_it_is_read(tmp_path: Path) -> None:
    """Their end is whole, so the file opens; what is in the middle is not what was written."""
    rng = np.random.default_rng(2)
    value = xr.Dataset({"value": (("draw", "contrast"), rng.normal(size=(5000, 40)))})
    path = tmp_path / "draws.nc"
    save(xr.DataTree.from_dict({"contrasts": value}), path)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle - 2000 : middle + 2000] = rng.bytes(4000)
    path.write_bytes(whole)
    with pytest.raises(MetastudyError, match=r"draws\.nc is damaged"):
        values(path)


def test_an_error_of_the_work_itself_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="of the work"),
        made_files.tree(draws(tmp_path / "d.nc")),
    ):
        raise RuntimeError("of the work")


def test_a_result_that_is_not_there_says_who_makes_it(tmp_path: Path) -> None:
    for read in (made_files.table, made_files.arrays, made_files.report):
        with pytest.raises(MetastudyError, match="run snakemake, which makes it"):
            read(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"a"', "\udcff"])
def test_a_damaged_report_of_a_study_is_one_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MetastudyError, match=r"report\.json is damaged"):
        load_study(tmp_path)


@pytest.mark.parametrize("damage", [half, nothing, noise])
def test_numbers_of_record_are_not_taken_from_a_damaged_table(
    damage: Callable[[Path], Path], tmp_path: Path
) -> None:
    """As `snakemake accept` and `snakemake verify` read them."""
    path = damage(rows(tmp_path / "contrasts" / "threat.parquet"))
    with pytest.raises(MetastudyError, match=f"{path.stem}.* is damaged"):
        tables(tmp_path, {})
    for make, name in ((rows, "harmonized/a/items.parquet"), (draws, "cells/threat.nc")):
        damaged = tmp_path / name
        damaged.parent.mkdir(parents=True)
        damage(make(damaged))
        with pytest.raises(MetastudyError, match=f"{damaged.name} is damaged"):
            stages(tmp_path)
        damaged.unlink()


def test_nothing_else_opens_what_a_rule_made() -> None:
    """So that the next command has the same error; raw files have readers of their own."""
    others = []
    for path in sorted(LIBRARY.rglob("*.py")):
        name = path.relative_to(LIBRARY).as_posix()
        if name in MAY or name.startswith("readers/"):
            continue
        others += [
            f"{name}: {node.func.attr}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in READERS
        ]
    assert not others, others
