"""How often intervals of an exact posterior cover at one point of its prior, by level of a place.

A posterior covers at its level on average over its prior, and not at each point of it. With some
spreads given, the share that even the exact one covers is what a model fitted by sampling can be
held to. Estimates are normal, one for each setting; spreads are integrated over by draws from
their prior with weights (importance sampling), the mean over its own grid; nothing of the project
is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

__all__ = ["exact_coverage"]

NODES, SCALES, DRAWS = 2048, 15, 1500  # of spreads, of the mean's mixture, of each posterior


def exact_coverage(
    groups: Sequence[np.ndarray],
    se: np.ndarray,
    spreads: Sequence[float],
    shapes: Sequence[Callable[..., np.ndarray]],
    mean: float,
    effect: dict[str, float],
    total: float,
    worlds: int,
    level: float = 0.95,
    seed: int = 1,
) -> dict[str, tuple[float, float]]:
    """Share of intervals that hold the truth, with its standard error.

    Parameters
    ----------
    groups : codes of study, country, sector and setting, shape (J,) each.
    se : standard errors of the estimates, shape (J,).
    spreads : true standard deviations of the four, in units of the estimates.
    shapes : of the true levels, in turn over worlds: functions of a generator and a shape.
    mean : the true mean of the population.
    effect : Student-t prior of the mean, with ``scale`` and ``df``.
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
    u = stats.qmc.Sobol(5, seed=seed).random(NODES)
    shares = -np.log1p(-u[:, 1:])
    tau = total * stats.norm.ppf((1 + u[:, :1]) / 2) * np.sqrt(shares / shares.sum(1)[:, None])
    variance = (tau**2)[:, component]  # (node, level)
    marginal = np.einsum("jl,nl,kl->njk", design, variance, design) + np.diag(se**2)
    inverse, log_det = np.linalg.inv(marginal), np.linalg.slogdet(marginal)[1]
    gamma = stats.gamma(effect["df"] / 2, scale=2 / effect["df"])
    wide = effect["scale"] ** 2 / gamma.ppf((np.arange(SCALES) + 0.5) / SCALES)
    precision = inverse.sum((1, 2))[:, None] + 1 / wide  # (node, scale)
    tail = (1 - level) / 2
    hits: dict[str, list[float]] = {}
    for world in range(worlds):
        draw = shapes[world % len(shapes)]
        parts = np.concatenate([s * draw(rng, (k,)) for s, k in zip(spreads, sizes, strict=True)])
        truth = mean + design @ parts
        y = truth + se * rng.standard_normal(len(se))
        at = inverse @ y
        gain, square = at.sum(1)[:, None], (at @ y)[:, None]
        log_weight = -0.5 * (log_det[:, None] + square - gain**2 / precision)
        log_weight -= 0.5 * np.log(precision * wide)
        weight = np.exp(log_weight - log_weight.max()).ravel()
        node, scale = np.unravel_index(
            rng.choice(weight.size, DRAWS, p=weight / weight.sum()), precision.shape
        )
        of_mean = precision[node, scale]
        mu = (gain[node, 0] + rng.standard_normal(DRAWS) * np.sqrt(of_mean)) / of_mean
        # Levels given the data: prior draws, moved by what draws of the data miss of the data.
        own = np.sqrt(variance[node]) * rng.standard_normal((DRAWS, len(component)))
        missed = y - mu[:, None] - own @ design.T - se * rng.standard_normal((DRAWS, len(se)))
        own += variance[node] * (np.einsum("rjk,rk->rj", inverse[node], missed) @ design)
        found = {"study": (mu[:, None] + own @ design.T, truth)}
        found["population"] = (mu[:, None], np.array([mean]))
        for new, name in enumerate(("new_study", "new_country", "new_sector")):
            fresh = [*({0, 3, new})]  # the study of a new place is always new
            kept = np.where(np.isin(component, fresh), 0, design)
            true_place, places = rng.integers(len(se)), rng.integers(len(se), size=DRAWS)
            made = sum(spreads[k] * float(draw(rng, (1,))[0]) for k in fresh)
            predicted = mu + np.einsum("rl,rl->r", own, kept[places])
            predicted += np.sqrt((tau[node][:, fresh] ** 2).sum(1)) * rng.standard_normal(DRAWS)
            known = mean + kept[true_place] @ parts + made
            found[name] = (predicted[:, None], np.array([known]))
        for name, (values, known) in found.items():
            low, high = np.quantile(values, [tail, 1 - tail], axis=0)
            hits.setdefault(name, []).append(float(np.mean((low <= known) & (known <= high))))
    return {k: (float(np.mean(v)), float(np.std(v) / np.sqrt(worlds))) for k, v in hits.items()}
