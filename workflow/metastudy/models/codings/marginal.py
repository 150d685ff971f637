"""From log-odds within a group to shares over groups, and back.

Within a group a code has log-odds; over groups whose log-odds are normal around a mean its share is
the mean of theirs, which is nearer to one half. What is said within is called conditional, what is
said over groups marginal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

__all__ = ["conditional", "marginal", "quadrature", "slope"]

NODES = 41
BOUND = 40.0  # log-odds beyond this are of shares that no number of interviews tells from zero
HALVINGS = 40  # of the search for log-odds; far below a printed digit


def quadrature(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Hermite for a mean over a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(number)
    return nodes, weights / weights.sum()


def marginal(log_odds: Any, sd: Any, number: int = NODES) -> Any:
    """Share over groups with these log-odds in the middle, normal with this standard deviation.

    Parameters
    ----------
    log_odds, sd : arrays that go together, labelled or not.
    """
    parts = zip(*quadrature(number), strict=True)
    return sum(weight * expit(log_odds + node * sd) for node, weight in parts)


def slope(log_odds: ArrayLike, sd: ArrayLike, number: int = NODES) -> np.ndarray:
    """Derivative of :func:`marginal` by the log-odds."""
    nodes, weights = quadrature(number)
    share = expit(np.asarray(log_odds)[..., None] + nodes * np.asarray(sd)[..., None])
    return np.asarray((share * (1 - share)) @ weights)


def conditional(share: ArrayLike, sd: ArrayLike, number: int = NODES) -> np.ndarray:
    """Log-odds in the middle of groups with this share over all of them: undoes :func:`marginal`.

    Parameters
    ----------
    share : inside the unit interval, any shape.
    sd : standard deviation of the groups' log-odds; goes together with it.
    """
    nodes, weights = quadrature(number)
    apart = nodes * np.asarray(sd)[..., None]
    middle, step = np.zeros(np.broadcast(share, sd).shape), BOUND / 2
    for _ in range(HALVINGS):
        below = expit(middle[..., None] + apart) @ weights < share
        middle, step = np.where(below, middle + step, middle - step), step / 2
    return middle
