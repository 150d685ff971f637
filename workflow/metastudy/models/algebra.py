"""Algebra of many small matrices, in forms that compile soon and run fast."""

from __future__ import annotations

import numpy as np
from pytensor.tensor import TensorVariable

__all__ = ["product"]


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
