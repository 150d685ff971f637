"""The second stage: unpooled study estimates around a population mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable
from scipy.sparse import csr_matrix

from metastudy.design.effects import EffectDesign
from metastudy.design.moderators import NO_SLOPES, Slopes
from metastudy.models.algebra import product
from metastudy.models.correlations import correlations
from metastudy.models.data_vector import given, pack
from metastudy.models.densities import compiled
from metastudy.models.priors import Prior
from metastudy.models.terms import components, likelihood
from metastudy.models.transforms import NearData
from metastudy.synthesis.blocks import BlockNormal, Blocks, blocks, in_blocks
from metastudy.synthesis.families import Families
from metastudy.synthesis.together import mixed, spread, variances

__all__ = ["add_levels", "build", "packed"]


def build(
    estimate: np.ndarray,
    covariance: np.ndarray,
    design: EffectDesign,
    effect: Prior,
    between: Prior,
    slope: Prior | None = None,
    correlation: Prior | None = None,
    outcomes: Prior | None = None,
    *,
    slopes: Slopes = NO_SLOPES,
    families: Families | None = None,
) -> pm.Model:
    r"""Normal-normal hierarchical meta-analysis with several estimates per study.

    .. math::
        \hat\theta &\sim N(\theta, V) \\
        \theta_{je} &= \mu_e + x_{je}' \beta_e + \textstyle\sum_t u_{te}[t(j)], \qquad
        u_{te} \sim N(0, \phi_{te} T_e^2), \qquad
        \operatorname{cor}(u_{te}[k], u_{tf}[k]) = R_{ef} \\
        \mu_e &\sim N(s_e m_{f(e)}, \omega_{f(e)}^2)

    for estimand e in setting j; x are moderators, where there are some, zero where :math:`\mu_e`
    is the mean; V is the likelihood covariance of the estimates, zero between
    studies; t runs over the components that the design identifies of study, country, sector and
    setting, which share the total T uniformly; R, the same for all t, is zero but for estimands
    that are measured together (:mod:`metastudy.synthesis.together`). The last line is that of an
    outcome with others of its family f, and s its sign there, zero where it has none
    (:mod:`metastudy.synthesis.families`); alone it has the prior of m. Levels are integrated out,
    :math:`\hat\theta \sim N(\mu + X \beta, V + Z \tau^2 Z')`: the same posterior without its
    funnels. :func:`add_levels` draws them afterwards.

    Parameters
    ----------
    estimate, covariance : estimates, shape (R,), and their covariance, shape (R, R).
    design : takes means and levels to the R rows.
    effect, between : priors of means, and of totals, in the units of the estimates
        (:func:`metastudy.synthesis.priors.prior_of`).
    slope, slopes : prior and columns of moderators; without columns none is needed.
    correlation : prior of R, where the design has something that deviates together.
    outcomes, families : prior of omega, and which means are of a family, where some are.

    Returns
    -------
    pymc.Model
        With ``mu``, ``family_mean`` and ``outcome_tau`` of families, ``beta`` of moderators,
        ``total_tau``, ``tau``, ``correlation`` of the pairs that have one, ``log_likelihood`` and
        ``log_prior``; what a refit changes is one array of data, ``given`` (:func:`packed`).
    """
    found = blocks(design, covariance)
    with pm.Model(coords={"mu_of": design.means}) as model:
        own = (effect, between, slope if slopes.names else None, correlation, outcomes)
        data = _data(estimate, covariance, found, *own)
        (seen, v), prior, (fixed, _) = given(*data)
        if families:
            mu = _means(families, design, prior, seen, v[found.own_pair], found.row)
        else:
            mu = prior["effect"].variable("mu", dims="mu_of")
        residual = seen - mu[design.mean_of[found.row]]
        if slopes.names:
            model.add_coord("beta_of", slopes.names)
            beta = prior["slope"].variable("beta", dims="beta_of")
            residual = residual - pt.dot(slopes.columns[found.row], beta)
        variance = pt.zeros(1)
        if design.components:
            tau = components(design, prior["tau"], prior["tau"], fixed)
            r = _correlation(design, prior) if design.joint else None
            variance = variances(design.joint, tau, r, pt.concatenate)
        likelihood(BlockNormal()(residual, v, variance, *found.arrays)[0])
    return model


def _means(
    families: Families,
    design: EffectDesign,
    prior: Mapping[str, Prior],
    seen: TensorVariable,
    square: TensorVariable,
    row: np.ndarray,
) -> TensorVariable:
    """Means ``mu`` (mu_of,), those of a family around its mean; sampled near the estimates.

    Parameters
    ----------
    seen, square : estimates and their variances, in the order of ``row``.
    """
    model, pooled = pm.modelcontext(None), families.pooled
    alone = np.flatnonzero(families.of_mean < 0)
    parts = []
    if len(alone):
        model.add_coord("alone_of", [design.means[at] for at in alone])
        parts.append(prior["effect"].variable("mu_alone", dims="alone_of"))
    model.add_coord("family_of", families.names)
    centre = pt.zeros(len(pooled))
    if len(families.directed):
        model.add_coord("directed_family", families.directed_names)
        mean = prior["effect"].variable("family_mean", dims="directed_family")
        around = pt.concatenate([mean, pt.zeros(1)])[families.place_of_centre]
        centre = around * families.sign[pooled]
    sd = prior["outcomes"].variable("outcome_tau", dims="family_of")[families.of_mean[pooled]]
    member = (design.mean_of[row] == pooled[:, None]).astype(float)  # (mean, row)
    weight = member / (square + prior["tau"].scale ** 2)
    total = weight.sum(axis=1)
    near = NearData(product(weight, seen) / total, 1 / total)
    parts.append(pm.Normal("mu_z", centre, sd, transform=near))
    back = np.argsort(np.concatenate([alone, pooled]))
    return pm.Deterministic("mu", pt.concatenate(parts)[back], dims="mu_of")


def _correlation(design: EffectDesign, prior: Mapping[str, Prior]) -> TensorVariable:
    """Correlations of the pairs of a joint design, ``correlation`` (pair_of,)."""
    assert design.joint is not None
    names = [" with ".join(design.means[at] for at in pair) for pair in design.joint.pairs]
    pm.modelcontext(None).add_coord("pair_of", names)
    given = ("correlation", prior["correlation"], len(design.means), design.joint.pairs)
    return pm.Deterministic("correlation", correlations(*given), dims="pair_of")


def packed(
    estimate: np.ndarray,
    covariance: np.ndarray,
    design: EffectDesign,
    effect: Prior,
    between: Prior,
    slope: Prior | None = None,
    correlation: Prior | None = None,
    outcomes: Prior | None = None,
) -> np.ndarray:
    """What :func:`build` is given, in one vector: for a refit to other estimates or priors.

    Parameters
    ----------
    covariance : zero where that of the model is.
    slope, correlation, outcomes : as of the model; none where it has no moderators, nothing joint,
        or no family.
    """
    found = blocks(design, covariance)
    return pack(*_data(estimate, covariance, found, effect, between, slope, correlation, outcomes))


def _data(
    estimate: np.ndarray,
    covariance: np.ndarray,
    found: Blocks,
    effect: Prior,
    between: Prior,
    slope: Prior | None,
    correlation: Prior | None,
    outcomes: Prior | None,
) -> tuple[xr.Dataset, dict[str, Prior]]:
    rows = xr.Dataset(
        {
            "estimate": ("row", estimate[found.row]),
            "covariance": ("pair", in_blocks(found, covariance)),
        },
        attrs={"data": "estimate covariance"},
    )
    more = {"slope": slope, "correlation": correlation, "outcomes": outcomes}
    return rows, {"effect": effect, "tau": between} | {k: p for k, p in more.items() if p}


def add_levels(
    posterior: xr.Dataset,
    estimate: np.ndarray,
    covariance: np.ndarray,
    design: EffectDesign,
    seed: int,
    slopes: Slopes = NO_SLOPES,
) -> xr.Dataset:
    """The posterior with the levels and effects that :func:`build` integrates out.

    Each draw of means and standard deviations gets one draw of the levels, from their normal
    distribution given it and the estimates, by correcting a draw from the prior (Matheron's rule).

    Returns
    -------
    xarray.Dataset
        With ``level`` (chain, draw, level_of) and ``theta`` (chain, draw, row) added.
    """
    rng = np.random.default_rng(seed)
    mu = posterior["mu"].transpose("chain", "draw", "mu_of").to_numpy()
    sample = mu.shape[:2]
    mean = mu[..., design.mean_of].reshape(-1, len(estimate))
    if slopes.names:
        beta = posterior["beta"].transpose("chain", "draw", "beta_of").to_numpy()
        mean = mean + beta.reshape(-1, len(slopes.names)) @ slopes.columns.T
    if not design.levels:
        theta = (("chain", "draw", "row"), mean.reshape(*sample, -1))
        return posterior.assign(theta=theta)
    tau = posterior["tau"].transpose("chain", "draw", "tau_of").to_numpy()
    tau = tau.reshape(-1, len(design.components))
    z = _indicators(design)  # (row, level)
    found = blocks(design, covariance)
    v = in_blocks(found, covariance)
    r = None
    if design.joint:
        r = posterior["correlation"].transpose("chain", "draw", "pair_of").to_numpy()
        r = r.reshape(len(tau), -1)
    sd = tau[:, design.component_of]
    level = sd * mixed(design.joint, rng.standard_normal((len(mean), len(design.levels))), r)
    variance = variances(design.joint, tau, r, lambda parts: np.concatenate(parts, axis=-1))
    root = csr_matrix(np.linalg.cholesky(covariance))
    noise = rng.standard_normal(mean.shape) @ root.T
    gap = (estimate - mean - level @ z.T - noise)[:, found.row]
    density = compiled(BlockNormal())
    for at in range(len(gap)):
        gradient = density(gap[at], v, variance[at], *found.arrays)[1]
        gap[at, found.row] = -gradient  # the inverse of the covariance times the gap
    level += spread(design.joint, sd, r, gap @ z)
    theta = mean + level @ z.T
    return posterior.assign(
        level=(("chain", "draw", "level_of"), level.reshape(*sample, -1)),
        theta=(("chain", "draw", "row"), theta.reshape(*sample, -1)),
    ).assign_coords(level_of=list(design.levels))


def _indicators(design: EffectDesign) -> csr_matrix:
    """Which levels each row has, sparse, shape (row, level)."""
    row, slot = np.nonzero(design.level_of >= 0)
    shape = (len(design.mean_of), len(design.levels))
    return csr_matrix((np.ones(len(row)), (row, design.level_of[row, slot])), shape=shape)
