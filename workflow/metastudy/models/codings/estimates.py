"""Unpooled estimates of codings, study by study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import minimize_scalar
from scipy.special import expit

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import join_values
from metastudy.models.base import COLUMNS, Block
from metastudy.models.codings.corrections import accuracy
from metastudy.models.codings.marginal import conditional, quadrature, slope
from metastudy.models.codings.roles import slopes
from metastudy.models.latent_classes import pattern_probabilities

__all__ = ["blocks"]

NODES = 41  # of means over organisations
WIDEST = 3.0  # standard deviation between organisations, in log-odds; then nearly all or none


def blocks(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    """Mean log-odds ratio within an organisation over a family's codes, of each study and role.

    It is of the same kind as the model's contrast: within one organisation (conditional), and of
    codes that are truly there. Shares of the first coder on each side of the exposure, with half a
    count added, are corrected for coders' errors (Rogan and Gladen 1978;
    :mod:`metastudy.models.codings.corrections`). They are shares over organisations, so the
    log-odds are those of an organisation in the middle of normal ones
    (:func:`metastudy.models.codings.marginal.conditional`), with the standard deviation that makes
    the study's counts most likely. The covariance is that of the organisations' influences on the
    estimate (a sandwich), so unequal organisations count; accuracies and standard deviation are
    taken as known.
    """
    studies = json.loads(cells.attrs["studies"])
    read = _read(cells)
    family = cells.family_of.values
    errors, of = accuracy(cells), slopes(cells)
    for study in dict.fromkeys(cells.study.values):
        mine = cells.study.values == study
        rows, influence = [], []
        for e, x in zip(of.exposure, of.x.T, strict=True):
            own = mine & (x != 0)
            sides = (mine & (x < 0), mine & (x > 0))
            if min(len(set(read.site[side])) for side in sides) < 2:
                continue  # one organisation does not tell how organisations differ
            log_odds, parts = _contrast(read, sides, errors)
            looked_for = np.all([read.total[side].sum(0) > 0 for side in sides], axis=0)
            for name in dict.fromkeys(family[looked_for]):
                codes = looked_for & (family == name)
                of_unit = parts[:, codes].mean(axis=1)
                influence.append(
                    np.bincount(read.site[mine], of_unit[mine], read.site.max() + 1)
                )  # both roles of a site
                rows.append(
                    {
                        "module": cells.attrs["module"],
                        "study": str(study),
                        **_places(cells, own),
                        "exposure": str(cells.exposure.values[e]),
                        "exposure_name": str(cells.exposure_name.values[e]),
                        "exposure_type": str(cells.exposure_type.values[e]),
                        "outcome": str(name),
                        "family": str(name),
                        "vignette": "",
                        "response_mode": studies[str(study)]["response_mode"],
                        "metric": "log_odds",
                        "estimate": log_odds[codes].mean(),
                        "n": int(read.total[own].sum(0).max()),
                        "provenance": studies[str(study)]["provenance"],
                    }
                )
        if rows:
            stacked = np.array(influence)
            yield pd.DataFrame(rows, columns=COLUMNS), stacked @ stacked.T


class _Read(NamedTuple):
    """What coders read, by unit and code."""

    applied: np.ndarray  # interviews in which the first coder applied it
    total: np.ndarray  # interviews in which it was looked for
    patterns: np.ndarray  # of one coder with and without it, of two both, one, none: last axis
    site: np.ndarray  # number of each unit's organisation, shape (unit,)


def _read(cells: xr.Dataset) -> _Read:
    single, double = cells.single.values, cells.double.values
    alone = double[..., 1:3].sum(-1, keepdims=True)
    return _Read(
        single[..., 0] + double[..., :2].sum(-1),
        single.sum(-1) + double.sum(-1),
        np.concatenate([single, double[..., :1], alone, double[..., 3:]], axis=-1),
        np.unique(cells.site.values, return_inverse=True)[1],
    )


def _contrast(
    read: _Read, sides: tuple[np.ndarray, np.ndarray], errors: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds ratio of each code within an organisation, and each unit's influence on it."""
    sensitivity, specificity = errors
    right = sensitivity + specificity - 1
    raw = [(read.applied[s].sum(0) + 0.5) / (read.total[s].sum(0) + 1) for s in sides]
    least = [0.5 / (read.total[s].sum(0) + 1) for s in sides]  # errors alone count as no interview
    share = [
        np.clip((r - (1 - specificity)) / right, low, 1 - low)
        for r, low in zip(raw, least, strict=True)
    ]
    sd = _between(read, sides, share, errors)
    log_odds, parts = np.zeros(len(share[0])), np.zeros(read.total.shape)
    for sign, side, seen, corrected in zip((-1, 1), sides, raw, share, strict=True):
        middle = conditional(corrected, sd, NODES)
        log_odds += sign * middle
        weight = read.total[side].sum(0) * slope(middle, sd, NODES) * right
        organisations = len(set(read.site[side]))
        scale = np.sqrt(organisations / (organisations - 1))
        with np.errstate(invalid="ignore"):  # a code that the study did not look for
            off = read.applied[side] - read.total[side] * seen
            parts[side] += sign * scale * off / weight
    return log_odds, parts


def _between(
    read: _Read,
    sides: tuple[np.ndarray, np.ndarray],
    share: list[np.ndarray],
    errors: tuple[float, float],
) -> float:
    """Standard deviation of log-odds between the organisations of a side, of all codes alike.

    The most likely one given the shares over organisations, as if the codes of an organisation were
    those of several: that they go together makes it less certain, and moves it nowhere.
    """
    point, weight = quadrature(NODES)
    present, absent = pattern_probabilities(*errors)
    names = ("one", "not_one", "both", "either", "none")
    counts = np.concatenate([read.patterns[side] for side in sides])
    of = np.concatenate([np.full(int(side.sum()), k) for k, side in enumerate(sides)])
    unit, code = np.nonzero(counts.sum(axis=-1))
    counts, shares = counts[unit, code], np.stack(share)
    if_present, if_absent = (np.array([law[n] for n in names]) for law in (present, absent))

    def unlikely(sd: float) -> float:
        middle = conditional(shares, sd, NODES)[of[unit], code]
        there = expit(middle[:, None] + sd * point)
        total = np.zeros(there.shape)
        for y in range(len(names)):
            chance = there * if_present[y] + (1 - there) * if_absent[y]
            met = np.where(counts[:, y, None] > 0, chance, 1.0)
            total += counts[:, y, None] * np.log(met)
        top = total.max(axis=1)
        return float(-(top + np.log(np.exp(total - top[:, None]) @ weight)).sum())

    found = minimize_scalar(unlikely, bounds=(0.0, WIDEST), method="bounded")
    return float(found.x) if found.fun < unlikely(0.0) else 0.0


def _places(cells: xr.Dataset, mine: np.ndarray) -> dict[str, str]:
    places = ("country", "sector", "role")
    return {name: join_values(cells[name].values[mine]) for name in places}
