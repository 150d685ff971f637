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
    df, sd, centre = _of_people(y, x)
    return np.asarray((y - centre) / (sd / (1 - 3 / (4 * df - 1))))


def degrees_of_freedom(y: np.ndarray, x: np.ndarray) -> int:
    """Of the standard deviation that :func:`in_standard_units` divides by."""
    return _of_people(y, x)[0]


def _of_people(y: np.ndarray, x: np.ndarray) -> tuple[int, float, float]:
    answered = ~np.isnan(y)
    reference = y[(x < 0).all(axis=1) & answered]
    groups = [reference]
    if len(reference) - 1 < LEAST:
        groups = [y[(x == arm).all(axis=1) & answered] for arm in np.unique(x, axis=0)]
    df = sum(len(group) - 1 for group in groups if len(group))
    square = sum(((group - group.mean()) ** 2).sum() for group in groups if len(group))
    return df, math.sqrt(square / df), float(reference.mean())
