"""Fit a module, or a sensitivity analysis of one: its cells in, its posterior out."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from metastudy import store
from metastudy.errors import run

__all__ = ["fit"]


def fit(
    cells: xr.Dataset,
    model: str,
    priors: Mapping[str, float],
    sampling: Mapping[str, Any],
    cores: int = 1,
) -> xr.DataTree:
    """Posterior of a module.

    Parameters
    ----------
    cells : what the model sees.
    model : kind of model, ``answers``, ``ordinal`` or ``codings``.
    priors, sampling : sections of the configuration.

    Returns
    -------
    xarray.DataTree
        See :func:`metastudy.sampling.draw`; for the main analysis of codings the effects under
        error-free coding stand in the group ``error_free``.
    """
    # Imported here: a posterior that is in the store costs no import of the sampler.
    from metastudy.cells import first_readings
    from metastudy.models import BUILD
    from metastudy.models.given import PERFECT, pack
    from metastudy.sampling import compile_model, draw

    compiled = compile_model(BUILD[model](cells, priors))
    posterior = draw(compiled, sampling, cores)
    if model != "codings" or cells.attrs["variant"] != "main":
        return posterior
    perfect = pack(first_readings(cells), {**priors, **PERFECT})
    error_free = draw(compiled, sampling, cores, perfect)
    groups = {name: node.to_dataset() for name, node in posterior.children.items()}
    groups |= {
        f"error_free_{name}": node.to_dataset() for name, node in error_free.children.items()
    }
    return xr.DataTree.from_dict(groups)


def main() -> None:
    """Entry point of the rule ``fit``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--code", required=True, help="digest of the code that the fit depends on")
    parser.add_argument("--lock", required=True, help="digest of the locked requirements")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--posterior", type=Path, required=True)
    args = parser.parse_args()

    key = store.key(
        {
            "cells": store.file_digest(args.cells),
            "code": args.code,
            "lock": args.lock,
            "settings": json.dumps([args.model, args.priors, args.sampling], sort_keys=True),
        }
    )
    if args.store and store.fetch(args.store, key, args.posterior):
        print(f"taken from the store: {key}")
        return
    from metastudy.netcdf import save

    part = args.posterior.with_suffix(".part")
    save(fit(xr.load_dataset(args.cells), args.model, args.priors, args.sampling, args.cores), part)
    shutil.move(part, args.posterior)
    if args.store:
        store.keep(args.store, key, args.posterior)
    print(f"sampled: {key}")


if __name__ == "__main__":
    run(main)
