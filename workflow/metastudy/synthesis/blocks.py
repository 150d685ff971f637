"""Blocks of the second stage: estimates that hang together, and what links the blocks.

The covariance of the estimates is A + U U': A is block-diagonal, of the likelihood covariance of
each study and the components whose levels lie in a block; U has a column for each level of the
others. So a density costs what the blocks cost and the number of those levels, not the cube of the
number of estimates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from metastudy.design.effects import EffectDesign
from metastudy.models.densities import Density

__all__ = ["LARGEST", "BlockNormal", "Blocks", "blocks", "in_blocks"]

LARGEST = 32  # estimates in a block; a component that would make larger ones links blocks instead


@dataclass(frozen=True)
class Blocks:
    """Where estimates hang together.

    ``row`` (R,) has the estimates in the order of their blocks; block b is from ``start[b]`` to
    ``start[b + 1]``, and its pairs of estimates, row by row, from ``pair_start[b]`` on. ``pairs``
    (pairs, slots) are the components that both of a pair have a level of in common, ``linking``
    (R, slots) the levels of an estimate among those that link blocks, and ``component`` (those
    levels,) their components; -1 where there is none.
    """

    row: np.ndarray
    start: np.ndarray
    pair_start: np.ndarray
    pairs: np.ndarray
    linking: np.ndarray
    component: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What :class:`BlockNormal` takes beside residuals, covariances and variances."""
        return self.start, self.pair_start, self.pairs, self.linking, self.component


def blocks(design: EffectDesign, covariance: np.ndarray) -> Blocks:
    """Find the blocks.

    Parameters
    ----------
    design : of the R estimates.
    covariance : of the estimates, shape (R, R); where it is not zero, two are in one block.
    """
    rows = len(covariance)
    together = covariance != 0
    block = connected_components(csr_matrix(together), directed=False)[1]
    largest = max(LARGEST, int(np.bincount(block).max()))  # the blocks of the covariance stay
    inside: list[int] = []
    # The component with the most levels first: its levels are the smallest.
    sizes = np.bincount(design.component_of, minlength=len(design.components))
    for component in sorted(range(len(sizes)), key=lambda c: -sizes[c]):
        level = _levels(design, component)
        has = np.flatnonzero(level >= 0)
        merged = csr_matrix(
            (np.ones(2 * len(has)), (np.r_[has, has], np.r_[block[has], rows + level[has]])),
            shape=(rows, 2 * rows + len(design.levels)),
        )
        tried = connected_components(merged @ merged.T + _same(block), directed=False)[1]
        if np.bincount(tried).max() <= largest:
            block = tried
            inside.append(component)
    order = np.argsort(block, kind="stable")
    size = np.bincount(block[order])
    start = np.r_[0, np.cumsum(size)]
    pair_start = np.r_[0, np.cumsum(size**2)]
    pairs = np.full((pair_start[-1], max(len(inside), 1)), -1)
    for slot_component in inside:
        level = _levels(design, slot_component)[order]
        for b in range(len(size)):
            own = level[start[b] : start[b + 1]]
            same = (own[:, None] == own) & (own[:, None] >= 0)
            mine = pairs[pair_start[b] : pair_start[b + 1]]
            at = np.flatnonzero(same.ravel())
            mine[at, (mine[at] >= 0).sum(axis=1)] = slot_component
    pairs = pairs[:, : max(int((pairs >= 0).sum(axis=1).max(initial=0)), 1)]
    crossed = [c for c in range(len(sizes)) if c not in inside]
    levels = np.flatnonzero(np.isin(design.component_of, crossed))
    place = np.full(len(design.levels) + 1, -1)
    place[levels] = np.arange(len(levels))
    linking = place[design.level_of[order]] if design.level_of.size else np.full((rows, 1), -1)
    return Blocks(order, start, pair_start, pairs, linking, design.component_of[levels])


def _levels(design: EffectDesign, component: int) -> np.ndarray:
    """The level of a component that each row has, -1 where it has none; shape (R,)."""
    padded = np.r_[design.component_of, -1][design.level_of]
    return np.where(padded == component, design.level_of, -1).max(axis=1, initial=-1)


def _same(block: np.ndarray) -> csr_matrix:
    member = csr_matrix((np.ones(len(block)), (np.arange(len(block)), block)))
    return member @ member.T


def in_blocks(found: Blocks, covariance: np.ndarray) -> np.ndarray:
    """The entries of a matrix (R, R) that lie in blocks, block by block; shape (pairs,)."""
    parts = []
    for low, high in zip(found.start, found.start[1:], strict=False):
        mine = found.row[low:high]
        parts.append(covariance[np.ix_(mine, mine)].ravel())
    return np.concatenate(parts)


class BlockNormal(Density):
    r"""Log-density of normal estimates whose covariance is blocks and what links them.

    .. math:: \ell = -\tfrac12 \left( \log|S| + r' S^{-1} r + R \log 2\pi \right), \qquad
              S = A + U U', \qquad
              S^{-1} = A^{-1} - A^{-1} U (I + U' A^{-1} U)^{-1} U' A^{-1}

    (Woodbury; Petersen and Pedersen 2012, The matrix cookbook, section 3.2.2), with the gradients
    :math:`-S^{-1} r` and :math:`\tfrac12 (S^{-1} r r' S^{-1} - S^{-1})`, the latter summed over the
    pairs that a component's variance is in.

    Inputs
    ------
    residual : estimates less their means in the order of blocks, shape (R,).
    covariance : likelihood covariance in blocks (:func:`in_blocks`), shape (pairs,).
    variance : of each component, shape (components,).
    start, pair_start, pairs, linking, component : of :class:`Blocks`.
    """

    __props__ = ()
    differentiated = (0, 2)

    def loop(self) -> Callable[..., Any]:
        """The loop."""

        def block_normal(  # type: ignore[no-untyped-def]
            residual, covariance, variance, start, pair_start, pairs, linking, component
        ):
            rows, links = len(residual), len(component)
            inverse = np.empty(len(covariance))
            logdet = rows * np.log(2 * np.pi)
            alpha = np.zeros(rows)
            for b in range(len(start) - 1):
                low, s, at = start[b], start[b + 1] - start[b], pair_start[b]
                for i in range(s):
                    for j in range(s):
                        p = at + i * s + j
                        inverse[p] = covariance[p]
                        for c in pairs[p]:
                            if c >= 0:
                                inverse[p] += variance[c]
                for pivot in range(s):
                    scale = 1 / inverse[at + pivot * s + pivot]
                    logdet -= np.log(scale)
                    inverse[at + pivot * s + pivot] = 1.0
                    for j in range(s):
                        inverse[at + pivot * s + j] *= scale
                    for i in range(s):
                        if i != pivot:
                            factor = inverse[at + i * s + pivot]
                            inverse[at + i * s + pivot] = 0.0
                            for j in range(s):
                                inverse[at + i * s + j] -= factor * inverse[at + pivot * s + j]
                for i in range(s):
                    for j in range(s):
                        alpha[low + i] += inverse[at + i * s + j] * residual[low + j]

            # The levels that link: those of each block, A^-1 Z there and Z' A^-1 Z, U being Z
            # times the roots of the variances.
            number, most = len(start) - 1, 0
            for b in range(number):
                most = max(most, (start[b + 1] - start[b]) * linking.shape[1])
            most = min(most, links)
            own, count = np.zeros((number, most), np.int64), np.zeros(number, np.int64)
            place = np.full(links, -1)
            solved, inner, weight = (
                np.zeros((rows, most)),
                np.zeros((links, links)),
                np.zeros(links),
            )
            for b in range(number if links else 0):
                low, s, at = start[b], start[b + 1] - start[b], pair_start[b]
                for j in range(s):
                    for l in linking[low + j]:  # noqa: E741
                        if l >= 0:
                            if place[l] < 0:
                                place[l] = count[b]
                                own[b, count[b]] = l
                                count[b] += 1
                            for i in range(s):
                                solved[low + i, place[l]] += inverse[at + i * s + j]
                for i in range(low, low + s):
                    for l in linking[i]:  # noqa: E741
                        if l >= 0:
                            weight[l] += alpha[i]
                            for m in range(count[b]):
                                inner[l, own[b, m]] += solved[i, m]
                for m in range(count[b]):
                    place[own[b, m]] = -1

            # U (I + U' A^-1 U)^-1 U' as middle between Z and Z'.
            root, total, cleared = np.zeros(links), np.zeros(links), np.zeros(links)
            for l in range(links):  # noqa: E741
                root[l] = np.sqrt(variance[component[l]])
            middle, column = np.zeros((links, links)), np.zeros(links)
            for l in range(links):  # noqa: E741
                for m in range(links):
                    middle[l, m] = root[l] * inner[l, m] * root[m]
                middle[l, l] += 1.0
            # Symmetric sweeps of its lower half make the inverse with the other sign.
            for pivot in range(links):
                scale = 1 / middle[pivot, pivot]
                logdet -= np.log(scale)
                for i in range(links):
                    column[i] = middle[max(i, pivot), min(i, pivot)]
                column[pivot] = 0.0
                for i in range(links):
                    factor = column[i] * scale
                    if factor != 0.0:
                        for j in range(i + 1):
                            middle[i, j] -= factor * column[j]
                for i in range(links):
                    middle[max(i, pivot), min(i, pivot)] = column[i] * scale
                middle[pivot, pivot] = -scale
            for i in range(links):
                for j in range(i + 1):
                    middle[i, j] *= -1.0
                    middle[j, i] = middle[i, j]
            for l in range(links):  # noqa: E741
                cleared[l] = 1.0 - middle[l, l]
                for m in range(links):
                    middle[l, m] *= root[l] * root[m]
                    total[l] += middle[l, m] * weight[m]

            value, of_residual, of_variance = 0.0, np.empty(rows), np.zeros(len(variance))
            left = np.zeros(most)
            for b in range(number):
                low, s, at = start[b], start[b + 1] - start[b], pair_start[b]
                for i in range(low, low + s):
                    for m in range(count[b]):
                        alpha[i] -= solved[i, m] * total[own[b, m]]
                    value -= 0.5 * residual[i] * alpha[i]
                    of_residual[i] = -alpha[i]
                for i in range(s):
                    for m in range(count[b]):
                        left[m] = 0.0
                        for k in range(count[b]):
                            left[m] += solved[low + i, k] * middle[own[b, k], own[b, m]]
                    for j in range(s):
                        p = at + i * s + j
                        if pairs[p, 0] >= 0:
                            entry = inverse[p]
                            for m in range(count[b]):
                                entry -= left[m] * solved[low + j, m]
                            gain = 0.5 * (alpha[low + i] * alpha[low + j] - entry)
                            for c in pairs[p]:
                                if c >= 0:
                                    of_variance[c] += gain
            # Of a level that links: of Z' S^-1 Z its diagonal, which is I - (I + U' A^-1 U)^-1
            # over the variance; where that is next to nothing, by its definition.
            sums = np.zeros(links)
            for i in range(rows if links else 0):
                for l in linking[i]:  # noqa: E741
                    if l >= 0:
                        sums[l] += alpha[i]
            for l in range(links):  # noqa: E741
                entry = inner[l, l]
                if variance[component[l]] * entry > 1e-6:
                    entry = cleared[l] / variance[component[l]]
                else:
                    for m in range(links):
                        for k in range(links):
                            entry -= inner[l, m] * middle[m, k] * inner[k, l]
                of_variance[component[l]] += 0.5 * (sums[l] ** 2 - entry)
            return np.asarray(value - 0.5 * logdet), of_residual, of_variance

        return block_normal
