"""Observations of events: the people whom the checks are made on, aligned with their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import expit

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.answers.design import clustered
from metastudy.models.events.design import NODES, WEIGHTS, over_unknown_sites, predictors

__all__ = ["People", "average", "coefficients", "log_odds", "observe_events"]


@dataclass(frozen=True)
class People:
    """N people with K outcomes; groups as in the cells."""

    y: np.ndarray  # (N, K) zero or one, NaN where not observed
    group: np.ndarray  # (N,) place among the cells' groups


def observe_events(studies: Sequence[Study], cells: xr.Dataset, vocabulary: Vocabulary) -> People:
    """The people behind the cells, one after the other.

    People of a group with the same answers are exchangeable, so the cells have all of them: what
    the studies have beside is not looked at.

    Parameters
    ----------
    cells : of a module (:func:`metastudy.models.events.cells.event_cells`).
    """
    count = cells["count"].values.astype(int)
    answer = np.repeat(cells.answer.values, count, axis=0).astype(float)
    group = np.repeat(cells.group_of_pattern.values, count)
    return People(np.where(answer < 0, np.nan, answer), group)


def coefficients(cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Coefficients of every site, intercept first; shape (S, site, coefficient, outcome).

    Parameters
    ----------
    draws : with the dimension ``sample``, of length S, first.
    """
    baseline, beta = draws["baseline"].values, draws["beta"].values
    b = np.concatenate([baseline[:, :, None, :], beta], axis=2)[:, cells.setting_of_site.values]
    if len(many := clustered(cells)):
        b[:, many] = draws["site_effect"].values
    return b


def average(eta: np.ndarray, x: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Log-odds of an average over sites that nobody knows, from those of the one in the middle.

    Parameters
    ----------
    eta : log-odds, shape (S, group).
    x : predictors, shape (group, coefficient).
    tau : standard deviation of each coefficient between sites, shape (S, coefficient).
    """
    sd = np.sqrt(tau**2 @ (x**2).T)
    there, absent = np.zeros_like(eta), np.zeros_like(eta)
    for point, weight in zip(NODES, WEIGHTS, strict=True):  # one at a time: draws are many
        share = expit(eta + sd * point)
        there += weight * share
        absent += weight * (1 - share)
    return np.asarray(np.log(there) - np.log(absent))


def log_odds(cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Log-odds of the outcomes in each group of people, shape (S, group, outcome).

    Parameters
    ----------
    draws : with the dimension ``sample``, of length S, first.
    """
    x, b = predictors(cells), coefficients(cells, draws)
    found = np.einsum("gp,sgpk->sgk", x, b[:, cells.site_of_group.values])
    if len(over := over_unknown_sites(cells)):
        tau = draws["site_tau"].values
        for k in range(found.shape[-1]):
            found[:, over, k] = average(found[:, over, k], x[over], tau[..., k])
    return found
