"""Leaving a study out by giving it no rows is fitting the others alone.

The refit keeps the left-out study's level, about which no data speak; the cold fit never had it.
Both are the same posterior of everything else, so they differ by Monte Carlo error only.
"""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import yaml
from answers import experiment
from studies import ROOT, VOCABULARY

from metastudy.cells import answer_cells
from metastudy.models import BUILD
from metastudy.models.given import pack
from metastudy.refits import population_effects, without
from metastudy.sampling import compile_model, draw

pytestmark = [pytest.mark.slow, pytest.mark.fit]

SETTINGS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING = SETTINGS["sampling"] | {"tune": 500, "draws": 1500, "target_accept": 0.9}
STUDIES = [
    experiment(f"study-{i}", 30 + 10 * i, i, outcomes=["threat_quality"])[0] for i in range(8)
]
LEFT_OUT = "study-7"  # the largest: leaving it out must be seen


def test_a_study_without_rows_is_a_study_that_was_never_there() -> None:
    whole = answer_cells(STUDIES, "threat", VOCABULARY)
    rest = answer_cells(STUDIES[:-1], "threat", VOCABULARY)
    compiled = compile_model(BUILD["answers"](whole, SETTINGS["priors"]))
    given = pack(without(whole, "study", LEFT_OUT), SETTINGS["priors"])
    cold = compile_model(BUILD["answers"](rest, SETTINGS["priors"]))
    trees = {
        "all": draw(compiled, SAMPLING, 2),
        "refit": draw(compiled, SAMPLING, 2, given),
        "cold": draw(cold, SAMPLING, 2),
    }
    found = {name: tree["posterior"].to_dataset() for name, tree in trees.items()}
    for quantity in ("mu", "tau", "baseline", "beta"):
        mean, error = {}, {}
        for name in ("refit", "cold"):
            draws = found[name][quantity]
            if "setting" in draws.dims:
                draws = draws.sel(setting=rest.setting.values)
            mean[name] = draws.mean(("chain", "draw")).values
            error[name] = az.mcse(draws.rename("x").to_dataset())["x"].values
        apart = (mean["refit"] - mean["cold"]) / np.hypot(error["refit"], error["cold"])
        assert np.abs(apart).max() < 4.5, quantity
        assert np.sqrt(np.mean(apart**2)) < 1.6, quantity
    effects = {name: population_effects(whole, draws) for name, draws in found.items()}
    moved = effects["refit"].mean(("chain", "draw")) - effects["all"].mean(("chain", "draw"))
    error = az.mcse(effects["refit"].rename("x").to_dataset())["x"]
    assert float(np.abs(moved / error).max()) > 5, "the study that was left out had a say"
