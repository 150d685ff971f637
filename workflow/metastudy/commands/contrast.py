"""Contrast: a module's posterior in, its table of contrasts, their draws and every tau out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import xarray as xr

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.common.result_tables import checked
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts
from metastudy.posterior.heterogeneity import decided_by_prior, heterogeneity
from metastudy.posterior.verdicts import ROPES

__all__ = ["main"]


def main() -> None:
    """Entry point of the rule ``contrast``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--posterior", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--rope_sd", type=float, required=True)
    parser.add_argument("--rope_logit", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True, help="of the predictions")
    parser.add_argument("--smallest_cell", type=int, required=True)
    parser.add_argument("--prior_decides", type=float, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--draws", type=Path, required=True)
    parser.add_argument("--heterogeneity", type=Path, required=True)
    args = parser.parse_args()

    from metastudy.inference.netcdf import save

    cells = made_files.arrays(args.cells)
    with made_files.tree(args.posterior) as posterior:
        spreads = heterogeneity(cells, posterior, priors_of(args.priors), args.interval)
        decided = decided_by_prior(spreads, args.prior_decides)
        found = contrasts(cells, posterior, args.seed, args.smallest_cell, decided)
        ropes = {metric: getattr(args, setting) for metric, setting in ROPES.items()}
        table = found.table(args.interval, ropes)
        checked("contrasts", table).to_parquet(args.table, index=False)
        checked("heterogeneity", spreads).to_parquet(args.heterogeneity, index=False)
        save(xr.DataTree.from_dict({"contrasts": found.draws.to_dataset(name="value")}), args.draws)


if __name__ == "__main__":
    run(main)
