"""Random numbers and answer scales that the simulated studies share."""

from __future__ import annotations

import zlib

import numpy as np

__all__ = [
    "answers",
    "balanced",
    "codes_found",
    "correlated",
    "expit",
    "lapses",
    "logit",
    "stream",
]


def stream(seed: int, study: str) -> np.random.Generator:
    """A study's own random numbers, so that turning one study leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(study.encode())])


def balanced(rng: np.random.Generator, levels: list, n: int) -> np.ndarray:
    """Assign `n` persons to `levels` at random, in groups as equal as can be; shape (n,)."""
    return rng.permutation(np.resize(np.array(levels), n))


def correlated(rng: np.random.Generator, n: int, correlation: np.ndarray) -> np.ndarray:
    """Draw `n` standard normal vectors with the given correlation matrix; shape (n, k)."""
    return rng.standard_normal((n, len(correlation))) @ np.linalg.cholesky(correlation).T


def answers(
    latent: np.ndarray, level: float, low: int, high: int, reverse: bool = False
) -> np.ndarray:
    """Tick the answer nearest to a standard normal `latent` on a scale from `low` to `high`.

    `level` is the mean on that scale and one standard deviation is a fifth of its width. A reverse
    item is ticked on the other side of the scale, as a respondent does.
    """
    ticked = np.clip(np.rint(level + latent * (high - low) / 5), low, high)
    return low + high - ticked if reverse else ticked


def lapses(rng: np.random.Generator, n: int, shares: list[float]) -> np.ndarray:
    """Which answers are no answer: 0 for an answer, k for the k-th kind of lapse; shape (n,)."""
    return rng.choice(len(shares) + 1, n, p=[1 - sum(shares), *shares])


def codes_found(rng: np.random.Generator, present: np.ndarray, world: dict) -> np.ndarray:
    """Which codes a coder applies: the `present` ones, but for errors; shape of `present`."""
    chance = np.where(present, world["true_sensitivity"], 1 - world["true_specificity"])
    return rng.random(len(present)) < chance


def logit(p: float) -> float:
    """The log-odds of a probability."""
    return float(np.log(p / (1 - p)))


def expit(x: np.ndarray) -> np.ndarray:
    """The probability of log-odds."""
    return 1 / (1 + np.exp(-x))
