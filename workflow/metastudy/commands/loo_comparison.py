"""Compare complete, partial and no pooling by what each would have predicted of left-out rows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.common.result_tables import checked
from metastudy.common.tables import join_values
from metastudy.model_checks.left_out_organisations import (
    NEEDED,
    densities,
    left_out_organisations,
    rows_of_sites,
    why_not,
)
from metastudy.model_checks.loo_comparison import (
    COLUMNS,
    POOLING,
    comparison,
    log_likelihood,
    notes,
    thinned,
)
from metastudy.models.aggregate import observed_rows
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of


def main() -> None:
    """Entry point of the rule ``loo_comparison``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--fits", type=Path, nargs="+", required=True, help="posterior and refits")
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--organisations", type=Path, required=True, help="table of those left out")
    args = parser.parse_args()

    cells = made_files.arrays(args.cells)
    model = model_of(cells)
    rows = observed_rows(args.studies, cells, args.vocabulary)
    priors = priors_of(args.priors)
    found, sites, gates, components = {}, {}, {}, 0
    for path in args.fits:
        with made_files.tree(path) as tree:
            for pooling, group in POOLING.items():
                if group in tree.children:
                    draws = tree[group].to_dataset()
                    gates[pooling] = str(draws.attrs.get("missed", ""))
                    spreads = [n for n in map(str, draws) if n == "tau" or n.endswith("_tau")]
                    spreads = [n for n in spreads if n not in ("total_tau", "apart_tau")]
                    components = max(components, sum(draws[n][0, 0].size for n in spreads))
                    needed = [n for n in (*model.row_parameters, *NEEDED) if n in draws]
                    few = thinned(draws[needed]).load()
                    if rows is not None:
                        found[pooling] = log_likelihood(rows, cells, few)
                    if not why_not(cells):
                        sites[pooling] = densities(cells, few, pooling, priors)
    described = json.loads(cells.attrs["studies"])
    provenance = join_values(s["provenance"] for s in described.values())
    own = rows_of_sites(rows, cells) if sites else None
    same = {name: values[..., own] for name, values in found.items()} if own is not None else {}
    organisations = left_out_organisations(cells, sites, same, provenance)
    checked("organisations", organisations).to_parquet(args.organisations, index=False)
    print(organisations.to_string())
    if rows is None:
        checked("comparison", pd.DataFrame(columns=COLUMNS)).to_parquet(args.out, index=False)
        print("not from a parcel: no study of the module has rows to be left out")
        return
    table = comparison({pooling: found[pooling] for pooling in POOLING})
    table = table.assign(
        module=str(cells.attrs["module"]),
        components=components,
        note=notes(table, gates),
        provenance=provenance,
    )
    checked("comparison", table[COLUMNS]).to_parquet(args.out, index=False)
    print(table.to_string())


if __name__ == "__main__":
    run(main)
