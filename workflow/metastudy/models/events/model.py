"""Outcomes that a person has or has not: a hierarchical logistic regression of counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.algebra import product
from metastudy.models.answers.design import clustered
from metastudy.models.answers.effect_terms import outcome_effects
from metastudy.models.data_vector import given
from metastudy.models.events.density import Patterns
from metastudy.models.events.design import (
    NODES,
    WEIGHTS,
    over_unknown_sites,
    predictors,
    site_information,
)
from metastudy.models.events.patterns import asked_of_groups, first_pairs, is_joint, pair_names
from metastudy.models.events.priors import prior_of
from metastudy.models.likelihoods import binomial_cells
from metastudy.models.priors import Prior
from metastudy.models.terms import informed, likelihood, spread, varying

__all__ = ["build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    r"""Hierarchical logistic regression of 0/1 outcomes on the exposures.

    .. math::
        k_{gk} &\sim \operatorname{Binomial}(n_{gk}, \pi_{gk}), \qquad
            \operatorname{logit} \pi_{gk} = \alpha_{sk} + b_{sk}' x_g \\
        \alpha_{sk} &\sim N(\alpha_{jk}, \tau_{\alpha k}^2), \qquad
            b_{spk} \sim N(\beta_{jpk}, \tau_{pk}^2) \\
        \beta_{jpk} &= \mu_{pkr(j)} + \textstyle\sum_t u_{tpk}[t(j)],
            \qquad u_{tpk} \sim N(0, \phi_{tpk} T_{pk}^2)

    Of the n people of group g, who are at site s in setting j and have the same exposures x, k have
    outcome k. Terms t are the components that the design identifies of study, country, sector and
    setting; they share the total T uniformly, as those of scores do
    (:mod:`metastudy.models.answers.model`), and so are moderators in beta. Intercepts are each
    setting's own. Where sites vary, an effect is within a site (conditional), in all settings: the
    counts of people whose site nobody knows are taken as those of an average over sites that vary
    as much as the known ones,

    .. math:: \pi_{gk} = \int \operatorname{logit}^{-1} \left( \alpha_{jk} + \beta_{jk}' x_g + z
              \sqrt{\tau_{\alpha k}^2 + \textstyle\sum_p x_{gp}^2 \tau_{pk}^2} \right) \phi(z)\, dz

    Where no known sites vary, all effects are of such averages (marginal).

    Where people answered several outcomes, the pattern y of a person's has the probability

    .. math:: q_g(y) \propto \exp \Big( \textstyle\sum_k \theta_{gk} y_k + \sum_{k<m} \gamma_{jkm}
              y_k y_m \Big), \qquad \textstyle\sum_y y_k q_g(y) = \pi_{gk}

    theta follows from the second equation, so each outcome by itself has the model above, whatever
    the associations gamma are; of one outcome nothing else is left. They are each setting's own,
    and independent of the shares in the information, so what is said of one outcome stays
    (:class:`metastudy.models.events.density.Patterns`). Sites vary by each outcome independently.

    Parameters
    ----------
    cells : counts of a module (:func:`metastudy.models.events.cells.event_cells`).
    priors : ``prevalence``, ``effect_logit`` and ``tau_logit``, ``moderator_logit`` where there are
        moderators, and ``association`` where there are patterns; which parameter has which is in
        :mod:`metastudy.models.events.priors`.

    Returns
    -------
    pymc.Model
        With ``mu`` (estimand), ``beta`` (setting, exposure, outcome), ``baseline`` (setting,
        outcome), every standard deviation, ``log_likelihood`` (up to a constant) and ``log_prior``;
        what a refit changes is one array of data, ``given``.
    """
    names = ("setting", "site", "coefficient", "exposure", "construct", "vignette", "outcome")
    with pm.Model(coords={name: cells[name].values for name in names}) as model:
        (n, events, *people, rough), symbolic, (fixed_tau, fixed_outcomes) = given(cells, priors)
        prior = partial(prior_of, symbolic)

        beta = outcome_effects(cells, prior, fixed_tau, fixed_outcomes, rough)
        baseline = prior("baseline").variable("baseline", dims=("setting", "outcome"))
        b = pt.concatenate([baseline[:, None, :], beta], axis=1)[cells.setting_of_site.values]
        if len(many := clustered(cells)):
            model.add_coord("clustered_site", cells.site.values[many])
            tau = spread("site_tau", prior("site_tau"), fixed_tau, ("coefficient", "outcome"))
            centred = informed(site_information(cells)[many], prior_of(priors, "site_tau").scale)
            dims = ("clustered_site", "coefficient", "outcome")
            b = pt.set_subtensor(b[many], varying("site_effect", tau, dims, b[many], centred))

        x = predictors(cells)  # (group, coefficient)
        log_odds = product(x[:, None, :], b[cells.site_of_group.values])[:, 0, :]
        if len(over := over_unknown_sites(cells)):
            log_odds = pt.set_subtensor(log_odds[over], _average(log_odds[over], x[over], tau))
        if not is_joint(cells):
            likelihood(binomial_cells(n, events, log_odds))
            return model
        model.add_coord("pair_of", pair_names(cells))
        association = prior("association").variable("association", dims="pair_of")
        likelihood(pattern_cells(cells, people[0], log_odds, association))
    return model


def pattern_cells(
    cells: xr.Dataset, people: TensorVariable, log_odds: TensorVariable, association: TensorVariable
) -> TensorVariable:
    """Log-likelihood of people by their patterns of outcomes, from the log-odds of each."""
    first = np.searchsorted(cells.group_of_block.values, np.arange(cells.sizes["group"] + 1))
    where = asked_of_groups(cells), first_pairs(cells), cells.answered.values
    return Patterns()(people, log_odds, association, first, *where)[0]


def _average(log_odds: TensorVariable, x: np.ndarray, tau: TensorVariable) -> TensorVariable:
    """Log-odds of an average over sites, from those of the one in the middle; (group, outcome)."""
    sd = pt.sqrt(product(x**2, tau**2))
    each = log_odds[..., None] + sd[..., None] * NODES
    there, absent = (pt.sum(WEIGHTS * pt.sigmoid(sign * each), axis=-1) for sign in (1, -1))
    return pt.log(there) - pt.log(absent)
