"""Which prior each parameter of the second stage has: that of its metric."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.models.priors import OF_METRIC, OF_MODERATORS, Prior
from metastudy.synthesis.pooling import SecondStage

__all__ = ["CORRELATION", "PlanPriors", "as_in_plan", "keys_of_plan", "prior_of", "priors_of_plan"]

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
    return as_in_plan(priors[_keys(metric)[parameter.partition("[")[0]]], unit)


def as_in_plan(prior: Prior, unit: float) -> Prior:
    """A prior of standard deviations in a plan's unit; one of correlations has none."""
    return prior if unit == 1.0 or "scale" not in prior.numbers else prior.scaled(unit)


def _keys(metric: str) -> dict[str, str]:
    """The configuration's key of each parameter's prior."""
    effect, tau = OF_METRIC.get(metric, OF_METRIC["sd"])
    keys = {"mu": effect, "beta": OF_MODERATORS[effect]}
    keys |= dict.fromkeys(("total_tau", "tau", "apart_tau"), tau)
    return keys | {"outcome_tau": OUTCOMES.get(tau, tau)}


def keys_of_plan(metric: str, found: SecondStage) -> tuple[str, ...]:
    """The configuration's keys of the priors that the posterior of a plan depends on, each once.

    A mean around zero in its family has no prior of an effect, and without a spread between places
    there is none of a total.
    """
    keys, families = _keys(metric), found.families
    alone = families is None or bool((families.of_mean < 0).any())
    used = {
        keys["mu"]: alone or (families is not None and len(families.directed) > 0),
        keys["tau"]: bool(found.design.components),
        keys["beta"]: bool(found.slopes.names),
        CORRELATION: found.design.joint is not None,
    }
    used[keys["outcome_tau"]] = used.get(keys["outcome_tau"], False) or families is not None
    return tuple(key for key, has in used.items() if has)


def priors_of_plan(priors: Mapping[str, Prior], metric: str, found: SecondStage) -> PlanPriors:
    """The priors of a plan: means, totals, moderators, correlations of effects, spread in families.

    None stands for one that it does not need.
    """
    mean, tau = (prior_of(priors, name, metric, found.unit) for name in ("mu", "tau"))
    slope = prior_of(priors, "beta", metric, found.unit) if found.slopes.names else None
    outcomes = prior_of(priors, "outcome_tau", metric, found.unit) if found.families else None
    return mean, tau, slope, priors[CORRELATION] if found.design.joint else None, outcomes
