"""How often intervals of an exact posterior cover at one point of its prior, by level of a place.

A posterior covers at its level on average over its prior, and not at each point of it. With some
spreads given, the share that even the exact one covers is what a model fitted by sampling can be
held to. Estimates are normal, one for each setting; spreads are integrated over by draws from
their prior with weights (importance sampling), means over a grid of their law; nothing of the
project is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import logsumexp, softmax

__all__ = ["Law", "exact_coverage"]

NODES, DRAWS = 1024, 1500  # of spreads, of each posterior
SCALES, CENTRES = 15, 25  # of the grids of a mean's prior


@dataclass(frozen=True)
class Law:
    """The prior of the means of outcomes: a mixture of normal ones, which all outcomes share."""

    centre: np.ndarray
    variance: np.ndarray

    @classmethod
    def alone(cls, effect: Mapping[str, float]) -> Law:
        """One outcome: a Student-t, with ``scale`` and ``df``."""
        gamma = stats.gamma(effect["df"] / 2, scale=2 / effect["df"])
        wide = effect["scale"] ** 2 / gamma.ppf(_middles(SCALES))
        return cls(np.zeros(SCALES), wide)

    @classmethod
    def family(cls, effect: Mapping[str, float], apart: float, directed: bool) -> Law:
        """Outcomes around zero, or around a mean with the prior of one alone.

        ``apart`` is the scale of the half-normal prior of their standard deviation.
        """
        sd = stats.halfnorm(scale=apart).ppf(_middles(SCALES))
        mean = stats.t(effect["df"], scale=effect["scale"]).ppf(_middles(CENTRES))
        centre, sd = np.meshgrid(mean if directed else [0.0], sd)
        return cls(centre.ravel(), sd.ravel() ** 2)


def exact_coverage(
    groups: Sequence[np.ndarray],
    se: np.ndarray,
    spreads: Sequence[float],
    shapes: Sequence[Callable[..., np.ndarray]],
    means: Sequence[float],
    law: Law,
    total: float,
    worlds: int,
    level: float = 0.95,
    seed: int = 1,
) -> dict[str, tuple[float, float]]:
    """Share of intervals that hold the truth, with its standard error.

    Parameters
    ----------
    groups : codes of study, country, sector and setting, shape (J,) each.
    se : standard errors of the estimates, shape (J,), which are independent.
    spreads : true standard deviations of the four, in units of the estimates.
    shapes : of the true levels, in turn over worlds: functions of a generator and a shape.
    means : the true mean of each outcome's population; outcomes share the law of their means.
    law : prior of the means.
    total : scale of the half-normal prior of the total SD, which the four share uniformly.
    worlds : how many are drawn.

    Returns
    -------
    dict
        By ``study`` (the settings at hand), ``population``, ``new_study``, ``new_country`` and
        ``new_sector``.
    """
    rng = np.random.default_rng(seed)
    sizes = [int(one.max()) + 1 for one in groups]
    design = np.hstack([np.eye(k)[one] for one, k in zip(groups, sizes, strict=True)])
    component = np.repeat(np.arange(4), sizes)
    tau = _spreads(total, seed)
    variance = (tau**2)[:, component]  # (node, level)
    marginal = np.einsum("jl,nl,kl->njk", design, variance, design) + np.diag(se**2)
    inverse, log_det = np.linalg.inv(marginal), np.linalg.slogdet(marginal)[1][:, None]
    information = inverse.sum((1, 2))[:, None]
    precision = information + 1 / law.variance  # (node, point of the law)
    constant = -0.5 * (log_det + np.log(precision * law.variance))
    tail = (1 - level) / 2
    hits: dict[str, np.ndarray] = {}
    for world in range(worlds):
        draw = shapes[world % len(shapes)]
        truth, y, gain, weight = [], [], [], []
        for mean in means:
            own = [s * draw(rng, (k,)) for s, k in zip(spreads, sizes, strict=True)]
            truth.append(np.concatenate(own))
            y.append(mean + design @ truth[-1] + se * rng.standard_normal(len(se)))
            at = inverse @ y[-1]
            first, square = at.sum(1)[:, None], (at @ y[-1])[:, None]
            gain.append(first - law.centre * information)
            left = square - law.centre * (2 * first - law.centre * information)
            weight.append(constant - 0.5 * (left - gain[-1] ** 2 / precision))
        # Outcomes hang together through the point of the law alone.
        of_point = sum(logsumexp(one, axis=0) for one in weight)
        point = rng.choice(len(law.centre), DRAWS, p=softmax(of_point))
        for k, mean in enumerate(means):
            node = np.empty(DRAWS, dtype=int)
            for own_point in np.unique(point):
                mine = np.flatnonzero(point == own_point)
                p = softmax(weight[k][:, own_point])
                node[mine] = rng.choice(NODES, len(mine), p=p)
            sharp = precision[node, point]
            mu = law.centre[point] + gain[k][node, point] / sharp
            mu += rng.standard_normal(DRAWS) / np.sqrt(sharp)
            # Levels given the data: prior draws, moved by what draws of the data miss of the data.
            own = np.sqrt(variance[node]) * rng.standard_normal((DRAWS, len(component)))
            noise = se * rng.standard_normal((DRAWS, len(se)))
            missed = y[k] - mu[:, None] - own @ design.T - noise
            own += variance[node] * (np.einsum("rjk,rk->rj", inverse[node], missed) @ design)
            found = {"study": (mu[:, None] + own @ design.T, mean + design @ truth[k])}
            found["population"] = (mu[:, None], np.array([mean]))
            for new, name in enumerate(("new_study", "new_country", "new_sector")):
                fresh = [*({0, 3, new})]  # the study of a new place is always new
                kept = np.where(np.isin(component, fresh), 0, design)
                at_hand, places = rng.integers(len(se)), rng.integers(len(se), size=DRAWS)
                made = sum(spreads[one] * float(draw(rng, (1,))[0]) for one in fresh)
                apart = np.sqrt((tau[node][:, fresh] ** 2).sum(1)) * rng.standard_normal(DRAWS)
                predicted = mu + np.einsum("rl,rl->r", own, kept[places]) + apart
                known = mean + kept[at_hand] @ truth[k] + made
                found[name] = (predicted[:, None], np.array([known]))
            for name, (values, known) in found.items():
                low, high = np.quantile(values, [tail, 1 - tail], axis=0)
                share = np.mean((low <= known) & (known <= high)) / len(means)
                hits.setdefault(name, np.zeros(worlds))[world] += share
    return {k: (float(v.mean()), float(v.std() / np.sqrt(worlds))) for k, v in hits.items()}


def _spreads(total: float, seed: int) -> np.ndarray:
    """Draws of the four standard deviations from their prior, shape (node, component)."""
    u = stats.qmc.Sobol(5, seed=seed).random(NODES)
    shares = -np.log1p(-u[:, 1:])
    shares /= shares.sum(axis=1)[:, None]
    return np.asarray(total * stats.norm.ppf((1 + u[:, :1]) / 2) * np.sqrt(shares))


def _middles(points: int) -> np.ndarray:
    return np.asarray((np.arange(points) + 0.5) / points)
