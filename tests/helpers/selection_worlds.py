"""Simulated publications of known selection: experiments of two arms, of which some come out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr

from metastudy.harmonized import schema

__all__ = ["experiments", "findings"]

FINDING = {
    "study_id": "found",
    "contrast": "a against b",
    "exposure_type": "randomised",
    "outcome": "willingness",
    "metric": "sd",
    "standardiser": "pooled_sd",
    "verification": "published_numeric",
}


def experiments(
    rng: np.random.Generator,
    published: float,
    number: int = 30,
    mean: float = 0.1,
    tau: float = 0.1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Published differences in pooled SDs, their errors, and those without the difference.

    Parameters
    ----------
    published : share of the experiments without a t-test below 0.025 (one-sided) that come out.
    """
    found: list[tuple[float, float, float]] = []
    while len(found) < number:
        n = int(rng.integers(30, 401))
        one, other = n // 2, n - n // 2
        a, b = rng.normal(rng.normal(mean, tau), 1, one), rng.normal(0, 1, other)
        within = (a.var() * one + b.var() * other) / (n - 2)
        d, alone = (a.mean() - b.mean()) / np.sqrt(within), np.sqrt(1 / one + 1 / other)
        if 1 - stdtr(n - 2, d / alone) < 0.025 or rng.random() < published:
            found.append((d, float(np.sqrt(alone**2 + d**2 / (2 * (n - 2)))), alone))
    y, se, alone = np.array(found).T
    return y, se, alone


def findings(y: np.ndarray, se: np.ndarray, alone: np.ndarray, **more: object) -> pd.DataFrame:
    """The same as harmonized published findings, with arms of the same size; simulated."""
    rows = [
        FINDING
        | {"finding_id": f"F{k}", "citation": f"study{k}", "provenance": "simulated"}
        | {"estimate": a, "se": b, "n": 4 / c**2, "direction": "positive" if a > 0 else "negative"}
        | more
        for k, (a, b, c) in enumerate(zip(y, se, alone, strict=True))
    ]
    return pd.concat([schema.empty("effects"), schema.shape("effects", pd.DataFrame(rows))])
