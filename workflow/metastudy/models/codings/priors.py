"""Which prior each parameter of the model of codings has."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.models.priors import OF_METRIC, Prior

__all__ = ["prior_of"]

EFFECT, TAU = OF_METRIC["log_odds"]
OF_PARAMETER = {
    "contrast": EFFECT,
    "role_mean": EFFECT,  # of a role against the others
    "prevalence": "prevalence",
    "total_tau": TAU,
    "tau": TAU,  # of one component, whose prior is a share of it (component_prior)
    "apart_tau": TAU,
    "own_tau": TAU,
    "code_tau": TAU,
    "role_tau": TAU,
    "organisation_tau": TAU,
    "organisation_code_tau": TAU,
    "interview_tau": TAU,  # of the sensitivity analysis with an effect of the interview
    "sensitivity": "accuracy",
    "specificity": "accuracy",
}


def prior_of(priors: Mapping[str, Prior], parameter: str) -> Prior:
    """The prior of a parameter.

    Codes may differ in prevalence as much as the mean of all may differ from one half: the prior of
    ``prevalence_tau`` is the half of that of ``prevalence``.

    Parameters
    ----------
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    parameter : its name in the model, or one of its elements, such as ``code_tau[<exposure>]``.

    Raises
    ------
    KeyError
        Where the model has no such parameter, or the configuration no such prior.
    """
    name = parameter.partition("[")[0]
    if name == "prevalence_tau":
        return priors["prevalence"].half()
    return priors[OF_PARAMETER[name]]
