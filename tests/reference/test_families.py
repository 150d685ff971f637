"""Pooling the outcomes of a family: fewer false claims where nothing is true, and what it costs.

Families of five correlated outcomes of one randomised exposure, made anew for each replicate: all
five effects are zero, or one of them is 0.3 SD. Each is fitted with its outcomes pooled and apart,
by one compiled model under the priors and cuts of the configuration. Effects pooled around zero are
the main case; pooled around a mean that they share is beside it.

What is promised: fewer families with a false claim, and a smaller squared error of the five
together. The one true effect is pulled to zero and its interval covers it less often; that is
recorded, and has to be what integration says of the same data. The wrong model, a spread between
outcomes that is fixed and wide, pools nothing and has to miss all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy import stats

from helpers import families_exact
from helpers.exact_pooling import law_of
from helpers.families_exact import Effects, least_squares
from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.kind import build
from metastudy.models.data_vector import NOT_FIXED, pack
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.posterior.verdicts import CUTS, ROPES, judge

pytestmark = [pytest.mark.fit, pytest.mark.slow]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS, REPORT = priors_of(CONFIG["priors"]), CONFIG["report"]
SHORT = {"chains": 2, "tune": 400, "draws": 1000, "target_accept": 0.9}
FAMILY, PEOPLE = "coping_rated", 300
OUTCOMES = [c for c, said in VOCABULARY["constructs"].items() if said["family"] == FAMILY]
LOADING = np.array([0.7, 0.6, 0.5, 0.6, 0.4])  # of one factor: answers correlate by 0.20 to 0.42
TRUE = 0.3
RARE = 0.001  # how often a right model may fail a test with another seed
LONG = pytest.mark.long(
    of=(
        "metastudy.models.answers.model",
        "metastudy.inference.sampling",
        "metastudy.posterior.summarise",
        "metastudy.posterior.verdicts",
    )
)
TIMES = [
    pytest.param(200, id="many", marks=LONG),
]


@dataclass(frozen=True)
class Replicate:
    """A family: its cells, its least-squares estimates with their covariance, and the truth."""

    cells: xr.Dataset
    estimate: np.ndarray  # (K,)
    covariance: np.ndarray  # (K, K)
    truth: np.ndarray  # (K,), in standard deviations of people in the reference arm


def replicate(at: int, size: float) -> Replicate:
    """Draw one family, in which the effects take turns to be the true one."""
    rng = np.random.default_rng([20265, at])
    truth = np.where(np.arange(len(OUTCOMES)) == at % len(OUTCOMES), size, 0.0)
    x = rng.permutation(np.resize([0.0, 1.0], PEOPLE))
    factor, own = rng.standard_normal((PEOPLE, 1)), rng.standard_normal((PEOPLE, len(OUTCOMES)))
    y = x[:, None] * truth + LOADING * factor + np.sqrt(1 - LOADING**2) * own
    study = answer_study(
        "made",
        {(construct, None): 50 + 18 * y[:, k] for k, construct in enumerate(OUTCOMES)},
        {"task_type": np.where(x > 0, "core", "complementary")},
        OUTCOMES,
        [{"factor": "task_type", "type": "randomised"}],
    )
    cells = answer_cells([study], "coping", VOCABULARY)
    assert list(cells.construct_of.values) == OUTCOMES
    freedom = PEOPLE // 2 - 1
    sd = y[x == 0].std(axis=0, ddof=1) / (1 - 3 / (4 * freedom - 1))
    return Replicate(cells, *least_squares(y / sd, x), truth)


@dataclass(frozen=True)
class Found:
    """Effects of many families: what is said of each, and what is true; shape (family, K) each."""

    mean: np.ndarray
    positive: np.ndarray
    claim: np.ndarray
    covered: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, tables: Sequence[pd.DataFrame]) -> Found:
        names = ("mean", "positive", "claim", "covered", "truth")
        return cls(*(np.stack([table[name].to_numpy() for table in tables]) for name in names))

    @property
    def false(self) -> np.ndarray:
        """Which families have a claim of an effect that is zero, shape (family,)."""
        return np.asarray((self.claim & (self.truth == 0)).any(axis=1))

    @property
    def surest(self) -> np.ndarray:
        """The largest probability of a sign among the effects that are zero, shape (family,)."""
        sign = np.maximum(self.positive, 1 - self.positive)
        return np.asarray(np.where(self.truth == 0, sign, 0.0).max(axis=1))

    @property
    def square(self) -> np.ndarray:
        """Squared error of the five together, shape (family,)."""
        return np.asarray(((self.mean - self.truth) ** 2).sum(axis=1))

    def figures(self, name: str) -> dict[str, float]:
        """What is recorded; of the true effect as far as there is one."""
        found = {f"false_{name}": float(self.false.mean())}
        there = self.truth != 0
        if there.any():
            found |= {
                f"bias_{name}": float((self.mean - self.truth)[there].mean()),
                f"coverage_{name}": float(self.covered[there].mean()),
                f"coverage_of_all_{name}": float(self.covered.mean()),
                f"claimed_{name}": float(self.claim[there].mean()),
                f"square_{name}": float(self.square.mean()),
            }
        return found


def judged(table: pd.DataFrame, truth: np.ndarray) -> pd.DataFrame:
    """A table of effects with its claims by the cuts of the configuration, and with the truth."""
    cuts = {name: REPORT[name] for name in CUTS}
    claim = [judge(row, cuts).claim for row in table.to_dict("records")]
    return table.assign(claim=claim, truth=truth)


def by_integration(how: Callable[..., Effects], y: np.ndarray, v: np.ndarray) -> Effects:
    """The posterior of effects under the priors of the configuration."""
    scales = CONFIG["priors"]
    if how is families_exact.apart:
        return how(y, v, scales["effect"]["scale"])
    law = [law_of(scales["effect"])] * (how is families_exact.directed)
    return how(y, v, scales["outcomes"], *law)


def exact(effects: Effects, truth: np.ndarray) -> pd.DataFrame:
    """What is said of effects whose posterior is known without Monte Carlo error."""
    rope, tail = REPORT[ROPES["sd"]], (1 - REPORT["interval"]) / 2
    below, above = effects.below(-rope), 1 - effects.below(rope)
    at = effects.below(truth)
    table = pd.DataFrame({"mean": effects.moments()[0], "positive": 1 - effects.below(0.0)})
    table = table.assign(above=above, below=below, rope=1 - above - below, ess=np.nan)
    return judged(table, truth).assign(covered=(tail <= at) & (at <= 1 - tail))


def integrated(families: Sequence[Replicate], how: Callable[..., Effects]) -> Found:
    """What integration says of these families."""
    found = [by_integration(how, one.estimate, one.covariance) for one in families]
    return Found.of([exact(f, one.truth) for f, one in zip(found, families, strict=True)])


def expected(how: Callable[..., Effects], size: float, families: int) -> Found:
    """What integration says of so many other families, whose covariance it knows."""
    rng = np.random.default_rng(20266)
    v = (np.outer(LOADING, LOADING) + np.diag(1 - LOADING**2)) * 4 / PEOPLE
    tables = []
    for at in range(families):
        truth = np.where(np.arange(len(OUTCOMES)) == at % len(OUTCOMES), size, 0.0)
        y = rng.multivariate_normal(truth, v)
        tables.append(exact(by_integration(how, y, v), truth))
    return Found.of(tables)


class Fits:
    """Fits of families by one compiled model; ``sign`` says whether they share a mean."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.compiled = compile_model(build(self.signed(replicate(0, 0.0).cells), PRIORS))

    def signed(self, cells: xr.Dataset) -> xr.Dataset:
        return cells.assign(family_sign=("construct", [self.sign] * cells.sizes["construct"]))

    def of(self, families: Sequence[Replicate], fixed: float = NOT_FIXED, seed: int = 0) -> Found:
        """Pooled, or apart, each with a prior as wide as ``fixed``."""
        return Found.of([self._one(one, fixed, seed + at) for at, one in enumerate(families)])

    def _one(self, one: Replicate, fixed: float, seed: int) -> pd.DataFrame:
        given = pack(self.signed(one.cells), PRIORS, fixed_outcomes=fixed)
        fitted = draw(self.compiled, {**SHORT, "seed": seed}, 1, given)
        mu = fitted["posterior"].to_dataset()["mu"]
        assert [name.split(", ")[1] for name in mu.estimand.values] == OUTCOMES
        table = summarize(mu, REPORT["interval"], REPORT[ROPES["sd"]])
        covered = (table["lower"] <= one.truth) & (one.truth <= table["upper"])
        return judged(table, one.truth).assign(covered=covered)


WIDE = float(PRIORS["effect"].scale)  # of outcomes apart, as in the refits of the workflow


@pytest.fixture(scope="module")
def undirected() -> Fits:
    return Fits(sign=0)


@pytest.fixture(scope="module")
def directed() -> Fits:
    return Fits(sign=1)


@dataclass(frozen=True)
class World:
    """The same families pooled, apart, apart once more with other draws, and by integration.

    Pooled is around zero.
    """

    pooled: Found
    apart: Found
    wrong: Found
    exact: Found
    exact_apart: Found

    @classmethod
    def of(cls, fits: Fits, number: int, size: float) -> World:
        families = [replicate(at, size) for at in range(number)]
        return cls(
            fits.of(families),
            fits.of(families, fixed=WIDE, seed=10_000),
            fits.of(families, fixed=WIDE, seed=20_000),
            integrated(families, families_exact.undirected),
            integrated(families, families_exact.apart),
        )

    def figures(self) -> dict[str, float]:
        return self.pooled.figures("pooled") | self.apart.figures("apart")


def agrees(found: Found, exact: Found) -> None:
    """Each probability of a sign and each mean is that of integration, as far as draws can say."""
    off = np.abs(found.positive - exact.positive)
    assert off.max() < 0.08  # five errors of a probability of one half with 1,000 effective draws
    assert off.mean() < 0.015
    assert np.abs(found.mean - exact.mean).mean() < 0.01


def smaller(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the first is smaller in more families than chance would have it."""
    apart = one[one != other] < other[one != other]
    return bool(stats.binomtest(int(apart.sum()), len(apart), alternative="greater").pvalue < RARE)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two shares, of truth values, may be the same."""
    counts = [[int(each.sum()), int((~each).sum())] for each in (one, other)]
    return bool(stats.fisher_exact(counts).pvalue > RARE)


def fewer_false_claims(pooled: Found, apart: Found) -> None:
    assert smaller(pooled.surest, apart.surest)
    assert pooled.false.mean() < apart.false.mean()


@pytest.mark.parametrize("number", TIMES)
def test_pooling_makes_fewer_families_of_five_zeros_have_a_false_claim(
    undirected: Fits, number: int, figures: Callable[..., None]
) -> None:
    world = World.of(undirected, number, 0.0)
    many = expected(families_exact.undirected, 0.0, 10 * number)
    many_apart = expected(families_exact.apart, 0.0, 10 * number)
    recorded = world.figures() | many.figures("exact") | many_apart.figures("exact_apart")
    print(recorded)
    figures(families=number, **recorded)
    fewer_false_claims(world.pooled, world.apart)
    agrees(world.pooled, world.exact)
    agrees(world.apart, world.exact_apart)
    assert alike(world.pooled.false, many.false)
    assert alike(world.apart.false, many_apart.false)
    with pytest.raises(AssertionError):
        fewer_false_claims(world.wrong, world.apart)
    with pytest.raises(AssertionError):
        agrees(world.wrong, world.exact)


def better_together(pooled: Found, apart: Found) -> None:
    """The five have a smaller squared error; the true one is pulled further to zero."""
    gain = apart.square - pooled.square
    assert gain.mean() > stats.norm.ppf(1 - RARE) * gain.std(ddof=1) / np.sqrt(len(gain))
    there = pooled.truth != 0
    assert smaller(pooled.mean[there], apart.mean[there])


@pytest.mark.parametrize("number", TIMES)
def test_pooling_pulls_one_true_effect_among_zeros_and_errs_less_over_all_five(
    undirected: Fits, number: int, figures: Callable[..., None]
) -> None:
    world = World.of(undirected, number, TRUE)
    many = expected(families_exact.undirected, TRUE, 10 * number)
    recorded = world.figures() | many.figures("exact")
    print(recorded)
    figures(families=number, **recorded)
    better_together(world.pooled, world.apart)
    assert world.pooled.false.sum() <= world.apart.false.sum()
    agrees(world.pooled, world.exact)
    agrees(world.apart, world.exact_apart)
    # Apart, the one true effect is covered as often as the interval says. Pooled it is not, and
    # what holds is that it is covered as often as by the interval of integration.
    there = world.pooled.truth != 0
    assert alike(world.apart.covered[there], np.arange(10_000) < REPORT["interval"] * 10_000)
    assert alike(world.pooled.covered[there], many.covered[many.truth != 0])
    with pytest.raises(AssertionError):
        better_together(world.wrong, world.apart)
    with pytest.raises(AssertionError):
        agrees(world.wrong, world.exact)


@LONG
@pytest.mark.parametrize("size", [0.0, TRUE], ids=["zeros", "one_true"])
def test_effects_that_share_a_direction_are_pooled_around_their_mean(
    directed: Fits, size: float, figures: Callable[..., None]
) -> None:
    """One true effect among zeros is no shared direction: what that costs is recorded."""
    families = [replicate(at, size) for at in range(100)]
    found = directed.of(families)
    recorded = found.figures("pooled") | integrated(families, families_exact.apart).figures("apart")
    print(recorded)
    figures(families=len(families), **recorded)
    agrees(found, integrated(families, families_exact.directed))
    with pytest.raises(AssertionError):
        agrees(found, integrated(families, families_exact.undirected))
