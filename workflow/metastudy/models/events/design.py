"""The design of events: who is in which group, and what the sites of a setting can say."""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.answers.design import clustered, informed_effects

__all__ = [
    "NODES",
    "WEIGHTS",
    "both_kinds",
    "of_each_group",
    "over_unknown_sites",
    "predictors",
    "setting_of_group",
    "site_information",
]

# Gauss-Hermite points of sites in standard deviations, and their weights: with these the log-odds
# of an average over sites are right to 0.0002 up to a standard deviation of 2.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
MOST = 0.25  # variance of a 0/1 outcome, at most: that of an even chance


def setting_of_group(cells: xr.Dataset) -> np.ndarray:
    """Place among the settings of each group of people, shape (group,)."""
    return np.asarray(cells.setting_of_site.values[cells.site_of_group.values])


def predictors(cells: xr.Dataset) -> np.ndarray:
    """Exposures of each group, the intercept first, shape (group, coefficient)."""
    x = cells.x.values[cells.combination_of_group.values]
    return np.column_stack([np.ones(len(x)), x])


def site_information(cells: xr.Dataset) -> np.ndarray:
    """What each site can say of each coefficient at most, shape (site, coefficient).

    The sum of squares of its predictor, times the variance of an even chance: the inverse of the
    sampling variance of its own estimate in log-odds.
    """
    people = cells.n.values.max(axis=1, initial=0.0)
    total = np.zeros((cells.sizes["site"], cells.sizes["coefficient"]))
    np.add.at(total, cells.site_of_group.values, people[:, None] * predictors(cells) ** 2)
    return MOST * total


def over_unknown_sites(cells: xr.Dataset) -> np.ndarray:
    """Groups of people at sites that nobody knows, in a module where sites are known to vary.

    Their counts are those of an average over sites, and so are said to be marginal, while effects
    are within a site (conditional). Without known sites that vary there are none: all are marginal.

    Returns
    -------
    Places of the groups.
    """
    known = cells.sited.values.astype(bool)[setting_of_group(cells)]
    return np.flatnonzero(~known) if len(clustered(cells)) else np.zeros(0, dtype=np.int64)


def both_kinds(cells: xr.Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Studies whose sites are known, and those of unknown sites, where both are in one fit.

    By themselves the counts of the first say what an effect is within a site (conditional), and
    those of the others what it is over sites (marginal).

    Returns
    -------
    Ids of studies; two empty tuples where all counts are of one kind.
    """
    over = over_unknown_sites(cells)
    if not len(over):
        return (), ()
    study = cells.study.values[setting_of_group(cells)].astype(str)
    known = np.setdiff1d(np.arange(len(study)), over)
    return tuple(dict.fromkeys(study[known])), tuple(dict.fromkeys(study[over]))


def of_each_group(cells: xr.Dataset) -> np.ndarray:
    """Which effects a group of people says something of, shape (group, exposure, outcome)."""
    found = informed_effects(cells)[setting_of_group(cells)]
    return found & (cells.n.values > 0)[:, None, :]
