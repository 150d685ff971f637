"""What the answers item by item cost: a gradient, compiling, and a fit with the chains of its rule.

    PYTHONPATH=workflow:tests python benchmarks/ordinal.py     # threat and coping, as built
    PYTHONPATH=workflow:tests python benchmarks/ordinal.py --people 1000 --items 10

Of modules, the cells are those in ``results``. With ``--people`` they are generated: that many
people at twenty sites, with answers of five categories to items of two outcomes, which hang
together. Times are of a processor; it says whether a gradient takes less than 5 ms and compiling
and sampling together less than 4 minutes, and which gates of refits the fit passes.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from fits import reached  # isort: skip  before NumPy and PyMC are imported

import numpy as np
import xarray as xr
import yaml
from pymc.blocking import DictToArrayBijection

from metastudy.inference.sampling import compile_model, draw
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

ROOT = Path(__file__).parents[1]
MILLISECONDS, SECONDS = 5.0, 240.0  # what a gradient and a fit may take
SITES = 20


def generated(people: int, items: int) -> xr.Dataset:
    """Cells of an experiment with one study and two outcomes of one family."""
    from helpers.hand_made import item_study
    from helpers.raw_studies import VOCABULARY
    from metastudy.models.ordinal.cells import item_cells

    rng = np.random.default_rng(1)
    x = np.resize([-0.5, 0.5], people)
    site = np.arange(people) % SITES
    family, own = rng.standard_normal(people), rng.standard_normal((people, 2))
    level = 0.25 * rng.standard_normal((SITES, 2))[site]
    asked = {}
    for m in range(items):
        k = m % 2
        latent = 0.3 * x + level[:, k] + family + own[:, k] + rng.standard_normal(people)
        answer = 1.0 + np.digitize(latent, [-1.5, -0.5, 0.7, 2.0])
        asked[f"item_{m}"] = (("threat_quality", "threat_job")[k], 1, 5, answer)
    study = item_study(
        asked,
        task=list(np.where(x > 0, "core", "complementary")),
        org=[f"site-{s}" for s in site],
    )
    return item_cells([study], "threat", VOCABULARY)


def told(name: str, cells: xr.Dataset, settings: dict[str, Any]) -> None:
    """Print what one set of cells costs."""
    priors = priors_of(settings["priors"])
    chains = settings["refits"] | {"draws": 2 * settings["refits"]["draws"]}  # as the rule has it
    model = MODELS["ordinal"].build(cells, priors)
    value = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    value.set_extra_values({})
    point = DictToArrayBijection.map(model.initial_point()).data
    value(point)
    took = []
    for _ in range(50):
        start = time.process_time()
        value(point)
        took.append(1e3 * (time.process_time() - start))
    each = float(np.median(took))
    print(
        f"{name}: {cells.sizes['cell']} cells, {cells.sizes['item']} items, "
        f"{len(point)} parameters; a gradient takes {each:.2f} ms "
        f"({'less' if each < MILLISECONDS else 'MORE'} than {MILLISECONDS:g})",
        flush=True,
    )
    start = time.process_time()
    compiled = compile_model(model)
    middle = time.process_time()
    tree = draw(compiled, settings["sampling"] | chains)
    end = time.process_time()
    ess, words = reached(tree, settings["gates"] | settings["refit_gates"])
    print(
        f"  compiled in {middle - start:.0f} s and sampled in {end - middle:.0f} s, together "
        f"{'less' if end - start < SECONDS else 'MORE'} than {SECONDS:g}; least ESS {ess:.0f}\n"
        f"  {words}",
        flush=True,
    )


def main() -> None:
    """Read the command line and print what is found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--modules", nargs="*", default=["threat", "coping"])
    parser.add_argument("--people", type=int, help="generated ones in place of modules")
    parser.add_argument("--items", type=int, default=10)
    args = parser.parse_args()
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()}")
    if args.people:
        name = f"{args.people} people, {args.items} items"
        told(name, generated(args.people, args.items), settings)
        return
    for module in args.modules:
        cells = xr.load_dataset(args.results / "cells" / f"{module}-ordinal.nc")
        told(module, cells, settings)


if __name__ == "__main__":
    main()
