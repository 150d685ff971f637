"""Synthesize: pool unpooled study estimates where several studies report the same estimand."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import pandas as pd
import xarray as xr

from metastudy.commands._estimates import arguments, estimates
from metastudy.commands._run import run
from metastudy.common import result_tables
from metastudy.models.priors import priors_of
from metastudy.posterior.heterogeneity import decided_by_prior, taus
from metastudy.posterior.verdicts import ROPES
from metastudy.synthesis.correlated import correlated
from metastudy.synthesis.dependence import assumed, refitted, sensitivity
from metastudy.synthesis.eligibility import STRUCTURE, module_structures, refused, structures
from metastudy.synthesis.families import apart, beside
from metastudy.synthesis.influence import influence
from metastudy.synthesis.moderators import coefficients, lines
from metastudy.synthesis.pooling import SecondStage
from metastudy.synthesis.prior_scales import prior_scales
from metastudy.synthesis.priors import prior_of
from metastudy.synthesis.results import inconsistency, results
from metastudy.synthesis.stages import fitter, stages

# Tables beside the pooled.
MORE = ("moderators", "moderator_lines", "dependence", "influence", "prior_scales")


def main() -> None:
    """Entry point of the rule ``synthesize``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--priors", type=json.loads, required=True)
    parser.add_argument("--sampling", type=json.loads, required=True)
    parser.add_argument("--refits", type=json.loads, required=True, help="sampling of refits")
    parser.add_argument("--gates", type=json.loads, required=True, help="of refits")
    parser.add_argument("--interval", type=float, required=True)
    parser.add_argument("--rope_sd", type=float, required=True)
    parser.add_argument("--rope_logit", type=float, required=True)
    parser.add_argument("--prior_decides", type=float, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    from metastudy.inference.netcdf import save

    cells, vocabulary, table, covariance, declared = estimates(args)
    groups: dict[str, xr.Dataset] = {}
    seen = [*map(module_structures, cells), refused(table)]
    spread: list[pd.DataFrame] = []
    shown: dict[str, list[pd.DataFrame]] = {"pooled": [], "exploratory": []}
    more: dict[str, list[pd.DataFrame]] = {}
    fits: list[tuple[SecondStage, xr.Dataset]] = []
    priors = priors_of(args.priors)
    seed, ropes = args.sampling["seed"], {m: getattr(args, key) for m, key in ROPES.items()}
    for at, (name, metric, found) in enumerate(stages(table, covariance, vocabulary)):
        others = assumed(found, declared.dependence) if name == "pooled" else {}
        sampling = args.sampling | {"cores": args.cores}
        fit = fitter(found, priors, metric)
        posterior = fit(found.covariance, sampling)
        label = name if name == "exploratory" else f"{name}_{metric}_{at + 1}"
        groups |= {f"{label}_{part}": n.to_dataset() for part, n in posterior.children.items()}
        draws = posterior["posterior"].to_dataset()
        prior = partial(prior_of, priors, metric=metric, unit=found.unit)
        own = taus(draws, prior, found.design.parts, args.interval)
        decided = decided_by_prior(own, args.prior_decides)
        made = results(found, draws, args.interval, seed, ropes, decided, prior("mu"))
        alone = None
        if found.families:
            tree = fitter(apart(found), priors, metric)(found.covariance, sampling)
            groups |= {f"{label}_apart_{part}": n.to_dataset() for part, n in tree.children.items()}
            alone = tree["posterior"].to_dataset()
        made = beside(made, found, alone, args.interval)
        shown[name].append(made[result_tables.columns(name)])
        said = structures(found)
        said["module_or_family"] = said["module_or_family"].replace("", "exploratory")
        seen.append(said)
        if name == "pooled":
            fits.append((found, draws))
            gates = args.gates, args.interval
            refits = refitted(others, fit, sampling, *gates)
            chains = args.refits | {"cores": args.cores}
            for label, of in {
                "moderators": coefficients(found, draws, args.interval, ropes),
                "moderator_lines": lines(found, draws, args.interval),
                "dependence": sensitivity(
                    made, found, declared.dependence, args.correlation, refits
                ),
                "influence": influence(found, draws, fit, chains, *gates),
                "prior_scales": prior_scales(
                    made, found, metric, priors, fit, draws, chains, *gates, ropes
                ),
            }.items():
                more.setdefault(label, []).append(of)
        i2 = inconsistency(found, draws, args.interval)
        own = own.assign(variant=name)
        spread.append(own.merge(i2, how="left", on="parameter", validate="one_to_one"))
    tables = {
        name: pd.concat(parts, ignore_index=True) if parts else result_tables.none(name)
        for name, parts in (shown | {n: more.get(n, []) for n in MORE}).items()
    }
    tables |= {
        "correlations": correlated(fits, priors, args.interval),
        "estimates": table[result_tables.columns("estimates")],
        "structure": pd.concat(seen, ignore_index=True)[STRUCTURE],
        "heterogeneity": pd.concat(spread, ignore_index=True)
        if spread
        else result_tables.none("synthesis_heterogeneity"),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    for name, whole in tables.items():
        schema = "synthesis_heterogeneity" if name == "heterogeneity" else name
        checked = result_tables.checked(schema, whole)
        checked.to_parquet(args.out / f"{name}.parquet", index=False)
    save(xr.DataTree.from_dict(groups), args.out / "posterior.nc")


if __name__ == "__main__":
    run(main)
