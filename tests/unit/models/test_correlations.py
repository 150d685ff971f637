"""Correlation matrices with zeros: their prior is the LKJ density over the free entries."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy.stats import beta

from metastudy.models.correlations import correlations
from metastudy.models.priors import Prior

UNCOMPILED = pytensor.Mode("py", None)
GRAPHS = {
    "two": (2, [(0, 1)]),
    "all of four": (4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
    "chain": (3, [(0, 1), (1, 2)]),
    "ring": (4, [(0, 1), (1, 2), (2, 3), (0, 3)]),
    "triangles": (
        5,
        [(0, 1), (0, 2), (1, 2), (2, 4), (3, 4), (1, 3), (1, 4)],
    ),
    "a pair that is joined later": (4, [(0, 1), (0, 3), (2, 3)]),
    "two apart, one alone": (5, [(0, 3), (1, 4)]),
}


def matrix(size: int, pairs: list[tuple[int, int]], values: np.ndarray) -> np.ndarray:
    found = np.eye(size)
    for (i, j), value in zip(pairs, values, strict=True):
        found[i, j] = found[j, i] = value
    return found


@pytest.mark.parametrize("eta", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("name", GRAPHS)
def test_the_density_of_the_free_entries_is_the_determinant_to_eta_less_one(
    name: str, eta: float
) -> None:
    """Over random matrices it differs from that by one constant."""
    size, pairs = GRAPHS[name]
    with pm.Model() as model:
        value = correlations("r", Prior("lkj", {"shape": eta}), size, np.array(pairs))
    share = model["r_share"]
    logp = pm.logp(share, share).sum() + sum(model.potentials)
    run = pytensor.function([share], [value, logp], mode=UNCOMPILED)
    rng = np.random.default_rng(1)
    apart, step = [], 1e-6
    for x in rng.uniform(0.1, 0.9, (12, len(pairs))):
        values, density = run(x)
        jacobian = [
            (run(x + step * unit)[0] - run(x - step * unit)[0]) / (2 * step)
            for unit in np.eye(len(pairs))
        ]
        found = matrix(size, pairs, values)
        assert np.linalg.eigvalsh(found).min() > 0
        exact = (eta - 1) * np.linalg.slogdet(found)[1] + np.linalg.slogdet(np.array(jacobian))[1]
        apart.append(density - exact)
    np.testing.assert_allclose(apart, apart[0], atol=1e-6)


def test_with_all_entries_free_each_has_the_beta_prior_of_an_lkj_matrix() -> None:
    size, pairs = GRAPHS["all of four"]
    with pm.Model():
        value = correlations("r", Prior("lkj", {"shape": 2.0}), size, np.array(pairs))
    drawn = np.asarray(pm.draw(value, 4000, random_seed=3, mode=UNCOMPILED))
    exact = beta(3.0, 3.0, loc=-1, scale=2)  # eta - 1 + d / 2
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):
        share = (drawn < exact.ppf(p)).mean(axis=0)
        assert (np.abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / len(drawn))).all()
