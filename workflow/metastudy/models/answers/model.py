"""Several correlated answers per person: experiments and surveys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable
from scipy.special import digamma, polygamma

from metastudy.models.algebra import product
from metastudy.models.answers.design import clustered, site_information
from metastudy.models.answers.effect_terms import outcome_effects
from metastudy.models.answers.priors import prior_of
from metastudy.models.answers.standardisers import small_sample
from metastudy.models.data_vector import given
from metastudy.models.likelihoods import gaussian_cells
from metastudy.models.priors import Prior
from metastudy.models.terms import informed, likelihood, spread, varying

__all__ = ["build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    r"""Hierarchical multivariate regression of a person's answers on the exposures.

    .. math::
        y_i &\sim N(B_s' x_i, \Sigma_j) \\
        B_{spk} &\sim N(\kappa_{dk} \beta_{jpk}, \kappa_{dk}^2 \tau_{pk}^2), \qquad
            \log \kappa_{dk} \sim N(m(f_{dk}), v(f_{dk})) \\
        \beta_{jpk} &= \mu_{pc(k)r(j)} + \textstyle\sum_t u_{tpc(k)}[t(j)] + w_{pc(k)}[v(k)],
            \qquad u_{tpc} \sim N(0, \phi_{tpc} T_{pc}^2) \\
        \mu_{pcr} &\sim N(s_c m_{pf(c)r}, \omega_{pf(c)r}^2) \\
        \Sigma_j &= D_{\sigma_j} (R_{construct} \otimes R_{vignette}) D_{\sigma_j}

    Person i is at site s in setting j, a study d in a country and a sector with people of role r.
    Outcome k is a construct c of family f in a vignette v. Terms t are the components that the
    design identifies of study, country, sector and setting; they share the total T of the exposure
    p and the construct, uniformly. Vignettes w and sites have standard deviations of their own.
    Where studies declare moderators x, a term x' eta of each exposure, construct and role is in
    beta as well, and mu is where all of them are at their place
    (:mod:`metastudy.models.answers.moderators`).
    Intercepts are each setting's own: levels of answers do not compare across studies, contrasts
    do. Answers are in units of a standard deviation that was estimated with f degrees of freedom;
    kappa is the true one in units of it, so that effects, and how much they differ between sites,
    are in units of the true one and have its error in them. Of a site's intercept beta is the
    setting's, in the units of the answers. The error of kappa is independent of that of a slope;
    of a measured trait the two make up for each other in part, so that its intervals are too wide,
    by 2 % at a correlation of 0.16 and 25 % at 0.5; the second stage has both
    (:mod:`metastudy.models.answers.estimates`).
    Effects whose priors are wide beside them draw log kappa down, each by its variance v at most,
    about 1 / (2 f): with a hundred degrees of freedom an effect is larger by 0.5 % for each.

    Parameters
    ----------
    cells : cross-products of a module (:func:`metastudy.models.answers.cells.answer_cells`).
    priors : ``baseline``, ``effect``, ``tau``, ``outcomes``, ``sigma`` and ``correlation``, and
        ``moderator`` where there are some; which parameter has which is in
        :mod:`metastudy.models.answers.priors`.

    Returns
    -------
    pymc.Model
        With ``mu`` (estimand), ``beta`` (setting, exposure, outcome), every standard
        deviation, ``log_likelihood`` (up to a constant) and ``log_prior``; what a refit changes is
        one array of data, ``given``.
    """
    names = ("setting", "site", "coefficient", "exposure", "construct", "vignette", "outcome")
    coords = {name: cells[name].values for name in names}
    size = {name: len(values) for name, values in coords.items()}
    setting_of_site, site_of_cell = cells.setting_of_site.values, cells.site_of_cell.values
    with pm.Model(coords=coords) as model:
        (n, xx, xy, yy, rough), symbolic, (fixed_tau, fixed_outcomes) = given(cells, priors)
        prior = partial(prior_of, symbolic)

        beta = outcome_effects(cells, prior, fixed_tau, fixed_outcomes, rough)
        baseline = prior("baseline").variable("baseline", dims=("setting", "outcome"))
        studies, study_of_setting = np.unique(cells.study.values, return_inverse=True)
        model.add_coord("study", studies)
        kappa = pm.LogNormal("standardiser", *_true_sd(cells), dims=("study", "outcome"))
        unit = kappa[study_of_setting][:, None, :]  # of a setting, for all coefficients
        slopes = unit * beta
        b = pt.concatenate([baseline[:, None, :], slopes], axis=1)[setting_of_site]
        if len(many := clustered(cells)):
            model.add_coord("clustered_site", coords["site"][many])
            tau = spread("site_tau", prior("site_tau"), fixed_tau, ("coefficient", "outcome"))
            centred = informed(site_information(cells)[many], prior_of(priors, "site_tau").scale)
            dims = ("clustered_site", "coefficient", "outcome")
            sd = unit[setting_of_site[many]] * tau
            b = pt.set_subtensor(b[many], varying("site_effect", sd, dims, b[many], centred))

        sigma = prior("sigma").variable("sigma", dims=("setting", "outcome"))
        chol = sigma[:, :, None] * pt.linalg.kron(
            _correlation("construct_chol", size["construct"], prior("construct_chol")),
            _correlation("vignette_chol", size["vignette"], prior("vignette_chol")),
        )
        log_likelihood = gaussian_cells(
            *(n, xx, xy, yy),
            b=b[site_of_cell],
            cov=product(chol, chol.mT),
            observed=cells.observed.values,
            pattern=cells.pattern_of_cell.values,
            block=setting_of_site[site_of_cell],
        )
        likelihood(log_likelihood)
    return model


def _true_sd(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of log kappa, shape (study, outcome) each.

    They are those of a true standard deviation given its estimate with the degrees of freedom f,
    of which f times the squared ratio is chi-squared, and over Hedges' correction as the units are.
    """
    df = pd.DataFrame(cells.scale_df.values).groupby(cells.study.values).max().to_numpy()
    # One that nobody was asked for is in no likelihood: any number does.
    df = np.maximum(np.where(df > 0, df, 2.0), 2.0)
    mean = np.log(small_sample(df)) + (np.log(df / 2) - digamma(df / 2)) / 2
    return mean, np.sqrt(polygamma(1, df / 2)) / 2


def _correlation(name: str, size: int, prior: Prior) -> TensorVariable:
    """Cholesky factor of a correlation matrix; one outcome has none to estimate."""
    return prior.variable(name, n=size) if size > 1 else pt.ones((1, 1))
