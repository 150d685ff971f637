"""Robustness: sensitivity analyses of single settings and of what is pooled, without sampling."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy import stats

from metastudy.commands._estimates import arguments, estimates
from metastudy.commands._run import run
from metastudy.common import made_files, result_tables
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of
from metastudy.synthesis.left_out_groups import left_out_groups
from metastudy.synthesis.stages import stages
from metastudy.synthesis.tails import tails

KEYS = ["study", "country", "sector", "role", "exposure", "outcome", "vignette"]


def main() -> None:
    """Entry point of the rule ``robustness``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--pooled", type=Path, required=True)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--delta", type=float, required=True, help="shift of missing outcomes, SD")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    cells, vocabulary, table, covariance, declared = estimates(args)
    priors, pooled = priors_of(args.priors), made_files.table(args.pooled)
    tail = (1 - args.interval) / 2
    z = NormalDist().inv_cdf(1 - tail)
    found = {
        "tails": [
            tails(plan, metric, priors, args.interval, pooled)
            for name, metric, plan in stages(table, covariance, vocabulary)
            if name == "pooled"
        ],
        "left_out_groups": [left_out_groups(table, covariance, priors)],
        "associations": [
            _associated(
                model_of(c).associations(c, vocabulary, declared.reliabilities, tail), tail, z
            )
            for c in cells
        ],
        "missing_outcomes": [
            _shifted(model_of(c).shifted(c, vocabulary, args.delta), args.delta, z) for c in cells
        ],
    }
    args.out.mkdir(parents=True, exist_ok=True)
    for name, parts in found.items():
        several = [part for part in parts if len(part)]
        whole = pd.concat(several, ignore_index=True) if several else result_tables.none(name)
        checked = result_tables.checked(name, whole[result_tables.columns(name)])
        checked.to_parquet(args.out / f"{name}.parquet", index=False)
        print(f"{name}: {len(checked)} rows")


def _associated(rows: pd.DataFrame, tail: float, z: float) -> pd.DataFrame:
    """Associations with their intervals, that of the estimate by its t distribution."""
    if rows.empty:
        return rows
    half = stats.t.isf(tail, np.maximum(rows["df"], 1)) * rows["se"]
    return _named(rows).assign(
        lower=rows["estimate"] - half,
        upper=rows["estimate"] + half,
        corrected_lower=rows["corrected"] - z * rows["corrected_se"],
        corrected_upper=rows["corrected"] + z * rows["corrected_se"],
    )


def _shifted(rows: pd.DataFrame, delta: float, z: float) -> pd.DataFrame:
    """Effects with shifted outcomes, with their intervals."""
    if rows.empty:
        return rows
    named = _named(rows).assign(delta=delta)
    for end in ("", "_down", "_up"):
        named[f"lower{end}"] = rows[f"estimate{end}"] - z * rows[f"se{end}"]
        named[f"upper{end}"] = rows[f"estimate{end}"] + z * rows[f"se{end}"]
    return named


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(id=["|".join(key) for key in rows[KEYS].astype(str).to_numpy()])


if __name__ == "__main__":
    run(main)
