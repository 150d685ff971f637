"""Leave out places: the second stage without each country and sector, and what it says of it."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from metastudy.commands._estimates import arguments, estimates
from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.models.priors import priors_of
from metastudy.record.inputs import commit_of
from metastudy.synthesis.left_out_places import COLUMNS, FEWEST, digest, left_out_places
from metastudy.synthesis.pooling import ESTIMAND
from metastudy.synthesis.stages import fitter, stages

SHORT = 10  # letters of a commit


def main() -> None:
    """Entry point of the rule ``leave_out_places``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--refits", type=json.loads, required=True, help="sampling of refits")
    parser.add_argument("--gates", type=json.loads, required=True, help="of refits")
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--repository", type=Path, required=True, help="whose commit is written")
    parser.add_argument("--out", type=Path, required=True, help="CSV")
    args = parser.parse_args()
    _, vocabulary, table, covariance, _ = estimates(args)
    priors, sampling = priors_of(args.priors), args.refits | {"cores": args.cores}
    names = {key: digest(own) for key, own in table.groupby(ESTIMAND, sort=False)}
    made = []
    for name, metric, found in stages(table, covariance, vocabulary):
        if name == "pooled":
            fit = fitter(found, priors, metric)
            made.append(left_out_places(found, fit, sampling, args.gates, args.interval))
    rows = pd.concat(made, ignore_index=True) if made else pd.DataFrame()
    if rows.empty:
        raise MetastudyError(
            f"no pooled effect has estimates of {FEWEST} countries or sectors that are independent "
            "of each other, so there is nothing to leave out; nothing was written"
        )
    rows["date"] = datetime.now(UTC).date().isoformat()
    commit = commit_of(args.repository)
    rows["commit"] = commit[:SHORT] + "+" * commit.endswith("+")
    rows["estimates"] = [names[key] for key in rows[ESTIMAND].itertuples(index=False, name=None)]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    new = args.out.with_name(f".{args.out.name}.new")
    rows[COLUMNS].to_csv(new, index=False, float_format="%.6g")
    new.replace(args.out)
    inside = rows["estimate"].between(rows["lower"], rows["upper"]).sum()
    print(f"{args.out}: {inside} of {len(rows)} estimates are inside")


if __name__ == "__main__":
    run(main)
