"""Leaving a study out by giving it no rows is fitting the others alone.

The refit keeps the left-out study's level, about which no data speak; the cold fit never had it.
Both are the same posterior of everything else, so they differ by Monte Carlo error only.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import yaml
from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling

from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.sampling import compile_model, draw
from metastudy.model_checks.leave_group_out import without
from metastudy.models.answers.cells import answer_cells
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

SETTINGS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(SETTINGS["priors"])
SAMPLING = SETTINGS["sampling"] | {"tune": 500, "draws": 1500, "target_accept": 0.9}
STUDIES = [
    experiment(f"study-{i}", 30 + 10 * i, i, outcomes=["threat_quality"])[0] for i in range(8)
]
BATCH = 50
LEFT_OUT = "study-7"  # the largest: leaving it out must be seen


def test_a_study_without_rows_is_a_study_that_was_never_there() -> None:
    whole = answer_cells(STUDIES, "threat", VOCABULARY)
    rest = answer_cells(STUDIES[:-1], "threat", VOCABULARY)
    compiled = compile_model(MODELS["answers"].build(whole, PRIORS))
    given = pack(without(whole, "study", LEFT_OUT), PRIORS)
    cold = compile_model(MODELS["answers"].build(rest, PRIORS))
    trees = {
        "all": draw(compiled, SAMPLING, 2),
        "refit": draw(compiled, SAMPLING, 2, given),
        "cold": draw(cold, SAMPLING, 2),
    }
    found = {name: tree["posterior"].to_dataset() for name, tree in trees.items()}
    for quantity in ("mu", "tau", "baseline", "beta"):
        refit, cold = (means(found[name][quantity], rest) for name in ("refit", "cold"))
        assert hotelling(refit, cold).pvalue > 1e-4, quantity
    whole_mu, rest_mu = (means(found[name]["mu"], rest) for name in ("all", "refit"))
    assert hotelling(whole_mu, rest_mu).pvalue < 1e-6, "the study had no say"


def means(draws: xr.DataArray, rest: xr.Dataset) -> np.ndarray:
    """Batch means, batch by value: near enough independent for a test of equal expectations.

    The values of a quantity hang together, so they are compared at once (Hotelling's test), with
    the Monte Carlo covariance that the batches show.
    """
    if "setting" in draws.dims:
        draws = draws.sel(setting=rest.setting.values)
    draws = draws.stack(value=[dim for dim in draws.dims if dim not in ("chain", "draw")])
    draws = draws.coarsen(draw=BATCH).mean().stack(batch=("chain", "draw"))
    return np.asarray(draws.transpose("batch", "value").values)
