"""The compiled loop: as part of a graph, where there is no density, and in the compile cache.

That its density and gradient are those of the rows is in ``test_likelihoods.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import verify_grad
from pytensor.link.numba.dispatch.basic import numba_funcify_and_cache_key

from metastudy.models.algebra import product
from metastudy.models.densities import Gaussian, LatentClass

P, K = 2, 3


def cells(seed: int = 1) -> list[np.ndarray]:
    """Two cells of one covariance and one of another, of whose outcomes one is not observed."""
    rng = np.random.default_rng(seed)
    observed, of_cell = np.array([[1, 1, 1], [1, 0, 1]], dtype=np.int8), np.array([0, 1, 0])
    parts = []
    for s, n in zip(of_cell, (9, 7, 1), strict=True):
        x = np.column_stack([np.ones(n), rng.standard_normal((n, P - 1))])
        y = rng.standard_normal((n, K)) * observed[s]
        parts.append((float(n), x.T @ x, x.T @ y, y.T @ y))
    return [*(np.array(part) for part in zip(*parts, strict=True)), observed, of_cell]


def density(values: Sequence[np.ndarray], b: pt.TensorVariable, cov: pt.TensorVariable) -> list:
    *cross, observed, of_cell = values
    return Gaussian(P, K)(*cross, b, cov, observed, of_cell, np.array([0, 1]))


def covariances(seed: int = 2) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((2, K, K + 2))
    return root @ root.swapaxes(1, 2)


def coefficients(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, P, K))


@pytest.mark.parametrize("mode", ["NUMBA", pytensor.Mode("py", None)], ids=["numba", "python"])
def test_the_gradient_is_that_of_the_value(mode: object) -> None:
    """A covariance stays symmetric, as it is in every model."""
    values = cells()

    def value(b: pt.TensorVariable, root: pt.TensorVariable) -> pt.TensorVariable:
        return density(values, b, product(root, root.mT))[0]

    root = np.linalg.cholesky(covariances())
    verify_grad(value, [coefficients(), root], rng=np.random.default_rng(4), mode=mode)


def test_a_covariance_that_is_none_has_no_density() -> None:
    """The sampler takes it for a divergence; an error would end the run."""
    b, cov = pt.constant(coefficients()), pt.dtensor3(shape=(2, K, K))
    value = pytensor.function([cov], density(cells(), b, cov)[0], mode="NUMBA")
    assert np.isfinite(value(covariances()))
    for wrong in (np.zeros((2, K, K)), -covariances(), np.full((2, K, K), np.nan)):
        assert not np.isfinite(value(wrong))


def test_a_pattern_that_does_not_occur_may_be_impossible() -> None:
    """Coders who never err leave patterns without probability; nobody saw them."""
    p, a, b = pt.dvector(), np.array([0.9, 0.0]), np.array([0.2, 0.0])
    value = LatentClass()(np.array([[3.0, 0.0]]), p, a, b)[0]
    found, gradient = pytensor.function([p], [value, pytensor.grad(value, p)], mode="NUMBA")(
        np.array([0.5])
    )
    assert found == pytest.approx(3 * np.log(0.55))
    assert gradient == pytest.approx(3 / 0.55 * 0.7)


def test_nothing_is_differentiated_by_the_gradients() -> None:
    b, cov = pt.dtensor3(shape=(3, P, K)), pt.constant(covariances())
    of_b = density(cells(), b, cov)[1]
    with pytest.raises(pytensor.gradient.DisconnectedInputError):
        pytensor.grad(of_b.sum(), b)


def test_an_edited_kernel_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code is kept on disk by name: without its text in the key an old one would run."""

    def key(p: int = P) -> str | None:
        node = Gaussian(p, K)(*cells()[:4], coefficients(), covariances(), *cells()[4:], [0, 1])
        return numba_funcify_and_cache_key(node[0].owner.op, node=node[0].owner)[1]

    before = key()
    assert before is not None
    assert key() == before
    assert key(P + 1) != before

    def edited(_: Gaussian) -> object:
        return lambda *_: 0

    monkeypatch.setattr(Gaussian, "loop", edited)
    assert key() not in (None, before)
