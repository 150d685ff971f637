"""Log-density of patterns of codes with an effect of the interview, with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from metastudy.models.densities import Density

__all__ = ["Patterns"]


class Patterns(Density):
    r"""Log-density of interviews whose codes share a normal effect, which is integrated out.

    .. math:: \ell = \sum_i n_i \log \sum_k w_k \prod_{j \in i} q_{jk}, \qquad
              q_{jk} = p_{jk} a_{y(j)} + (1 - p_{jk}) b_{y(j)}, \qquad
              \operatorname{logit} p_{jk} = \eta_{r(j)} + \tau z_k

    over the nodes z and weights w of the quadrature. What coders did to a code in a unit, j, is
    the same in many interviews, so each q is computed once.

    Inputs
    ------
    n : interviews with a pattern, shape (I,).
    eta : log-odds of presence, shape (R,).
    tau : standard deviation of the effect, a scalar.
    a, b : probability of what coders do to a code that is there, or is not, shape (Y,).
    start : where the parts of each pattern begin, and where the last end, shape (I + 1,).
    part : what the patterns are made of, one after the other: places j, any shape.
    of, what : place in ``eta`` and in ``a`` of each j, in the order of ``of``, shape (J,).
    point, weight : nodes and weights, shape (K,).
    """

    __props__ = ()
    differentiated = (1, 2, 3, 4)

    def loop(self) -> Callable[..., Any]:
        """The loop."""

        def patterns(n, eta, tau, a, b, start, part, of, what, point, weight):  # type: ignore[no-untyped-def]
            k = len(point)
            p, q = np.empty((len(eta), k)), np.empty((len(of), k))
            for r in range(len(eta)):
                for m in range(k):
                    p[r, m] = 1 / (1 + np.exp(-eta[r] - tau * point[m]))
            for j in range(len(of)):
                more, least = a[what[j]] - b[what[j]], b[what[j]]
                for m in range(k):
                    q[j, m] = p[of[j], m] * more + least
            value, times = 0.0, np.zeros(q.shape)  # how often a part is met at a node
            product = np.empty(k)
            for i in range(len(n)):
                if n[i] == 0:
                    continue
                exponent = 0.0
                for m in range(k):
                    product[m] = weight[m]
                for place in range(start[i], start[i + 1]):
                    j = part[place]
                    most = 0.0
                    for m in range(k):
                        product[m] *= q[j, m]
                        most = max(most, product[m])
                    if most < 1e-100:  # before it is zero in floating point
                        exponent += np.log(most)
                        for m in range(k):
                            product[m] /= most
                total = 0.0
                for m in range(k):
                    total += product[m]
                value += n[i] * (exponent + np.log(total))
                for m in range(k):
                    product[m] *= n[i] / total
                for place in range(start[i], start[i + 1]):
                    j = part[place]
                    for m in range(k):
                        times[j, m] += product[m]

            of_eta, of_tau = np.zeros(len(eta)), 0.0
            of_a, of_b = np.zeros(len(a)), np.zeros(len(b))
            for j in range(len(of)):
                first, second, more = 0.0, 0.0, a[what[j]] - b[what[j]]
                for m in range(k):
                    ratio, share = times[j, m] / q[j, m], p[of[j], m]
                    first += ratio * share
                    second += ratio * (1 - share)
                    moved = ratio * share * (1 - share) * more
                    of_eta[of[j]] += moved
                    of_tau += moved * point[m]
                of_a[what[j]] += first
                of_b[what[j]] += second
            return np.asarray(value), of_eta, np.asarray(of_tau), of_a, of_b

        return patterns
