"""Log-densities of cells with their gradients, each in one loop for the compiler of the models.

As expressions of arrays they would mostly allocate and copy, because the matrices are many and
small, and there would be more to compile. Here the value and its gradients come from one pass, and
share what they need.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph import Apply, Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key
from pytensor.tensor import TensorVariable

__all__ = ["Density", "Gaussian", "LatentClass", "compiled"]


class Density(Op):
    """A value and its gradients in some of the inputs, which nothing is differentiated by."""

    differentiated: ClassVar[tuple[int, ...]]  # the inputs with a gradient, in the outputs' order

    def loop(self) -> Callable[..., Any]:
        """The loop, from the inputs to the outputs, for numba."""
        raise NotImplementedError

    def make_node(self, *inputs: Any) -> Apply:
        """Value, and gradients of the types of what they are taken in."""
        inputs = tuple(pt.as_tensor(value) for value in inputs)
        gradients = [inputs[at].type() for at in self.differentiated]
        return Apply(self, inputs, [pt.dscalar(), *gradients])

    def perform(self, _: Apply, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Compute the outputs, for a graph that numba does not compile."""
        for output, value in zip(outputs, compiled(self)(*inputs), strict=True):
            output[0] = value

    def pullback(
        self, inputs: Sequence[Any], outputs: Sequence[Any], sensitivity: Sequence[Any]
    ) -> list[TensorVariable]:
        """Gradients, from the outputs that hold them."""
        found = [disconnected_type() for _ in inputs]
        for at, gradient in zip(self.differentiated, outputs[1:], strict=True):
            found[at] = sensitivity[0] * gradient
        return found

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the value has a derivative, and not in the data."""
        others = [False] * (len(node.outputs) - 1)
        return [[at in self.differentiated, *others] for at in range(len(node.inputs))]


@cache
def compiled(density: Density) -> Callable[..., Any]:
    """No fast mathematics: the bits of a fit would depend on what was compiled when."""
    return numba.njit(error_model="numpy")(density.loop())


@register_funcify_default_op_cache_key(Density)
def _(op: Density, **_: Any) -> tuple[Callable[..., Any], int]:
    # The cache of compiled code knows an operation by its name: an edited loop would not run.
    return compiled(op), zlib.crc32(inspect.getsource(type(op).loop).encode())


class Gaussian(Density):
    r"""Log-density of multivariate normal cells.

    With the sum :math:`R_s` of the residual cross-products of the cells of one covariance, of whose
    outcomes O are observed, and :math:`P_s` the inverse of that block and zero elsewhere,

    .. math:: \ell = -\tfrac12 \sum_s \left[ n_s \log|\Sigma_s|_O + \operatorname{tr} P_s R_s
              \right], \qquad
              \frac{\partial \ell}{\partial B_c} = (X'Y - X'X B)_c P_s, \qquad
              \frac{\partial \ell}{\partial \Sigma_s} = \tfrac12 (P_s R_s P_s - n_s P_s)

    (Magnus and Neudecker 2019, chapter 9). Sweeping the observed outcomes makes the inverse and the
    determinant (Goodnight 1979).

    Inputs
    ------
    n, xx, xy, yy, b : count, cross-products and coefficients per cell, shapes (C,), (C, P, P),
        (C, P, K), (C, K, K) and (C, P, K), zero in ``xy`` and ``yy`` where nothing is observed.
    cov : covariance per block, shape (J, K, K).
    observed, of_cell, block : outcomes that a covariance observes, shape (S, K), zero or one; the
        covariance of each cell, shape (C,); the block that each is a part of, shape (S,).

    Parameters
    ----------
    coefficients, outcomes : P and K, constants of the compiled code.
    """

    __props__ = ("coefficients", "outcomes")
    differentiated = (4, 5)

    def __init__(self, coefficients: int, outcomes: int) -> None:
        self.coefficients, self.outcomes = coefficients, outcomes

    def loop(self) -> Callable[..., Any]:
        """The loop for these numbers of coefficients and outcomes."""
        p, k = self.coefficients, self.outcomes

        def gaussian(n, xx, xy, yy, b, cov, observed, of_cell, block):  # type: ignore[no-untyped-def]
            inverse, logdet = np.zeros((len(block), k, k)), np.zeros(len(block))
            for s in range(len(block)):
                swept = inverse[s]
                for i in range(k):
                    for j in range(k):
                        swept[i, j] = cov[block[s], i, j] * observed[s, i] * observed[s, j]
                for pivot in range(k):
                    if observed[s, pivot]:
                        scale = 1 / swept[pivot, pivot]
                        logdet[s] -= np.log(scale)
                        swept[pivot, pivot] = 1.0
                        for j in range(k):
                            swept[pivot, j] *= scale
                        for i in range(k):
                            if i != pivot:
                                factor = swept[i, pivot]
                                swept[i, pivot] = 0.0
                                for j in range(k):
                                    swept[i, j] -= factor * swept[pivot, j]

            value, of_b, of_cov = 0.0, np.zeros(b.shape), np.zeros(cov.shape)
            number, residual = np.zeros(len(block)), np.zeros((len(block), k, k))
            off, twice = np.empty((p, k)), np.empty((p, k))  # X'(Y - XB) and X'(2Y - XB)
            for c in range(len(of_cell)):
                s = of_cell[c]
                number[s] += n[c]
                for q in range(p):
                    if xx[c, q, q] == 0:  # a coefficient that is no part of this cell
                        continue
                    for j in range(k):
                        off[q, j] = xy[c, q, j]
                    for r in range(p):
                        for j in range(k):
                            off[q, j] -= xx[c, q, r] * b[c, r, j]
                    for j in range(k):
                        twice[q, j] = off[q, j] + xy[c, q, j]
                    for i in range(k):
                        if observed[s, i]:
                            for j in range(k):
                                of_b[c, q, j] += off[q, i] * inverse[s, i, j]
                for i in range(k):
                    if observed[s, i]:
                        for j in range(k):
                            residual[s, i, j] += yy[c, i, j]
                        for q in range(p):
                            if xx[c, q, q] != 0:
                                for j in range(k):
                                    residual[s, i, j] -= b[c, q, i] * twice[q, j]

            left = np.empty(k)  # a row of P R
            for s in range(len(block)):
                value -= 0.5 * number[s] * logdet[s]
                for i in range(k):
                    for j in range(i):  # only the symmetric part of it is of use
                        mean = 0.5 * (residual[s, i, j] + residual[s, j, i])
                        residual[s, i, j] = residual[s, j, i] = mean
                for i in range(k):
                    if observed[s, i]:
                        for j in range(k):
                            left[j] = 0.0
                            if observed[s, j]:
                                for m in range(k):
                                    left[j] += inverse[s, i, m] * residual[s, j, m]
                        value -= 0.5 * left[i]
                        for j in range(i + 1):
                            if observed[s, j]:
                                total = -number[s] * inverse[s, i, j]
                                for m in range(k):
                                    total += left[m] * inverse[s, j, m]
                                of_cov[block[s], i, j] += 0.5 * total
            for d in range(len(cov)):
                for i in range(k):
                    for j in range(i):
                        of_cov[d, j, i] = of_cov[d, i, j]
            return np.asarray(value), of_b, of_cov

        return gaussian


class LatentClass(Density):
    r"""Log-density of counts of observations of two latent classes.

    A pattern of observations has probability :math:`a_j` in one class and :math:`b_j` in the other,
    a member of cell c belongs to the first with probability :math:`p_c`:

    .. math:: \ell = \sum_{cj} n_{cj} \log q_{cj}, \qquad q_{cj} = p_c a_j + (1 - p_c) b_j

    Inputs
    ------
    n : counts, shape (C, J). A pattern that does not occur costs no logarithm.
    p, a, b : shapes (C,), (J,) and (J,).
    """

    __props__ = ()
    differentiated = (1, 2, 3)

    def loop(self) -> Callable[..., Any]:
        """The loop."""

        def two_classes(n, p, a, b):  # type: ignore[no-untyped-def]
            value, of_p, of_a, of_b = 0.0, np.zeros(len(p)), np.zeros(len(a)), np.zeros(len(b))
            for c in range(len(p)):
                for j in range(len(a)):
                    if n[c, j] > 0:
                        q = p[c] * a[j] + (1 - p[c]) * b[j]
                        value += n[c, j] * np.log(q)
                        of_p[c] += n[c, j] / q * (a[j] - b[j])
                        of_a[j] += n[c, j] / q * p[c]
                        of_b[j] += n[c, j] / q * (1 - p[c])
            return np.asarray(value), of_p, of_a, of_b

        return two_classes
