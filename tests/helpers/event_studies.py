"""Studies of 0/1 outcomes made by hand, and their posteriors by integration, without any draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import halfnorm, norm, t

from helpers.hand_made import answer_study
from metastudy.harmonized.study import Study
from metastudy.models.priors import priors_of

EXPOSURE = {"factor": "task_type", "type": "randomised"}
ARMS = ("complementary", "core")
PRIORS = priors_of(
    {
        "prevalence": 1.5,
        "effect_logit": {"family": "student_t", "scale": 0.9, "df": 2.5},
        "tau_logit": 0.5,
        "moderator_logit": 0.5,
        "association": 2.5,
    }
)
MU = np.linspace(-4, 4, 401)


def event_study(
    name: str,
    arm: Sequence[int],
    outcomes: dict[str, Sequence[float]],
    org: Sequence[str | None] | None = None,
    **place: Any,
) -> Study:
    """A study with an item from 0 to 1 for each outcome; NaN where there is no answer.

    Parameters
    ----------
    arm : zero or one for each person.
    """
    study = answer_study(
        name,
        {(c, None): 100 * np.asarray(values, dtype=float) for c, values in outcomes.items()},
        {"task_type": [ARMS[a] for a in arm]},
        list(outcomes),
        [EXPOSURE],
        org,
        **place,
    )
    table = study.measurements
    items = table.assign(item_id="q_" + table["construct"], scale_min=0.0, scale_max=1.0)
    return study.with_tables(measurements=items)


def of_counts(name: str, counts: Sequence[tuple[int, int]], **place: Any) -> Study:
    """A study of one outcome, of each arm the events and the people."""
    arm = np.repeat([0, 1], [n for _, n in counts])
    there = np.concatenate([np.arange(n) < k for k, n in counts]).astype(float)
    return event_study(name, list(arm), {"threat_job": there}, **place)


def profile(counts: Sequence[tuple[int, int]], effect: np.ndarray) -> np.ndarray:
    """Log-likelihood of an effect, the intercept integrated over its prior; shape of ``effect``."""
    baseline = np.linspace(-6, 6, 1201)
    total = norm.logpdf(baseline, 0, 1.5) + np.zeros((len(effect), 1))
    for x, (events, n) in zip((-0.5, 0.5), counts, strict=True):
        eta = baseline + x * effect[:, None]
        total = total + events * eta - n * np.logaddexp(0, eta)
    return np.asarray(logsumexp(total, axis=1))


def exact(settings: Sequence[Sequence[tuple[int, int]]]) -> tuple[pd.Series, pd.Series]:
    """Mean and SD of ``mu`` and ``tau`` of settings that differ in one component alone."""
    prior = t.logpdf(MU, 2.5, scale=0.9)
    if len(settings) == 1:
        return _moments({"mu": MU}, prior + profile(settings[0], MU))
    tau = (np.arange(120) + 0.5) / 120 * 2.5
    z, weight = np.polynomial.hermite_e.hermegauss(41)
    log = prior[:, None] + halfnorm.logpdf(tau, scale=0.5)
    effect = MU[:, None, None] + tau[:, None] * z
    for counts in settings:
        fine = np.linspace(effect.min(), effect.max(), 4001)
        given = np.interp(effect.ravel(), fine, profile(counts, fine)).reshape(effect.shape)
        log = log + logsumexp(given + np.log(weight / weight.sum()), axis=-1)
    mu, of_tau = np.broadcast_arrays(MU[:, None], tau)
    return _moments({"mu": mu, "tau": of_tau}, log)


def two_outcomes(one: Any, other: Any, log_odds_ratio: Any, y: np.ndarray) -> np.ndarray:
    """Probability of two 0/1 outcomes of given shares and odds ratio (Plackett 1965).

    Parameters
    ----------
    one, other : shares, shape (N,); the odds ratio's logarithm is of the same shape, or one number.
    y : which of the two, zero or one, shape (N, 2).
    """
    psi = np.exp(log_odds_ratio)
    s = 1 + (one + other) * (psi - 1)
    root = np.sqrt(s**2 - 4 * psi * (psi - 1) * one * other)
    both = np.where(np.abs(psi - 1) < 1e-9, one * other, 2 * psi * one * other / (s + root))
    table = np.stack([1 - one - other + both, other - both, one - both, both])
    return np.asarray(np.take_along_axis(table, (2 * y[:, 0] + y[:, 1])[None], axis=0)[0])


def _moments(values: dict[str, np.ndarray], log: np.ndarray) -> tuple[pd.Series, pd.Series]:
    weight = np.exp(log - logsumexp(log))
    mean = {name: float((weight * value).sum()) for name, value in values.items()}
    square = {n: float((weight * (v - mean[n]) ** 2).sum()) for n, v in values.items()}
    return pd.Series(mean), pd.Series(square) ** 0.5
