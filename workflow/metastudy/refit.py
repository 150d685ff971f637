"""Refit a module without each of its groups, under other priors, pooled and not pooled."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from metastudy.errors import run
from metastudy.refits import covered, population_effects, refits, rows_left_out
from metastudy.wording import JOINT

__all__ = ["POWER", "REFITS", "power_scaling", "refit", "summary"]

EFFECT = ["module", "exposure", "exposure_type", "outcome", "provenance"]
REFITS = [
    *EFFECT,
    *("kind", "group", "left_out"),  # see metastudy.refits.Refit; share of the rows without which
    *("metric", "mean", "sd", "lower", "upper", "pd", "rhat", "ess"),
    "shift",  # of the mean, in posterior standard deviations of the whole fit
    "divergences",
]
POWER = [*EFFECT, "prior", "likelihood", "diagnosis"]
SENSITIVE = 0.05  # Kallioinen et al. (2024)


def refit(
    cells: xr.Dataset,
    posterior: xr.Dataset,
    model: str,
    priors: Mapping[str, float],
    sampling: Mapping[str, Any],
    interval: float,
) -> tuple[pd.DataFrame, dict[str, xr.Dataset]]:
    """All refits of a module with one compiled model.

    Parameters
    ----------
    cells, posterior : what the module was fitted to, and its draws.
    model : kind of model.
    priors, sampling : of the refits; ``sampling`` as in :func:`metastudy.sampling.draw`.
    interval : probability of the equal-tailed intervals.

    Returns
    -------
    table, draws
        One row per refit and population effect that it still has data about (``REFITS``), and the
        posteriors with the standard deviations between groups fixed, by name.
    """
    from metastudy.models import BUILD
    from metastudy.models.given import pack
    from metastudy.sampling import compile_model, draw

    compiled = compile_model(BUILD[model](cells, priors))
    reference = population_effects(cells, posterior)
    done: dict[bytes, pd.DataFrame] = {}  # a country of one study is left out with it
    tables, pooling = [], {}
    for one in refits(cells, priors):
        print(f"refit: {one.kind} {one.group}", flush=True)
        given = pack(one.cells, one.priors)
        if given.tobytes() not in done:
            tree = draw(compiled, sampling, 1, given)
            draws, stats = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
            effects, has_data = population_effects(cells, draws), covered(one.cells)
            done[given.tobytes()] = summary(effects, reference, has_data, interval).assign(
                divergences=int(stats["diverging"].sum())
            )
            if one.kind == "pooling":
                pooling[one.group] = draws
        left_out = rows_left_out(cells, one.cells)
        table = done[given.tobytes()].assign(kind=one.kind, group=one.group, left_out=left_out)
        tables.append(table)
    return _described(cells, pd.concat(tables, ignore_index=True))[REFITS], pooling


def summary(
    draws: xr.DataArray, reference: xr.DataArray, has_data: xr.DataArray, interval: float
) -> pd.DataFrame:
    """Effects of a refit that have data, beside those of the whole fit.

    Parameters
    ----------
    draws, reference : dims (chain, draw, exposure, outcome).
    has_data : dims (exposure, outcome); an effect without data is its prior and has no row.
    """
    over = ("chain", "draw")
    tail = (1 - interval) / 2
    data = draws.rename("x").to_dataset()
    positive = (draws > 0).mean(over)
    numbers = {
        "mean": draws.mean(over),
        "sd": draws.std(over, ddof=1),
        "lower": draws.quantile(tail, over).drop_vars("quantile"),
        "upper": draws.quantile(1 - tail, over).drop_vars("quantile"),
        "pd": np.maximum(positive, 1 - positive),
        "rhat": az.rhat(data)["x"],
        "ess": az.ess(data, method="bulk")["x"],
        "shift": (draws.mean(over) - reference.mean(over)) / reference.std(over, ddof=1),
        "has_data": has_data,
    }
    table = xr.Dataset(numbers).to_dataframe().reset_index()
    return table[table.pop("has_data")].reset_index(drop=True)


def power_scaling(cells: xr.Dataset, posterior: xr.Dataset) -> pd.DataFrame:
    """How much the effects move when prior or likelihood is raised to a power near one.

    Importance sampling on the draws there are, no refit (Kallioinen et al. 2024); of the priors
    only those of means, contrasts and standard deviations between groups are scaled.

    Returns
    -------
    pandas.DataFrame
        ``POWER``: both sensitivities per population effect with data, and what they mean.
    """
    effects = population_effects(cells, posterior)
    whole = posterior["log_likelihood"].expand_dims("of").transpose("chain", "draw", "of")
    tree = xr.DataTree.from_dict(
        {
            "posterior": effects.rename("effect").to_dataset(),
            "log_prior": posterior[["log_prior"]],
            "log_likelihood": whole.rename("rows").to_dataset(),
        }
    )
    moved = {
        group: az.psense(tree, var_names="effect", group=group)["effect"]
        for group in ("prior", "likelihood")
    }
    table = xr.Dataset({**moved, "has_data": covered(cells)}).to_dataframe().reset_index()
    table = table[table.pop("has_data")].reset_index(drop=True)
    prior, likelihood = table["prior"] > SENSITIVE, table["likelihood"] > SENSITIVE
    table["diagnosis"] = np.select([prior & likelihood, prior], ["conflict", "strong_prior"], "")
    return _described(cells, table)[POWER]


def _described(cells: xr.Dataset, table: pd.DataFrame) -> pd.DataFrame:
    """A table of effects with their module, type of exposure and provenance."""
    types = dict(zip(cells.exposure.values, cells.exposure_type.values, strict=True))
    studies = json.loads(cells.attrs["studies"]).values()
    return table.assign(
        module=cells.attrs["module"],
        exposure_type=table["exposure"].map(types),
        metric="log_odds" if "code" in cells.dims else "sd",
        provenance=JOINT.join(sorted({study["provenance"] for study in studies})),
    )


def main() -> None:
    """Entry point of the rule ``refit``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--posterior", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--power", type=Path, required=True, help="table of power-scaling")
    parser.add_argument("--pooling", type=Path, required=True, help="draws, pooled and unpooled")
    args = parser.parse_args()

    from metastudy.netcdf import save

    cells = xr.load_dataset(args.cells)
    with xr.open_datatree(args.posterior) as tree:
        posterior = tree["posterior"].to_dataset().load()
    table, pooling = refit(cells, posterior, args.model, args.priors, args.sampling, args.interval)
    table.to_parquet(args.table, index=False)
    power_scaling(cells, posterior).to_parquet(args.power, index=False)
    groups = {f"{name}_posterior": draws for name, draws in pooling.items()}
    save(xr.DataTree.from_dict(groups), args.pooling)
    print(table.to_string())


if __name__ == "__main__":
    run(main)
