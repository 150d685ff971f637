"""Fit a module, or a sensitivity analysis of one: its cells in, its posterior out."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.inference.fit import fit
from metastudy.inference.netcdf import save
from metastudy.models.priors import priors_of


def main() -> None:
    """Entry point of the rule ``fit``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--posterior", type=Path, required=True)
    args = parser.parse_args()

    part = args.posterior.with_suffix(".part")
    cells, priors = made_files.arrays(args.cells), priors_of(args.priors)
    save(fit(cells, priors, args.sampling, args.cores), part)
    shutil.move(part, args.posterior)
    print("sampled")


if __name__ == "__main__":
    run(main)
