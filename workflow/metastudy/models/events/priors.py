"""Which prior each parameter of the model of events has: those of log-odds."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.models.priors import OF_METRIC, OF_MODERATORS, Prior

__all__ = ["METRIC", "prior_of"]

METRIC = "log_odds"
EFFECT, TAU = OF_METRIC[METRIC]
OF_PARAMETER = {
    "mu": EFFECT,
    "moderator": OF_MODERATORS[EFFECT],
    "outcome_tau": TAU,  # between the outcomes of a family
    "total_tau": TAU,
    "tau": TAU,  # of one component, whose prior is a share of it (component_prior)
    "apart_tau": TAU,
    "site_tau": TAU,
    "baseline": "prevalence",
    "association": "association",  # of two outcomes of a person
}


def prior_of(priors: Mapping[str, Prior], parameter: str) -> Prior:
    """The prior of a parameter.

    Parameters
    ----------
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    parameter : its name in the model, or one of its elements, such as ``tau[<exposure> study]``.

    Raises
    ------
    KeyError
        Where the model has no such parameter, or the configuration no such prior.
    """
    return priors[OF_PARAMETER[parameter.partition("[")[0]]]
