"""Calibrate the synthesis: its models given the covariance, and the whole way from rows.

Given the covariance of the estimates, ranks have to be uniform as for a module. From rows on, the
covariance is an estimate that the second stage takes for known, and so is the standard deviation in
which effects are measured: the end-to-end study shows what that costs, as coverage of what is true
where rows are simulated, aggregated, estimated from and pooled.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import xarray as xr

from metastudy.calibration.synthesis import calibrate
from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._calibration_options import add_options, options
from metastudy.commands._run import run
from metastudy.harmonized import parquet, schema
from metastudy.synthesis.stages import gather


def main() -> None:
    """Entry point of the rule ``calibrate_synthesis``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, nargs="*", default=[])
    parser.add_argument("--published", type=Path, nargs="*", default=[], help="harmonized folders")
    parser.add_argument("--vocabulary", type=Path, required=True)
    add_options(parser)
    args = parser.parse_args()
    cells = [xr.load_dataset(path) for path in args.cells]
    reports = [json.loads((path / "report.json").read_text("utf-8")) for path in args.published]
    vocabulary = vocabularies.of_studies(
        args.vocabulary,
        [json.loads(c.attrs["vocabulary"]) for c in cells] + [r["vocabulary"] for r in reports],
    )
    effects = [parquet.read(path / "effects.parquet") for path in args.published]
    table, covariance = gather(cells, pd.concat([schema.empty("effects"), *effects]), vocabulary)
    ranked, checks = calibrate(table, covariance, vocabulary, **options(args.settings))
    ranked.to_parquet(args.ranks, index=False)
    checks.to_parquet(args.gates, index=False)


if __name__ == "__main__":
    run(main)
