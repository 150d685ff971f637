"""Fit a module, or a sensitivity analysis of one: its cells in, its posterior out."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import xarray as xr

from metastudy.commands._run import run
from metastudy.common import code_digest, result_store
from metastudy.inference.fit import fit
from metastudy.models.backend import flags_in_force
from metastudy.models.priors import priors_of


def main() -> None:
    """Entry point of the rule ``fit``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--code", required=True, help="digest of the code that the fit depends on")
    parser.add_argument("--lock", required=True, help="digest of the locked requirements")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--posterior", type=Path, required=True)
    args = parser.parse_args()

    key = result_store.key(
        {
            "cells": code_digest.file_digest(args.cells),
            "code": args.code,
            "flags": flags_in_force(),
            "lock": args.lock,
            "settings": json.dumps([args.priors, args.sampling], sort_keys=True),
        }
    )
    if args.store and result_store.fetch(args.store, key, args.posterior):
        print(f"taken from the store: {key}")
        return
    from metastudy.inference.netcdf import save

    part = args.posterior.with_suffix(".part")
    cells, priors = xr.load_dataset(args.cells), priors_of(args.priors)
    save(fit(cells, priors, args.sampling, args.cores), part)
    shutil.move(part, args.posterior)
    if args.store:
        result_store.keep(args.store, key, args.posterior)
    print(f"sampled: {key}")


if __name__ == "__main__":
    run(main)
