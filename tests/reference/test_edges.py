"""Data at the edge of what can be estimated: the priors hold, every gate is passed, nothing breaks.

A code that nobody or everybody has, one that a contrast separates without remainder, a country of
one respondent, an outcome that most did not answer: in a model without priors each has no finite
estimate or no variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.harmonized.study import Study
from metastudy.inference.convergence import gates
from metastudy.inference.fit import fit
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts
from metastudy.synthesis.study_estimates import estimates

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.registry", "metastudy.inference.sampling")),
]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING = CONFIG["sampling"] | {"chains": 2, "draws": 1000}
NEVER, ALWAYS, SEPARATED = "role_change", "uncertainty", "job_insecurity"


def fitted(cells: xr.Dataset, model: str) -> xr.DataTree:
    """The posterior with a quarter of the shipped draws; every gate must be passed."""
    tree = fit(cells, priors_of(CONFIG["priors"]), SAMPLING)
    stats = tree["sample_stats"].to_dataset()
    missed = [
        gate
        for gate in gates(tree["posterior"].to_dataset(), stats, CONFIG["gates"])
        if not gate["passed"]
    ]
    assert missed == []
    return tree


def table(cells: xr.Dataset, tree: xr.DataTree, model: str) -> pd.DataFrame:
    found = contrasts(cells, tree).table(0.95)
    assert np.isfinite(found[["mean", "sd", "lower", "upper"]].to_numpy()).all()
    return found


def separated_codes() -> Study:
    """Eight organisations of three interviews; half of the organisations have each arrangement."""
    interviews: list[Any] = []
    arrangement, country = [], []
    for o in range(8):
        mission = o >= 4
        for _ in range(3):
            codes = [ALWAYS, *([SEPARATED] if mission else [])]
            interviews.append((f"org-{o}", {"coder-1": codes}))
            arrangement.append("org_mission" if mission else "state_policy")
            country.append("US" if mission else "GB-SCT")
    exposures = [{"attribute": "arrangement", "type": "organisational"}]
    return coding_study(
        "edge",
        interviews,
        [NEVER, ALWAYS, SEPARATED],
        exposures,
        arrangement=arrangement,
        country=country,
    )


def test_codes_that_nobody_everybody_or_one_side_has_keep_finite_estimates() -> None:
    cells = code_cells([separated_codes()], "strain", VOCABULARY)
    tree = fitted(cells, "codings")
    found = table(cells, tree, "codings")
    main = found[(found["variant"] == "main") & (found["estimand"] == "mean")]
    share = main[main["level"] == "population"].set_index("outcome")
    assert share.loc[NEVER, "mean"] < 0.2
    assert share.loc[ALWAYS, "mean"] > 0.8
    effect = found[(found["estimand"] == "effect") & (found["metric"] == "log_odds")]
    effect = effect[effect["variant"] == "main"].set_index("outcome")
    assert effect.loc[SEPARATED, "mean"] > 0.5
    assert effect.loc[SEPARATED, "lower"] < effect.loc[SEPARATED, "mean"]
    alone, covariance = estimates(cells, VOCABULARY)
    assert np.isfinite(covariance).all()
    assert np.isfinite(alone["estimate"]).all()


def test_a_country_of_one_respondent_and_an_outcome_that_most_left_out_do_no_harm() -> None:
    study, _ = experiment("edge", 60, 3, missing=0.0, sites=1)
    people = study.respondents.copy()
    people["country"] = ["FI"] + ["DK"] * (len(people) - 1)
    measured = study.measurements.copy()
    rare = measured["construct"].eq("threat_job").to_numpy()
    kept = np.flatnonzero(rare)[::4]
    hide = rare & ~np.isin(np.arange(len(measured)), kept)
    measured.loc[hide, ["value_raw", "value_aligned", "value_pomp"]] = np.nan
    study = study.with_tables(respondents=people, measurements=measured)
    cells = answer_cells([study], "threat", VOCABULARY)
    assert cells.sizes["setting"] == 2
    found = table(cells, fitted(cells, "answers"), "answers")
    effects = found[(found["estimand"] == "effect") & (found["metric"] == "sd")]
    alone = effects[effects["country"].eq("FI") & effects["level"].eq("study")]
    assert (alone["sd"] > 0.2).all(), "one respondent tells nothing about an effect"
    unpooled, covariance = estimates(cells, VOCABULARY)
    assert set(unpooled["country"]) == {"DK"}, "nor has an estimate of its own"
    assert np.isfinite(covariance).all()
