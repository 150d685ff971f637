"""Outcomes in standard units by hand, with loops and no library of ours."""

from __future__ import annotations

import math

import numpy as np

LEAST = 20  # degrees of freedom; with fewer in the reference arm, those within all arms


def in_standard_units(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One outcome in one setting: around the reference mean, in standard deviations of its people.

    Parameters
    ----------
    y : answers, NaN where there is none.
    x : randomised exposures, a row per person; below zero in all of them is the reference arm.
    """
    answered = ~np.isnan(y)
    reference = y[(x < 0).all(axis=1) & answered]
    groups = [reference]
    if len(reference) - 1 < LEAST:
        groups = [y[(x == arm).all(axis=1) & answered] for arm in np.unique(x, axis=0)]
    df = sum(len(group) - 1 for group in groups if len(group))
    square = sum(((group - group.mean()) ** 2).sum() for group in groups if len(group))
    corrected = math.sqrt(square / df) / (1 - 3 / (4 * df - 1))
    return np.asarray((y - reference.mean()) / corrected)
