"""Records of small builds, written by hand, and small finished builds to make records of."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from metastudy.posterior.summarise import summarize

COLUMNS = ["mean", "n", "verdict"]
ERROR = 0.01


def small_record(numbers: int = 40) -> dict[str, Any]:
    """A record of one table: an estimate with an error, a count and a word in each row."""
    rng = np.random.default_rng(1)
    means = rng.normal(size=numbers)
    table = {
        "columns": COLUMNS,
        "kinds": ["estimate", "exact", "word"],
        "sources": {"mean": "own"},
        "primary": ["row 0"],
        "rows": {
            f"row {i}": [[float(mean), 30.0, "undecided"], [ERROR, None, None]]
            for i, mean in enumerate(means)
        },
    }
    gates = {
        "columns": ["value"],
        "kinds": ["diagnostic"],
        "sources": {},
        "primary": [],
        "rows": {"posterior|rhat": [[1.003], [True]]},
    }
    return {
        "schema": 2,
        "commit": "a",
        "lock": "l",
        "seed": 1,
        "raw": {"study": {"answers.csv": "d1"}},
        "provenance": {"study": "simulated"},
        "codebooks": {"study": "b1"},
        "priors": {"tau": 0.3, "effect": {"family": "student_t", "scale": 0.5, "df": 2.5}},
        "settings": {"sampling.draws": 2000},
        "code": {"fit": "c1", "draw": "c2"},
        "machine": {"processor": "p"},
        "stages": {"harmonized": {"study/measurements/value": "h"}, "cells": {"threat/xx": "x"}},
        "tables": {"contrasts/threat": table, "diagnostics/threat": gates},
        "texts": {"threat.quality": {"estimate": "0.22"}, "build": {"pymc": "6.4.0"}},
    }


def rebuilt(record: dict[str, Any], seed: int, size: float = 1.0) -> dict[str, Any]:
    """The same build with another seed: each estimate moves as its Monte Carlo error says."""
    found = copy.deepcopy(record)
    found["seed"] = seed
    rng = np.random.default_rng(seed)
    rows = found["tables"]["contrasts/threat"]["rows"]
    moves = rng.normal(size=len(rows)) * np.sqrt(2) * ERROR * size
    for (values, _), move in zip(rows.values(), moves, strict=True):
        values[0] += float(move)
    return found


CONFIG: dict[str, Any] = {
    "data": "data/raw",
    "vocabulary": "config/vocabulary.yaml",
    "appraisal": "data/appraisal.csv",
    "store": ".store/fits",
    "require": {"threat": ["country"]},
    "sampling": {"seed": 3, "draws": 500},
    "report": {"clear": 0.975, "too_small": 0.95, "direction": 0.975},
    "priors": {"tau": 0.3, "effect": {"family": "student_t", "scale": 0.5, "df": 2.5}},
}


def finished_build(folder: Path, seed: int = 3, shift: float = 0.0) -> Path:
    """A finished build of one study and six effects, from draws simulated here, and its code."""
    results = folder / "results"
    for name in ("contrasts", "variables", "harmonized/study", "diagnostics", "synthesis"):
        (results / name).mkdir(parents=True)
    (folder / "data/raw/study").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "data/raw/study/answers.csv").write_bytes(b"id;item\n1;2\n")
    (folder / "data/raw/study/README.md").write_text("no data", "utf-8")
    (folder / "data/raw/study/codebook.yaml").write_text("study: {provenance: simulated}\n")
    (folder / "config/vocabulary.yaml").write_text("modules: {}\n")
    (folder / "data/appraisal.csv").write_text("study,domain\n")
    sampling = CONFIG["sampling"] | {"seed": seed}
    (results / "run_config.yaml").write_text(yaml.safe_dump(CONFIG | {"sampling": sampling}))
    rng = np.random.default_rng(seed)
    ids = [f"main|effect|{name}" for name in "abcdef"]
    means = np.array([0.3, 0.0, -0.25, 0.1, 0.196, 1.0]) + shift
    draws = xr.DataArray(
        means + 0.1 * rng.normal(size=(4, 500, 6)), dims=("chain", "draw", "contrast")
    ).assign_coords(contrast=ids)
    draws.rename("value").to_dataset().to_netcdf(results / "contrasts/threat.nc", group="contrasts")
    table = summarize(draws, 0.95, 0.1).reset_index(names="id")
    table.assign(estimand="effect", variant="main", level="population").to_parquet(
        results / "contrasts/threat.parquet"
    )
    pd.DataFrame({"value": [1.0, 2.5]}).to_parquet(results / "harmonized/study/readings.parquet")
    gate = {"draws": "posterior", "gate": "rhat", "passed": True, "value": 1.0, "threshold": 1.01}
    (results / "diagnostics/threat.json").write_text(json.dumps({"gates": [gate]}))
    commands = folder / "workflow/metastudy/commands"
    commands.mkdir(parents=True)
    for path in (commands, commands.parent):
        (path / "__init__.py").write_text("", "utf-8")
    (commands / "fit.py").write_text("print(1)  # no comment counts\n", "utf-8")
    (folder / "envs").mkdir()
    (folder / "envs/requirements.txt").write_text("pymc==6\n", "utf-8")
    texts = {"threat": {"a": {"estimate": "0.30"}}}
    (results / "variables/_variables.yml").write_text(yaml.safe_dump(texts), "utf-8")
    return folder
