"""Intervals cover what is true in worlds that the models do not simulate themselves.

Places differ in level, variance and size, and the effect differs between settings beyond study,
country and sector. Beside each right model is the wrong one that the test must catch. Coverage is
counted by replicate, whose places are one cluster, and the band follows from their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.repository import ROOT
from metastudy.design.effects import Part, effect_design
from metastudy.design.identification import SETTING, identify
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.priors import priors_of
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.pooling import PLACE, SecondStage, plans
from metastudy.synthesis.results import results

pytestmark = [pytest.mark.fit, pytest.mark.slow]

PRIORS = priors_of(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"])
SHORT = {"chains": 2, "tune": 400, "draws": 400, "target_accept": 0.9, "seed": 1}
LEVEL = 0.95
BAND = 2.58  # standard errors of a share over replicates
LONG = pytest.mark.long(of=("metastudy.synthesis.stages", "metastudy.synthesis.results"))
COUNTRIES, SECTORS = 6, 4
MEAN = 0.25
SPREAD = {"study": 0.10, "country": 0.15, "sector": 0.10, SETTING: 0.20}


def settings() -> pd.DataFrame:
    """Twelve studies, each in two countries and one or two sectors: 30 settings."""
    rows = [
        (f"study-{s:02}", f"country-{(s + step) % COUNTRIES}", f"sector-{(s + other) % SECTORS}")
        for s in range(12)
        for step in (0, 1)
        for other in ((0, 1) if s % 4 == 0 else (0,))
    ]
    return pd.DataFrame(rows, columns=["study", "country", "sector"])


@dataclass(frozen=True)
class Truth:
    """What is true in one replicate, and what was estimated."""

    place: np.ndarray  # effect of each setting
    new_study: float  # one new study in a setting at hand
    new_country: float
    estimate: np.ndarray
    covariance: np.ndarray


def world(at: int) -> Truth:
    """Draw one: two estimates of a study share a part of their error."""
    rng = np.random.default_rng([20260, at])
    where = settings()
    levels = {}
    for name in PLACE:
        names, index = np.unique(where[name], return_inverse=True)
        levels[name] = (SPREAD[name] * rng.standard_normal(len(names)))[index]
    own = SPREAD[SETTING] * rng.standard_normal(len(where))
    place = MEAN + sum(levels.values()) + own
    some = rng.integers(len(where), size=2)

    def fresh(*names: str) -> float:
        return float(sum(SPREAD[name] * rng.standard_normal() for name in names))

    new_study = MEAN + levels["country"][some[0]] + levels["sector"][some[0]]
    new_country = MEAN + levels["sector"][some[1]]
    se = rng.uniform(0.05, 0.18, len(where))
    same = where["study"].to_numpy()[:, None] == where["study"].to_numpy()
    covariance = np.outer(se, se) * np.where(same, 0.3, 0.0)
    np.fill_diagonal(covariance, se**2)
    noise = np.linalg.cholesky(covariance) @ rng.standard_normal(len(where))
    return Truth(
        place,
        new_study + fresh("study", SETTING),
        new_country + fresh("study", "country", SETTING),
        place + noise,
        covariance,
    )


def planned(truth: Truth) -> SecondStage:
    table = settings().assign(
        exposure="e_randomised", exposure_name="e", exposure_type="randomised", outcome="o",
        family="f", role="professional", vignette="", response_mode="m", metric="sd",
        estimate=truth.estimate, se=np.sqrt(np.diag(truth.covariance)), n=100,
        provenance="simulated",
    )  # fmt: skip
    (found,) = plans(table, truth.covariance)
    return found


def without_residual(found: SecondStage) -> SecondStage:
    """The wrong model: settings differ by their study, country and sector alone."""
    (name,) = found.found
    own = identify(found.table, PLACE)
    rows = np.arange(len(found.table))
    design = effect_design(len(rows), [Part(name, "", rows, [name] * len(rows), own, rows)])
    return replace(found, design=design, found={name: own})


class Coverage:
    """Intervals of one plan over replicates, from one compilation."""

    def __init__(self, plan_of: Callable[[SecondStage], SecondStage]) -> None:
        self.plan_of = plan_of
        self.found = plan_of(planned(world(0)))
        self.priors = PRIORS["effect"], PRIORS["tau"]
        given = self.found.table["estimate"].to_numpy(), self.found.covariance, self.found.design
        self.compiled = compile_model(synthesis_model.build(*given, *self.priors))

    def replicates(self, number: int) -> Iterator[dict[str, float]]:
        for at in range(number):
            truth = world(at)
            own = (truth.estimate, truth.covariance, self.found.design)
            given = synthesis_model.packed(*own, *self.priors)
            fitted = draw(self.compiled, {**SHORT, "seed": at + 1}, 1, given)
            posterior = fitted["posterior"].to_dataset()
            yield self.covered(synthesis_model.add_levels(posterior, *own, at), truth, at)

    def covered(self, posterior: xr.Dataset, truth: Truth, at: int) -> dict[str, float]:
        tail = (1 - LEVEL) / 2
        lower, upper = posterior["theta"].quantile([tail, 1 - tail], ("chain", "draw")).values
        table = results(self.found, posterior, LEVEL, at).set_index("level")

        def inside(level: str, value: float) -> float:
            return float(table.loc[level, "lower"] <= value <= table.loc[level, "upper"])

        return {
            "places": float(((lower <= truth.place) & (truth.place <= upper)).mean()),
            "population": inside("population", MEAN),
            "new_study": inside("new_study", truth.new_study),
            "new_country": inside("new_country", truth.new_country),
        }

    def table(self, number: int) -> pd.DataFrame:
        """Mean over replicates and its standard error, by what is covered."""
        found = pd.DataFrame(list(self.replicates(number)))
        se = found.std(ddof=1) / np.sqrt(number)
        # A share of one has no spread: what its band would be with one replicate less.
        least = np.sqrt(LEVEL * (1 - LEVEL) / number)
        se = se.where(found.columns == "places", np.maximum(se, least))
        return pd.DataFrame({"mean": found.mean(), "se": se})


def check(number: int, figures: Callable[..., None]) -> None:
    right, wrong = (Coverage(of).table(number) for of in (lambda f: f, without_residual))
    print(right.to_string(), wrong.to_string(), sep="\n")
    figures(replicates=number, **right["mean"], wrong_places=wrong.loc["places", "mean"])
    low = right["mean"] + BAND * right["se"]
    assert (low >= LEVEL).all(), "too few: the intervals are too short"
    # Six countries and four sectors: the population's and a new country's may be too long.
    high = (right["mean"] - BAND * right["se"])[["places", "new_study"]]
    assert (high <= LEVEL).all(), "too many: the intervals are too long"
    assert wrong.loc["places", "mean"] + BAND * wrong.loc["places", "se"] < LEVEL


@LONG
def test_intervals_of_a_second_stage_cover_in_a_world_of_interactions(
    figures: Callable[..., None],
) -> None:
    check(200, figures)
