"""What brings raw shares of codings to the terms of the model: coders' errors.

The model speaks of the code that is truly there; raw shares are of what a coder applied.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["accuracy"]

ROUNDS = 2000  # of expectation and maximization; far beyond what changes a printed number
LOWEST, HIGHEST = 0.5 + 1e-6, 1 - 1e-6  # presence cannot swap with absence
APPLIED = np.array([2, 1, 1, 0])  # coders of two who applied a code, by pattern


def accuracy(cells: xr.Dataset) -> tuple[float, float]:
    """Sensitivity and specificity of coders by maximum likelihood from what two of them read.

    Codes have their own prevalence and share the accuracies; coders are independent given the truth
    (Dawid and Skene 1979). One and one where nothing was read twice.

    Parameters
    ----------
    cells : with ``double`` (organisation, code, agreement).
    """
    counts = cells["double"].sum("organisation").transpose("code", "agreement").values
    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        return 1.0, 1.0
    n = counts.sum(axis=1)
    p = (counts @ APPLIED + 1) / (2 * n + 2)
    s = t = 0.9
    for _ in range(ROUNDS):
        present = p[:, None] * s**APPLIED * (1 - s) ** (2 - APPLIED)
        absent = (1 - p)[:, None] * (1 - t) ** APPLIED * t ** (2 - APPLIED)
        there = counts * present / (present + absent)
        gone = counts - there
        p = np.clip(there.sum(axis=1) / n, 1 - HIGHEST, HIGHEST)
        s = float(np.clip((there @ APPLIED).sum() / (2 * there.sum()), LOWEST, HIGHEST))
        t = float(np.clip((gone @ (2 - APPLIED)).sum() / (2 * gone.sum()), LOWEST, HIGHEST))
    return s, t
