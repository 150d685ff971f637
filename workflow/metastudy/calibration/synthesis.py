"""Calibrate the synthesis: its models given the covariance, and the whole way from rows.

Given the covariance of the estimates, ranks have to be uniform as for a module, with true values
from the priors, and from the posterior of the estimates at hand. From rows on, the
covariance is an estimate that the second stage takes for known, and so is the standard deviation in
which effects are measured: the end-to-end study shows what that costs, as coverage of what is true
where rows are simulated, aggregated, estimated from and pooled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from metastudy.calibration.rank_bands import END_TO_END, POSTERIOR
from metastudy.calibration.simulation_based import Part, Simulation, from_posterior, rank_parts
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.inference.sampling import compile_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.base import labelled
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import Prior
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.priors import PlanPriors, priors_of_plan
from metastudy.synthesis.stages import stages
from metastudy.synthesis.study_estimates import estimates
from metastudy.synthesis.together import mixed

__all__ = [
    "QUANTITIES",
    "built",
    "calibrate",
    "from_estimates",
    "from_rows",
    "simulated_studies",
    "truths_from_posterior",
    "truths_from_priors",
]

QUANTITIES = (
    *("mu", "family_mean", "outcome_tau", "beta", "total_tau", "tau", "correlation"),
    *("level", "theta", "log_likelihood"),
)
# The end-to-end study: so many respondents in each study, in so many countries and sectors.
PEOPLE = (40, 50, 60, 80, 100, 120, 160, 200)
COUNTRIES, SECTORS = 4, 3
CENTRE, SPREAD = 50.0, 10.0  # of the reference group, in per cent of the scale


def built(found: SecondStage, priors: PlanPriors) -> pm.Model:
    """The second-stage model of a plan, with its priors of effects, spreads and moderators."""
    estimate, families = found.table["estimate"].to_numpy(), found.families
    return synthesis_model.build(
        estimate, found.covariance, found.design, *priors, slopes=found.slopes, families=families
    )


def from_estimates(
    model: pm.Model,
    found: SecondStage,
    priors: PlanPriors,
    truths: Iterable[xr.Dataset],
    seed: int,
    with_estimates: bool = False,
) -> Iterator[Simulation]:
    r"""Simulated estimates with the covariance of the plan's own, which is known.

    Parameters
    ----------
    truths : :func:`truths_from_priors` or :func:`truths_from_posterior`.
    with_estimates : whether the model is given the plan's own estimates beside the simulated ones,
        as it has to be where what is true is from their posterior. Two independent estimates
        :math:`y, y' \sim N(\theta, V)` of the same effects say of these what their mean
        :math:`(y + y') / 2 \sim N(\theta, V / 2)` says: their difference does not depend on them.
    """
    joint = log_likelihood(model)
    root = np.linalg.cholesky(found.covariance)
    own = found.table["estimate"].to_numpy()
    for at, truth in enumerate(truths):
        noise = np.random.default_rng([seed, at, 1]).standard_normal(len(root))
        estimate, covariance = truth["theta"].values + root @ noise, found.covariance
        if with_estimates:
            estimate, covariance = (own + estimate) / 2, covariance / 2
        given = synthesis_model.packed(estimate, covariance, found.design, *priors)
        truth = truth.assign(log_likelihood=joint(truth, given))
        yield _simulation(found, truth, estimate, covariance, given, seed + at)


def from_rows(
    model: pm.Model,
    found: SecondStage,
    priors: PlanPriors,
    number: int,
    seed: int,
    vocabulary: Vocabulary,
) -> Iterator[Simulation]:
    """Estimates of simulated rows, with the covariance that is estimated with them.

    Parameters
    ----------
    found : a plan of :func:`simulated_studies`: each of its rows is a study.
    """
    for at, truth in enumerate(truths_from_priors(model, found, number, seed)):
        rng = np.random.default_rng([seed, at, 1])
        again = _planned(simulated_studies(truth["theta"].values, vocabulary, rng), vocabulary)
        estimate = again.table["estimate"].to_numpy()
        given = synthesis_model.packed(estimate, again.covariance, found.design, *priors)
        yield _simulation(found, truth, estimate, again.covariance, given, seed + at)


def truths_from_priors(
    model: pm.Model, found: SecondStage, number: int, seed: int
) -> Iterator[xr.Dataset]:
    """Parameters from the priors, with the levels and effects that the model integrates out."""
    drawn = parameters(model, number, seed)
    for at in range(number):
        truth = drawn.isel(simulation=at, drop=True)
        rng = np.random.default_rng([seed, at, 0])
        labels = list(found.design.levels)
        level = rng.standard_normal(len(labels))
        if labels:
            joint = found.design.joint
            r = truth["correlation"].values[None] if joint else None
            level = mixed(joint, level[None], r)[0] * truth["tau"].values[found.design.component_of]
        theta = found.design.sums(truth["mu"].values, level)
        if found.slopes.names:
            theta = theta + found.slopes.columns @ truth["beta"].values
        yield truth.assign(
            level=xr.DataArray(level, {"level_of": labels}, "level_of"),
            theta=xr.DataArray(theta, {"row": _rows(found)}, "row"),
        )


def truths_from_posterior(
    compiled: Any, found: SecondStage, sampling: Mapping[str, Any], number: int
) -> Iterator[xr.Dataset]:
    """Parameters, levels and effects from the posterior of the plan's own estimates.

    Parameters
    ----------
    compiled : the model (:func:`built`).
    sampling : long chains, as of :func:`metastudy.synthesis.stages.pool`.
    """
    drawn = from_posterior(compiled, sampling, number)
    one_chain = drawn.rename(simulation="draw").expand_dims("chain")
    own = found.table["estimate"].to_numpy(), found.covariance, found.design
    whole = synthesis_model.add_levels(one_chain, *own, sampling["seed"], found.slopes)
    whole = whole.isel(chain=0, drop=True)
    for at in range(number):
        yield whole.isel(draw=at, drop=True).assign_coords(row=_rows(found))


def _rows(found: SecondStage) -> list[str]:
    """A name for each estimate of a plan: its own, and its place where that is not enough."""
    return [f"{at + 1} {name}" for at, name in enumerate(found.table["study"].astype(str))]


def _simulation(
    found: SecondStage,
    truth: xr.Dataset,
    estimate: np.ndarray,
    covariance: np.ndarray,
    given: np.ndarray,
    seed: int,
) -> Simulation:
    names = tuple(name for name in QUANTITIES if name in truth)

    def measure(draws: xr.Dataset) -> xr.DataArray:
        own = estimate, covariance, found.design, seed, found.slopes
        whole = synthesis_model.add_levels(draws, *own)
        return labelled(whole.assign_coords(row=_rows(found)), names, {})

    return Simulation(labelled(truth, names, {}), given, measure)


def simulated_studies(
    effect: Sequence[float] | np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator
) -> list[Study]:
    """Randomised experiments on one outcome, in several countries and sectors.

    What things are called is taken from the vocabulary; it does not matter to what is computed.

    Parameters
    ----------
    effect : of each study, in standard deviations of its reference group.
    """
    names = _names(vocabulary)
    assert names is not None  # asked before
    construct, _, factor = names
    levels = np.array(list(vocabulary.levels(factor)))
    first = {name: next(iter(vocabulary[name])) for name in ("roles", "response_modes")}
    countries = list(vocabulary["countries"])[:COUNTRIES]
    sectors = list(vocabulary["sectors"])[:SECTORS]
    made = []
    for at, (n, theta) in enumerate(zip(PEOPLE, effect, strict=True)):
        name = f"study-{at + 1}"
        ids = [f"{name}-{person}" for person in range(n)]
        arm = rng.permutation(np.arange(n) % 2)
        answer = CENTRE + SPREAD * (theta * arm + rng.standard_normal(n))
        people = pd.DataFrame({"study_id": name, "respondent_id": ids})
        codebook = {
            "citation": name,
            "response_mode": first["response_modes"],
            "provenance": "simulated",
        }
        made.append(
            Study(
                report={
                    "study": name,
                    "codebook": codebook,
                    "outcomes": [construct],
                    "exposures": [{"factor": factor, "type": "randomised"}],
                    "vocabulary": {},
                },
                tables={
                    "respondents": people.assign(
                        org_id=name,
                        country=countries[at % len(countries)],
                        sector=sectors[at % len(sectors)],
                        role=first["roles"],
                    ),
                    "assignments": people.assign(factor=factor, level=levels[arm]),
                    "measurements": people.assign(
                        vignette=None, construct=construct, value_pomp=answer
                    ),
                },
            )
        )
    return made


def _names(vocabulary: Vocabulary) -> tuple[str, str, str] | None:
    """A construct that people are asked about, its module, and a factor of two levels, if any."""
    factors = [f for f in vocabulary["factors"] if len(vocabulary.levels(f)) == 2]
    for construct in vocabulary["constructs"]:
        module = vocabulary.module(construct)
        if factors and module and vocabulary.model(module) == "answers":
            return construct, module, factors[0]
    return None


def _planned(studies: Sequence[Study], vocabulary: Vocabulary) -> SecondStage:
    module = str(vocabulary.module(studies[0].report["outcomes"][0]))
    (found,) = plans(*estimates(answer_cells(studies, module, vocabulary), vocabulary))
    return found  # several studies, one estimand


def calibrate(
    table: pd.DataFrame,
    covariance: np.ndarray,
    vocabulary: Vocabulary,
    priors: Mapping[str, Prior],
    number: int,
    number_posterior: int,
    kept: int,
    sampling: Mapping[str, Any],
    short: Mapping[str, Any],
    thresholds: Mapping[str, float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibrate every second-stage model that the estimates allow, and the way from rows.

    Parameters
    ----------
    table, covariance : of all estimates (:func:`metastudy.synthesis.stages.gather`).
    number, number_posterior, sampling, short : see
        :func:`metastudy.calibration.simulation_based.calibrate`.
    """
    seed = short["seed"]

    def parts() -> Iterator[Part]:
        several: Counter[str] = Counter()
        for name, metric, found in stages(table, covariance, vocabulary):
            own = priors_of_plan(priors, metric, found)
            model = built(found, own)
            compiled = compile_model(model)
            part = name if metric == "sd" else f"{name}_{metric}"
            several[part] += 1
            part = part if several[part] == 1 else f"{part}_{several[part]}"
            truths = truths_from_priors(model, found, number, seed)
            yield part, compiled, from_estimates(model, found, own, truths, seed)
            truths = truths_from_posterior(compiled, found, sampling, number_posterior)
            # another seed: the noise of the estimates is none of what is true
            both = from_estimates(model, found, own, truths, seed + 1, with_estimates=True)
            yield f"{part}{POSTERIOR}", compiled, both
        if _names(vocabulary):
            nothing = np.zeros(len(PEOPLE)), vocabulary, np.random.default_rng(seed)
            found = _planned(simulated_studies(*nothing), vocabulary)
            own = priors_of_plan(priors, "sd", found)
            model = built(found, own)
            made = from_rows(model, found, own, number, seed, vocabulary)
            yield END_TO_END, compile_model(model), made

    return rank_parts(parts(), kept, short, thresholds)
