"""Which prior each parameter of the second stage has: that of its metric."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.models.priors import OF_METRIC, OF_MODERATORS, Prior
from metastudy.synthesis.pooling import SecondStage

__all__ = ["CORRELATION", "PlanPriors", "prior_of", "priors_of_plan"]

# Of means and totals, of moderators, of correlations between effects, and between the outcomes of a
# family.
type PlanPriors = tuple[Prior, Prior, Prior | None, Prior | None, Prior | None]

CORRELATION = "effect_correlation"  # key of the prior
# Key of the prior between the outcomes of a family by that of totals; in log-odds it is the same.
OUTCOMES = {"tau": "outcomes"}


def prior_of(priors: Mapping[str, Prior], parameter: str, metric: str, unit: float = 1.0) -> Prior:
    """The prior of a parameter of the second stage.

    Parameters
    ----------
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    parameter : ``mu``, ``beta`` of moderators, ``total_tau``, ``tau`` or ``outcome_tau``, or an
        element such as ``tau[<estimand> study]``; that of one component is a share of it
        (:func:`metastudy.models.priors.component_prior`).
    metric : of the estimates; the exploratory model is in standard deviations, ``sd``.
    unit : what takes the place of one standard deviation (:func:`metastudy.synthesis.pooling
        .unit_of`); a metric without priors of its own has those of standard deviations, times it.

    Raises
    ------
    KeyError
        Where the second stage has no such parameter, or the configuration no such prior.
    """
    effect, tau = OF_METRIC.get(metric, OF_METRIC["sd"])
    keys = {"mu": effect, "beta": OF_MODERATORS[effect]}
    keys |= dict.fromkeys(("total_tau", "tau", "apart_tau"), tau)
    keys["outcome_tau"] = OUTCOMES.get(tau, tau)
    prior = priors[keys[parameter.partition("[")[0]]]
    return prior if unit == 1.0 else prior.scaled(unit)


def priors_of_plan(priors: Mapping[str, Prior], metric: str, found: SecondStage) -> PlanPriors:
    """The priors of a plan: means, totals, moderators, correlations of effects, spread in families.

    None stands for one that it does not need.
    """
    mean, tau = (prior_of(priors, name, metric, found.unit) for name in ("mu", "tau"))
    slope = prior_of(priors, "beta", metric, found.unit) if found.slopes.names else None
    outcomes = prior_of(priors, "outcome_tau", metric, found.unit) if found.families else None
    return mean, tau, slope, priors[CORRELATION] if found.design.joint else None, outcomes
