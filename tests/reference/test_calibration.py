"""A small calibration: a model finds again what was simulated from it, and a wrong one does not.

`snakemake calibration` does the same with more simulations of the fitted designs. Here small ones
run at each landing, that of the second stage in each `make test`, and those of the modules with ten
times the simulations before a change of what they test is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.calibration.rank_bands import INTERVALS, uniformity
from metastudy.calibration.simulation_based import (
    Simulation,
    fit_and_rank,
    for_short_chains,
    simulations,
)
from metastudy.calibration.synthesis import built, from_estimates, simulated_studies
from metastudy.inference.sampling import compile_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.blocks import blocks
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.study_estimates import estimates

pytestmark = [pytest.mark.fit, pytest.mark.slow]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
SHORT = {"chains": 2, "tune": 250, "draws": 200, "target_accept": 0.9}
NUMBER, MANY, KEPT = 20, 200, 49
WRONG = 12  # simulations are enough to see that a model is wrong
LONG = pytest.mark.long(
    of=(
        "metastudy.calibration.simulation_based",
        "metastudy.calibration.rank_bands",
        "metastudy.models.registry",
    )
)
Tables = tuple[pd.DataFrame, pd.DataFrame]


def of_answers() -> xr.Dataset:
    """Three organisations, two outcomes, some of them missing."""
    study, _ = experiment("a", 45, 1, missing=0.3, sites=3)
    return answer_cells([study], "threat", VOCABULARY)


def of_codings() -> xr.Dataset:
    """One study of eight organisations under two arrangements, a part of it read twice."""
    rng = np.random.default_rng(3)
    codes = ["role_change", "uncertainty", "management_support"]
    heard = [(f"org-{at % 8}", at % 2 == 0) for at in range(48)]
    interviews = [
        (org, {f"coder-{c}": list(rng.choice(codes, 2)) for c in range(1 + twice)})
        for org, twice in heard
    ]
    places = {f"org-{at}": ["state_policy", "org_mission"][at // 4] for at in range(8)}
    exposures = [{"attribute": "arrangement", "type": "organisational"}]
    study = coding_study("small", interviews, codes, exposures)
    study.respondents["arrangement"] = study.respondents["org_id"].map(places)
    return code_cells([study], "strain", VOCABULARY)


class Calibration:
    """A compiled model and its simulations, ranked as they are or as another model has them."""

    def __init__(self, cells: xr.Dataset, kind: str, number: int) -> None:
        self.cells, self.number = cells, number
        self.sampling = CONFIG["sampling"] | SHORT
        model = MODELS[kind].build(cells, PRIORS)
        self.made = [*simulations(model, cells, PRIORS, number, seed=5)]
        self.compiled = compile_model(model)

    def ranked(self) -> Tables:
        return self._ranked(self.made)

    def ranked_by_a_wrong_model(self) -> Tables:
        """Ranks where every row counts four times and the priors are a fifth as wide."""
        wrong = PRIORS | {
            name: PRIORS[name].scaled(1 / 5) for name in ("effect", "effect_logit", "prevalence")
        }
        given = pack(self.cells, wrong)
        # The priors' numbers are last, and two standard deviations that could be fixed.
        rows = len(given) - sum(len(prior.numbers) for prior in wrong.values()) - 2
        return self._ranked(
            replace(one, given=np.concatenate([4 * one.given[:rows], given[rows:]]))
            for one in self.made[:WRONG]
        )

    def _ranked(self, made: Iterable[Simulation]) -> Tables:
        gates = for_short_chains(CONFIG["gates"], CONFIG["sampling"], SHORT)
        return fit_and_rank(self.compiled, made, self.sampling, KEPT, gates)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("answers", NUMBER), id="answers", marks=pytest.mark.ci),
        pytest.param(("codings", NUMBER), id="codings", marks=pytest.mark.ci),
        pytest.param(("answers", MANY), id="answers-many", marks=LONG),
        pytest.param(("codings", MANY), id="codings-many", marks=LONG),
    ],
)
def calibration(request: pytest.FixtureRequest) -> Calibration:
    kind, number = request.param
    cells = {"answers": of_answers, "codings": of_codings}[kind]()
    return Calibration(cells, kind, number)


@pytest.fixture(scope="module")
def right(calibration: Calibration) -> Tables:
    return calibration.ranked()


def test_ranks_are_uniform_and_the_likelihood_s_among_them(
    right: Tables, figures: Callable[..., None]
) -> None:
    found = uniformity(right[0])
    figures(parameters=len(found), outside=int((~found["together"]).sum()))
    assert "log_likelihood" in set(found["parameter"])
    assert found["together"].all(), found[~found["together"]]


def test_intervals_cover_as_often_as_they_say(
    right: Tables, calibration: Calibration, figures: Callable[..., None]
) -> None:
    """Over all quantities, which are not independent: so the tolerance is that of a few of them."""
    for share in INTERVALS:
        exact = share / 100
        figures(**{f"covered_{share}": float(right[0][f"covered_{share}"].mean())})
        error = np.sqrt(exact * (1 - exact) / calibration.number)
        assert abs(right[0][f"covered_{share}"].mean() - exact) < 3 * error / np.sqrt(5)


def test_every_simulation_is_among_the_ranks_whether_it_passed_or_not(
    right: Tables, calibration: Calibration, figures: Callable[..., None]
) -> None:
    ranked, checks = right
    assert (ranked.groupby("quantity")["simulation"].nunique() == calibration.number).all()
    missed = ~checks.groupby("simulation")["passed"].all()
    figures(simulations=calibration.number, missed=int(missed.sum()))
    marked = ~ranked.groupby("simulation")["passed"].first()
    pd.testing.assert_series_equal(missed, marked)
    assert set(ranked["provenance"]) == {"simulated"}


def test_a_wrong_model_leaves_the_band(calibration: Calibration) -> None:
    found = uniformity(calibration.ranked_by_a_wrong_model()[0])
    outside = set(found.loc[~found["together"], "parameter"])
    assert outside & {"mu", "contrast", "prevalence"}


def test_the_second_stage_is_calibrated_and_one_that_is_too_sure_is_not() -> None:
    rng = np.random.default_rng(2)
    studies = simulated_studies(np.zeros(8), VOCABULARY, rng)
    (found,) = plans(*estimates(answer_cells(studies, "threat", VOCABULARY), VOCABULARY))
    own = (PRIORS["effect"], PRIORS["tau"])
    model = built(found, own)
    made = [*from_estimates(model, found, own, NUMBER, seed=4)]
    compiled, sampling = compile_model(model), CONFIG["sampling"] | SHORT
    gates = for_short_chains(CONFIG["gates"], CONFIG["sampling"], SHORT)
    right, _ = fit_and_rank(compiled, made, sampling, KEPT, gates)
    assert uniformity(right)["together"].all()
    assert {"mu", "total_tau", "tau", "level", "theta", "log_likelihood"} == set(right["parameter"])

    def as_if_errors_were_small(one: Simulation) -> Simulation:
        """Errors a third as large, and no heterogeneity that could make up for it."""
        estimate = np.empty(len(found.table))
        estimate[blocks(found.design, found.covariance).row] = one.given[: len(estimate)]
        priors = own[0], own[1].scaled(0.05)
        given = synthesis_model.packed(estimate, found.covariance / 9, found.design, *priors)
        return replace(one, given=given)

    wrong = map(as_if_errors_were_small, made)
    found_wrong = uniformity(fit_and_rank(compiled, wrong, sampling, KEPT, gates)[0])
    assert {"mu", "theta"} <= set(found_wrong.loc[~found_wrong["together"], "parameter"])
