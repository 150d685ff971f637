"""What the workflow's way to sample gains over rows and PyMC's own sampler, module by module.

    PYTHONPATH=workflow python benchmarks/modules.py                  # all modules, as built
    PYTHONPATH=workflow python benchmarks/modules.py --modules threat --draws 1000

For each module, on the tables and cells that are in ``results``: the model on cells sampled by
nutpie, and the same model, priors and parameterisation with a vectorised likelihood over rows,
sampled by PyMC's own NUTS on numba. The ratio is of effective draws per second of processor time,
the least over the same reported quantities, both fits passing the gates; compiling is timed apart.
What a gradient costs is printed too, for cells, for rows, and without a likelihood: the last is
what sampler and priors take of it, however few the cells are.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from fits import draw_by_pymc, reached  # isort: skip  before NumPy and PyMC are imported

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
import yaml

from metastudy.codebook.vocabulary import load, merge
from metastudy.harmonized.study import load_study
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.rows import rows_of
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.readings import interviews
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

ROOT = Path(__file__).parents[1]


def rows_of_answers(cells: xr.Dataset, results: Path) -> Callable[..., Any]:
    """A likelihood over respondents in place of :func:`gaussian_cells`."""
    studies = [load_study(results / "harmonized" / name) for name in json.loads(cells.studies)]
    vocabulary = merge(
        load(ROOT / "config/vocabulary.yaml"), [s.report["vocabulary"] for s in studies]
    )
    rows = [rows_of(study, cells.module, vocabulary) for study in studies]
    outcomes = [tuple(label.split("|")) for label in cells.outcome.values]
    y = pd.concat([r.y.reindex(columns=outcomes) for r in rows]).to_numpy()
    names = list(cells.exposure.values)
    x = pd.concat([r.x.reindex(columns=names, fill_value=0.0) for r in rows]).to_numpy()
    x = np.column_stack([np.ones(len(x)), x])
    setting = cells.setting_of_site.values
    where = [cells[name].values[setting].astype(str) for name in ("study", "country", "sector")]
    site = {key: at for at, key in enumerate(zip(*where, cells.site.values, strict=True))}
    place = pd.concat([r.site for r in rows])[["study", "country", "sector", "site"]]
    at = np.array([site[tuple(row)] for row in place.itertuples(index=False)])
    seen = ~np.isnan(y)
    patterns = {tuple(p): i for i, p in enumerate(cells.observed.values.astype(bool))}
    pattern = np.array([patterns[tuple(row)] for row in seen])
    key = {pair: c for c, pair in enumerate(zip(cells.site_of_cell.values, cells.pattern_of_cell.values, strict=True))}  # fmt: skip  # noqa: E501
    cell = np.array([key[pair] for pair in zip(at, pattern, strict=True)])
    print(f"{cells.module}: {len(y)} rows, {cells.sizes['cell']} cells")

    def gaussian_rows(*_: Any, b: Any, cov: Any, block: np.ndarray, **__: Any) -> Any:
        total = 0.0
        for r, d in {(int(p), int(d)) for p, d in zip(pattern, block[cell], strict=True)}:
            mine = np.flatnonzero((pattern == r) & (block[cell] == d))
            ks = np.flatnonzero(cells.observed.values[r])
            mean = (pt.constant(x[mine])[:, :, None] * b[cell[mine]][:, :, ks]).sum(axis=1)
            off = pt.constant(y[np.ix_(mine, ks)]) - mean
            sigma = cov[d][np.ix_(ks, ks)]
            logdet = 2 * pt.log(pt.diagonal(pt.linalg.cholesky(sigma))).sum()
            total += -0.5 * (len(mine) * logdet + (pt.dot(off, pt.linalg.inv(sigma)) * off).sum())
        return total

    return gaussian_rows


def rows_of_codings(cells: xr.Dataset, _: Path) -> Callable[..., Any]:
    """A likelihood over readings of a code in place of :func:`coded_cells`."""

    def each(counts: xr.DataArray) -> tuple[np.ndarray, ...]:
        return tuple(np.repeat(np.argwhere(counts.values), counts.values[counts.values > 0].astype(int), axis=0).T)  # fmt: skip  # noqa: E501

    *one, not_applied = each(cells.single)
    *two, agreement = each(cells.double)
    seen = interviews(cells).values > 0
    place = np.cumsum(seen.ravel()).reshape(seen.shape) - 1
    alone, together = place[tuple(one)], place[tuple(two)]
    applied = 1.0 - not_applied
    first, second = 1.0 - agreement // 2, 1.0 - agreement % 2
    print(f"{cells.module}: {len(alone) + len(together)} rows, {seen.sum()} cells")

    def coded_rows(_s: Any, _d: Any, presence: Any, s: Any, t: Any) -> Any:
        p = presence[alone]
        q = p * s + (1 - p) * (1 - t)
        once = (applied * pt.log(q) + (1 - applied) * pt.log1p(-q)).sum()
        p = presence[together]
        there = (first * s + (1 - first) * (1 - s)) * (second * s + (1 - second) * (1 - s))
        not_there = (first * (1 - t) + (1 - first) * t) * (second * (1 - t) + (1 - second) * t)
        return once + pt.log(p * there + (1 - p) * not_there).sum()

    return coded_rows


def told(name: str, tree: Any, seconds: float, thresholds: dict[str, float]) -> float:
    """Print a fit and its gates; its least effective draws per second of processor time."""
    ess, words = reached(tree, thresholds)
    print(
        f"  {name:28} sample {seconds:8.1f} s of CPU, least ESS {ess:6.0f}, {ess / seconds:8.2f} a"
        f" second\n  {'':28} {words}",
        flush=True,
    )
    return ess / seconds


def gradient(model: pm.Model) -> float:
    """Microseconds of processor time of a gradient, the sampler's own work among it: best of 3."""
    compiled, took = compile_model(model), []
    for _ in range(3):
        start = time.process_time()
        tree = nutpie.sample(compiled, chains=1, tune=200, draws=300, seed=1, progress_bar=False)
        steps = sum(int(tree[f"{part}sample_stats"]["n_steps"].sum()) for part in ("", "warmup_"))
        took.append(1e6 * (time.process_time() - start) / steps)
    return min(took)


def compare(module: str, results: Path, settings: dict[str, Any]) -> None:
    """One module both ways, and the ratio."""
    cells = xr.load_dataset(results / "cells" / f"{module}.nc")
    kind, thresholds, sampling = (
        "codings" if "code" in cells.dims else "answers",
        settings["gates"],
        settings["sampling"],
    )
    priors = priors_of(settings["priors"])
    start = time.perf_counter()
    compiled = compile_model(MODELS[kind].build(cells, priors))
    middle = time.process_time()
    print(f"{module}: compiled in {time.perf_counter() - start:.1f} s", flush=True)
    tree = draw(compiled, sampling)
    ours = told("cells, nutpie", tree, time.process_time() - middle, thresholds)
    make, place, name = {
        "answers": (rows_of_answers, answers_model, "gaussian_cells"),
        "codings": (rows_of_codings, codings_model, "coded_cells"),
    }[kind]
    with mock.patch.object(place, name, make(cells, results)):
        model = MODELS[kind].build(cells, priors)
    with mock.patch.object(place, name, return_value=pt.zeros(())):
        without = MODELS[kind].build(cells, priors)
    took = [gradient(one) for one in (MODELS[kind].build(cells, priors), model, without)]
    print(
        "  a gradient takes {:.0f} microseconds on cells, {:.0f} on rows and {:.0f} without a "
        "likelihood".format(*took),
        flush=True,
    )
    theirs = told("rows, PyMC's NUTS on numba", *draw_by_pymc(model, sampling), thresholds)
    print(f"{module}: {ours / theirs:.1f} times the effective draws per second of CPU", flush=True)


def main() -> None:
    """Read the command line and print the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--modules", nargs="+", default=["threat", "coping", "strain"])
    parser.add_argument("--tune", type=int, help="other than that of the configuration")
    parser.add_argument("--draws", type=int, help="other than that of the configuration")
    parser.add_argument("--target-accept", type=float, help="other than that, for both alike")
    args = parser.parse_args()
    settings = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    for key in ("tune", "draws", "target_accept"):
        if getattr(args, key):
            settings["sampling"][key] = getattr(args, key)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()}, sampling {settings['sampling']}")
    for module in args.modules:
        compare(module, args.results, settings)
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
