"""Draws on disk: the same draws give the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

__all__ = ["save"]


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a tree of datasets as compressed netCDF, without attributes that name a time.

    Parameters
    ----------
    tree : a group for each set of draws.
    path : of the file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {f"/{group}": _compressed(node) for group, node in tree.children.items()}
    tree.to_netcdf(path, encoding=encoding, engine="netcdf4")


def _compressed(node: xr.DataTree) -> dict[str, dict[str, Any]]:
    return {
        str(name): {"zlib": True, "complevel": 1}
        for name, array in node.data_vars.items()
        if array.dtype.kind in "fiub"
    }
