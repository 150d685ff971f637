"""Predict the rows that a fit has seen only as cells, from its prior and from its posterior."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.common.result_tables import checked
from metastudy.model_checks.predictive_checks import predict
from metastudy.models.aggregate import observed_rows
from metastudy.models.priors import priors_of


def main() -> None:
    """Entry point of the rule ``predictive_checks``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--posterior", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--smallest_cell", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    cells = made_files.arrays(args.cells)
    rows = observed_rows(args.studies, cells, args.vocabulary)
    with made_files.tree(args.posterior) as tree:
        posterior = tree["posterior"].to_dataset()
        priors = priors_of(args.priors)
        table = predict(rows, cells, posterior, priors, args.seed, args.smallest_cell)
    checked("predictive", table).to_parquet(args.out, index=False)
    print(table.to_string() if rows is not None else "not from a parcel: no study has rows")


if __name__ == "__main__":
    run(main)
