"""Selection: what published effects would be if significant ones were published more easily."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import NormalDist

from metastudy.commands._estimates import of_published
from metastudy.commands._run import run
from metastudy.common.result_tables import checked
from metastudy.models.priors import priors_of
from metastudy.posterior.verdicts import ROPES
from metastudy.synthesis.declared import read
from metastudy.synthesis.published_effects import errors_alone, published
from metastudy.synthesis.selected_effects import analyses, check_sides, one_each


def main() -> None:
    """Entry point of the rule ``selection``."""
    parser = argparse.ArgumentParser(description=__doc__)
    of_published(parser)
    parser.add_argument("--sides", type=json.loads, default={}, help="JSON: by outcome")
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--rope_sd", type=float, required=True)
    parser.add_argument("--rope_logit", type=float, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--effects", type=Path, required=True)
    args = parser.parse_args()

    vocabulary, effects, declared = read(args.declared)
    check_sides(args.sides, effects)
    given = (args.standardisers, declared.dependence, args.correlation)
    table, covariance = published(effects, vocabulary, *given)
    alone = errors_alone(effects, table, args.standardisers)
    first = effects[effects["priority"].eq("primary")]
    made, seen = analyses(
        one_each(table, covariance, alone, [*(first["study_id"] + "|" + first["finding_id"])]),
        args.sides,
        priors_of(args.priors),
        args.interval,
        {metric: getattr(args, key) for metric, key in ROPES.items()},
        NormalDist().inv_cdf(0.5 + args.interval / 2),
    )
    checked("selection", made).to_parquet(args.table, index=False)
    checked("selection_effects", seen).to_parquet(args.effects, index=False)
    print(f"{len(seen)} published effects of {made['outcome'].nunique()} outcomes")


if __name__ == "__main__":
    run(main)
