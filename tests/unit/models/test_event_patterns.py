"""Patterns of several 0/1 outcomes of one person: each is as before, and they hang together."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, logit
from scipy.stats import binom, multivariate_t, norm, t

from helpers.event_studies import PRIORS, event_study, exact, two_outcomes
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.inference.fit import fit
from metastudy.inference.prior_draws import draw_prior
from metastudy.models.densities import compiled
from metastudy.models.events.cells import event_cells
from metastudy.models.events.density import Patterns
from metastudy.models.events.kind import EVENTS
from metastudy.models.events.observations import log_odds
from metastudy.models.events.patterns import MOST, TABLE, is_joint, pair_names, probabilities
from metastudy.models.prior_simulation import parameters
from metastudy.parcelling.control import control
from metastudy.parcelling.controlled import modules_of
from metastudy.posterior.contrasts import contrasts

THREE = ("threat_quality", "threat_profession", "threat_job")
TWO = ("threat_quality", "threat_job")
SAMPLING = {"chains": 4, "tune": 800, "draws": 1500, "target_accept": 0.9, "seed": 3}


def two(seed: int = 5, size: int = 500, alike: float = 0.7) -> Study:
    """People in two arms of whom most have both outcomes or none."""
    rng = np.random.default_rng(seed)
    arm = np.arange(size) % 2
    one = (rng.random(size) < expit(-0.3 + 0.8 * (arm - 0.5))).astype(float)
    other = np.where(rng.random(size) < alike, one, rng.random(size) < 0.3).astype(float)
    return event_study("a", list(arm), dict(zip(TWO, (one, other), strict=True)))


def loop(k: int, groups: int, seed: int) -> tuple[np.ndarray, ...]:
    """What the density takes, of groups in which some answered a part of k outcomes."""
    rng = np.random.default_rng(seed)
    every = (1 << k) - 1
    counts, answered, group = [], [], []
    for g, known in product(range(groups), sorted({every, 1, every & ~1 or 1})):
        count = rng.integers(0, 5, 1 << k) * ((np.arange(1 << k) & ~known) == 0)
        counts.append(count.astype(float))
        answered.append(known)
        group.append(g)
    return (
        np.array(counts),
        rng.normal(0, 1.5, (groups, k)),
        rng.normal(0, 1.5, k * (k - 1) // 2),
        np.searchsorted(group, np.arange(groups + 1)),
        np.tile(np.arange(k), (groups, 1)),
        np.zeros(groups, dtype=int),
        np.array(answered),
    )


@pytest.mark.parametrize("k", [1, 2, 3, MOST])
def test_the_density_is_that_of_fitted_tables_and_its_gradient_that_of_differences(k: int) -> None:
    """The tables come from proportional fitting, which is another way than that of the density."""
    density = compiled(Patterns())
    count, eta, association, first, *rest = loop(k, 3, seed=k)
    value, of_eta, of_pairs = density(count, eta, association, first, *rest)
    tables = probabilities(eta, np.tile(association, (3, 1)))
    state = np.arange(1 << k)
    expected = 0.0
    for g in range(3):
        for b in range(first[g], first[g + 1]):
            for s in np.flatnonzero(count[b]):
                expected += count[b, s] * np.log(tables[g, (state & rest[2][b]) == s].sum())
    assert float(value) == pytest.approx(expected, rel=1e-9)

    def at(x: np.ndarray) -> float:
        mine = x[: eta.size].reshape(eta.shape), x[eta.size :]
        return float(density(count, *mine, first, *rest)[0])

    numeric = approx_fprime(np.concatenate([eta.ravel(), association]), at, 1e-6)
    gradient = np.concatenate([of_eta.ravel(), of_pairs])
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=2e-4)


def test_two_outcomes_have_the_table_of_their_odds_ratio_and_shares_stay() -> None:
    eta = np.random.default_rng(1).normal(0, 2, (50, 2))
    psi = np.random.default_rng(2).normal(0, 3, (50, 1))
    tables = probabilities(eta, psi)
    for state in range(4):
        y = np.tile([state & 1, state >> 1], (50, 1))
        given = two_outcomes(*expit(eta).T, psi[:, 0], y)
        np.testing.assert_allclose(tables[:, state], given, atol=1e-8)
    many = probabilities(eta[:, [0, 1, 0, 1, 0, 1]], np.tile(psi, (1, 15)) / 3)
    bit = np.arange(64)[:, None] >> np.arange(6) & 1
    np.testing.assert_allclose(many @ bit, expit(eta[:, [0, 1, 0, 1, 0, 1]]), atol=1e-8)


@pytest.mark.parametrize(("eta", "association"), [(0, 12), (30, 0), (-30, 5), (8, -15)])
def test_the_farthest_values_give_finite_numbers(eta: float, association: float) -> None:
    given = np.ones((1, 8)), np.array([[eta, 1.0, -eta]]), np.full(3, float(association))
    where = np.array([0, 1]), np.arange(3)[None], np.zeros(1, dtype=int), np.array([7])
    for found in compiled(Patterns())(*given, *where):
        assert np.isfinite(found).all()


@pytest.mark.parametrize("association", [-2.0, 0.0, 3.0])
def test_shares_are_most_likely_as_counted_whatever_the_association(association: float) -> None:
    """So the likelihood's best log-odds ratios are those of each outcome by itself."""
    count = np.random.default_rng(3).integers(1, 30, (2, 8)).astype(float)
    bit = np.arange(8)[:, None] >> np.arange(3) & 1
    share = count @ bit / count.sum(axis=1, keepdims=True)
    where = np.arange(3), np.tile(np.arange(3), (2, 1)), np.zeros(2, dtype=int), np.full(2, 7)
    pairs = np.full(3, association)
    _, of_eta, of_pairs = compiled(Patterns())(count, logit(share), pairs, *where)
    np.testing.assert_allclose(of_eta, 0, atol=1e-7)
    assert np.abs(of_pairs).max() > 1


def test_one_outcome_has_the_density_of_its_counts() -> None:
    """Without a second outcome the cells are as they were; in the density it is the binomial."""
    alone = event_cells([event_study("a", [0, 0, 1], {TWO[0]: [0, 1, 1]})], "threat", VOCABULARY)
    assert not is_joint(alone)
    count, eta = np.array([[7.0, 3.0], [2.0, 8.0]]), np.array([[-0.4], [1.1]])
    where = np.arange(3), np.zeros((2, 1), dtype=int), np.zeros(2, dtype=int), np.ones(2, dtype=int)
    value, of_eta, _ = compiled(Patterns())(count, eta, np.zeros(0), *where)
    n, events = count.sum(axis=1), count[:, 1]
    plain = binom.logpmf(events, n, expit(eta[:, 0])) - binom.logpmf(events, n, 0.5)
    assert float(value) == pytest.approx(plain.sum() - n.sum() * np.log(2))
    np.testing.assert_allclose(of_eta[:, 0], events - n * expit(eta[:, 0]), rtol=1e-9)


def test_cells_are_as_large_for_any_number_of_people_and_count_them_all() -> None:
    few, many = (event_cells([two(size=n)], "threat", VOCABULARY) for n in (400, 8000))
    assert few[TABLE].shape == many[TABLE].shape == (2, 4)
    assert many[TABLE].values.sum() == 8000
    assert pair_names(many) == ["a: threat_quality| & threat_job|"]
    half = EVENTS.weigh(many, np.array([1.0, 0.0]))
    assert half[TABLE].values.sum() == 4000
    assert half[TABLE].values[1].sum() == 0


def test_of_more_than_six_outcomes_none_are_compared() -> None:
    sections = {name: dict(VOCABULARY[name]) for name in VOCABULARY.sections}
    names = [f"threat_{i}" for i in range(MOST + 1)]
    sections["constructs"] |= {n: {**VOCABULARY["constructs"]["threat_job"]} for n in names}
    words = type(VOCABULARY)(sections)
    rng = np.random.default_rng(1)
    there = {n: (rng.random(40) < 0.5).astype(float) for n in names}
    arm = list(np.arange(40) % 2)
    for number, joint in ((MOST, True), (MOST + 1, False)):
        mine = {n: there[n] for n in names[:number]}
        cells = event_cells([event_study("a", arm, mine)], "threat", words)
        assert is_joint(cells) == joint
        assert len(of_priors(cells).query("estimand == 'difference'")) == joint * number


def test_no_pattern_of_anybody_goes_into_a_parcel() -> None:
    """No parcel has cells of events, and a study of events alone makes none."""
    sections = {name: dict(VOCABULARY[name]) for name in VOCABULARY.sections}
    assert modules_of(two(), VOCABULARY) == ["threat"]
    sections["modules"]["threat"] = {**sections["modules"]["threat"], "model": "events"}
    words = type(VOCABULARY)(sections)
    assert modules_of(two(), words) == []
    with pytest.raises(BadInput) as bad:
        control(two(), words, 5)
    assert bad.value.problems[0].found == "no answers on scales and no coded interviews"


def of_priors(cells: xr.Dataset) -> pd.DataFrame:
    drawn = parameters(EVENTS.build(cells, PRIORS), 40, seed=4).rename(simulation="draw")
    halves = [drawn.isel(draw=slice(at, at + 20)) for at in (0, 20)]
    tree = xr.DataTree.from_dict({"posterior": xr.concat(halves, "chain")})
    return contrasts(cells, tree).table(0.95, {"log_odds": 0.18})


def test_replicates_and_simulations_have_the_associations_that_they_are_drawn_with() -> None:
    rng = np.random.default_rng(7)
    arm = list(np.arange(3000) % 2)
    study = event_study("a", arm, {c: (rng.random(3000) < 0.5).astype(float) for c in THREE})
    cells = event_cells([study], "threat", VOCABULARY)
    drawn = parameters(EVENTS.build(cells, PRIORS), 2, seed=1)
    labels = EVENTS.identified(drawn, cells)["quantity"].values
    assert f"association[{pair_names(cells)[0]}]" in labels
    one = drawn.isel(simulation=0)
    one = one.assign(association=("pair_of", [2.0, -1.0, 0.5]), beta=0.0 * one.beta)
    one["baseline"] = one.baseline * 0 + 0.3
    bit = np.arange(8)[:, None] >> np.arange(3) & 1
    expected = probabilities(np.full((1, 3), 0.3), np.array([[2.0, -1.0, 0.5]]))[0]
    moments = {(i, j): expected @ (bit[:, i] * bit[:, j]) for i, j in combinations(range(3), 2)}
    rows, draws = EVENTS.observe([], cells, VOCABULARY), one.expand_dims("sample")
    made = EVENTS.simulate(cells, one, rng)
    share = made[TABLE].values.sum(axis=0) / 3000
    check = EVENTS.check(rows, cells, draws, rng)
    (y,) = check.replicates
    for (i, j), value in moments.items():
        assert share @ (bit[:, i] * bit[:, j]) == pytest.approx(value, abs=0.04)
        assert (y[:, i] * y[:, j]).mean() == pytest.approx(value, abs=0.04)
    assert log_odds(cells, draws).shape == (1, 2, 3)


def test_draws_of_the_prior_give_replicates_and_densities() -> None:
    """Their dims have other names than those of a posterior."""
    cells = event_cells([two(size=40)], "threat", VOCABULARY)
    draws = draw_prior(EVENTS.build(cells, PRIORS), EVENTS.row_parameters, 3, 1)
    rows = EVENTS.observe([], cells, VOCABULARY)
    found = EVENTS.log_lik(rows, cells, draws)
    assert found.shape == (3, 40)
    assert (found < 0).all()
    check = EVENTS.check(rows, cells, draws, np.random.default_rng(1))
    assert [y.shape for y in check.replicates] == [(40, 2)] * 3


def by_importance(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of two effects by integration over the rows' density, without a chain.

    Parameters are two intercepts, two effects and the log-odds ratio; a person's two answers have
    the table of Plackett.
    """

    def density(p: np.ndarray) -> float:
        one, other = (expit(p[k] + p[2 + k] * x) for k in (0, 1))
        rows = np.log(two_outcomes(one, other, p[4], y)).sum()
        prior = norm.logpdf(p[:2], 0, 1.5).sum() + t.logpdf(p[2:4], 2.5, scale=0.9).sum()
        return float(rows + prior + norm.logpdf(p[4], 0, 2.5))

    best = minimize(lambda p: -density(p), np.r_[np.zeros(4), 1.0], method="BFGS")
    proposal = multivariate_t(best.x, best.hess_inv * 1.2, df=8, seed=1)
    points = proposal.rvs(6000)
    log = np.array([density(p) for p in points]) - proposal.logpdf(points)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    assert 1 / (weight**2).sum() > 3000
    mean = weight @ points
    return mean[2:4], ((points - mean).T * weight @ (points - mean))[2:4, 2:4]


def by_gee(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Covariance of two log-odds ratios of the same people by estimating equations."""
    size = len(y)
    which = np.repeat([0, 1], size)
    design = np.column_stack([which == 0, which == 1, np.tile(x, 2) * (which == 0),
                              np.tile(x, 2) * (which == 1)]).astype(float)  # fmt: skip
    found = sm.GEE(y.T.ravel(), design, np.tile(np.arange(size), 2), family=sm.families.Binomial())
    return np.asarray(found.fit().cov_params())[2:, 2:]


@pytest.mark.fit
@pytest.mark.ci
def test_effects_on_two_outcomes_of_the_same_people_have_the_right_difference() -> None:
    study = two()
    cells = event_cells([study], "threat", VOCABULARY)
    wide = study.measurements.pivot(index="respondent_id", columns="construct", values="value_pomp")
    y = (wide[list(TWO)].to_numpy() / 100).astype(int)
    arm = study.assignments.set_index("respondent_id")["level"].loc[wide.index]
    x = np.where(arm == "core", 0.5, -0.5)
    draws = fit(cells, PRIORS, SAMPLING)["posterior"].to_dataset()
    names = [f"task_type_randomised, {c}, professional" for c in TWO]
    effects = np.stack([draws["mu"].sel(estimand=n).values.ravel() for n in names])
    mean, covariance = effects.mean(axis=1), np.cov(effects)

    # Against the integral over the rows: four errors of 3,000 effective draws.
    given, integrated = by_importance(y, x)
    sd = np.sqrt(np.diag(integrated))
    np.testing.assert_allclose(mean, given, atol=4 * sd.max() / 3000**0.5 * 1.5)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), sd, rtol=0.08)
    r = integrated[0, 1] / sd.prod()
    assert np.corrcoef(effects)[0, 1] == pytest.approx(r, abs=0.05)

    # Each is as with the other left out, but for the prior of the other, which pulls both.
    for k in (0, 1):
        counts = [(int(y[x == side, k].sum()), int((x == side).sum())) for side in (-0.5, 0.5)]
        alone_mean, alone_sd = exact([counts])
        assert mean[k] == pytest.approx(alone_mean["mu"], abs=0.3 * sd[k])
        assert np.sqrt(covariance[k, k]) == pytest.approx(alone_sd["mu"], rel=0.08)

    # Of the difference the interval is that of estimating equations, and not that of independence.
    sandwich = by_gee(y, x)
    difference = np.array([1.0, -1.0])
    own = (difference @ effects).std()
    right = float(np.sqrt(difference @ sandwich @ difference))
    naive = float(np.sqrt(np.trace(sandwich)))
    assert own == pytest.approx(right, rel=0.1)
    assert naive > 1.4 * right
    assert abs(naive / own - 1) > 0.3
    assert sandwich[0, 1] / np.sqrt(np.prod(np.diag(sandwich))) == pytest.approx(r, abs=0.08)
