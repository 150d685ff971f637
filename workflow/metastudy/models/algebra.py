"""Algebra of many small matrices, in forms that compile soon and run fast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph
from pytensor.tensor import TensorVariable

__all__ = ["inverse", "product"]


def product(a: np.ndarray | TensorVariable, b: TensorVariable) -> TensorVariable:
    """Matrix product, as a sum of products.

    The compiler makes one loop of it. A call of BLAS in its place takes ten seconds to compile for
    each new layout of the operands, and for matrices of some tens of rows it runs no faster.

    Parameters
    ----------
    a : matrices, shape (..., N, M).
    b : matrices, shape (..., M, K), or one vector, shape (M,).

    Returns
    -------
    TensorVariable
        Shape (..., N, K), or (..., N) for a vector.
    """
    if b.ndim == 1:
        return (a * b).sum(axis=-1)
    return (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2)


def inverse(matrix: TensorVariable, size: int) -> tuple[TensorVariable, TensorVariable]:
    r"""Inverse and log-determinant of symmetric positive definite matrices.

    Both derivatives are known from the inverse :math:`P` itself, so none is taken of its
    factorisation (Magnus and Neudecker 2019, section 8.3 and 8.4):

    .. math:: dP = -P \, dA \, P, \qquad d \log|A| = \operatorname{tr} P \, dA

    Parameters
    ----------
    matrix : shape (S, K, K).
    size : K.

    Returns
    -------
    inverse, shape (S, K, K), and logarithm of the determinant, shape (S,).
    """
    if size == 1:  # matrix algebra would leave the compiled code for it
        return 1 / matrix, pt.log(matrix[:, 0, 0])
    a = matrix.type()
    chol = pt.linalg.cholesky(a)
    root = pt.linalg.solve_triangular(chol, np.eye(size), lower=True, b_ndim=2)
    logdet = 2 * pt.log(pt.diagonal(chol, axis1=-2, axis2=-1)).sum(axis=-1)
    return OpFromGraph([a], [product(root.mT, root), logdet], pullback=_pullback)(matrix)


def _pullback(
    _: Sequence[TensorVariable],
    found: Sequence[TensorVariable],
    sensitivity: Sequence[TensorVariable],
) -> list[TensorVariable]:
    """What a change of the matrix does to whatever was made of its inverse and determinant."""
    p, (of_inverse, of_logdet) = found[0], sensitivity
    return [of_logdet[:, None, None] * p - product(product(p, of_inverse), p)]
