"""Records of small builds, written by hand: what a verdict is passed on."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

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
