"""Synthesize: pool unpooled study estimates where several studies report the same estimand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy import tables
from metastudy import vocabulary as vocabularies
from metastudy.contrasts import HETEROGENEITY, taus
from metastudy.errors import run
from metastudy.estimates import estimates
from metastudy.pooling import (
    STRUCTURE,
    Plan,
    explore,
    inconsistency,
    module_structures,
    plan,
    refused,
    results,
    structures,
)
from metastudy.published import published
from metastudy.verdicts import ROPES
from metastudy.vocabulary import Vocabulary

__all__ = ["burdens", "gather", "pool", "stages"]

# Prior scales of effects and of standard deviations, in the units of the estimates.
PRIORS = {
    "sd": ("effect", "tau"),
    "log_odds": ("effect_logit", "tau_logit"),
    "log_risk_ratio": ("effect_logit", "tau_logit"),
}


def gather(
    cells: list[xr.Dataset], effects: pd.DataFrame, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, np.ndarray]:
    """Unpooled estimates of all modules and published effects, with one covariance matrix."""
    here = {s["citation"] for c in cells for s in json.loads(c.attrs["studies"]).values()}
    found = [
        estimates(c, vocabulary["modules"][c.attrs["module"]]["model"], vocabulary) for c in cells
    ]
    found.append(published(effects, here, vocabulary))
    table = pd.concat([rows for rows, _ in found], ignore_index=True)
    covariance = np.zeros((len(table), len(table)))
    start = 0
    for rows, block in found:
        covariance[start : start + len(rows), start : start + len(rows)] = block
        start += len(rows)
    return table, covariance


def burdens(vocabulary: Vocabulary) -> dict[str, int]:
    """Sign of each outcome in the exploratory model; a family of codes takes its own entry."""
    entries = {**vocabulary["constructs"], **vocabulary["families"]}
    return {name: entry["burden"] for name, entry in entries.items() if "burden" in entry}


def stages(
    table: pd.DataFrame, covariance: np.ndarray, vocabulary: Vocabulary
) -> Iterator[tuple[str, str, Plan]]:
    """The models that the estimates allow: what each is part of, its metric, its plan.

    The second stage is a model per metric, as their priors differ; estimates in two metrics come
    from two modules, so no covariance is lost.
    """
    for metric in PRIORS:
        mine = np.flatnonzero(table["metric"] == metric)
        own = table.iloc[mine].reset_index(drop=True)
        if found := plan(own, covariance[np.ix_(mine, mine)]):
            yield "pooled", metric, found
    if found := explore(table, covariance, burdens(vocabulary)):
        yield "exploratory", "sd", found


def pool(
    found: Plan, priors: Mapping[str, float], sampling: Mapping[str, Any], metric: str = "sd"
) -> xr.DataTree:
    """Posterior of a second-stage model."""
    from metastudy.models import synthesis
    from metastudy.sampling import compile_model, draw

    given = (found.table["estimate"].to_numpy(), found.covariance, found.design)
    model = synthesis.build(*given, *(priors[name] for name in PRIORS[metric]))
    fitted = draw(compile_model(model), sampling)
    posterior = fitted["posterior"].to_dataset()
    complete = synthesis.add_levels(posterior, *given, sampling["seed"])
    return xr.DataTree.from_dict(
        {"posterior": complete, "sample_stats": fitted["sample_stats"].to_dataset()}
    )


def main() -> None:
    """Entry point of the rule ``synthesize``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, nargs="*", default=[])
    parser.add_argument("--published", type=Path, nargs="*", default=[], help="harmonized folders")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--rope_sd", type=float, required=True)
    parser.add_argument("--rope_logit", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    from metastudy.netcdf import save

    cells = [xr.load_dataset(path) for path in args.cells]
    reports = [json.loads((path / REPORT).read_text("utf-8")) for path in args.published]
    vocabulary = vocabularies.merge(
        vocabularies.load(args.vocabulary),
        [json.loads(c.attrs["vocabulary"]) for c in cells] + [r["vocabulary"] for r in reports],
    )
    effects = [tables.read(path / "effects.parquet") for path in args.published]
    table, covariance = gather(cells, pd.concat([tables.empty("effects"), *effects]), vocabulary)
    groups: dict[str, xr.Dataset] = {}
    seen = [*map(module_structures, cells), refused(table)]
    spread: list[pd.DataFrame] = []
    shown: dict[str, list[pd.DataFrame]] = {"pooled": [], "exploratory": []}
    for name, metric, found in stages(table, covariance, vocabulary):
        posterior = pool(found, args.priors, args.sampling, metric)
        label = name if metric == "sd" else f"{name}_{metric}"
        groups |= {f"{label}_{part}": n.to_dataset() for part, n in posterior.children.items()}
        draws = posterior["posterior"].to_dataset()
        seed, ropes = args.sampling["seed"], {m: getattr(args, key) for m, key in ROPES.items()}
        shown[name].append(results(found, draws, args.interval, seed, ropes)[RESULTS])
        told = structures(found)
        told["module_or_family"] = told["module_or_family"].replace("", "exploratory")
        seen.append(told)
        tau_sd = args.priors[PRIORS[metric][1]]
        own = taus(draws, tau_sd, args.interval).assign(variant=name)
        i2 = inconsistency(found, draws, args.interval)
        spread.append(own.merge(i2, how="left", on="parameter", validate="one_to_one"))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, parts in shown.items():
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=RESULTS)
        rows.to_parquet(args.out / f"{name}.parquet", index=False)
    table.to_parquet(args.out / "estimates.parquet", index=False)
    pd.concat(seen, ignore_index=True)[STRUCTURE].to_parquet(
        args.out / "structure.parquet", index=False
    )
    none = pd.DataFrame(columns=[*HETEROGENEITY, *INCONSISTENCY])
    (pd.concat(spread, ignore_index=True) if spread else none).to_parquet(
        args.out / "heterogeneity.parquet", index=False
    )
    save(xr.DataTree.from_dict(groups), args.out / "posterior.nc")


REPORT = "report.json"
INCONSISTENCY = ("i2", "i2_lower", "i2_upper", "i2_mcse")
RESULTS = [
    *("id", "exposure", "exposure_type", "outcome", "family", "response_mode", "level", "group"),
    *("studies", "metric", "mean", "sd", "lower", "upper"),
    *("mcse", "mcse_lower", "mcse_upper", "pd", "rope"),
    *("provenance", "note"),
]


if __name__ == "__main__":
    run(main)
