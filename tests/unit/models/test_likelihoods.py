"""Cells and rows are the same likelihood: same density and gradient, up to a constant.

The row versions share no code with the cells: SciPy's densities of the respondents' own answers,
and one interview after the other by the sum over its truth.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import multivariate_normal

from metastudy.models.likelihoods import coded_cells, gaussian_cells

POINTS = 50
Function = Callable[[np.ndarray], float]


def function(log_likelihood: Callable[[pt.TensorVariable], pt.TensorVariable]) -> Callable:
    """Value and gradient of a symbolic log-likelihood of one vector."""
    theta = pt.dvector()
    value = log_likelihood(theta)
    return pytensor.function(
        [theta], [value, pytensor.grad(value, theta)], mode=pytensor.Mode("py", "fast_run")
    )


def numeric_gradient(f: Function, theta: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences."""
    steps = h * np.eye(len(theta))
    return np.array([(f(theta + step) - f(theta - step)) / (2 * h) for step in steps])


def assert_same_up_to_a_constant(cells: Callable, rows: Function, points: np.ndarray) -> None:
    found = [cells(theta) for theta in points]
    value = np.array([float(v) for v, _ in found])
    direct = np.array([rows(theta) for theta in points])
    apart = value - direct
    assert np.ptp(direct) > 1, "the points must tell densities apart"
    np.testing.assert_allclose(apart, apart[0], rtol=0, atol=1e-9 * np.abs(direct).max())
    for theta, (_, gradient) in zip(points, found, strict=True):
        want = numeric_gradient(rows, theta)
        np.testing.assert_allclose(gradient, want, rtol=1e-6, atol=1e-6 * np.abs(want).max())


# --- answers -------------------------------------------------------------------------------------

K, BLOCKS = 3, 2
# Group: (covariance block, respondents). Sizes differ; one group is a single respondent.
GROUPS = [(0, 9), (0, 1), (1, 6), (1, 4)]
PATTERNS = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0]], dtype=np.int8)


class Answers:
    """Rows of correlated answers with missing ones, and their cross-products."""

    def __init__(self, design: str):
        rng = np.random.default_rng(20080)
        self.group = np.repeat(np.arange(len(GROUPS)), [n for _, n in GROUPS])
        self.block = np.array([block for block, _ in GROUPS])
        n = len(self.group)
        x = np.column_stack([np.ones(n), rng.integers(0, 2, n) - 0.5, rng.standard_normal(n)])
        if design == "collinear":  # a predictor twice, and the intercept again within a group
            x = np.column_stack([x, 2 * x[:, 1]])
            x[self.group == 2, 2] = 0.5
        if design == "absent":  # groups without a predictor, and one of nothing but the intercept
            x[self.group == 0, 1] = x[self.group == 2, 1] = x[self.group == 2, 2] = 0.0
        self.x, self.y = x, rng.standard_normal((n, K))
        self.pattern = rng.integers(0, len(PATTERNS), n)
        self.seen = PATTERNS[self.pattern].astype(bool)
        self.y[~self.seen] = np.nan
        self.p = x.shape[1]

    def cells(self) -> Callable:
        keys = sorted(set(zip(self.group, self.pattern, strict=True)))
        parts: dict[str, list[np.ndarray]] = {"n": [], "xx": [], "xy": [], "yy": []}
        for group, pattern in keys:
            mine = (self.group == group) & (self.pattern == pattern)
            x, y = self.x[mine], np.nan_to_num(self.y[mine])
            for name, part in zip(parts, (mine.sum(), x.T @ x, x.T @ y, y.T @ y), strict=True):
                parts[name].append(np.asarray(part, dtype=float))
        group, pattern = np.array(keys).T
        constants = [pt.constant(np.stack(part)) for part in parts.values()]

        def log_likelihood(theta: pt.TensorVariable) -> pt.TensorVariable:
            b, factor = self.split(theta)
            return gaussian_cells(
                *constants,
                b=b[group],
                cov=pt.matmul(factor, factor.mT),
                observed=PATTERNS,
                pattern=pattern,
                block=self.block[group],
            )

        return function(log_likelihood)

    def split(self, theta):
        """Coefficients per group, and a factor of the covariance per block."""
        size = len(GROUPS) * self.p * K
        return (
            theta[:size].reshape((len(GROUPS), self.p, K)),
            theta[size:].reshape((BLOCKS, K, K)),
        )

    def rows(self, theta: np.ndarray) -> float:
        b, factor = self.split(theta)
        residual = self.y - np.einsum("ip,ipk->ik", self.x, b[self.group])
        total = 0.0
        for block, pattern in product(range(BLOCKS), range(len(PATTERNS))):
            seen = PATTERNS[pattern].astype(bool)
            rows = residual[(self.block[self.group] == block) & (self.pattern == pattern)]
            if len(rows):
                covariance = (factor[block] @ factor[block].T)[np.ix_(seen, seen)]
                total += multivariate_normal.logpdf(rows[:, seen], cov=covariance).sum()
        return float(total)

    def points(self) -> np.ndarray:
        rng = np.random.default_rng(7)
        size = len(GROUPS) * self.p * K
        factor = np.tril(0.5 * rng.standard_normal((POINTS, BLOCKS, K, K)), -1)
        factor += np.eye(K) * rng.uniform(0.6, 1.6, (POINTS, BLOCKS, 1, K))
        return np.column_stack([rng.standard_normal((POINTS, size)), factor.reshape(POINTS, -1)])


@pytest.mark.parametrize("design", ["distinct", "collinear", "absent"])
def test_cross_products_and_rows_give_one_density_and_one_gradient(design: str) -> None:
    answers = Answers(design)
    assert_same_up_to_a_constant(answers.cells(), answers.rows, answers.points())


def test_an_outcome_that_nobody_answered_changes_no_density() -> None:
    rng = np.random.default_rng(3)
    x, y = np.ones((5, 1)), rng.standard_normal((5, 1))
    cross = [np.array([5.0]), x.T @ x, x.T @ y, y.T @ y]

    def density(k: int, observed: list[int], cov: np.ndarray, b: list[float]) -> float:
        xy, yy = np.zeros((1, 1, k)), np.zeros((1, k, k))
        xy[0, :, :1], yy[0, :1, :1] = cross[2], cross[3]
        at = {name: np.array([0]) for name in ("pattern", "block")}
        value = gaussian_cells(
            *map(pt.as_tensor, (cross[0], cross[1][None], xy, yy)),
            b=pt.as_tensor(np.array([[b]])),
            cov=pt.as_tensor(cov[None]),
            observed=np.array([observed]),
            **at,
        )
        return float(value.eval(mode=pytensor.Mode("py", None)))

    alone = density(1, [1], np.array([[1.7]]), [0.3])
    beside = density(2, [1, 0], np.array([[1.7, 0.9], [0.9, 4.0]]), [0.3, 8.0])
    assert beside == pytest.approx(alone, rel=1e-12)


# --- codings -------------------------------------------------------------------------------------

ORGANISATIONS, CODES = 3, 2


class Codings:
    """Interviews of one or two coders, one after the other."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        sizes = [(7, 4), (1, 0), (3, 6)]  # interviews of one and of two coders
        self.readings = [
            (organisation, code, tuple(rng.random(coders) < 0.4))
            for organisation, pair in enumerate(sizes)
            for coders, number in zip((1, 2), pair, strict=True)
            for _ in range(number)
            for code in range(CODES)
        ]
        self.single = np.zeros((ORGANISATIONS, CODES, 2))
        self.double = np.zeros((ORGANISATIONS, CODES, 4))
        for organisation, code, applied in self.readings:
            if len(applied) == 1:
                self.single[organisation, code, 0 if applied[0] else 1] += 1
            else:
                at = {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}
                self.double[organisation, code, at[applied]] += 1

    def points(self) -> np.ndarray:
        rng = np.random.default_rng(5)
        presence = rng.uniform(0.05, 0.95, (POINTS, ORGANISATIONS * CODES))
        return np.column_stack([presence, rng.uniform(0.55, 0.95, (POINTS, 2))])

    def rows(self, theta: np.ndarray) -> float:
        """Sum over the truth of each interview: each coder errs on his own, given the truth."""
        presence, (s, t) = theta[:-2].reshape(ORGANISATIONS, CODES), theta[-2:]
        total = 0.0
        for organisation, code, applied in self.readings:
            p = presence[organisation, code]
            present = p * np.prod([s if hit else 1 - s for hit in applied])
            absent = (1 - p) * np.prod([1 - t if hit else t for hit in applied])
            total += np.log(present + absent)
        return float(total)


def test_counts_of_codings_and_interviews_give_one_density_and_one_gradient() -> None:
    codings = Codings()
    assert set(codings.double.sum((0, 1)) > 0) == {True}, "every pattern of two coders is there"

    def log_likelihood(theta: pt.TensorVariable) -> pt.TensorVariable:
        single, double = codings.single.reshape(-1, 2), codings.double.reshape(-1, 4)
        return coded_cells(
            pt.constant(single), pt.constant(double), theta[:-2], theta[-2], theta[-1]
        )

    assert_same_up_to_a_constant(function(log_likelihood), codings.rows, codings.points())


def test_the_patterns_of_two_coders_are_all_there_is() -> None:
    """Probabilities of both, one, the other and none add up to one, for any accuracy."""
    for p, s, t in product((0.1, 0.6), (0.6, 0.9), (0.7, 1.0)):
        found = []
        for pattern in np.eye(4):
            value = coded_cells(
                pt.zeros((1, 2)),
                pt.as_tensor(pattern[None]),
                pt.as_tensor(np.array([p])),
                pt.as_tensor(s),
                pt.as_tensor(t),
            )
            found.append(np.exp(value.eval(mode=pytensor.Mode("py", None))))
        assert sum(found) == pytest.approx(1)
