"""Calibrate the synthesis: its models given the covariance, and the whole way from rows.

Given the covariance of the estimates, ranks have to be uniform as for a module, with true values
from the priors, and from the posterior of the estimates at hand. From rows on, the
covariance is an estimate that the second stage takes for known, and so is the standard deviation in
which effects are measured: the end-to-end study shows what that costs, as coverage of what is true
where rows are simulated, aggregated, estimated from and pooled.
"""

from __future__ import annotations

import argparse

from metastudy.calibration.synthesis import calibrate
from metastudy.commands._calibration_options import add_options, options
from metastudy.commands._estimates import arguments, estimates
from metastudy.commands._run import run
from metastudy.common import result_tables


def main() -> None:
    """Entry point of the rule ``calibrate_synthesis``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    add_options(parser)
    args = parser.parse_args()
    _, vocabulary, table, covariance, _ = estimates(args)
    ranked, checks = calibrate(table, covariance, vocabulary, **options(args.settings))
    result_tables.checked("ranks", ranked).to_parquet(args.ranks, index=False)
    result_tables.checked("gates", checks).to_parquet(args.gates, index=False)


if __name__ == "__main__":
    run(main)
