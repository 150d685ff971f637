"""Forms between the centred and the non-centred one, chosen by what the data say of each effect."""

from __future__ import annotations

import pytensor.tensor as pt
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

__all__ = ["NearData"]


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
