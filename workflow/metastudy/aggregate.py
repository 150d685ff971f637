"""Aggregate the harmonized tables of a module's studies to its cells."""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr

from metastudy import vocabulary as vocabularies
from metastudy.cells import answer_cells, code_cells, load_study
from metastudy.errors import run

__all__ = ["aggregate"]


def aggregate(folders: list[Path], module: str, path_to_vocabulary: Path) -> xr.Dataset:
    """Cells of a module from the harmonized folders of its studies.

    The order of the folders does not matter; the vocabulary decides which kind of cells it is.
    """
    studies = sorted((load_study(folder) for folder in folders), key=lambda s: s.id)
    vocabulary = vocabularies.merge(
        vocabularies.load(path_to_vocabulary), [s.report["vocabulary"] for s in studies]
    )
    kind = {"answers": answer_cells, "codings": code_cells}[vocabulary["modules"][module]["model"]]
    return kind(studies, module, vocabulary)


def main() -> None:
    """Entry point of the rule ``aggregate``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", required=True)
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    args = parser.parse_args()
    cells = aggregate(args.studies, args.module, args.vocabulary)
    compressed = {str(name): {"zlib": True} for name in cells if cells[name].dtype.kind in "if"}
    cells.to_netcdf(args.cells, encoding=compressed)
    print(cells)


if __name__ == "__main__":
    run(main)
