"""Refit a module without each of its groups, under other priors, pooled and not pooled."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import xarray as xr

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.common.result_tables import checked
from metastudy.model_checks.correlations_of_arms import correlations_of_arms
from metastudy.model_checks.leave_group_out import FIXED
from metastudy.model_checks.power_scaling import power_scaling
from metastudy.model_checks.priors import log_priors, sampled_names
from metastudy.model_checks.refits import Settings, refit
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of
from metastudy.posterior.verdicts import ROPES


def main() -> None:
    """Entry point of the rule ``refits``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--posterior", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--gates", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--rope_sd", type=float, required=True)
    parser.add_argument("--rope_logit", type=float, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--power", type=Path, required=True, help="table of power-scaling")
    parser.add_argument("--correlations", type=Path, required=True, help="table, of arms")
    parser.add_argument("--pooling", type=Path, required=True, help="draws, pooled and unpooled")
    args = parser.parse_args()

    from metastudy.inference.netcdf import save

    cells = made_files.arrays(args.cells)
    with made_files.tree(args.posterior) as tree:
        posterior = tree["posterior"].to_dataset().load()
    priors = priors_of(args.priors)
    rope = getattr(args, ROPES[model_of(cells).metric])
    settings = Settings(args.sampling, args.gates, args.interval, rope)
    table, kept = refit(cells, posterior, priors, settings)
    checked("refits", table).to_parquet(args.table, index=False)
    scaled = log_priors(cells, posterior, priors, sampled_names(cells, priors))
    power = power_scaling(cells, posterior, scaled)
    checked("power", power).to_parquet(args.power, index=False)
    groups = {f"{name}_posterior": kept[name] for name in FIXED}
    beside = correlations_of_arms(cells, posterior, kept, args.interval)
    checked("correlations_of_arms", beside).to_parquet(args.correlations, index=False)
    save(xr.DataTree.from_dict(groups), args.pooling)
    print(table.to_string())


if __name__ == "__main__":
    run(main)
