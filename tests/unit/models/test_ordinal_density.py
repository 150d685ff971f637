"""Answers with effects of the person: density and gradient against integrals on a fine grid.

The grid shares no code with the loop: the effect on a family has a grid, the own effects on
outcomes have another at each point of it, and each answer is a difference of SciPy's.
"""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import verify_grad
from scipy.special import log_ndtr
from scipy.stats import norm

from metastudy.models.codings.marginal import quadrature
from metastudy.models.ordinal.density import Answers, normal_table

EDGES = np.array([-np.inf, -1.0, 0.3, 1.2, np.inf, -np.inf, -0.4, 0.9, np.inf])
FIRST = np.array([0, 5])  # where two items begin: one of four categories, one of three
# Answers of three people: of each the outcome, item and category. The last has one outcome only.
PEOPLE = [
    [(0, 0, 3), (0, 1, 2), (1, 0, 0)],
    [(0, 0, 1), (0, 1, 0), (1, 1, 1)],
    [(0, 0, 0), (0, 0, 0)],
]
COUNT = np.array([2.0, 1.0, 3.0])
ETA = np.array([0.4, -0.2, 0.1, 0.0, -0.7])  # of each person's outcomes, one after the other
SCALE, RHO = np.array([1.3, 0.8]), np.array([0.6, 1.0])
MODES = ["NUMBA", pytensor.Mode("py", None)]


def laid_out(nodes: int = 25, degrees: int = 25) -> tuple[list[np.ndarray], Answers]:
    """What the density takes beside counts and parameters; the second outcome is all shared."""
    start, first, row, kind, lower = [0], [0], [], [], []
    for person in PEOPLE:
        for outcome in dict.fromkeys(o for o, *_ in person):
            mine = [(item, category) for o, item, category in person if o == outcome]
            row += [len(kind)] * len(mine)
            kind.append(outcome)
            lower += [FIRST[item] + category for item, category in mine]
            first.append(len(lower))
        start.append(len(kind))
    point, weight = quadrature(nodes)
    tiles = [np.tile(part, (n, 1)) for n in (len(PEOPLE), len(kind)) for part in (point, weight)]
    rest = [start, first, row, kind, lower, [False, True]]
    return [*map(np.array, rest), *tiles, normal_table()], Answers(degrees)


def on_a_grid(edges: np.ndarray, eta: np.ndarray, scale: np.ndarray, rho: np.ndarray) -> float:
    grid = np.linspace(-8, 8, 801)
    mass = norm.pdf(grid) * (grid[1] - grid[0])
    value, row = 0.0, 0
    for person, count in zip(PEOPLE, COUNT, strict=True):
        of_family = np.ones(len(grid))
        for outcome in dict.fromkeys(o for o, *_ in person):
            own = np.sqrt(1 - rho[outcome] ** 2)
            effect = scale[outcome] * (rho[outcome] * grid[:, None] + own * grid)
            both = np.ones(effect.shape)
            for o, item, category in person:
                if o == outcome:
                    low, high = edges[FIRST[item] + category], edges[FIRST[item] + category + 1]
                    both *= norm.cdf(high - eta[row] - effect) - norm.cdf(low - eta[row] - effect)
            of_family *= both @ mass
            row += 1
        value += count * np.log(of_family @ mass)
    return float(value)


def test_the_density_is_the_integral_over_people() -> None:
    rest, density = laid_out()
    found = density(COUNT, EDGES, ETA, SCALE, RHO, *rest)[0].eval(mode=MODES[1])
    assert float(found) == pytest.approx(on_a_grid(EDGES, ETA, SCALE, RHO), abs=1e-5)


@pytest.mark.parametrize("mode", MODES, ids=["numba", "python"])
def test_the_gradient_is_that_of_the_value(mode: object) -> None:
    """Also with few nodes and polynomials: it is that of the rule and not of its limit."""
    rest, density = laid_out(7, 5)
    inner = np.flatnonzero(np.isfinite(EDGES))

    def value(ends: pt.TensorVariable, *others: pt.TensorVariable) -> pt.TensorVariable:
        edges = pt.set_subtensor(pt.as_tensor(EDGES)[inner], ends)
        return density(COUNT, edges, *others, *rest)[0]

    points = [EDGES[inner], ETA, SCALE, RHO[:1]]

    def of_one(ends: pt.TensorVariable, *others: pt.TensorVariable) -> pt.TensorVariable:
        *others, rho = others
        return value(ends, *others, pt.concatenate([rho, np.ones(1)]))

    verify_grad(of_one, points, rng=np.random.default_rng(4), mode=mode)


def test_nobody_in_a_cell_is_as_good_as_no_cell() -> None:
    rest, density = laid_out()

    def value(count: np.ndarray) -> float:
        return float(density(count, EDGES, ETA, SCALE, RHO, *rest)[0].eval(mode=MODES[1]))

    parts = [value(COUNT * (np.arange(3) == at)) for at in range(3)]
    assert sum(parts) == pytest.approx(value(COUNT))
    assert len({round(part, 6) for part in parts}) == 3


@pytest.mark.parametrize("end", [-11.0, -5.03, -1.0, 0.2, 4.0, 10.97])
def test_a_category_has_its_probability_however_far_out_it_lies(end: float) -> None:
    """One answer of somebody without an effect: in a tail Phi(b) - Phi(a) cancels, and this not."""
    rest, density = laid_out()
    _, _, row, kind, *_ = rest
    one = [np.array([0, 1]), np.array([0, 1]), row[:1], kind[:1], np.array([1]), np.array([True])]
    tiles = [part[:1] for part in rest[6:10]]
    edges = np.array([-np.inf, end, end + 0.4, np.inf])
    found = density(np.ones(1), edges, np.zeros(1), np.zeros(1), np.ones(1), *one, *tiles, rest[10])
    near, far = sorted((abs(end), abs(end + 0.4)))
    direct = np.log(norm.cdf(end + 0.4) - norm.cdf(end))
    if end > 0 or end < -0.4:
        direct = log_ndtr(-near) + np.log1p(-np.exp(log_ndtr(-far) - log_ndtr(-near)))
    assert float(found[0].eval(mode=MODES[1])) == pytest.approx(direct, abs=1e-7)
    slope = np.exp(norm.logpdf([end, end + 0.4]) - direct) * [-1, 1]
    np.testing.assert_allclose(found[1].eval(mode=MODES[1])[1:3], slope, rtol=1e-6)
