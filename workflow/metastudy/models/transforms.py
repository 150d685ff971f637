"""Forms between the centred and the non-centred one, chosen by what the data say of each effect."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

from metastudy.models.algebra import product

__all__ = ["NearData", "OrderedNear"]

STEP = 0.2  # of thresholds and of the logarithms of their distances, where a chain may start


class NearData(Transform):
    r"""A normal effect, sampled as its distance from what prior and data would make of it alone.

    .. math:: z = \frac{\theta - m}{s}, \qquad
              \frac1{s^2} = \frac1{\tau^2} + \frac1{e^2}, \qquad
              m = s^2 \left( \frac{c}{\tau^2} + \frac{y}{e^2} \right)

    for an effect :math:`\theta \sim N(c, \tau^2)` with an estimate y of variance e squared. Little
    information makes it the non-centred form, much of it the centred one (Papaspiliopoulos, Roberts
    and Sköld 2007, A general framework for the parametrization of hierarchical models). The
    distribution is the same whatever y and e are; they decide how well it samples.

    Parameters
    ----------
    estimate, square : estimates and their variances, in the shape of the effects; of data, or
        numbers.
    """

    name = "near"
    ndim_supp = 0

    def __init__(self, estimate: TensorVariable, square: TensorVariable) -> None:
        self.estimate, self.square = estimate, square

    def _moments(self, *inputs: TensorVariable) -> tuple[TensorVariable, TensorVariable]:
        centre, sd = inputs[-2:]
        share = sd**2 / (sd**2 + self.square)
        return centre + share * (self.estimate - centre), sd * pt.sqrt(1 - share)

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From the effect to z."""
        mean, sd = self._moments(*inputs)
        return (value - mean) / sd

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From z to the effect."""
        mean, sd = self._moments(*inputs)
        return mean + sd * value

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Logarithm of the derivative of the effect by z."""
        _, sd = self._moments(*inputs)
        return pt.log(sd) + pt.zeros_like(value)


class OrderedNear(Transform):
    r"""Ordered numbers of several items: a middle one of each, and logarithms of steps from it.

    .. math:: \kappa_{ma} = c_{ma} + d \textstyle\sum_n L_{mn} z_{na}, \qquad
              \kappa_{ml} - \kappa_{m,l-1} = (c_{ml} - c_{m,l-1})\, e^{d z}

    with the z of the number that is farther from the middle, a, which is the one of c nearest to
    zero. Steps from the first one on would hang together with it wherever few answers lie below
    it: it would be known badly, and all that lie above it well. L is a root of how alike the
    answers to the items are, as middle ones go up and down together. A chain starts up to one away
    from zero in z. So it starts near the numbers c, and not where answers that were given have no
    probability to speak of.

    Parameters
    ----------
    around : the numbers c, ordered in the last dimension, shape (item, boundary).
    alike : correlations of the items, shape (item, item).
    """

    name = "ordered_near"
    ndim_supp = 2

    def __init__(self, around: np.ndarray, alike: np.ndarray) -> None:
        number, many = around.shape
        middle = np.abs(around).argmin(axis=1)[:, None]
        place = np.arange(1, many)
        self.items = np.arange(number)[:, None]
        self.middle, self.start = middle, np.take_along_axis(around, middle, axis=1)
        self.root = STEP * np.linalg.cholesky(alike)
        # Of each step, which is from one number to the next, the one farther from the middle.
        self.farther = np.where(place > middle, place, place - 1)
        self.steps = np.log(np.diff(around, axis=1))

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From what is sampled to ordered numbers."""
        steps = pt.exp(self.steps + STEP * value[self.items, self.farther])
        place = pt.concatenate([pt.zeros_like(value[:, :1]), pt.cumsum(steps, axis=1)], axis=1)
        middle = self.start + product(pt.as_tensor(self.root), value[self.items, self.middle])
        return middle + place - place[self.items, self.middle]

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From ordered numbers to what is sampled."""
        steps = (pt.log(value[:, 1:] - value[:, :-1]) - self.steps) / STEP
        inverse = pt.as_tensor(np.linalg.inv(self.root))
        middle = product(inverse, value[self.items, self.middle] - self.start)
        found = pt.set_subtensor(pt.zeros_like(value)[self.items, self.farther], steps)
        return pt.set_subtensor(found[self.items, self.middle], middle)

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Logarithm of the determinant of the derivatives, one for all items together."""
        steps = self.steps + STEP * value[self.items, self.farther] + np.log(STEP)
        return steps.sum() + np.log(np.diag(self.root)).sum()
