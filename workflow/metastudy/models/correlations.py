"""A correlation matrix of which some entries are zero, from numbers that are free of each other."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from metastudy.models.priors import Prior

__all__ = ["correlations"]


def correlations(name: str, prior: Prior, size: int, pairs: np.ndarray) -> TensorVariable:
    r"""Correlation matrix whose free entries have an LKJ prior, in the model that is being built.

    .. math:: p(R) \propto |R|^{\eta - 1}

    over the positive definite matrices that are zero elsewhere (Lewandowski, Kurowicka and Joe
    2009, Generating random correlation matrices based on vines and extended onion method). With
    all entries free the correlations of row i with those before it are

    .. math:: r_i = C w, \qquad p(w) \propto (1 - w'w)^{\eta - 1 + (d - i) / 2}, \qquad w'w < 1

    with C the Cholesky factor of the rows before (the onion), and the elements of w are products of
    independent beta variables. Where row i is zero for rows F, C is that of the others given F, and
    the density gets the factor :math:`|R_{FF}|^{-1/2}`. Entries that connect no rows make matrices
    of their own.

    Parameters
    ----------
    name : of the free entries; the beta variables are ``<name>_share``.
    prior : of the family ``lkj``.
    size : rows.
    pairs : free entries, shape (pairs, 2), the first below the second.

    Returns
    -------
    TensorVariable
        Shape (pairs,), in their order.
    """
    free = np.zeros((size, size), dtype=bool)
    free[tuple(pairs.T)] = free[tuple(pairs.T[::-1])] = True
    blocks = [*_connected(free)]
    exponents = [_exponents(free[np.ix_(block, block)]) for block in blocks]
    both = prior.numbers["shape"] + np.concatenate(exponents)
    share = pm.Beta(f"{name}_share", both, both, shape=len(pairs))
    partial, start = 2 * share - 1, 0
    value = pt.zeros(len(pairs))
    place = {tuple(pair): at for at, pair in enumerate(pairs.tolist())}
    for block, exponent in zip(blocks, exponents, strict=True):
        mine = partial[start : start + len(exponent)]
        start += len(exponent)
        inside = free[np.ix_(block, block)]
        matrix, more = _matrix(mine, inside)
        if more is not None:
            pm.Potential(f"{name}_zeros_{block[0]}", more)
        i, j = np.nonzero(np.triu(inside))
        at = [place[int(block[a]), int(block[b])] for a, b in zip(i, j, strict=True)]
        value = pt.set_subtensor(value[np.array(at)], matrix[i, j])
    return value


def _connected(free: np.ndarray) -> list[np.ndarray]:
    """Rows that free entries connect, sorted; those of several rows only."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    label = connected_components(csr_matrix(free), directed=False)[1]
    found = [np.flatnonzero(label == one) for one in range(label.max() + 1)]
    return [rows for rows in found if len(rows) > 1]


def _exponents(free: np.ndarray) -> np.ndarray:
    """What is added to eta for the two numbers of each beta variable, row by row."""
    size, found = len(free), []
    for row in range(1, size):
        number = int(free[row, :row].sum())
        # (1 - w'w)^a with a = eta - 1 + (d - i) / 2 of i = row + 1, and the length that is left.
        found += [(size - row - 1) / 2 + (number - k) / 2 for k in range(1, number + 1)]
    return np.array(found)


def _matrix(
    partial: TensorVariable, free: np.ndarray
) -> tuple[TensorVariable, TensorVariable | None]:
    """The matrix of a block, and the logarithm of what zeros add to its density, if anything."""
    size = len(free)
    lower = np.tril(free, -1)
    number = lower.sum(axis=1)
    # w of each row from its beta variables: each takes its part of the length that is left.
    compact = np.arange(max(number.max(), 1)) < number[:, None]
    z = pt.zeros(compact.shape)
    z = pt.set_subtensor(z[np.nonzero(compact)], partial)
    left = pt.sqrt(pt.cumprod(1 - z**2, axis=1))
    before = pt.concatenate([pt.ones((size, 1)), left[:, :-1]], axis=1)
    w, last = z * before, left[:, -1]
    if number.tolist() == list(range(size)):
        root = pt.zeros((size, size))
        root = pt.set_subtensor(root[np.nonzero(lower)], w[np.nonzero(compact)])
        root = pt.set_subtensor(root[np.arange(size), np.arange(size)], last)
        return root @ root.T, None
    matrix, more = pt.eye(size), []
    for row in range(1, size):
        beside = np.flatnonzero(lower[row])
        zero = np.setdiff1d(np.arange(row), beside)
        given = matrix[np.ix_(beside, beside)]
        solved = matrix[np.ix_(zero, beside)]
        if free[np.ix_(zero, zero)].any():
            own = pt.linalg.cholesky(matrix[np.ix_(zero, zero)])
            more.append(-pt.log(pt.diag(own)).sum())
            solved = pt.linalg.solve_triangular(own, solved, lower=True)
        if not len(beside):
            continue
        if free[np.ix_(zero, beside)].any():
            given = given - solved.T @ solved
        root = pt.linalg.cholesky(given)
        entries = root @ w[row, : len(beside)]
        matrix = pt.set_subtensor(matrix[row, beside], entries)
        matrix = pt.set_subtensor(matrix[beside, row], entries)
    return matrix, sum(more[1:], more[0]) if more else None
