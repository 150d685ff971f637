"""Answers to a scale as a data report shows them: each by itself, or in bins where there are many.

Whoever judges what a report tells of answers has to know how it counts them: so both ask here.
"""

from __future__ import annotations

import numpy as np

__all__ = ["BINS", "MOST_STEPS", "bins"]

MOST_STEPS = 11  # a scale of more answers is shown in bins
BINS = 10


def bins(low: float, high: float, whole: bool = True) -> np.ndarray | None:
    """Give the ends of the bins in which answers are counted; none where each answer is.

    Parameters
    ----------
    low, high : the ends of the scale.
    whole : whether all answers are whole numbers.

    Returns
    -------
    Shape (BINS + 1,). A bin has its lower end and not its upper one, but the last, which has both.

    >>> bins(1, 7), bins(0, 100)
    (None, array([  0.,  10.,  20.,  30.,  40.,  50.,  60.,  70.,  80.,  90., 100.]))
    """
    whole = whole and float(low).is_integer() and float(high).is_integer()
    return None if whole and high - low < MOST_STEPS else np.linspace(low, high, BINS + 1)
