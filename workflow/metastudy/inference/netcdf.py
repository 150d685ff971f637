"""Draws on disk: the same draws give the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import xarray as xr

from metastudy.common.problems import MetastudyError

__all__ = ["save"]


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a tree of datasets as compressed netCDF, without attributes that name a time.

    Parameters
    ----------
    tree : a group for each set of draws.
    path : of the file; its folder is made.

    Raises
    ------
    MetastudyError
        If the file cannot be written, as on a full disk; what was written of it is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {f"/{group}": _compressed(node) for group, node in tree.children.items()}
    try:
        tree.to_netcdf(path, encoding=encoding, engine="netcdf4")
    except (OSError, RuntimeError) as error:  # the library of netCDF says no more than "HDF error"
        path.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        raise MetastudyError(
            f"{path} cannot be written: {error}. {free / 1e6:.0f} MB are free there, and it "
            f"needs up to {tree.nbytes / 1e6:.0f} MB"
        ) from error


def _compressed(node: xr.DataTree) -> dict[str, dict[str, Any]]:
    return {
        str(name): {"zlib": True, "complevel": 1}
        for name, array in node.data_vars.items()
        if array.dtype.kind in "fiub"
    }
