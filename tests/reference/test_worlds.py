"""Recovery: in worlds whose truth is known, the model on answers finds what is there and no more.

Four worlds of the generator, each over the same countries, sectors and studies: an effect on one
outcome and the same everywhere (partial support), none (null), one in some countries only, and
effects that differ between countries and between sectors by a known spread. They differ in nothing
but their data, so one compiled model serves them all. At each landing the people of each world are
drawn once, and before a change of what is tested here is done, twenty times.

True effects are in standard deviations of what people feel, and answers attenuate them; so truth is
first taken to the scale of the scores, on a very large sample of the generator, by plain means.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.stats import binom

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import load_study
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.data_vector import NOT_FIXED, pack
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate
import replications
import threat

pytestmark = [pytest.mark.slow, pytest.mark.fit]

WORLDS = ("partial", "null", "some_countries", "multi_country")
WORLD = ROOT / "data" / "generator" / "world.yaml"
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
SHORT = {"chains": 2, "tune": 400, "draws": 500, "target_accept": 0.95, "seed": 20260}
EXPOSURE = "task_type_randomised"
CONSTRUCTS = replications.ASKED
LAPSES = (  # nobody leaves and nothing is missing, so that the cells of all worlds have one shape
    *("no_consent", "breakoff_before_outcomes", "breakoff_between_batteries"),
    *("dont_know", "not_stated", "not_relevant", "left_blank"),
)
LEVEL = 0.95
TIMES = [  # that the people of a world are drawn
    pytest.param(1, id="once", marks=pytest.mark.ci),
    pytest.param(
        20,
        id="often",
        marks=pytest.mark.long(
            of=(
                "metastudy.models.registry",
                "metastudy.inference.sampling",
                "metastudy.posterior.contrasts",
            )
        ),
    ),
]
RARE = 0.001  # how often a right model may fail a test with another seed


def different(name: str) -> Path:
    """The file that says what a world has instead."""
    return ROOT / "config" / "worlds" / f"{name}.yaml"


def world(name: str, repeat: int = 0, respondents: int = 160) -> dict[str, Any]:
    """A world at reduced size, over the places of the multi-country world."""
    places = yaml.safe_load(different("multi_country").read_text("utf-8"))["threat_replications"]
    settings = [f"threat_experiment.{lapse}=0" for lapse in LAPSES]
    settings += [f"threat_replications.respondents={respondents}", f"seed={repeat + 1}"]
    settings += [
        f"threat_replications.{key}={places[key]}" for key in ("studies", "countries", "sectors")
    ]
    return generate.load_world(WORLD, settings, None if name == "partial" else different(name))


def scores(effect: float, n: int = 200_000) -> np.ndarray:
    """Differences of mean scores between the tasks, in standard deviations; by construct."""
    own = world("null")["threat_experiment"] | replications.ONE_SITE | {"respondents": n}
    own["true_effect_task_type"] |= dict.fromkeys(CONSTRUCTS, effect)
    rng = np.random.default_rng(1)  # the same people each time, so differences are sharp
    people = threat.respondents(own, rng)
    items = threat.answer_batteries(own, rng, people)
    core = people["version"].isin([2, 4]).to_numpy()
    found = []
    for construct in CONSTRUCTS:
        battery = threat.BATTERIES[construct]
        turned = [
            threat.HIGH[construct] + 1 - items[item] if reverse else items[item]
            for item, (reverse, _) in battery.items()
        ]
        score = np.mean(turned, axis=0)
        found.append((score[core].mean() - score[~core].mean()) / score[~core].std(ddof=1))
    return np.array(found)


@pytest.fixture(scope="module")
def attenuation() -> np.ndarray:
    """What a standard deviation of what people feel is on the scores, by construct."""
    none, some, more = scores(0.0), scores(0.4), scores(0.8)
    assert more - some == pytest.approx(some - none, abs=0.02), "a factor"
    return (more - none) / 0.8


def cells_of(made: dict[str, Any], folder: Path) -> xr.Dataset:
    """The cells of a world's replications, by way of their files and codebooks."""
    original = (ROOT / "data" / "raw" / replications.LIKE / "codebook.yaml").read_text("utf-8")
    files = replications.write(made, folder / "raw", yaml.safe_load(original))
    generate.write_manifest(folder / "raw" / "manifest.yaml", files)
    studies = []
    for study in files:
        save(harmonize_file(load(folder / "raw" / study, VOCABULARY), KEY), folder / study)
        studies.append(load_study(folder / study))
    return answer_cells(studies, "threat", VOCABULARY)


@dataclass(frozen=True)
class Fit:
    """Draws of a world beside its truth, in standard deviations of the scores."""

    draws: dict[str, xr.DataArray]  # by level: (draw, construct, group)
    truth: dict[str, np.ndarray]  # by level: (construct, group)
    tau: xr.DataArray  # (draw, tau_of)

    def bounds(self, level: str) -> tuple[np.ndarray, np.ndarray]:
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(self.draws[level], [tail, 1 - tail], axis=0)
        return low, high

    def hits(self, level: str) -> np.ndarray:
        low, high = self.bounds(level)
        return (low < self.truth[level]) & (self.truth[level] < high)

    def spread(self, grouping: str, construct: str) -> np.ndarray:
        """Draws of the standard deviation of the effect of core tasks between groups."""
        (name,) = (
            name
            for name in map(str, self.tau.tau_of.values)
            if name.endswith(f", {construct}")
            and grouping in name.removeprefix(f"{EXPOSURE} ").partition(",")[0].split("+")
        )
        return self.tau.sel(tau_of=name).to_numpy()


def truths(made: dict[str, Any], places: pd.DataFrame, factor: np.ndarray) -> dict[str, np.ndarray]:
    """The true effects of a world at each level, shape (construct, group)."""
    known = replications.truth(made)
    found = {}
    for level, keys in LEVELS.items():
        if level == "place":
            groups = places.merge(known)  # in the order of the cells
        else:
            groups = known.groupby(keys or (lambda _: 0))[list(CONSTRUCTS)].mean()
        found[level] = groups[list(CONSTRUCTS)].to_numpy().T * factor[:, None]
    return found


LEVELS: dict[str, list[str]] = {
    "population": [],
    "country": ["country"],
    "sector": ["sector"],
    "place": ["study", "country", "sector"],
}


def effects(posterior: xr.Dataset, cells: xr.Dataset) -> dict[str, xr.DataArray]:
    """The draws of each level's effects, as the article's contrasts have them."""
    found = contrasts(cells, xr.DataTree.from_dict({"posterior": posterior}))
    index = found.index
    index = index[(index["estimand"] == "effect") & (index["metric"] == "sd")]
    stacked = {}
    for level in LEVELS:
        mine = index[index["level"] == level.replace("place", "study")]
        groups = list(cells.setting.values) if level == "place" else sorted(set(mine["group"]))
        order = mine.set_index(["outcome", "group"])["id"]
        ids = [order[c, g] for c in CONSTRUCTS for g in groups]
        values = found.draws.sel(contrast=ids).stack(sample=("chain", "draw"), create_index=False)
        array = values.transpose("sample", "contrast").to_numpy()
        stacked[level] = xr.DataArray(
            array.reshape(-1, len(CONSTRUCTS), len(groups)),
            dims=("draw", "construct", "group"),
            coords={"construct": list(CONSTRUCTS), "group": groups},
        )
    return stacked


class Model:
    """One compiled model, refitted to each world."""

    def __init__(self, cells: xr.Dataset):
        self.compiled = compile_model(answers_model.build(cells, PRIORS))

    def fit(self, cells: xr.Dataset, fixed_tau: float) -> xr.Dataset:
        tree = draw(self.compiled, SHORT, given=pack(cells, PRIORS, fixed_tau))
        return tree["posterior"].to_dataset()


@dataclass(frozen=True)
class Fitted:
    """The fits of all worlds, and of a wrong model to one of them."""

    of: dict[str, list[Fit]]
    wrong: Fit


@pytest.fixture(scope="module", params=TIMES)
def fitted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    attenuation: np.ndarray,
) -> Fitted:
    model: Model | None = None
    of: dict[str, list[Fit]] = {}

    def beside_truth(cells: xr.Dataset, made: dict[str, Any], fixed_tau: float = NOT_FIXED) -> Fit:
        assert model is not None
        posterior = model.fit(cells, fixed_tau)
        places = pd.DataFrame({key: cells[key].values for key in LEVELS["place"]})
        tau = posterior["tau"].stack(sample=("chain", "draw"), create_index=False)
        return Fit(
            effects(posterior, cells),
            truths(made, places, attenuation),
            tau.transpose("sample", "tau_of"),
        )

    for name in WORLDS:
        for repeat in range(request.param):
            made = world(name, repeat)
            cells = cells_of(made, tmp_path_factory.mktemp(name))
            model = model or Model(cells)
            of.setdefault(name, []).append(beside_truth(cells, made))
    return Fitted(of, beside_truth(cells, made, 1e-3))


def least(units: int) -> float:
    """The least share of hits that a right model may have, for this many independent intervals."""
    return float(binom.ppf(RARE, units, LEVEL)) / units


@pytest.mark.parametrize("level", LEVELS)
def test_intervals_hold_the_truth_as_often_as_they_say(
    fitted: Fitted, level: str, figures: Callable[..., None]
) -> None:
    hits = np.stack([fit.hits(level) for fits in fitted.of.values() for fit in fits])
    figures(intervals=hits.size, covered=float(hits.mean()))
    # Places of one estimand share a mean, so they count as one.
    assert hits.mean() >= least(hits[..., 0].size)


def test_in_a_world_without_effects_intervals_cover_zero_everywhere(fitted: Fitted) -> None:
    for level in LEVELS:
        hits = np.stack([fit.hits(level) for fit in fitted.of["null"]])
        assert not any(fit.truth[level].any() for fit in fitted.of["null"])
        assert hits.mean() >= least(hits[..., 0].size), level


def test_partial_support_is_found_where_it_is_and_nowhere_else(fitted: Fitted) -> None:
    # Over the places that were studied: a mean of all that might be is known less well.
    means = [fit.draws["place"].mean("group") for fit in fitted.of["partial"]]
    bounds = np.stack([mean.quantile([0.025, 0.975], "draw") for mean in means])
    low, high = bounds[:, 0], bounds[:, 1]
    assert (low[:, 0] > 0.1).all(), "core tasks threaten quality"
    zero = ((low < 0) & (high > 0))[:, 1:]
    assert zero.mean() >= least(zero.size)
    assert (high - low).max() < 0.2, "and the others are no less well known"


def test_countries_with_the_effect_are_told_from_those_without(fitted: Fitted) -> None:
    strong = yaml.safe_load(different("some_countries").read_text("utf-8"))
    strong = list(strong["threat_replications"]["true_effect_in_country"]["threat_quality"])
    for fit in fitted.of["some_countries"]:
        mine = fit.draws["country"].sel(construct="threat_quality")
        weak = [c for c in mine["group"].values if c not in strong]
        assert len(weak) > len(strong) > 1
        apart = mine.sel(group=strong).min("group") > mine.sel(group=weak).max("group")
        assert apart.mean() > 0.95
        low, high = (xr.zeros_like(mine[0]).copy(data=b[0]) for b in fit.bounds("country"))
        assert (low.sel(group=strong) > 0.2).all()
        assert (low.sel(group=weak) < 0.1).all()
        assert (high.sel(group=weak) < 0.35).all()


def test_the_spreads_between_countries_and_sectors_lie_in_their_intervals(
    fitted: Fitted, attenuation: np.ndarray
) -> None:
    mine = world("multi_country")["threat_replications"]
    tail = (1 - LEVEL) / 2
    hits, known = [], 0
    for fit in fitted.of["multi_country"]:
        for grouping in ("country", "sector"):
            for construct, sd in mine[f"true_effect_{grouping}_sd"].items():
                low, high = np.quantile(fit.spread(grouping, construct), [tail, 1 - tail])
                hits.append(low < sd * attenuation[CONSTRUCTS.index(construct)] < high)
                known += low > 0.05
    assert np.mean(hits) >= least(len(hits))
    assert known >= len(fitted.of["multi_country"]), (
        "between countries the spread is distinguished from none"
    )


def test_the_population_mean_is_recovered_and_predictions_hold_the_countries(
    fitted: Fitted,
) -> None:
    for fit in fitted.of["multi_country"]:
        low, high = fit.bounds("population")
        assert low[0, 0] < fit.truth["population"][0, 0] < high[0, 0]
        mean = fit.draws["population"].isel(construct=0, group=0).to_numpy()
        rng = np.random.default_rng(3)
        new = mean + fit.spread("country", "threat_quality") * rng.standard_normal(mean.shape)
        countries = fit.truth["country"][0]
        bounds = np.quantile(new, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        assert ((bounds[0] < countries) & (countries < bounds[1])).sum() >= len(countries) - 1
        assert np.ptp(bounds) > (high - low)[0, 0]


def differing(fit: Fit) -> np.ndarray:
    """Errors of the effects in each place over their standard deviations, where they differ."""
    draws = fit.draws["place"].to_numpy()
    return (draws.mean(axis=0) - fit.truth["place"]) / draws.std(axis=0)


def test_errors_are_as_large_as_the_posterior_says_and_a_wrong_model_is_found_out(
    fitted: Fitted, figures: Callable[..., None]
) -> None:
    right = [float((differing(fit) ** 2).mean()) for fit in fitted.of["multi_country"]]
    figures(right=float(np.mean(right)), wrong=float((differing(fitted.wrong) ** 2).mean()))
    assert 0.5 < np.mean(right) < 1.7
    assert float((differing(fitted.wrong) ** 2).mean()) > 3, "no differences between the places"
    assert fitted.wrong.hits("country")[:2].mean() < 0.7
