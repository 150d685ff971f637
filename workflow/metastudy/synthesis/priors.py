"""Which prior each parameter of the second stage has: that of its metric."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.models.priors import OF_METRIC, Prior

__all__ = ["prior_of"]


def prior_of(priors: Mapping[str, Prior], parameter: str, metric: str) -> Prior:
    """The prior of a parameter of the second stage.

    Parameters
    ----------
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    parameter : ``mu``, ``difference`` or ``tau``, or an element such as ``tau[<estimand> study]``.
    metric : of the estimates; the exploratory model is in standard deviations, ``sd``.

    Raises
    ------
    KeyError
        Where the second stage has no such parameter or metric, or the configuration no such prior.
    """
    effect, tau = OF_METRIC[metric]
    return priors[{"mu": effect, "difference": effect, "tau": tau}[parameter.partition("[")[0]]]
