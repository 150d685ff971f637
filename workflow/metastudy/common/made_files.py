"""Tables, draws and reports that a rule made, read back: a damaged one is one error with its cure.

A run that was killed leaves no half-written result, but a full disk, a copy that broke off or an
editor may. What the libraries say of such a file (`HDF error`) names neither the file nor a way
out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from metastudy.common.problems import MetastudyError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["arrays", "reading", "report", "table", "tree"]

LIBRARIES = ("NetCDF", "HDF")  # in what they say of a part that cannot be read


def table(path: Path) -> pd.DataFrame:
    """Read a Parquet file that a rule made.

    Raises
    ------
    MetastudyError
        If it is not there or cannot be read, with what to do.
    """
    with reading(path):
        return pd.read_parquet(path)


def arrays(path: Path, group: str | None = None) -> xr.Dataset:
    """Read a netCDF file that a rule made into memory, or one group of it.

    Raises
    ------
    MetastudyError
        If it is not there or cannot be read, with what to do.
    """
    import xarray as xr  # who reads tables alone does not pay for it

    with reading(path):
        return xr.load_dataset(path, group=group)


@contextmanager
def tree(path: Path) -> Iterator[xr.DataTree]:
    """Open draws that a rule made, with all their groups; what is not asked for is not read.

    Raises
    ------
    MetastudyError
        If the file is not there or cannot be read, also where that shows later, with what to do.
    """
    import xarray as xr

    with reading(path):
        found = xr.open_datatree(path)
    try:
        yield found
    except (OSError, RuntimeError) as error:
        if any(name in str(error) for name in LIBRARIES):
            raise _damaged(path, error) from error
        raise
    finally:
        found.close()


def report(path: Path) -> dict[str, Any]:
    """Read a JSON object that a rule made.

    Raises
    ------
    MetastudyError
        If it is not there or is no JSON object, with what to do.
    """
    with reading(path):
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"it holds a {type(found).__name__} in place of an object")
    return found


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library says while it reads a file into one error that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise MetastudyError(f"{path} is not there; run snakemake, which makes it") from None
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> MetastudyError:
    said = " ".join(str(error).split())[:200]
    return MetastudyError(
        f"{path} is damaged and cannot be read ({said}). Snakemake made it: delete it and run "
        "snakemake again, and it is made anew"
    )
