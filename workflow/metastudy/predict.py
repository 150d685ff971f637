"""Predict the rows that a fit has seen only as cells, from its prior and from its posterior."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.errors import run
from metastudy.predictive import COLUMNS, checks
from metastudy.rows import PARAMETERS, Answers, Interviews, load_rows
from metastudy.wording import JOINT

__all__ = ["predict"]

REPLICATES = 400  # of each kind: the ends of a 95% interval are then the tenth from either side


def predict(
    rows: Answers | Interviews,
    cells: xr.Dataset,
    model: str,
    posterior: xr.Dataset,
    priors: Mapping[str, float],
    seed: int,
    smallest: int,
) -> pd.DataFrame:
    """Predictive checks of a module from its prior and its posterior.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells.
    model : kind of model, ``answers`` or ``codings``.
    posterior : its draws, dims ``chain`` and ``draw``; evenly spaced ones are replicated.

    Returns
    -------
    pandas.DataFrame
        :data:`metastudy.predictive.COLUMNS`.
    """
    from metastudy.models import BUILD
    from metastudy.prior import draw_prior

    draws = {
        "prior": draw_prior(BUILD[model](cells, priors), PARAMETERS[model], REPLICATES, seed),
        "posterior": spaced(posterior[[n for n in PARAMETERS[model] if n in posterior]]),
    }
    studies = json.loads(cells.attrs["studies"])
    rng = np.random.default_rng(seed)
    tables = [
        checks(rows, cells, values, rng, smallest).assign(kind=kind)
        for kind, values in draws.items()
    ]
    table = pd.concat(tables, ignore_index=True).assign(module=str(cells.attrs["module"]))
    table["provenance"] = [
        JOINT.join(sorted({studies[study]["provenance"] for study in joined.split(JOINT)}))
        for joined in table["study"]
    ]
    return table[COLUMNS]


def spaced(posterior: xr.Dataset) -> xr.Dataset:
    """Evenly spaced draws of all chains, dimension ``sample`` first."""
    flat = posterior.stack(sample=("chain", "draw"), create_index=False)
    at = np.linspace(0, flat.sizes["sample"] - 1, REPLICATES).round().astype(int)
    return flat.isel(sample=np.unique(at)).transpose("sample", ...)


def main() -> None:
    """Entry point of the rule ``predict``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--posterior", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--smallest_cell", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    cells = xr.load_dataset(args.cells)
    rows = load_rows(args.studies, cells, args.model, args.vocabulary)
    with xr.open_datatree(args.posterior) as tree:
        posterior = tree["posterior"].to_dataset()
        table = predict(
            rows, cells, args.model, posterior, args.priors, args.seed, args.smallest_cell
        )
    table.to_parquet(args.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    run(main)
