"""Calibrate: would a module's model find what it simulated? Simulation-based calibration.

Parameters are drawn from the priors, cells from the parameters, and the model is fitted to them
with what it compiled once. Each true value then has a rank among its posterior's draws, and all
ranks together are uniform if simulation, model and sampler agree. The same is then asked with
parameters from the posterior of the module's cells, and the model fitted to these and the simulated
ones together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.calibration.simulation_based import calibrate
from metastudy.commands._calibration_options import add_options, options
from metastudy.commands._run import run
from metastudy.common import made_files, result_tables


def main() -> None:
    """Entry point of the rule ``calibrate``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=1)
    add_options(parser)
    args = parser.parse_args()
    cells = made_files.arrays(args.cells)
    ranked, checks = calibrate(cells, cores=args.cores, **options(args.settings))
    result_tables.checked("ranks", ranked).to_parquet(args.ranks, index=False)
    result_tables.checked("gates", checks).to_parquet(args.gates, index=False)
    print(checks.groupby(["part", "gate"], sort=False)["passed"].mean().to_string())


if __name__ == "__main__":
    run(main)
