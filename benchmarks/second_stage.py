"""What the second stage costs: many effects of many studies, with countries and sectors.

    PYTHONPATH=workflow python benchmarks/second_stage.py                        # 1,000 of 400
    PYTHONPATH=workflow python benchmarks/second_stage.py --effects 200 --studies 80

A study reports its effects on a few outcomes, correlated with each other, in one country and
sector; so all estimands are linked and of one model, and pooled jointly. Chains are those of the
configuration unless other ones are given. Printed are the seconds to plan, to compile, to sample
and to draw the levels and make the table of results, by the clock and of the processor, which
differ on a busy machine; the most memory that the process had; and the gates.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path
from typing import Any

import one_thread as one_thread  # isort: skip  before NumPy is imported
from metastudy.inference.convergence import gates  # isort: skip  before PyMC is imported

import numpy as np
import pandas as pd
import yaml

from metastudy.inference.sampling import compile_model, draw
from metastudy.models.priors import priors_of
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.priors import priors_of_plan
from metastudy.synthesis.results import results

ROOT = Path(__file__).parents[1]
OUTCOMES = 4
SPREAD = {"study": 0.15, "country": 0.1, "sector": 0.1}


def simulate(
    effects: int, studies: int, countries: int, sectors: int, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates with a known mean of 0.3, and their covariance."""
    rng = np.random.default_rng(seed)
    # Each study has one outcome at least, and none twice.
    number = np.ones(studies, dtype=int)
    while number.sum() < effects:
        at = rng.integers(studies)
        number[at] += number[at] < OUTCOMES
    study = np.repeat(np.arange(studies), number)
    outcome = np.concatenate([rng.permutation(OUTCOMES)[:k] for k in number])
    country = rng.integers(countries, size=studies)[study]
    sector = rng.integers(sectors, size=studies)[study]
    level = {name: sd * rng.standard_normal((studies, OUTCOMES)) for name, sd in SPREAD.items()}
    theta = 0.3 + level["study"][study, outcome] + level["country"][country, outcome]
    theta = theta + level["sector"][sector, outcome]
    se = rng.uniform(0.08, 0.3, effects)
    together = study[:, None] == study
    covariance = np.outer(se, se) * np.where(np.eye(effects) > 0, 1.0, 0.5 * together)
    table = pd.DataFrame(
        {
            "id": [f"effect-{at}" for at in range(effects)],
            "study": [f"study-{at:03d}" for at in study],
            "country": [f"country-{at:02d}" for at in country],
            "sector": [f"sector-{at:02d}" for at in sector],
            "role": "professional",
            "exposure": "exposure",
            "exposure_name": "exposure",
            "exposure_type": "randomised",
            "outcome": [f"outcome-{at}" for at in outcome],
            "family": "family",
            "vignette": "",
            "response_mode": "survey",
            "metric": "sd",
            "estimate": theta + np.linalg.cholesky(covariance) @ rng.standard_normal(effects),
            "n": 200,
            "provenance": "simulated",
            "se": se,
        }
    )
    return table, covariance


def memory() -> float:
    """The most memory that the process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def clocks() -> tuple[float, float]:
    """Seconds by the clock, and of the processor, children included."""
    return time.perf_counter(), sum(os.times()[:4])


def run(table: pd.DataFrame, covariance: np.ndarray, settings: dict[str, Any], cores: int) -> None:
    """Plan, fit and summarise, and print what each step took."""
    priors, sampling = priors_of(settings["priors"]), settings["sampling"]
    start = begun = clocks()

    def lap(what: str) -> None:
        nonlocal start
        now = clocks()
        print(
            f"  {what:24} {now[0] - start[0]:7.1f} s ({now[1] - start[1]:.1f} of the processor),"
            f" at most {memory():.2f} GB so far",
            flush=True,
        )
        start = now

    found_plans = [*plans(table, covariance)]
    lap("planned")
    for found in found_plans:
        given = (found.table["estimate"].to_numpy(), found.covariance, found.design)
        blocks = synthesis_model.blocks(found.design, found.covariance)
        print(
            f"  {len(found.table)} estimates, {len(found.estimands)} estimands,"
            f" {len(blocks.start) - 1} blocks, {len(blocks.component)} levels that link them"
        )
        own = priors_of_plan(priors, "sd", found)
        compiled = compile_model(synthesis_model.build(*given, *own))
        lap("compiled")
        tree = draw(compiled, sampling, cores)
        lap("sampled")
        posterior = tree["posterior"].to_dataset()
        complete = synthesis_model.add_levels(posterior, *given, sampling["seed"])
        lap("levels drawn")
        shown = results(found, complete, 0.95, sampling["seed"])
        lap(f"{len(shown)} rows of results")
        stats = tree["sample_stats"].to_dataset()
        steps = float((2 ** stats["depth"] - 1).mean())
        checked = gates(posterior, stats, settings["gates"])
        words = (f"{g['gate']} {g['value']:.4g} {'ok' if g['passed'] else '-'}" for g in checked)
        print(f"  {', '.join(words)}; about {steps:.0f} gradients a draw")
        population = shown[shown["level"] == "population"].set_index("outcome")
        print(population[["mean", "sd", "lower", "upper"]].round(3).to_string())
    wall, processor = (now - before for now, before in zip(clocks(), begun, strict=True))
    print(f"in all {wall:.1f} s ({processor:.1f} of the processor), at most {memory():.2f} GB")


def main() -> None:
    """Read the command line and print what one run costs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--effects", type=int, default=1000)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--countries", type=int, default=20)
    parser.add_argument("--sectors", type=int, default=8)
    parser.add_argument("--chains", type=int, help="other than that of the configuration")
    parser.add_argument("--tune", type=int, help="other than that of the configuration")
    parser.add_argument("--draws", type=int, help="other than that of the configuration")
    parser.add_argument("--target-accept", type=float, help="other than that of the configuration")
    parser.add_argument("--cores", type=int, default=1)
    args = parser.parse_args()
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    for key in ("chains", "tune", "draws", "target_accept"):
        if getattr(args, key):
            settings["sampling"][key] = getattr(args, key)
    print(
        f"cores {args.cores} of {os.cpu_count()}, load {os.getloadavg()},"
        f" sampling {settings['sampling']}"
    )
    run(
        *simulate(args.effects, args.studies, args.countries, args.sectors, 1), settings, args.cores
    )
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
