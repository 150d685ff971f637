"""Products, inverses and log-determinants are those of NumPy, and so are their derivatives."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose

from metastudy.models.algebra import inverse, product


def positive_definite(count: int, size: int) -> np.ndarray:
    root = np.random.default_rng(size).standard_normal((count, size, size + 2))
    return root @ root.swapaxes(1, 2)


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((3, 4), (4, 2)), ((5, 3, 4), (5, 4, 2))])
def test_a_product_is_that_of_numpy(shapes: tuple) -> None:
    a, b = (np.random.default_rng(1).standard_normal(shape) for shape in shapes)
    assert_allclose(product(a, pt.as_tensor(b)).eval(), a @ b, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 3])
def test_an_inverse_and_its_derivative_are_those_of_numpy(size: int) -> None:
    """The derivatives of any sum of inverse and log-determinant, by central differences."""
    a, rng = positive_definite(3, size), np.random.default_rng(2)
    weight, weights = rng.standard_normal(a.shape), rng.standard_normal(3)
    weight = weight + weight.swapaxes(1, 2)
    matrix = pt.tensor("matrix", shape=a.shape, dtype="float64")
    found = inverse(matrix, size)
    value = (weight * found[0]).sum() + (weights * found[1]).sum()
    compiled = pytensor.function([matrix], [*found, pytensor.grad(value, matrix)], mode="NUMBA")
    inverted, logdet, gradient = compiled(a)
    assert_allclose(inverted, np.linalg.inv(a), rtol=1e-9)
    assert_allclose(logdet, np.linalg.slogdet(a)[1], rtol=1e-9)

    def numeric(change: np.ndarray) -> float:
        up, down = (
            (weight * np.linalg.inv(b)).sum() + weights @ np.linalg.slogdet(b)[1]
            for b in (a + 1e-5 * change, a - 1e-5 * change)
        )
        return (up - down) / 2e-5

    for _ in range(5):
        change = rng.standard_normal(a.shape)
        change = change + change.swapaxes(1, 2)
        assert (gradient * change).sum() == pytest.approx(numeric(change), rel=1e-5, abs=1e-6)
