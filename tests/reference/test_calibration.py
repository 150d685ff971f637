"""A small calibration: a model finds again what was simulated from it, and a wrong one does not.

What is true is drawn from the priors, or from the posterior of data, which are then fitted together
with the simulated ones. `snakemake calibration` does the same with more simulations of the fitted
designs. Here small ones run at each landing, that of the second stage from its priors in each
`make test`, and before a change of what they test is done those with ten times the simulations, and
posterior ones of the data that ship.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy import config as settings
from metastudy.calibration.rank_bands import INTERVALS, uniformity
from metastudy.calibration.simulation_based import (
    Simulation,
    fit_and_rank,
    for_short_chains,
    from_posterior,
    simulations,
)
from metastudy.calibration.synthesis import (
    built,
    from_estimates,
    simulated_studies,
    truths_from_posterior,
    truths_from_priors,
)
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.inference.sampling import compile_model
from metastudy.models.aggregate import aggregate
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import pack
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.blocks import blocks
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.study_estimates import estimates

pytestmark = [pytest.mark.fit, pytest.mark.slow]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
# Of two data sets together there is more to learn, and chains need longer to learn it.
SHORT = {"chains": 2, "tune": 400, "draws": 400, "target_accept": 0.9}
OF_ESTIMATES = {"chains": 2, "tune": 250, "draws": 200, "target_accept": 0.9}  # second stage
NUMBER, MANY, KEPT = 20, 200, 49
WRONG = NUMBER  # simulations, at most
RAW, WORDS = ROOT / "data" / "raw", ROOT / "config" / "vocabulary.yaml"
LONG = pytest.mark.long(
    of=(
        "metastudy.calibration.simulation_based",
        "metastudy.calibration.synthesis",
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


class Compiled:
    """A model of some cells, compiled once for all that is made of them."""

    def __init__(self, cells: xr.Dataset, number: int, short: dict[str, Any] = SHORT) -> None:
        self.cells, self.number = cells, number
        self.sampling = CONFIG["sampling"] | short
        self.gates = for_short_chains(CONFIG["gates"], CONFIG["sampling"], short)
        self.built = model_of(cells).build(cells, PRIORS)
        self.compiled = compile_model(self.built)

    def ranked(self, made: Iterable[Simulation]) -> Tables:
        return fit_and_rank(self.compiled, made, self.sampling, KEPT, self.gates)

    @cached_property
    def posterior(self) -> xr.Dataset:
        return from_posterior(self.compiled, CONFIG["sampling"], self.number)


class Calibration:
    """Simulations of a model, ranked as they are or as something wrong has them.

    Parameters
    ----------
    source : where what is true is drawn from, ``prior`` or ``posterior``.
    """

    def __init__(self, model: Compiled, source: str) -> None:
        self.model, self.number = model, model.number
        self.data = source == "posterior"
        prior = parameters(model.built, model.number, seed=5)
        self.drawn = model.posterior if self.data else prior
        self.made = [*self._made(self.drawn)]

    def _made(self, drawn: xr.Dataset) -> Iterator[Simulation]:
        of = self.model
        return simulations(of.built, of.cells, PRIORS, drawn, seed=5, with_cells=self.data)

    def ranked(self) -> Tables:
        return self.model.ranked(self.made)

    def ranked_by_a_wrong_model(self) -> Tables:
        """Ranks where every row counts four times and the priors are a tenth as wide."""
        wrong = PRIORS | {
            name: PRIORS[name].scaled(1 / 10) for name in ("effect", "effect_logit", "prevalence")
        }
        given = pack(self.model.cells, wrong)
        # The priors' numbers are last, and two standard deviations that could be fixed.
        rows = len(given) - sum(len(prior.numbers) for prior in wrong.values()) - 2
        return self.model.ranked(
            replace(one, given=np.concatenate([4 * one.given[:rows], given[rows:]]))
            for one in self.made[:WRONG]
        )

    def ranked_of_a_wrong_simulator(self) -> Tables:
        """Ranks where answers spread half as much again, or coders overlook half of it all."""
        some = self.drawn.isel(simulation=slice(WRONG))
        wrong = {"sigma": 1.5, "sensitivity": 0.5}
        other = some.assign({name: some[name] * by for name, by in wrong.items() if name in some})
        return self.model.ranked(
            replace(one, given=of_others.given)
            for one, of_others in zip(self.made, self._made(other), strict=False)
        )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("answers", NUMBER), id="answers", marks=pytest.mark.ci),
        pytest.param(("codings", NUMBER), id="codings", marks=pytest.mark.ci),
        pytest.param(("answers", MANY), id="answers-many", marks=LONG),
        pytest.param(("codings", MANY), id="codings-many", marks=LONG),
    ],
)
def model(request: pytest.FixtureRequest) -> Compiled:
    kind, number = request.param
    return Compiled({"answers": of_answers, "codings": of_codings}[kind](), number)


@pytest.fixture(scope="module", params=["prior", "posterior"])
def calibration(model: Compiled, request: pytest.FixtureRequest) -> Calibration:
    return Calibration(model, request.param)


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
    assert outside & {"mu", "family_mean", "contrast", "prevalence"}


def test_a_wrong_simulator_leaves_the_band(calibration: Calibration) -> None:
    found = uniformity(calibration.ranked_of_a_wrong_simulator()[0])
    outside = set(found.loc[~found["together"], "parameter"])
    # What coders overlook is like a lower sensitivity, or like codes that are there less often.
    assert outside & {"sigma", "sensitivity", "alpha"}


def test_the_posterior_s_draws_have_the_log_likelihood_that_the_sampler_saw(
    model: Compiled,
) -> None:
    log_likelihood_of, given = log_likelihood(model.built), pack(model.cells, PRIORS)
    for at in range(3):
        one = model.posterior.isel(simulation=at)
        found = log_likelihood_of(one, given)
        assert found == pytest.approx(float(one["log_likelihood"]), rel=1e-9)


@pytest.fixture(scope="module")
def harmonized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The studies that ship, as tables of one form."""
    folder = tmp_path_factory.mktemp("harmonized")
    for path in RAW.glob("*/codebook.yaml"):
        study = path.parent.name
        save(harmonize_file(load(RAW / study, VOCABULARY), KEY), folder / study)
    return folder


@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=LONG) for name in VOCABULARY["modules"]]
)
def test_posterior_ranks_of_the_data_that_ship_are_uniform(
    module: str, harmonized: Path, figures: Callable[..., None]
) -> None:
    config = CONFIG | {"data": str(RAW), "vocabulary": str(WORDS)}
    studies = settings.discover(settings.checked(config)).modules[module].studies
    cells = aggregate([harmonized / name for name in studies], module, WORDS)
    # Twice those of the command: the band is one of 95%, so one run in twenty leaves it by chance.
    number = 2 * CONFIG["calibration"]["posterior_simulations"]
    calibration = Calibration(Compiled(cells, number, CONFIG["refits"]), "posterior")
    ranked, checks = calibration.ranked()
    found = uniformity(ranked)
    figures(
        simulations=number,
        missed=int((~checks.groupby("simulation")["passed"].all()).sum()),
        quantities=len(found),
        alone=int((~found["alone"]).sum()),
        outside=int((~found["together"]).sum()),
        covered_95=float(ranked["covered_95"].mean()),
    )
    assert found["together"].all(), found[~found["together"]]


class SecondStage:
    """The second stage of eight studies of one outcome, compiled once."""

    def __init__(self) -> None:
        effects = np.random.default_rng(2).normal(0.3, 0.3, 8)
        studies = simulated_studies(effects, VOCABULARY, np.random.default_rng(2))
        cells = answer_cells(studies, "threat", VOCABULARY)
        (self.found,) = plans(*estimates(cells, VOCABULARY))
        self.priors = (PRIORS["effect"], PRIORS["tau"])
        self.built = built(self.found, self.priors)
        self.compiled = compile_model(self.built)

    def made(self, source: str, number: int) -> Iterator[Simulation]:
        if source == "prior":
            truths = truths_from_priors(self.built, self.found, number, seed=4)
        else:
            sampling = CONFIG["sampling"]
            truths = truths_from_posterior(self.compiled, self.found, sampling, number)
        data = source == "posterior"
        return from_estimates(self.built, self.found, self.priors, truths, 4, data)

    def ranked(self, made: Iterable[Simulation]) -> pd.DataFrame:
        gates = for_short_chains(CONFIG["gates"], CONFIG["sampling"], OF_ESTIMATES)
        return fit_and_rank(self.compiled, made, CONFIG["sampling"] | OF_ESTIMATES, KEPT, gates)[0]

    def as_if_errors_were_small(self, one: Simulation, covariance: np.ndarray) -> Simulation:
        """Errors a third as large, and no heterogeneity that could make up for it."""
        estimate = np.empty(len(self.found.table))
        order = blocks(self.found.design, self.found.covariance).row
        estimate[order] = one.given[: len(estimate)]
        priors = self.priors[0], self.priors[1].scaled(0.05)
        given = synthesis_model.packed(estimate, covariance / 9, self.found.design, *priors)
        return replace(one, given=given)


@pytest.fixture(scope="module")
def second_stage() -> SecondStage:
    return SecondStage()


@pytest.mark.ci
@pytest.mark.parametrize("source", ["prior", "posterior"])
def test_the_second_stage_is_calibrated_and_one_that_is_too_sure_is_not(
    source: str, second_stage: SecondStage
) -> None:
    made = [*second_stage.made(source, NUMBER)]
    right = second_stage.ranked(made)
    assert uniformity(right)["together"].all()
    assert {"mu", "total_tau", "tau", "level", "theta", "log_likelihood"} == set(right["parameter"])
    covariance = second_stage.found.covariance / (1 if source == "prior" else 2)
    wrong = (second_stage.as_if_errors_were_small(one, covariance) for one in made)
    found = uniformity(second_stage.ranked(wrong))
    assert {"mu", "theta"} <= set(found.loc[~found["together"], "parameter"])


@LONG
@pytest.mark.parametrize("source", ["prior", "posterior"])
def test_the_second_stage_is_calibrated_in_many_simulations(
    source: str, second_stage: SecondStage, figures: Callable[..., None]
) -> None:
    found = uniformity(ranked := second_stage.ranked(second_stage.made(source, MANY)))
    outside = int((~found["together"]).sum())
    figures(quantities=len(found), outside=outside, covered_95=float(ranked["covered_95"].mean()))
    assert not outside, found[~found["together"]]
