"""Rough estimates of effects by setting: how a sampler finds its way sooner.

No result rests on them. They follow from the cells, so a refit to other cells has its own.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.item_layout import scores

__all__ = ["NOTHING", "of_categories", "of_events", "of_scores", "of_sites"]

NOTHING = 1e6  # square of the error of an effect that no data speak of
LEAST = 0.05  # residual variance at least, in squares of the outcome's unit
RIDGE = 0.1  # people whose worth is added, so that a site with few of them has estimates


def of_scores(cells: xr.Dataset) -> np.ndarray:
    """Effects of the exposures on each outcome in each setting, its sites taken together.

    Parameters
    ----------
    cells : cross-products of answers (:func:`metastudy.models.answers.cells.answer_cells`).

    Returns
    -------
    numpy.ndarray
        Estimates and squares of their errors, shape (2, setting, exposure, outcome); zero and
        :data:`NOTHING` where there is none.
    """
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(float)  # (cell, outcome)
    found = _nothing(cells)
    n, xx, xy = cells.n.values, cells.xx.values, cells.xy.values
    yy = np.diagonal(cells.yy.values, axis1=1, axis2=2)
    for s in range(cells.sizes["setting"]):
        mine = setting == s
        for k in np.flatnonzero(seen[mine].sum(axis=0)):
            here = mine & (seen[:, k] > 0)
            sums = xx[here].sum(axis=0), xy[here, :, k].sum(axis=0), yy[here, k].sum()
            found[:, s, :, k] = _solved(*sums, n[here].sum())
    return found


def of_categories(cells: xr.Dataset) -> np.ndarray:
    """The same from answers to items: a person's mean of normal scores, in standard deviations.

    Parameters
    ----------
    cells : people by their answers (:func:`metastudy.models.ordinal.cells.item_cells`).
    """
    setting, outcome, _, x, y, count = _people(cells)
    found = _nothing(cells)
    for s, k in np.unique(np.column_stack([setting, outcome]), axis=0):
        here = (setting == s) & (outcome == k)
        weighted = x[here] * count[here, None]
        sums = weighted.T @ x[here], weighted.T @ y[here], count[here] @ y[here] ** 2
        found[:, s, :, k] = _solved(*sums, count[here].sum())
    return found


def of_sites(cells: xr.Dataset) -> np.ndarray:
    """Intercepts and effects at each site, in the same units; intercepts are from the setting's.

    Parameters
    ----------
    cells : people by their answers (:func:`metastudy.models.ordinal.cells.item_cells`).

    Returns
    -------
    numpy.ndarray
        Estimates and squares of their errors, shape (2, site, coefficient, outcome), the intercept
        first; zero and :data:`NOTHING` where there is none.
    """
    _, outcome, site, x, y, count = _people(cells)
    size = cells.sizes["site"], x.shape[1], cells.sizes["outcome"]
    found = np.stack([np.zeros(size), np.full(size, NOTHING)])
    for s, k in np.unique(np.column_stack([site, outcome]), axis=0):
        here = (site == s) & (outcome == k)
        weighted = x[here] * count[here, None]
        inverse = np.linalg.inv(weighted.T @ x[here] + RIDGE * np.eye(x.shape[1]))
        found[0, s, :, k] = inverse @ (weighted.T @ y[here])
        found[1, s, :, k] = np.diag(inverse)
    return found


def _people(cells: xr.Dataset) -> tuple[np.ndarray, ...]:
    """Setting, outcome, site, predictors, score and number of the people of a cell, by outcome.

    A score is the mean of an outcome's normal scores, in standard deviations in the setting.
    """
    of_answer = cells.cell_of_answer.values, cells.outcome_of_item.values[cells.item_of_answer]
    means, which = np.unique(np.column_stack(of_answer), axis=0, return_inverse=True)
    score = np.bincount(which.ravel(), scores(cells)) / np.bincount(which.ravel())
    cell, outcome = means.T
    count, site = cells["count"].values[cell], cells.site_of_cell.values[cell]
    setting = cells.setting_of_site.values[site]
    x = np.column_stack([np.ones(cells.sizes["combination"]), cells.x.values])
    place = setting * cells.sizes["outcome"] + outcome
    square = np.bincount(place, count * score**2) / np.maximum(np.bincount(place, count), 1.0)
    unit = np.sqrt(np.where(square > 0, square, 1.0))[place]
    return setting, outcome, site, x[cells.combination_of_cell.values[cell]], score / unit, count


def of_events(cells: xr.Dataset) -> np.ndarray:
    """The same from counts of events, in log-odds: each count of a group has a logit of its own.

    Half an event and half of none are added to each, so that every logit is finite; its weight is
    the inverse of its variance (Berkson 1955).

    Parameters
    ----------
    cells : counts of 0/1 outcomes (:func:`metastudy.models.events.cells.event_cells`).
    """
    n, events = cells.n.values, cells.events.values
    share = (events + 0.5) / (n + 1)
    logit, weight = np.log(share / (1 - share)), (n + 1) * share * (1 - share) * (n > 0)
    x = np.column_stack([np.ones(cells.sizes["combination"]), cells.x.values])
    x = x[cells.combination_of_group.values]
    setting = cells.setting_of_site.values[cells.site_of_group.values]
    found = _nothing(cells)
    for s in range(cells.sizes["setting"]):
        mine = setting == s
        for k in np.flatnonzero(n[mine].sum(axis=0)):
            weighted = x[mine] * weight[mine, k, None]
            sums = weighted.T @ x[mine], weighted.T @ logit[mine, k]
            found[:, s, :, k] = _solved(*sums)
    return found


def _nothing(cells: xr.Dataset) -> np.ndarray:
    sizes = tuple(cells.sizes[name] for name in ("setting", "exposure", "outcome"))
    return np.stack([np.zeros(sizes), np.full(sizes, NOTHING)])


def _solved(
    xx: np.ndarray, xy: np.ndarray, yy: float | None = None, n: float = np.inf
) -> np.ndarray:
    """Least squares of one outcome, without the intercept, which comes first; (2, exposure).

    Without ``yy`` the sums are weighted by the inverse variances of what was observed.
    """
    found = np.stack([np.zeros(len(xy)), np.full(len(xy), NOTHING)])
    has = np.flatnonzero(np.diag(xx) > 0)
    free = n - len(has)
    if free >= 1:
        inverse = np.linalg.pinv(xx[np.ix_(has, has)], rcond=1e-9, hermitian=True)
        effect = inverse @ xy[has]
        residual = 1.0 if yy is None else max((yy - effect @ xy[has]) / free, LEAST)
        found[0, has] = effect
        found[1, has] = np.clip(residual * np.diag(inverse), 1e-9, NOTHING)
    return found[:, 1:]
