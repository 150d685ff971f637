"""What cells cost against rows, and what more respondents cost.

    PYTHONPATH=workflow python benchmarks/sampling.py                 # all comparisons
    PYTHONPATH=workflow python benchmarks/sampling.py --only growth   # one of them

*rows*: the model of the workflow against the same model on rows. Priors, parameterisation, gates
and length of the chains are the same; the log-density differs, cross-products of cells in the one,
a vectorised multivariate normal over all rows in the other. The rows are sampled by the same
sampler and by PyMC's own NUTS on numba. *growth*: the model on cells for few and for many
respondents of the same sites. *organisations*: ten times the sites, as many people in each.

Times depend on the machine and on what else it does, so its load is printed, ratios from one run
are what counts, and no test asks for a time. Ratios are of processor time, which other work on the
machine hardly changes. Compiling is timed apart.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from fits import draw_by_pymc, reached  # isort: skip  before NumPy and PyMC are imported

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
import yaml

from metastudy.codebook.vocabulary import load
from metastudy.harmonized import study as aggregation
from metastudy.inference.sampling import compile_model, draw
from metastudy.models import terms
from metastudy.models.answers import cells as answers_cells
from metastudy.models.answers import design
from metastudy.models.answers import model as answers_model
from metastudy.models.priors import priors_of

ROOT = Path(__file__).parents[1]
OUTCOMES = ("threat_quality", "threat_profession", "threat_job")
FACTORS = ("task_type", "involvement_degree")
VIGNETTE = "volunteers_at_work"


@dataclass(frozen=True)
class Rows:
    """An experiment as numbers: ``x`` (person, coefficient), ``y`` (person, outcome), ``site``."""

    x: np.ndarray
    y: np.ndarray
    site: np.ndarray


def simulate(people: int, sites: int, seed: int) -> Rows:
    """Rows of an experiment with two randomised factors and effects that vary between sites."""
    rng = np.random.default_rng(seed)
    k = len(OUTCOMES)
    site = np.arange(people) % sites
    x = np.column_stack([np.ones(people), *(rng.integers(0, 2, (2, people)) - 0.5)])
    b = np.array([[0.0] * k, [0.4, 0.3, 0.2], [0.1, 0.1, 0.1]])
    b = b + 0.15 * rng.standard_normal((sites, len(b), k))
    residual = rng.multivariate_normal(np.zeros(k), 0.4 * np.eye(k) + 0.6, people)
    y = (x[:, :, None] * b[site]).sum(axis=1) + residual
    reference = y[x[:, 1] < 0]
    return Rows(x, (y - reference.mean(axis=0)) / reference.std(axis=0, ddof=1), site)


def study(rows: Rows) -> aggregation.Study:
    """The rows as the harmonized tables of a study."""
    people = [f"person-{i:07d}" for i in range(len(rows.y))]
    levels = {"task_type": ["complementary", "core"], "involvement_degree": ["low", "high"]}
    assigned = [
        pd.DataFrame({"factor": name, "level": np.array(levels[name])[(x > 0).astype(int)]})
        for name, x in zip(FACTORS, rows.x.T[1:], strict=True)
    ]
    measured = [
        pd.DataFrame({"construct": c, "value_pomp": y})
        for c, y in zip(OUTCOMES, rows.y.T, strict=True)
    ]
    about = {
        "citation": "none",
        "response_mode": "vignette_hypothetical",
        "provenance": "simulated",
    }
    everyone = {"study_id": "benchmark", "respondent_id": people}
    place = {"country": "DK", "sector": "elderly_care", "role": "professional"}
    return aggregation.Study(
        report={
            "study": "benchmark",
            "codebook": about,
            "outcomes": list(OUTCOMES),
            "exposures": [{"factor": name, "type": "randomised"} for name in FACTORS],
            "vocabulary": {},
        },
        tables={
            "respondents": pd.DataFrame(
                everyone
                | {"org_id": [f"org-{s:03d}" for s in rows.site], "arrangement": "scheme"}
                | place
            ),
            "assignments": pd.concat(
                [part.assign(**everyone) for part in assigned], ignore_index=True
            ),
            "measurements": pd.concat(
                [part.assign(**everyone, vignette=VIGNETTE) for part in measured], ignore_index=True
            ),
        },
    )


def cells_of(rows: Rows) -> xr.Dataset:
    """The rows as the workflow aggregates them."""
    vocabulary = load(ROOT / "config/vocabulary.yaml")
    return answers_cells.answer_cells([study(rows)], "threat", vocabulary)


@contextmanager
def likelihood_of(rows: Rows) -> Iterator[None]:
    """While this is open, the model is built on rows: the same model, another log-density."""

    def gaussian_rows(*_: Any, b: Any, cov: Any, block: np.ndarray, **__: Any) -> Any:
        # One study, nothing missing: a cell is a site, in the order of the sites.
        mean = (pt.constant(rows.x)[:, :, None] * b[rows.site]).sum(axis=1)
        off = pt.constant(rows.y) - mean
        sigma = cov[block[0]]
        logdet = 2 * pt.log(pt.diagonal(pt.linalg.cholesky(sigma))).sum()
        return -0.5 * (len(rows.y) * logdet + (pt.dot(off, pt.linalg.inv(sigma)) * off).sum())

    with mock.patch.object(answers_model, "gaussian_cells", gaussian_rows):
        yield


def fit(name: str, model: pm.Model, settings: dict[str, Any], cores: int) -> dict[str, float]:
    """Compile and sample a model by nutpie, print it, return what ratios are made of."""
    start = time.perf_counter()
    compiled = compile_model(model)
    print(f"{name:34} compiled in {time.perf_counter() - start:.1f} s")
    before = time.process_time()
    tree = draw(compiled, settings["sampling"], cores)
    return told(tree, time.process_time() - before, settings)


def told(tree: xr.DataTree, seconds: float, settings: dict[str, Any]) -> dict[str, float]:
    """Print a fit and its gates."""
    least, words = reached(tree, settings["gates"])
    mean = float(tree["posterior"]["mu"].mean(("chain", "draw"))[0, 0])
    print(
        f"{'':34} sample {seconds:7.1f} s of CPU, least ESS {least:6.0f}, {least / seconds:8.1f} a"
        f" second, mu[0,0] {mean:.4f}\n{'':34} {words}",
        flush=True,
    )
    return {"seconds": seconds, "per_second": least / seconds}


def against_rows(sizes: list[int], sites: int, settings: dict[str, Any], cores: int) -> None:
    """The model on cells against the same model on rows, by the same and by PyMC's sampler."""
    for people in sizes:
        rows = simulate(people, sites, seed=people)
        cells = cells_of(rows)
        on_cells = fit(
            f"{people} people, cells",
            answers_model.build(cells, priors_of(settings["priors"])),
            settings,
            cores,
        )
        with likelihood_of(rows):
            model = answers_model.build(cells, priors_of(settings["priors"]))
        others = {"nutpie": fit(f"{people} people, rows", model, settings, cores)}
        print(f"{people} people, rows, by PyMC's NUTS")
        others["PyMC"] = told(*draw_by_pymc(model, settings["sampling"]), settings)
        for sampler, on_rows in others.items():
            longer = on_rows["seconds"] / on_cells["seconds"]
            denser = on_cells["per_second"] / on_rows["per_second"]
            print(
                f"{people} people: rows by {sampler} take {longer:.1f} times as long as cells;"
                f" cells give {denser:.1f} times the effective draws per second of CPU",
                flush=True,
            )


def growth(few: int, many: int, sites: int, settings: dict[str, Any], cores: int) -> None:
    """The model on cells, for few and many respondents."""
    seconds = []
    for people in (few, many):
        cells = cells_of(simulate(people, sites, seed=1))
        information = design.site_information(cells)
        priors = priors_of(settings["priors"])
        centred = terms.informed(information, priors["tau"].scale)
        form = "centred" if centred else "not centred"
        model = answers_model.build(cells, priors)
        seconds.append(fit(f"{people} people, cells, {form}", model, settings, cores)["seconds"])
    print(
        f"{many} against {few} people: {seconds[1] / seconds[0]:.2f} times the time to sample",
        flush=True,
    )


def organisations(few: int, sites: int, settings: dict[str, Any], cores: int) -> None:
    """The model on cells, for ten times the organisations with as many people in each."""
    seconds = []
    for times in (1, 10):
        cells = cells_of(simulate(times * few, times * sites, seed=1))
        model = answers_model.build(cells, priors_of(settings["priors"]))
        name = f"{times * sites} organisations, cells"
        seconds.append(fit(name, model, settings, cores)["seconds"])
    print(
        f"{10 * sites} against {sites} organisations: {seconds[1] / seconds[0]:.2f} times the time"
        " to sample",
        flush=True,
    )


def main() -> None:
    """Read the command line and print the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=("rows", "growth", "organisations"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 20_000], help="of *rows*")
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--sites", type=int, default=40)
    parser.add_argument("--tune", type=int, help="other than that of the configuration")
    parser.add_argument("--draws", type=int, help="other than that of the configuration")
    parser.add_argument("--target-accept", type=float, help="other than that, for both alike")
    parser.add_argument("--cores", type=int, default=1)
    args = parser.parse_args()
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    for key in ("tune", "draws", "target_accept"):
        if getattr(args, key):
            settings["sampling"][key] = getattr(args, key)
    print(
        f"cores {args.cores} of {os.cpu_count()}, load {os.getloadavg()},"
        f" sampling {settings['sampling']}"
    )
    if args.only in (None, "rows"):
        against_rows(args.sizes, args.sites, settings, args.cores)
    if args.only in (None, "growth"):
        growth(args.few, args.many, args.sites, settings, args.cores)
    if args.only in (None, "organisations"):
        organisations(args.few, args.sites, settings, args.cores)
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
