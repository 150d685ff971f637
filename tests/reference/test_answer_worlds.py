"""Intervals of answers cover what is true in worlds that the models do not simulate themselves.

An experiment on threat and a study of coping: levels, the spread of people, sizes and scales differ
by place, effects differ between settings beyond study, country and sector, and not all of that is
normal. What is covered is the value of the estimand, known in closed form. Beside each right model
are the wrong ones that the test must catch. Coverage is counted by replicate, whose places and
estimands are one cluster, and the band follows from their number.

Where spreads are drawn from their prior, intervals must cover at their level. Where they have one
value, even the exact posterior covers a little less often or more often than that, so the share is
held against the one of exact integration at the same value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy import stats
from scipy.linalg import block_diag

from helpers.answer_worlds import (
    KEYS,
    NEW,
    SHAPES,
    SPREAD,
    Places,
    World,
    coping,
    draw_places,
    over_countries,
    people,
    population,
    studies_of,
    threat,
    through_files,
    truth,
    with_new,
)
from helpers.exact_coverage import Law, exact_coverage
from helpers.exact_pooling import Exact, law_of
from helpers.repository import ROOT
from metastudy.design.identification import SETTING
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.contrasts import contrasts
from metastudy.models.answers.estimates import blocks
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of

SAID = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"]
PRIORS = priors_of(SAID)
SHORT = {"chains": 1, "tune": 300, "draws": 800, "target_accept": 0.9}
LEVEL = 0.95
WITHIN = 0.99  # probability of the band that a right model's coverage lies in
FIT = (pytest.mark.fit, pytest.mark.slow)
LONG = pytest.mark.long(of=("metastudy.models.answers.kind", "metastudy.inference.sampling"))
MODULES = {"threat": threat, "coping": coping}
PLACES, POPULATION, NEW_STUDY, NEW_COUNTRY, NEW_SECTOR = LEVELS = (
    *("study", "population"),
    *NEW,
)
RIGHT, NO_RESIDUAL, COUNTRIES_IN_SD = "right", "no_residual", "countries_in_sd"
MIDPOINT = "midpoint"
INTEGRATED = 2000  # worlds of which exact integration says how often it covers
FEW = 5  # replicates of which the width is held beside that of exact integration
ENOUGH = 25  # replicates that the wrong models are fitted to, at most


@pytest.mark.parametrize("module", MODULES)
def test_the_closed_form_is_what_a_very_large_sample_shows(module: str) -> None:
    world = MODULES[module]()
    few = world.settings.groupby("study", sort=False).head(2).iloc[:6]
    large = replace(world, settings=few.assign(n=60_000, sites=2_000 * (few["sites"] > 0)))
    places = draw_places(large, large.settings, np.random.default_rng(2))
    known = truth(large, places)
    some = people(large, places, np.random.default_rng(3))
    scores, trait = some.items.mean(axis=-1), some.trait.mean(axis=-1)
    study = large.settings["study"].to_numpy()
    for name in dict.fromkeys(study):
        mine = np.flatnonzero(study == name)
        reference = [scores[(some.setting == j) & (some.arm == 0)].var(axis=0) for j in mine]
        of_trait = [trait[some.setting == j].var() for j in mine]
        for j in mine:
            here = some.setting == j
            x = np.column_stack([np.ones(here.sum()), some.arm[here]])
            if world.trait:
                x = np.column_stack([x, trait[here] / np.sqrt(np.mean(of_trait))])
            slopes = np.linalg.lstsq(x, scores[here], rcond=None)[0][1:]
            found = slopes / np.sqrt(np.mean(reference, axis=0))
            assert found == pytest.approx(known[j], abs=0.03), large.settings.iloc[j].to_dict()


@pytest.mark.parametrize("module", MODULES)
def test_cells_are_the_same_with_and_without_files(module: str, tmp_path: Path) -> None:
    world = MODULES[module]()
    places = draw_places(world, world.settings, np.random.default_rng(4))
    some = people(world, places, np.random.default_rng(5))
    one, other = (
        answer_cells(studies, world.module, world.vocabulary)
        for studies in (
            studies_of(world, places, some),
            through_files(world, places, some, tmp_path),
        )
    )
    for name in ("centre", "scale", "scale_df", "asked", "present", "sited", *KEYS):
        xr.testing.assert_allclose(one[name], other[name])
    for name in ("n", "xx", "xy", "yy"):  # sites have other names, and so another order
        assert by_setting(one, name) == pytest.approx(by_setting(other, name), abs=1e-6)
    assert (one.site_of_cell.values == other.site_of_cell.values).all()
    assert (one.setting_of_site.values == other.setting_of_site.values).all()


def by_setting(cells: xr.Dataset, name: str) -> np.ndarray:
    """Numbers of the cells, summed over the sites of each setting."""
    total = np.zeros((cells.sizes["setting"], *cells[name].shape[1:]))
    np.add.at(total, cells.setting_of_site.values[cells.site_of_cell.values], cells[name].values)
    return total


@dataclass(frozen=True)
class Replicate:
    """The cells of one replicate, and the truth by level and what else tells estimands apart."""

    cells: xr.Dataset
    truth: dict[tuple[str, ...], float]
    over_countries: np.ndarray  # SD with country levels in it over the right one


def key_of(row: dict[str, Any]) -> tuple[str, ...]:
    """Which truth a row of contrasts is held against."""
    places = [row[name] for name in KEYS] if row["level"] == PLACES else [row["role"]]
    vignette = row.get("vignette", "") if row["level"] == PLACES else ""
    return (str(row["level"]), str(row["exposure"]), str(row["outcome"]), vignette, *places)


class Coverage:
    """Intervals of a module over replicates of a world; each model is compiled once."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.population = population(world)
        cells = self.replicate(0).cells
        self.right = compile_model(answers_model.build(cells, PRIORS))
        self.wrong: Any = None
        self.sd: list[tuple[float, float]] = []  # of a population mean: here, by integration

    def replicate(self, at: int) -> Replicate:
        """Draw a replicate; the first one goes through files and codebooks."""
        world, rng = self.world, np.random.default_rng([20261, at])
        table = with_new(world, rng)
        every = draw_places(world, table, rng)
        mine = every.first(len(world.settings))
        some = people(world, mine, rng)
        folder = self.folder / f"{at}"
        studies = (
            through_files(world, mine, some, folder)
            if at == 0 and not folder.exists()
            else studies_of(world, mine, some)
        )
        cells = answer_cells(studies, world.module, world.vocabulary)
        ratio = over_countries(world, mine, some)
        return Replicate(cells, self.truths(every), ratio[:, asked_order(world, cells)])

    def truths(self, every: Places) -> dict[tuple[str, ...], float]:
        """The truth of every estimand, by :func:`key_of`."""
        world, found = self.world, {}
        shape = (len(world.exposures), len(world.constructs), len(world.vignettes))
        of_place, over = (truth(world, every, mean) for mean in (False, True))
        role = world.settings["role"].iloc[0]
        for j, place in enumerate(every.settings[KEYS].to_numpy()):
            new = place[0] in NEW
            values = (over if new else of_place)[j].reshape(shape)
            for p, exposure in enumerate(world.exposures):
                for c, construct in enumerate(world.constructs):
                    if new:
                        found[place[0], exposure, construct, "", role] = values[p, c].mean()
                        continue
                    for v, vignette in enumerate(world.vignettes):
                        found[PLACES, exposure, construct, vignette, *place] = values[p, c, v]
        for of_role, means in self.population.items():
            for p, exposure in enumerate(world.exposures):
                for c, construct in enumerate(world.constructs):
                    found[POPULATION, exposure, construct, "", of_role] = means[p, c]
        return found

    def fit(self, cells: xr.Dataset, compiled: Any, at: int) -> xr.DataTree:
        return draw(compiled, {**SHORT, "seed": at + 1}, 1, pack(cells, PRIORS))

    def without_residual(self, cells: xr.Dataset) -> xr.Dataset:
        """The wrong design: settings differ by their study, country and sector alone."""
        return cells.assign_coords({SETTING: cells.study.values})

    def covered(self, at: int, wrong: bool) -> dict[str, dict[str, float]]:
        """Shares of intervals of a replicate that hold the truth, by model and level."""
        one = self.replicate(at)
        right = self.fit(one.cells, self.right, at)
        found = {RIGHT: shares(one.cells, right, one.truth, at)}
        if self.world.settings["country"].nunique() == 2:
            midpoint = called_population(one.cells, right)
            found[MIDPOINT] = shares(one.cells, midpoint, one.truth, at)
            if at < FEW and not self.world.trait:
                own = right["posterior"]["mu"].isel(estimand=0).std().item()
                self.sd.append((own, by_integration(one.cells, self.world)))
        elif wrong:
            without = self.without_residual(one.cells)
            self.wrong = self.wrong or compile_model(answers_model.build(without, PRIORS))
            found[NO_RESIDUAL] = shares(without, self.fit(without, self.wrong, at), one.truth, at)
            coarse = in_units(one.cells, one.over_countries)
            found[COUNTRIES_IN_SD] = shares(coarse, self.fit(coarse, self.right, at), one.truth, at)
        return found

    def table(self, number: int) -> pd.DataFrame:
        """Mean over replicates and half the width of its band, by model and level.

        The wrong models are fitted to the first of them only, which is enough to catch them.
        """
        found = [
            pd.DataFrame(self.covered(at, wrong=at < ENOUGH)).T.stack().rename(at)
            for at in range(number)
        ]
        table = pd.concat(found, axis=1)
        replicates, se = table.count(axis=1), table.std(axis=1, ddof=1)
        # Without a single miss there is no spread: what it is at the level, for the intervals of a
        # replicate that are independent, one for each construct. Places are never without.
        least = np.sqrt(LEVEL * (1 - LEVEL) / len(self.world.constructs))
        se = se.where(table.index.get_level_values(1) == PLACES, np.maximum(se, least))
        half = stats.t.ppf((1 + WITHIN) / 2, replicates - 1) * se / np.sqrt(replicates)
        return pd.DataFrame({"mean": table.mean(axis=1), "half": half})


def asked_order(world: World, cells: xr.Dataset) -> list[int]:
    """Places of the cells' outcomes among those of the world."""
    pairs = zip(cells.construct_of.values, cells.vignette_of.values, strict=True)
    return [world.outcomes.index((str(c), str(v))) for c, v in pairs]


def in_units(cells: xr.Dataset, ratio: np.ndarray) -> xr.Dataset:
    """Cells in units of so many standardisers, shape (setting, outcome)."""
    by = 1 / ratio[cells.setting_of_site.values[cells.site_of_cell.values]]
    return cells.assign(xy=cells.xy * by[:, None, :], yy=cells.yy * by[:, :, None] * by[:, None, :])


def by_integration(cells: xr.Dataset, world: World) -> float:
    """Posterior SD of the mean effect on the first construct, from estimates of that alone.

    Over studies in two countries; so the outcomes of a family are not pooled in it.
    """
    tables, covariances = zip(*blocks(cells, world.vocabulary), strict=True)
    table, covariance = pd.concat(tables, ignore_index=True), block_diag(*covariances)
    mine = np.flatnonzero(table["outcome"] == cells.construct.values[0])
    own = table.iloc[mine]
    groupings = [own["study"].to_numpy(), own["country"].to_numpy(), np.arange(len(mine))]
    given = own["estimate"].to_numpy(), covariance[np.ix_(mine, mine)], groupings
    return Exact(*given, law_of(SAID["effect"]), SAID["tau"], points=60, slices=12).moments()[1]


def called_population(cells: xr.Dataset, tree: xr.DataTree) -> xr.DataTree:
    """The wrong population: the mean of the settings at hand, a midpoint where there are two."""
    posterior = tree["posterior"].to_dataset()
    of = {name: posterior["mu"].sel(estimand=name) for name in posterior.estimand.values}
    for name in of:
        exposure, construct, _ = name.split(", ")
        mine = cells.construct_of.values == construct
        beta = posterior["beta"].sel(exposure=exposure).isel(outcome=np.flatnonzero(mine))
        of[name] = beta.mean(("setting", "outcome")).drop_vars("exposure")
    mu = xr.concat(list(of.values()), pd.Index(list(of), name="estimand"))
    return xr.DataTree.from_dict({"posterior": posterior.assign(mu=mu)})


def shares(
    cells: xr.Dataset, tree: xr.DataTree, truth: dict[tuple[str, ...], float], at: int
) -> dict[str, float]:
    """Share of intervals that hold the truth, by level."""
    tail = (1 - LEVEL) / 2
    hits: dict[str, list[bool]] = {level: [] for level in LEVELS}
    for row, values in contrasts(cells, tree, np.random.default_rng(at)):
        if row["estimand"] != "effect":
            break  # effects come first
        if row["metric"] != "sd" or row["level"] not in LEVELS:
            continue
        if (key := key_of(row)) not in truth:
            assert row["level"] in NEW, key  # of another role
            continue
        low, high = np.quantile(values.to_numpy(), [tail, 1 - tail])
        hits[str(row["level"])].append(low <= truth[key] <= high)
    return {level: float(np.mean(own)) for level, own in hits.items() if own}


def shown(found: pd.DataFrame, number: int, figures: Callable[..., None]) -> pd.DataFrame:
    """Print a table and take it down; give the right model's part."""
    print(found.unstack(0).round(3).to_string())
    named = {f"{model}_{level}": mean for (model, level), mean in found["mean"].items()}
    figures(replicates=number, **named)
    return found.loc[RIGHT]


# By places, of which a replicate has many; how often the wrong ones cover a population is recorded.
CAUGHT = ((NO_RESIDUAL, PLACES), (COUNTRIES_IN_SD, PLACES))
# Six studies and countries, and four sectors or three: what rests on the few may be too long.
MANY = [PLACES, NEW_STUDY]
TIMES = [pytest.param(100, id="many", marks=[*FIT, LONG])]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("number", TIMES)
def test_intervals_cover_in_worlds_of_interactions_and_wrong_models_are_caught(
    module: str, number: int, tmp_path: Path, figures: Callable[..., None]
) -> None:
    world = MODULES[module](False)
    found = Coverage(world, tmp_path).table(number)
    right = shown(found, number, figures)
    exact = by_exact_posterior(world).loc[right.index]
    figures(**{f"exact_{level}": share for level, share in exact["mean"].items()})
    half = np.hypot(right["half"], exact["half"])
    low, high = right["mean"] + half, (right["mean"] - half)[MANY]
    assert (low >= exact["mean"]).all(), "too few: the intervals are too short"
    assert (high <= exact["mean"][MANY]).all(), "too many: the intervals are too long"
    for place in CAUGHT:
        assert found.loc[place, "mean"] + found.loc[place, "half"] < exact["mean"][place[1]], place


def by_exact_posterior(world: World) -> pd.DataFrame:
    """How often the exact posterior covers in a world, and half its band, by level.

    A randomised difference has the standard error of two halves, the slope of a trait that of all.
    Outcomes of a family are partially pooled, around the mean that those of threat share.
    """
    table = world.settings
    mine = table[table["role"] == table["role"].iloc[0]]
    groups = [np.unique(mine[name], return_inverse=True)[1] for name in KEYS[:3]]
    groups.append(np.arange(len(mine)))
    family = [world.vocabulary.family(construct) for construct in world.constructs]
    alone = Law.alone(SAID["effect"])
    shared = Law.family(SAID["effect"], SAID["outcomes"], directed=world.module == "threat")
    found = []
    for at, means in enumerate(world.mean.values()):
        se = (1 if at else 2) / np.sqrt(mine["n"].to_numpy())
        for name in dict.fromkeys(family):
            own = [mean for mean, of in zip(means, family, strict=True) if of == name]
            law = shared if len(own) > 1 else alone
            given = groups, se, list(SPREAD.values()), SHAPES, own, law, SAID["tau"]
            one = pd.DataFrame(exact_coverage(*given, INTEGRATED), index=["mean", "half"]).T
            found += [one] * len(own)
    table = pd.concat(found).groupby(level=0).mean()
    return table.assign(half=stats.norm.ppf((1 + WITHIN) / 2) * table["half"])


def test_the_exact_posterior_covers_at_its_level_on_average_over_its_prior() -> None:
    at, rng = np.arange(9), np.random.default_rng(3)
    groups, se = [at // 3, at % 3, at // 2, at], np.full(9, 0.2)
    law, found = Law.alone(SAID["effect"]), []
    for seed in range(60):
        spreads = list(SAID["tau"] * abs(rng.standard_normal()) * np.sqrt(rng.dirichlet([1] * 4)))
        mean = float(SAID["effect"]["scale"] * rng.standard_t(SAID["effect"]["df"]))
        given = groups, se, spreads, SHAPES[:1], [mean], law, SAID["tau"]
        found.append(exact_coverage(*given, worlds=10, seed=seed))
    for level in LEVELS:
        own = [one[level][0] for one in found]
        half = stats.t.ppf((1 + WITHIN) / 2, len(own) - 1) * np.std(own) / np.sqrt(len(own))
        assert abs(np.mean(own) - LEVEL) <= half, level


@pytest.mark.parametrize(
    ("module", "number"),
    [
        *(pytest.param(module, 100, id=f"many-{module}", marks=[*FIT, LONG]) for module in MODULES),
        # At each landing as many as it takes to catch the midpoint; coping takes minutes.
        pytest.param("threat", 16, id="few-threat", marks=[*FIT, pytest.mark.ci]),
    ],
)
def test_two_countries_give_a_population_and_no_midpoint(
    module: str, number: int, tmp_path: Path, figures: Callable[..., None]
) -> None:
    coverage = Coverage(MODULES[module](True), tmp_path)
    found = coverage.table(number)
    right, wrong = shown(found, number, figures), found.loc[(MIDPOINT, POPULATION)]
    if coverage.sd:
        own, exact = np.mean(coverage.sd, axis=0)
        figures(sd_of_population=own, sd_by_integration=exact)
    # What is true is drawn from the prior of the spreads: intervals cover on average over it.
    assert (right["mean"] + right["half"] >= LEVEL).all()
    assert wrong["mean"] + wrong["half"] < LEVEL
