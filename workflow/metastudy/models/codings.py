"""Presence of codes in interviews, seen through coders who err."""

from __future__ import annotations

from collections.abc import Mapping

import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.cells import organisation_effects, pack_codes, unpack_codes
from metastudy.models.likelihoods import coded_cells, counted_cells
from metastudy.models.terms import linear, varying

__all__ = ["build"]


def build(cells: xr.Dataset, priors: Mapping[str, float], errors: bool = True) -> pm.Model:
    r"""Hierarchical logistic model of code presence with misclassification.

    .. math::
        \text{codings}_{oc} &\sim \text{latent class}(\pi_{oc}, s, t) \\
        \operatorname{logit} \pi_{oc} &= \alpha_c + \gamma_c x_o + u_o + v_{oc}
                                         + \textstyle\sum_t w_t[t(o)] \\
        \alpha_c &\sim N(\alpha_{f(c)}, \tau_\alpha^2), \quad
                    \gamma_c \sim N(\mu_{f(c)}, \tau_\gamma^2) \\
        u_o &\sim N(0, \tau_u^2), \quad v_{oc} \sim N(0, \tau_v^2)

    for code c of family f in organisation o; x is the organisational contrast (-1/2, +1/2) where
    the design has one, t runs over what else it identifies of country and sector. Sensitivity s and
    specificity t are pooled over codes, with s + t > 1, and errors of two coders are independent
    given the truth.

    Parameters
    ----------
    cells : counts of a module (:func:`metastudy.cells.code_cells`).
    priors : scales ``prevalence``, ``effect_logit``, ``tau_logit`` and the Beta parameters
        ``accuracy_a``, ``accuracy_b`` of the coders' sensitivity and specificity.
    errors : False takes every coding as true, the first coder's where there are two.
    """
    coords = {n: cells[n].values for n in ("organisation", "code", "family", "exposure")}
    family = [list(coords["family"]).index(name) for name in cells.family_of.values]
    with pm.Model(coords=coords) as model:
        single, double = unpack_codes(pm.Data("cells", pack_codes(cells, errors)), cells)

        mean = pm.Normal("prevalence", 0, priors["prevalence"], dims="family")
        spread = pm.HalfNormal("prevalence_tau", priors["prevalence"])
        alpha = varying("alpha", spread, ("code",), mean[family], centred=False)
        w = linear(organisation_effects(cells), None, priors["effect_logit"], priors["tau_logit"])
        logit = alpha[None, :] + w[:, None]
        if len(coords["exposure"]):
            mu = pm.Normal("contrast", 0, priors["effect_logit"], dims=("family", "exposure"))
            tau = pm.HalfNormal("code_tau", priors["tau_logit"], dims="exposure")
            gamma = varying("gamma", tau, ("code", "exposure"), mu[family], centred=False)
            logit = logit + pt.dot(cells.x.values, gamma.T)

        u = pm.HalfNormal("organisation_tau", priors["tau_logit"]) * pm.Normal(
            "organisation_z", dims="organisation"
        )
        v = pm.HalfNormal("organisation_code_tau", priors["tau_logit"]) * pm.Normal(
            "organisation_code_z", dims=("organisation", "code")
        )
        presence = pm.Deterministic(
            "presence", pm.math.sigmoid(logit + u[:, None] + v), dims=("organisation", "code")
        )
        if errors:
            s, t = _accuracy("sensitivity", priors), _accuracy("specificity", priors)
            log_likelihood = coded_cells(single, double, presence, s, t)
        else:
            log_likelihood = counted_cells(single, presence)
        pm.Potential("log_likelihood", log_likelihood)
    return model


def _accuracy(name: str, priors: Mapping[str, float]) -> TensorVariable:
    """A coder's accuracy, above one half: presence cannot swap with absence."""
    share = pm.Beta(f"{name}_share", priors["accuracy_a"], priors["accuracy_b"])
    return pm.Deterministic(name, 0.5 + 0.5 * share)
