"""Unlock: what each candidate study would make possible, from the design alone."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from metastudy.commands._estimates import arguments, estimates
from metastudy.commands._run import run
from metastudy.common.result_tables import checked
from metastudy.models.registry import model_of
from metastudy.synthesis.unlock import SIDES, unlock


def main() -> None:
    """Entry point of the rule ``unlock``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--candidates", type=json.loads, required=True, help="JSON: of the config")
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()

    cells, vocabulary, table, _, _ = estimates(args)
    none = pd.DataFrame(columns=SIDES).astype({"side": float})
    sides = pd.concat([none, *(model_of(one).sides(one) for one in cells)], ignore_index=True)
    found = unlock(table, sides, args.candidates, vocabulary)
    checked("unlock", found).to_parquet(args.table, index=False)
    print(f"{len(args.candidates)} candidate studies, {len(found)} rows")


if __name__ == "__main__":
    run(main)
