"""Presence of codes in interviews, seen through coders who err."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.models.algebra import product
from metastudy.models.codings.design import levels_of_codes, organisation_design
from metastudy.models.codings.priors import prior_of
from metastudy.models.codings.readings import first_readings, interviews, shares_of_families
from metastudy.models.codings.roles import role_terms, slopes
from metastudy.models.data_vector import PERFECT, given, pack
from metastudy.models.likelihoods import coded_cells
from metastudy.models.priors import Prior
from metastudy.models.terms import components, likelihood, spread, varying

__all__ = ["build", "coords_of", "error_free", "log_odds"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    r"""Hierarchical logistic model of code presence with misclassification.

    .. math::
        \text{codings}_{oc} &\sim \text{latent class}(\pi_{oc}, s, t) \\
        \operatorname{logit} \pi_{oc} &= \alpha_c + \gamma_c' x_o + \rho_{cr(o)} + u_{i(o)} + v_{oc}
            + \textstyle\sum_t \left( w_{tf(c)}[t(o)] + e_{tc}[t(o)] \right) \\
        \alpha_c &\sim N(\alpha_{f(c)}, \tau_\alpha^2), \quad
                    \gamma_c \sim N(\mu_{f(c)}, \tau_\gamma^2) \\
        w_{tf} &\sim N(0, \phi_t T^2), \quad e_{tc} \sim N(0, \tau_t^2), \quad
                    u_i \sim N(0, \tau_u^2), \quad v_{oc} \sim N(0, \tau_v^2)

    for code c of family f in unit o, an organisation i or one role in it; x holds the contrasts
    (-1/2, +1/2) of the exposures, zero in studies without them, and one for each role that was
    compared; rho, of a role that is compared with no other, is around a mean of its family as gamma
    is (:mod:`metastudy.models.codings.roles`). Terms t are the components that the
    design identifies of study, country and sector: w shifts all codes of a family and shares the
    total T; e is a code's own part, for codes that were looked for in two levels or more.
    Sensitivity s and specificity t are pooled over codes, with s + t > 1, and errors of two coders
    are independent given the truth.

    Parameters
    ----------
    cells : counts of a module (:func:`metastudy.models.codings.cells.code_cells`).
    priors : ``prevalence``, ``effect_logit``, ``tau_logit`` and ``accuracy``; which parameter has
        which is in :mod:`metastudy.models.codings.priors`.

    Returns
    -------
    pymc.Model
        With ``contrast`` (family, exposure), ``gamma`` (code, exposure), ``presence``
        (organisation, code), ``log_likelihood`` and ``log_prior``; what a refit changes is one
        array of data, ``given``.
    """
    with pm.Model(coords=coords_of(cells)) as model:
        (single, double), symbolic, (fixed, _) = given(cells, priors)
        prior = partial(prior_of, symbolic)
        everywhere, asked, seen = log_odds(cells, prior, fixed)
        pm.Deterministic("presence", pm.math.sigmoid(everywhere), dims=("organisation", "code"))
        accuracy = [prior(name).variable(name) for name in ("sensitivity", "specificity")]
        # Only cells with interviews: of the others there is nothing to say, at the same cost.
        likelihood(coded_cells(single[seen], double[seen], pm.math.sigmoid(asked), *accuracy))
    return model


def coords_of(cells: xr.Dataset) -> dict[str, Sequence[str]]:
    """Coordinates of a model of codings; a contrast of one role of several is one by itself."""
    found = {n: cells[n].values for n in ("organisation", "code", "family")}
    return found | {"exposure": slopes(cells).label, "of_exposure": cells["exposure"].values}


def log_odds(
    cells: xr.Dataset, prior: Callable[[str], Prior], fixed: TensorVariable
) -> tuple[TensorVariable, TensorVariable, tuple[np.ndarray, ...]]:
    """Log-odds that a code is truly present in a unit, in the model that is being built.

    Parameters
    ----------
    prior : takes the name of a parameter to its prior.
    fixed : standard deviation between groups, or not above zero
        (:func:`metastudy.models.terms.spread`).

    Returns
    -------
    everywhere, asked, seen
        Log-odds of all codes, shape (organisation, code); those that were looked for, one after the
        other; and their places in the first. What a unit was not asked has no effect of its own.
    """
    model = pm.modelcontext(None)
    family = [list(cells.family.values).index(name) for name in cells.family_of.values]

    # Data know the mean where they are, not the mean and the levels around it: so that one is
    # sampled, and the population's follows. It is the same prior, without a ridge.
    design = organisation_design(cells)
    shift = _shifts(cells, prior, fixed)  # (organisation, family)
    here = (shares_of_families(cells) * shift.T).sum(axis=-1)
    mean = prior("prevalence").variable("prevalence_here", here, dims="family")
    pm.Deterministic("prevalence", mean - here, dims="family")
    between_codes = prior("prevalence_tau").variable("prevalence_tau")
    alpha = varying("alpha", between_codes, ("code",), (mean - here)[family], centred=False)
    logit = alpha[None, :] + shift[:, family]
    if cells.sizes["exposure"]:
        of, dims = slopes(cells), ("code", "exposure")
        mu = prior("contrast").variable("contrast", dims=("family", "exposure"))
        between_codes = prior("code_tau").variable("code_tau", dims="of_exposure")[of.exposure]
        gamma = varying("gamma", between_codes, dims, mu[family], centred=False)
        logit = logit + product(of.x, gamma.T)
    names, roles = role_terms(cells)
    if names:
        model.add_coord("own_role", names)
        mu = prior("role_mean").variable("role_mean", dims=("family", "own_role"))
        tau, dims = prior("role_tau").variable("role_tau"), ("code", "own_role")
        logit = logit + product(roles, varying("role_code", tau, dims, mu[family], centred=False).T)

    level, code = levels_of_codes(cells)
    if len(level):
        tau = spread("own_tau", prior("own_tau"), fixed, "tau_of")[design.component_of[level]]
        own = tau * pm.Normal("own_z", shape=len(level))
        of_level = pt.zeros((len(design.levels) + 1, cells.sizes["code"]))
        of_level = pt.set_subtensor(of_level[level, code], own)
        pm.Deterministic("own", of_level[:-1], dims=("level_of", "code"))
        logit = logit + of_level[design.level_of].sum(axis=1)

    sites, site = np.unique(cells.site.values, return_inverse=True)
    model.add_coord("site", sites)
    tau = spread("organisation_tau", prior("organisation_tau"), fixed)
    u = tau * pm.Normal("organisation_z", dims="site")
    seen = interviews(cells).values.nonzero()
    tau = spread("organisation_code_tau", prior("organisation_code_tau"), fixed)
    v = tau * pm.Normal("organisation_code_z", shape=len(seen[0]))
    logit = logit + u[site, None]
    asked = logit[seen] + v
    return pt.set_subtensor(logit[seen], asked), asked, seen


def _shifts(cells: xr.Dataset, prior: Any, fixed: TensorVariable) -> TensorVariable:
    """Shift of every family in every unit, around the families' means: (organisation, family)."""
    design = organisation_design(cells)
    if not design.levels:
        return pt.zeros((cells.sizes["organisation"], cells.sizes["family"]))
    model = pm.modelcontext(None)
    model.add_coord("level_of", design.levels)
    tau = components(design, prior("total_tau"), prior("apart_tau"), fixed)[design.component_of]
    dims = ("level_of", "family")
    level = varying("level", tau[:, None], dims, 0.0, centred=False)
    nothing = pt.zeros((1, cells.sizes["family"]))
    return pt.concatenate([level, nothing])[design.level_of].sum(axis=1)


def error_free(cells: xr.Dataset, priors: Mapping[str, Prior]) -> dict[str, np.ndarray]:
    """Data for the fit in which the first coder's codings are taken as true."""
    return {"error_free": pack(first_readings(cells), {**priors, **PERFECT})}
