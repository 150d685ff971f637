"""Log-density of people's patterns of 0/1 outcomes whose shares are given, with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from metastudy.models.densities import Density

__all__ = ["Patterns"]

STEPS, HALVINGS = 100, 30  # of Newton's method, and of a step that does not go down
FAR = 4.0  # of a log-odds in one step
NEAR = 1e-11  # of a share, relative to the variance of its outcome: as near as sums of shares come


class Patterns(Density):
    r"""Log-density of patterns of 0/1 outcomes, from the log-odds of each and their associations.

    People of group g have the K outcomes of their setting in the pattern y with probability

    .. math:: q_g(y) \propto \exp\Big( \sum_k \theta_{gk} y_k + \sum_{k<m} \gamma_{km} y_k y_m
              \Big), \qquad \sum_y y_k q_g(y) = \operatorname{logit}^{-1} \eta_{gk}

    so that the share of each outcome is what its log-odds say, whatever the associations: the
    second line decides theta (the mixed parameters of Fitzmaurice and Laird 1993). Who answered
    some of the outcomes has the probability of all patterns that agree. With S the sum over people
    of the expected y given their answers, V the covariance of y under q, and u the products of two
    outcomes,

    .. math:: \frac{\partial \ell}{\partial \eta_k} = \pi_k (1 - \pi_k) h_k, \quad
              \frac{\partial \ell}{\partial \gamma} = \sum \operatorname{E}[u \mid answers] - n
              \operatorname{E} u - \operatorname{cov}(u, y) h, \qquad V h = S - n \pi

    Inputs
    ------
    count : people of each block, who are of one group and answered the same outcomes, by which of
        these they have, shape (B, 2^K); a state is the sum of 2^m over the outcomes at the places m
        of their setting.
    log_odds : of each group and outcome, shape (G, outcomes).
    association : log-odds ratios of two outcomes given the others, those of a setting one after the
        other, shape (A,).
    first_block : where the blocks of each group begin, and where the last end, shape (G + 1,).
    asked : outcome at each place of the group's setting, -1 where there is none, shape (G, K).
    first_pair : place of the first association of the group's setting, shape (G,).
    answered : outcomes that a block answered, as a state, shape (B,).

    References
    ----------
    Fitzmaurice and Laird (1993), A likelihood-based method for analysing longitudinal binary
    responses, Biometrika 80, 141-151.
    """

    __props__ = ()
    differentiated = (1, 2)

    def loop(self) -> Callable[..., Any]:
        """The loop."""
        steps, halvings, far, near = STEPS, HALVINGS, FAR, NEAR

        @numba.njit(error_model="numpy")
        def total(theta, pairs, k, q):  # type: ignore[no-untyped-def]
            """Fill in the probabilities of the states, and give the logarithm of their sum."""
            most = -np.inf
            for y in range(1 << k):
                value = pairs[y]
                for i in range(k):
                    if y >> i & 1:
                        value += theta[i]
                q[y] = value
                most = max(most, value)
            found = 0.0
            for y in range(1 << k):
                q[y] = np.exp(q[y] - most)
                found += q[y]
            for y in range(1 << k):
                q[y] /= found
            return most + np.log(found)

        @numba.njit(error_model="numpy")
        def spread(q, k, there, absent, v):  # type: ignore[no-untyped-def]
            """Shares with and without each outcome, and the covariance, free of cancellation."""
            for i in range(k):
                there[i] = absent[i] = 0.0
            for y in range(1 << k):
                for i in range(k):
                    if y >> i & 1:
                        there[i] += q[y]
                    else:
                        absent[i] += q[y]
            for i in range(k):
                v[i, i] = there[i] * absent[i]
                for j in range(i):
                    both, one, other, none = 0.0, 0.0, 0.0, 0.0
                    for y in range(1 << k):
                        if y >> i & 1:
                            if y >> j & 1:
                                both += q[y]
                            else:
                                one += q[y]
                        elif y >> j & 1:
                            other += q[y]
                        else:
                            none += q[y]
                    v[i, j] = v[j, i] = both * none - one * other

        @numba.njit(error_model="numpy")
        def solved(v, right, k, root, x):  # type: ignore[no-untyped-def]
            """Solve V x = right by Cholesky, in units of the standard deviations."""
            for i in range(k):
                for j in range(i + 1):
                    value = v[i, j] / np.sqrt(v[i, i] * v[j, j])
                    for m in range(j):
                        value -= root[i, m] * root[j, m]
                    if i == j:
                        root[i, i] = np.sqrt(max(value, 1e-14))
                    else:
                        root[i, j] = value / root[j, j]
            for i in range(k):
                value = right[i] / np.sqrt(v[i, i])
                for m in range(i):
                    value -= root[i, m] * x[m]
                x[i] = value / root[i, i]
            for i in range(k - 1, -1, -1):
                value = x[i]
                for m in range(i + 1, k):
                    value -= root[m, i] * x[m]
                x[i] = value / root[i, i]
            for i in range(k):
                x[i] /= np.sqrt(v[i, i])

        def patterns(count, log_odds, association, first_block, asked, first_pair, answered):  # type: ignore[no-untyped-def]
            value = 0.0
            of_odds, of_pairs = np.zeros(log_odds.shape), np.zeros(association.shape)
            most = asked.shape[1]
            pairs, q, new = np.zeros(1 << most), np.zeros(1 << most), np.zeros(1 << most)
            theta, trial, step = np.zeros(most), np.zeros(most), np.zeros(most)
            there, absent, off = np.zeros(most), np.zeros(most), np.zeros(most)
            pi, rest, score, h = np.zeros(most), np.zeros(most), np.zeros(most), np.zeros(most)
            v, root = np.zeros((most, most)), np.zeros((most, most))
            for g in range(len(asked)):
                n = 0.0
                for b in range(first_block[g], first_block[g + 1]):
                    n += count[b].sum()
                if n == 0:
                    continue
                k = 0
                while k < most and asked[g, k] >= 0:
                    eta = log_odds[g, asked[g, k]]
                    theta[k] = eta
                    pi[k], rest[k] = 1 / (1 + np.exp(-eta)), 1 / (1 + np.exp(eta))
                    k += 1
                for y in range(1 << k):
                    pairs[y], at = 0.0, first_pair[g]
                    for i in range(k):
                        for j in range(i + 1, k):
                            if y >> i & 1 and y >> j & 1:
                                pairs[y] += association[at]
                            at += 1
                whole = total(theta, pairs, k, q)
                for _ in range(steps):
                    spread(q, k, there, absent, v)
                    worst = 0.0
                    for i in range(k):
                        # Of a share near one, what is left is known better than the share.
                        off[i] = pi[i] - there[i] if pi[i] < 0.5 else absent[i] - rest[i]
                        worst = max(worst, abs(off[i]) / (pi[i] * rest[i]))
                    if worst < near:
                        break
                    solved(v, off, k, root, step)
                    here, along, longest = whole, 0.0, far
                    for i in range(k):
                        here -= pi[i] * theta[i]
                        along += off[i] * step[i]
                        longest = max(longest, abs(step[i]))
                    size = far / longest
                    for _ in range(halvings):
                        for i in range(k):
                            trial[i] = theta[i] + size * step[i]
                        whole = total(trial, pairs, k, new)
                        there_now = whole
                        for i in range(k):
                            there_now -= pi[i] * trial[i]
                        if there_now <= here - 1e-4 * size * along + 1e-13 * abs(here):
                            break
                        size *= 0.5
                    for i in range(k):
                        theta[i] = trial[i]
                    for y in range(1 << k):
                        q[y] = new[y]
                spread(q, k, there, absent, v)

                for i in range(k):
                    score[i] = -n * pi[i]
                for b in range(first_block[g], first_block[g + 1]):
                    known = answered[b]
                    for s in range(1 << k):
                        if count[b, s] == 0:
                            continue
                        chance = 0.0
                        for y in range(1 << k):
                            if y & known == s:
                                chance += q[y]
                        value += count[b, s] * np.log(chance)
                        for y in range(1 << k):
                            if y & known == s:
                                weight, at = count[b, s] * q[y] / chance, first_pair[g]
                                for i in range(k):
                                    if y >> i & 1:
                                        score[i] += weight
                                    for j in range(i + 1, k):
                                        if y >> i & 1 and y >> j & 1:
                                            of_pairs[at] += weight
                                        at += 1
                solved(v, score, k, root, h)
                for i in range(k):
                    of_odds[g, asked[g, i]] += pi[i] * rest[i] * h[i]
                # E u and cov(u, y) h together: the mean of u times n and what y is off by, along h.
                for y in range(1 << k):
                    along, at = n, first_pair[g]
                    for i in range(k):
                        along += h[i] * (absent[i] if y >> i & 1 else -there[i])
                    for i in range(k):
                        for j in range(i + 1, k):
                            if y >> i & 1 and y >> j & 1:
                                of_pairs[at] -= q[y] * along
                            at += 1
            return np.asarray(value), of_odds, of_pairs

        return patterns
