"""Aggregate the harmonized tables of a module's studies to the cells of a fit."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.models.aggregate import aggregate, check_required


def main() -> None:
    """Entry point of the rule ``aggregate``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", required=True)
    parser.add_argument("--variant", default="main", help="main, folded, ordinal or interviews")
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--require", nargs="*", default=[], help="terms that must be identified")
    parser.add_argument("--correlation_of_arms", type=json.loads, default=None, help="or null")
    parser.add_argument("--cells", type=Path, required=True)
    args = parser.parse_args()
    correlation = args.correlation_of_arms
    cells = aggregate(args.studies, args.module, args.vocabulary, args.variant, correlation)
    check_required(cells, args.require)
    compressed = {str(name): {"zlib": True} for name in cells if cells[name].dtype.kind in "if"}
    cells.to_netcdf(args.cells, encoding=compressed)
    print(cells)


if __name__ == "__main__":
    run(main)
