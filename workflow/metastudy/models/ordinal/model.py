"""Answers to single items, in the categories in which they were given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pytensor.tensor import TensorVariable
from scipy.special import ndtri

from metastudy.models.answers.design import clustered
from metastudy.models.answers.effect_terms import outcome_effects
from metastudy.models.answers.priors import prior_of
from metastudy.models.data_vector import given
from metastudy.models.item_layout import Layout, alike, layout_of
from metastudy.models.ordinal.density import Answers, normal_table
from metastudy.models.ordinal.nodes import nodes as nodes_of
from metastudy.models.priors import Prior
from metastudy.models.terms import likelihood, spread
from metastudy.models.transforms import NearData, OrderedNear

__all__ = ["DEGREES", "NODES", "build"]

NODES = 11  # of each integral over people, around what each one answered
DEGREES = 12  # polynomials by which effects on themes hang together; twice both move nothing


def build(
    cells: xr.Dataset,
    priors: Mapping[str, Prior],
    nodes: int = NODES,
    degrees: int = DEGREES,
) -> pm.Model:
    r"""Hierarchical cumulative probit regression of the answers to items on the exposures.

    .. math::
        \Pr(y_{im} \le h \mid a, b) &= \Phi(S_{dk} (\kappa_{jmh} - U_{dk} B_{sk}' x_i)
            - a_{if} - b_{ic}) \\
        a_{if} + b_{ic} &\sim N(0, \sigma_{dc}^2), \qquad
            \sigma_{dc}^2 = \frac{p_{dc}}{1 - p_{dc}}, \qquad
            p_{dc} = \varphi_{df} + (1 - \varphi_{df}) o_{dc} \\
        B_{spk} &\sim N(\beta_{jpk}, \tau_{pk}^2), \qquad
            \beta_{jpk} = \mu_{pc(k)r(j)} + \textstyle\sum_t u_{tpc(k)}[t(j)] + w_{pc(k)}[v(k)] \\
        \kappa_{jm1} < \dots < \kappa_{jm,H-1} &\sim N(0, 1)

    Person i at site s in setting j, of study d, answers item m, which asks for construct c of
    family f in vignette v, outcome k, in one of H categories. What a person answers varies by the
    effects a on all of a family and b on a construct in all vignettes, a share p of the variance
    within a site, :math:`\varphi` of a and the rest of b; both shares are uniform a priori, and the
    remainder, which is one, is the answer's own. S is the standard deviation of a latent answer of
    the people of a setting, their sites included, and U that of the mean of an outcome's items, in
    units of S:

    .. math:: S^2 = (1 + \sigma^2) + \tau_0^2 (\sigma^2 + 1/M), \qquad
              U^2 S^2 = (1 + \tau_0^2) (\sigma^2 + 1/M)

    with M the items of the outcome. So :math:`\mu` and :math:`\beta` are in standard deviations of
    people's scores within a setting, as in :func:`metastudy.models.answers.model.build`, and have
    the priors that they have there; U times them is in those of the latent answer. Thresholds
    are in units of S, each item's and setting's own: a priori the shares of the categories are
    uniform. Sites are sampled, people are integrated out
    (:class:`metastudy.models.ordinal.density.Answers`). Of a site's intercept the standard
    deviation :math:`\tau_0` is in units of that of people within a site.

    Parameters
    ----------
    cells : people by their answers (:func:`metastudy.models.ordinal.cells.item_cells`).
    priors : ``baseline``, ``effect``, ``tau`` and ``outcomes``; which parameter has which is in
        :mod:`metastudy.models.answers.priors`.
    nodes, degrees : of the integrals over people.

    Returns
    -------
    pymc.Model
        With ``mu`` (estimand), ``beta`` (setting, exposure, outcome), the thresholds of items with
        H categories, ``threshold_H``, shares ``person_share`` (study and family) and ``own_share``
        (study and construct), which is o, ``latent_unit`` (setting, outcome), which is U, and
        ``log_likelihood`` (up to a constant); what a refit changes is one array of data, ``given``.
    """
    layout = layout_of(cells)
    names = ("setting", "site", "exposure", "construct", "vignette", "outcome")
    coords = {name: cells[name].values for name in names}
    coords["coefficient"] = np.array(["intercept", *cells.exposure.values])
    study, outcome = layout.study_of_kind, layout.outcome_of_kind
    with pm.Model(coords=coords) as model:
        (count, rough, near), symbolic, (fixed_tau, fixed_outcomes) = given(cells, priors)
        prior = partial(prior_of, symbolic)
        beta = outcome_effects(cells, prior, fixed_tau, fixed_outcomes, rough)
        setting_of_site = cells.setting_of_site.values
        b = pt.concatenate([pt.zeros_like(beta[:, :1, :]), beta], axis=1)[setting_of_site]
        site_variance = pt.zeros(len(study))  # of each kind, over that of scores within a site
        if len(many := clustered(cells)):
            model.add_coord("clustered_site", coords["site"][many])
            tau = spread("site_tau", prior("site_tau"), fixed_tau, ("coefficient", "outcome"))
            sited = np.unique(cells.study.values[setting_of_site[many]])
            there = np.isin(layout.studies[study], sited)
            site_variance = pt.where(there, tau[0, outcome] ** 2, 0.0)
            sd = pt.concatenate([(tau[:1] / pt.sqrt(1 + tau[:1] ** 2)), tau[1:]])
            dims = ("clustered_site", "coefficient", "outcome")
            form = NearData(near[0, many], near[1, many])
            effect = pm.Normal("site_effect", b[many], sd[None], dims=dims, transform=form)
            b = pt.set_subtensor(b[many], effect)

        sigma, rho = _people(layout)
        person = sigma[layout.theme_of_kind] ** 2
        within = person + 1 / layout.items
        total = pt.sqrt(1 + person + site_variance * within)
        score = pt.sqrt((1 + site_variance) * within)
        kind = layout.kind_of(cells)
        unit = pt.concatenate([score / total, pt.ones(1)])[kind]  # where nobody was asked, one
        pm.Deterministic("latent_unit", unit, dims=("setting", "outcome"))

        rows, row = _rows(cells, layout)
        site, combination, of_outcome, of_kind = rows.T
        x = np.column_stack([np.ones(cells.sizes["combination"]), cells.x.values])[combination]
        eta = score[of_kind] * (b[site, :, of_outcome] * x).sum(axis=1)
        edges, first = _edges(cells, prior("threshold"), total[kind[_where(cells)]])
        item = cells.item_of_answer.values
        density = Answers(degrees)(
            *(count, edges, eta, sigma, rho),
            *(layout.start, layout.first, row, layout.theme_of_block),
            first[item] + cells.category_of_answer.values,
            layout.shared,
            *nodes_of(cells, layout, nodes),
            normal_table(),
        )
        likelihood(density[0])
    return model


def _people(layout: Layout) -> tuple[TensorVariable, TensorVariable]:
    """Of each theme the standard deviation of people, and how much of it is that of the family.

    Returns
    -------
    Standard deviations in units of an answer's own, and correlations of the whole effect with that
    on the family, shape (theme,) each.
    """
    model, nothing = pm.modelcontext(None), pt.zeros(1)
    family = own = nothing
    if layout.groups:
        model.add_coord("people_of", [", ".join(pair) for pair in layout.groups])
        family = pt.concatenate([pm.Uniform("person_share", dims="people_of"), nothing])
    if len(layout.own):
        model.add_coord("own_of", [", ".join(layout.themes[theme]) for theme in layout.own])
        own = pt.concatenate([pm.Uniform("own_share", dims="own_of"), nothing])
    at = np.full(len(layout.themes), -1)
    at[layout.own] = np.arange(len(layout.own))
    common = family[layout.group_of_theme]
    share = common + (1 - common) * own[at]
    sigma = pt.sqrt(share / (1 - share))
    # Without an effect of its own a theme has all of the family's.
    rho = pt.where(layout.shared, 1.0, pt.sqrt(common / pt.maximum(share, 1e-12)))
    return sigma, rho


def _rows(cells: xr.Dataset, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Site, exposures, outcome and kind of each mean of latent answers, and that of each answer."""
    cell, kind = cells.cell_of_answer.values, layout.kind_of_answer
    keys = (
        cells.site_of_cell.values[cell],
        cells.combination_of_cell.values[cell],
        layout.outcome_of_kind[kind],
        kind,
    )
    rows, row = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
    return rows, row.ravel()


def _where(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    return cells.setting_of_item.values, cells.outcome_of_item.values


def _edges(
    cells: xr.Dataset, prior: Prior, unit: TensorVariable
) -> tuple[TensorVariable, np.ndarray]:
    """Ends of the categories of all items in one vector, and where in it each item begins."""
    model, categories = pm.modelcontext(None), cells.categories.values
    edges, first, start = [], np.zeros_like(categories), 0
    near, like = _quantiles(cells), alike(cells)
    for h in np.unique(categories):
        items = np.flatnonzero(categories == h)
        dims = {f"item_{h}": cells.item.values[items], f"boundary_{h}": np.arange(1, h)}
        model.add_coords(dims)
        around = np.stack([near[at] for at in items])
        kappa = prior.variable(
            f"threshold_{h}",
            dims=tuple(dims),
            transform=OrderedNear(around, like[np.ix_(items, items)]),
            initval=around,
        )
        end = np.full((len(items), 1), np.inf)
        inner = kappa * unit[items][:, None]
        edges.append(pt.concatenate([-end, inner, end], axis=1).ravel())
        first[items] = start + (h + 1) * np.arange(len(items))
        start += (h + 1) * len(items)
    return pt.concatenate(edges), first


def _quantiles(cells: xr.Dataset) -> list[np.ndarray]:
    """Where the thresholds of each item start: normal quantiles of its shares, half an answer more.

    The half keeps the categories that nobody chose apart.
    """
    item = cells.item_of_answer.values
    count = cells["count"].values[cells.cell_of_answer.values]
    found = np.zeros((cells.sizes["item"], int(cells.categories.max())))
    np.add.at(found, (item, cells.category_of_answer.values), count)
    return [
        ndtri(np.cumsum(row[:h] + 0.5)[:-1] / (row[:h] + 0.5).sum())
        for row, h in zip(found, cells.categories.values, strict=True)
    ]
