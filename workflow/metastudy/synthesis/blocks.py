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
    levels,) their components; -1 where there is none. Where levels are correlated, ``pairs`` has
    places among the covariances of components too (:func:`metastudy.synthesis.together.variances`),
    ``crossing`` (crossings, 3) two levels that link, the later one first, and the place of their
    covariance, and ``group`` (levels that link,) which of these are together.
    """

    row: np.ndarray
    start: np.ndarray
    pair_start: np.ndarray
    pairs: np.ndarray
    linking: np.ndarray
    component: np.ndarray
    crossing: np.ndarray
    group: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What :class:`BlockNormal` takes beside residuals, covariances and variances."""
        found = self.start, self.pair_start, self.pairs, self.linking, self.component
        return *found, self.crossing, self.group

    @property
    def own_pair(self) -> np.ndarray:
        """The pair of each estimate with itself, where its variance is; in the order of ``row``."""
        size = np.diff(self.start)
        within = np.arange(len(self.row)) - np.repeat(self.start[:-1], size)
        return np.repeat(self.pair_start[:-1], size) + within * np.repeat(size + 1, size)


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
    parts = len(design.components)
    # Components that are correlated are in the blocks, or link them, together.
    joint = design.joint
    slot = joint.slot if joint else np.arange(parts)
    group = joint.group if joint else np.arange(len(design.levels))
    product = joint.product if joint else np.diag(np.arange(parts) + 1) - 1
    inside: list[int] = []
    # The slot with the most levels first: its levels are the smallest.
    sizes = np.bincount(slot[design.component_of], minlength=parts)
    for one in sorted(np.unique(slot), key=lambda c: -sizes[c]):
        level = _levels(design, slot == one)
        has = np.flatnonzero(level >= 0)
        merged = csr_matrix(
            (np.ones(2 * len(has)), (np.r_[has, has], np.r_[block[has], rows + group[level[has]]])),
            shape=(rows, 2 * rows + len(design.levels)),
        )
        tried = connected_components(merged @ merged.T + _same(block), directed=False)[1]
        if np.bincount(tried).max() <= largest:
            block = tried
            inside.append(one)
    order = np.argsort(block, kind="stable")
    size = np.bincount(block[order])
    start = np.r_[0, np.cumsum(size)]
    pair_start = np.r_[0, np.cumsum(size**2)]
    pairs = np.full((pair_start[-1], max(len(inside), 1)), -1)
    for one in inside:
        level = _levels(design, slot == one)[order]
        for b in range(len(size)):
            own = level[start[b] : start[b + 1]]
            alike, of = np.r_[group, -1][own], np.r_[design.component_of, -1][own]
            place = np.where((own[:, None] >= 0) & (own >= 0), product[of[:, None], of], -1)
            place = np.where(alike[:, None] == alike, place, -1).ravel()
            mine = pairs[pair_start[b] : pair_start[b + 1]]
            at = np.flatnonzero(place >= 0)
            mine[at, (mine[at] >= 0).sum(axis=1)] = place[at]
    pairs = pairs[:, : max(int((pairs >= 0).sum(axis=1).max(initial=0)), 1)]
    levels = np.flatnonzero(~np.isin(slot[design.component_of], inside))
    place = np.full(len(design.levels) + 1, -1)
    place[levels] = np.arange(len(levels))
    linking = place[design.level_of[order]] if design.level_of.size else np.full((rows, 1), -1)
    component = design.component_of[levels]
    together = group[levels]
    later, first = np.nonzero(np.tril(together[:, None] == together, -1))
    both = product[component[later], component[first]]
    crossing = np.column_stack([later, first, both])[both >= 0]
    return Blocks(order, start, pair_start, pairs, linking, component, crossing, together)


def _levels(design: EffectDesign, components: np.ndarray) -> np.ndarray:
    """The level of one of some components (a mask) that each row has, -1 without; shape (R,)."""
    has = np.r_[components[design.component_of], False][design.level_of]
    return np.where(has, design.level_of, -1).max(axis=1, initial=-1)


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
    variance : of each component, shape (components,), and covariances of two of them after these.
    start, pair_start, pairs, linking, component, crossing, group : of :class:`Blocks`.
    """

    __props__ = ()
    differentiated = (0, 2)

    def loop(self) -> Callable[..., Any]:
        """The loop."""

        def block_normal(  # type: ignore[no-untyped-def]
            residual, covariance, variance, start, pair_start, pairs, linking, component,
            crossing, group,
        ):  # fmt: skip
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
            # Of levels that are correlated, the roots are a Cholesky factor, a block a group.
            several = len(crossing) > 0
            wide = links if several else 0
            lower, half = np.zeros((wide, wide)), np.zeros((wide, wide))
            for l in range(wide):  # noqa: E741
                lower[l, l] = variance[component[l]]
            for q in range(len(crossing)):
                lower[crossing[q, 0], crossing[q, 1]] = variance[crossing[q, 2]]
            for l in range(wide):  # noqa: E741
                for m in range(l + 1):
                    if group[l] == group[m]:
                        for k in range(m):
                            lower[l, m] -= lower[l, k] * lower[m, k]
                        if l == m:
                            lower[l, l] = np.sqrt(max(lower[l, l], 0.0))
                        elif lower[m, m] > 0:
                            lower[l, m] /= lower[m, m]
                        for i in range(links):
                            half[m, i] += lower[l, m] * inner[l, i]
            for l in range(links):  # noqa: E741
                for m in range(links):
                    if not several:
                        middle[l, m] = root[l] * inner[l, m] * root[m]
                    elif group[l] == group[m] and m <= l:
                        for i in range(links):
                            middle[i, m] += half[i, l] * lower[l, m]
                if not several:
                    middle[l, l] += 1.0
            for l in range(wide):  # noqa: E741
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
            # What is left of Z' A^-1 Z in Z' S^-1 Z, where levels are correlated.
            gone = np.zeros((wide, wide))
            if several:
                gone = middle @ half
                back = np.zeros((links, links))  # the inverse times the factor's transpose
                for l in range(links):  # noqa: E741
                    for m in range(l + 1):
                        if group[l] == group[m]:
                            for i in range(links):
                                back[i, l] += middle[i, m] * lower[l, m]
                middle[:] = 0.0
                for l in range(links):  # noqa: E741
                    for m in range(l + 1):
                        if group[l] == group[m]:
                            for i in range(links):
                                middle[l, i] += lower[l, m] * back[m, i]
            for l in range(links):  # noqa: E741
                cleared[l] = 1.0 - middle[l, l]
                for m in range(links):
                    if not several:
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
                if several:
                    for k in range(links):
                        entry -= half[k, l] * gone[k, l]
                elif variance[component[l]] * entry > 1e-6:
                    entry = cleared[l] / variance[component[l]]
                else:
                    for m in range(links):
                        for k in range(links):
                            entry -= inner[l, m] * middle[m, k] * inner[k, l]
                of_variance[component[l]] += 0.5 * (sums[l] ** 2 - entry)
            for q in range(len(crossing)):
                l, m = crossing[q, 0], crossing[q, 1]  # noqa: E741
                entry = inner[l, m]
                for k in range(links):
                    entry -= half[k, l] * gone[k, m]
                of_variance[crossing[q, 2]] += sums[l] * sums[m] - entry
            return np.asarray(value - 0.5 * logdet), of_residual, of_variance

        return block_normal
