"""Means of the arms of an experiment, from the mean of a setting and the effect of a factor.

A model has one mean for each setting and outcome, and the effects of the exposures around it. What
the mean is of follows from how :func:`metastudy.models.answers.rows.rows_of` codes a factor: one of
two levels is -1/2 and 1/2, so the mean lies halfway between its arms; the other levels of a factor
with more are 0 and 1, so the mean is that of the reference arm.
"""

from __future__ import annotations

import numpy as np

__all__ = ["arms"]


def arms(mean: np.ndarray, effect: np.ndarray, level: str) -> tuple[np.ndarray, np.ndarray]:
    """Means of the reference arm and of the other one, in the unit of both arguments.

    Parameters
    ----------
    mean, effect : draws of a setting's mean and of the factor's effect there, of the same shape.
    level : of a factor with more than two levels the one beside the reference; else empty.
    """
    reference = mean if level else mean - effect / 2
    return reference, reference + effect
