"""Draws on disk: the same draws give the same bytes."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

__all__ = ["save"]


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a tree of datasets as compressed netCDF, without attributes that name a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {
        f"/{group}": {
            str(name): {"zlib": True, "complevel": 1}
            for name, array in node.data_vars.items()
            if array.dtype.kind in "fiub"
        }
        for group, node in tree.children.items()
    }
    tree.to_netcdf(path, encoding=encoding, engine="netcdf4")
