"""Log-density of people's answers to items with effects of the person, with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from scipy.special import ndtr

from metastudy.models.densities import Density

__all__ = ["Answers", "normal_table"]

FARTHEST, STEPS = 12, 128  # the table's ends, and its points in a unit: a tail is right to 1e-8
TINY = 1e-290  # a probability that is zero in floating point


def normal_table() -> np.ndarray:
    """Distribution function and density of the standard normal at equal steps, shape (2, point).

    Between its points the loop takes their Taylor series, at a fifth of the error function's cost.
    """
    x = np.arange(-FARTHEST * STEPS, FARTHEST * STEPS + 1) / STEPS
    return np.stack([ndtr(x), np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)])


class Answers(Density):
    r"""Log-density of answers whose person has an effect on a family, and one on each theme.

    .. math:: \ell = \sum_i n_i \log \int \prod_k \mathrm{E}\Big[ \prod_{m \in ik} q_{im}(s_k t)
              \,\Big|\, f \Big] \phi(f)\, df, \qquad
              q_{im}(a) = \Phi(u_{im} - \eta_{im} - a) - \Phi(l_{im} - \eta_{im} - a)

    for cell i, people who gave the same answers to the items m of the themes k of a family. The
    effects on a theme, t, and on the family, f, are standard normal with correlation
    :math:`\rho_k`. Each cell has nodes and weights for its integrals
    (:mod:`metastudy.models.ordinal.nodes`). With orthonormal Hermite polynomials h, by Mehler's
    formula,

    .. math:: \mathrm{E}[g(t) \mid f] = \sum_n \rho^n h_n(f) \sum_j w_j h_n(t_j) g(t_j)

    so that no node of the one integral has nodes of the other. Where a theme shares all of the
    family's effect, g is at the nodes of f.

    Inputs
    ------
    n : people of each cell, shape (I,).
    edges : ends of categories, shape (E,); they may be infinite.
    eta : mean of the latent answer, shape (R,).
    scale, rho : of each theme the standard deviation of the person's effect, and its
        correlation with that on the family, shape (G,).
    start : where the blocks of each cell begin, a block being a cell's answers to the items of a
        theme, and where the last end, shape (I + 1,).
    first : where the answers of each block begin, and where the last end, shape (B + 1,).
    row, lower : of each answer the place of its mean in ``eta``, and of its lower end in ``edges``;
        the upper is the next.
    theme : of each block the place in ``scale``, shape (B,).
    shared : of each theme, whether all of the effect is the family's, whatever ``rho`` says, (G,).
    point, weight : nodes of each cell and their weights, shape (I, K).
    own_point, own_weight : the same of each block, shape (B, K).
    table : :func:`normal_table`.

    Parameters
    ----------
    degrees : number of polynomials, a constant of the compiled code.

    References
    ----------
    Mehler (1866), Journal für die reine und angewandte Mathematik 66, 161-176.
    """

    __props__ = ("degrees",)
    differentiated = (1, 2, 3, 4)

    def __init__(self, degrees: int) -> None:
        self.degrees = degrees

    def loop(self) -> Callable[..., Any]:
        """The loop for this number of polynomials."""
        degrees, far, steps, tiny = self.degrees, float(FARTHEST), float(STEPS), TINY

        @numba.njit(error_model="numpy")
        def normal(x, table):  # type: ignore[no-untyped-def]
            if x <= -far:
                return 0.0, 0.0
            if x >= far:
                return 1.0, 0.0
            at = int((x + far) * steps + 0.5)
            z = at / steps - far
            d, zz = x - z, z * z
            two, three, four = zz - 1, z * (zz - 3), zz * (zz - 6) + 3
            below = 1 - d * (z / 2 - d * (two / 6 - d * three / 24))
            slope = 1 - d * (z - d * (two / 2 - d * (three / 6 - d * four / 24)))
            return table[0, at] + table[1, at] * d * below, table[1, at] * slope

        @numba.njit(error_model="numpy")
        def hermite(x, found):  # type: ignore[no-untyped-def]
            for m in range(len(x)):
                found[0, m] = 1.0
                if degrees > 1:
                    found[1, m] = x[m]
            for d in range(2, degrees):
                up, down = 1 / np.sqrt(d), np.sqrt((d - 1) / d)
                for m in range(len(x)):
                    found[d, m] = up * x[m] * found[d - 1, m] - down * found[d - 2, m]

        def answers(  # type: ignore[no-untyped-def]
            n, edges, eta, scale, rho, start, first, row, theme, lower, shared,
            point, weight, own_point, own_weight, table,
        ):  # fmt: skip
            k = point.shape[1]
            power = np.ones((len(scale), degrees))
            for g in range(len(scale)):
                for d in range(1, degrees):
                    power[g, d] = power[g, d - 1] * rho[g]
            most, wide = 1, 1
            for i in range(len(n)):
                wide = max(wide, start[i + 1] - start[i])
                most = max(most, first[start[i + 1]] - first[start[i]])
            q, below, above = np.empty((most, k)), np.empty((most, k)), np.empty((most, k))
            inner, outer = np.empty((wide, k)), np.empty((wide, k))
            of_f, of_t = np.empty((degrees, k)), np.empty((wide, degrees, k))
            coefficient, through = np.empty((wide, degrees)), np.empty(degrees)
            product, back, moved = np.empty(k), np.empty(k), np.empty(k)

            value = 0.0
            of_edges, of_eta = np.zeros(len(edges)), np.zeros(len(eta))
            of_scale, of_rho = np.zeros(len(scale)), np.zeros(len(scale))
            for i in range(len(n)):
                if n[i] == 0:
                    continue
                exponent, base = 0.0, first[start[i]]
                hermite(point[i], of_f)
                for m in range(k):
                    product[m] = weight[i, m]
                for b in range(start[i], start[i + 1]):
                    c, g = b - start[i], theme[b]
                    nodes = point[i] if shared[g] else own_point[b]
                    own, out = inner[c], outer[c]
                    for m in range(k):
                        own[m] = 1.0
                    for place in range(first[b], first[b + 1]):
                        at = place - base
                        mean = eta[row[place]]
                        low, high = edges[lower[place]] - mean, edges[lower[place] + 1] - mean
                        largest = 0.0
                        for m in range(k):
                            x, y = low - scale[g] * nodes[m], high - scale[g] * nodes[m]
                            if x + y > 0:  # in the tail where it lies nothing cancels
                                less, above[at, m] = normal(-y, table)
                                more, below[at, m] = normal(-x, table)
                            else:
                                less, below[at, m] = normal(x, table)
                                more, above[at, m] = normal(y, table)
                            q[at, m] = max(more - less, tiny)
                            own[m] *= q[at, m]
                            largest = max(largest, own[m])
                        if largest < 1e-100:  # before it is zero in floating point
                            exponent += np.log(largest)
                            for m in range(k):
                                own[m] /= largest
                    if shared[g]:
                        for m in range(k):
                            out[m] = own[m]
                    else:
                        hermite(nodes, of_t[c])
                        for m in range(k):
                            out[m], own[m] = 0.0, own[m] * own_weight[b, m]
                        for d in range(degrees):
                            total = 0.0
                            for m in range(k):
                                total += of_t[c, d, m] * own[m]
                            coefficient[c, d] = total
                            total *= power[g, d]
                            for m in range(k):
                                out[m] += total * of_f[d, m]
                    for m in range(k):
                        product[m] *= out[m]
                total = 0.0
                for m in range(k):
                    total += product[m]
                if total < tiny:
                    # Far from all that the nodes were made for, a sum of polynomials may be
                    # negative: a density of nothing, and no slope that leads anywhere.
                    value += n[i] * (exponent + np.log(tiny))
                    continue
                value += n[i] * (exponent + np.log(total))

                for b in range(start[i], start[i + 1]):
                    c, g = b - start[i], theme[b]
                    nodes = point[i] if shared[g] else own_point[b]
                    own = inner[c]
                    for m in range(k):  # what more of the block at a node of f brings
                        back[m] = n[i] * weight[i, m] / total
                    for other in range(start[i + 1] - start[i]):
                        if other != c:
                            for m in range(k):
                                back[m] *= outer[other, m]
                    if shared[g]:
                        for m in range(k):
                            moved[m] = back[m] * own[m]
                    else:
                        for m in range(k):
                            moved[m] = 0.0
                        for d in range(degrees):
                            total_of = 0.0
                            for m in range(k):
                                total_of += back[m] * of_f[d, m]
                            through[d] = total_of
                        for d in range(1, degrees):
                            of_rho[g] += d * power[g, d - 1] * coefficient[c, d] * through[d]
                        for d in range(degrees):
                            part = power[g, d] * through[d]
                            for m in range(k):
                                moved[m] += part * of_t[c, d, m]
                        for m in range(k):
                            moved[m] *= own[m]
                    for place in range(first[b], first[b + 1]):
                        at = place - base
                        less, more, along = 0.0, 0.0, 0.0
                        for m in range(k):
                            ratio = moved[m] / q[at, m]
                            less += ratio * below[at, m]
                            more += ratio * above[at, m]
                            along += ratio * (below[at, m] - above[at, m]) * nodes[m]
                        of_edges[lower[place]] -= less
                        of_edges[lower[place] + 1] += more
                        of_eta[row[place]] += less - more
                        of_scale[g] += along
            return np.asarray(value), of_edges, of_eta, of_scale, of_rho

        return answers
