"""Exposures whose estimates hold differences between sites too, as sites went.

Rows with sites give effects within them. Among people who are counted together, of ``others`` or of
a setting without sites, an exposure that nobody assigned varies between their sites as well: what
is estimated there is the association of both, which is another estimand (Raudenbush and Bryk 2002,
Hierarchical Linear Models, chapter 5: the effect within and the effect between). So does one that
was randomised, where the share of a level differs between sites by more than chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import chi2

from metastudy.codebook.interactions import parts_of
from metastudy.parcelling.people import NO_SPREAD, People

__all__ = ["between_sites"]

RANDOMISED = "randomised"
BY_CHANCE = 0.01  # probability below which sites differ by more than chance


def between_sites(
    people: People, exposures: Sequence[Mapping[str, str]], leaves: np.ndarray, site: np.ndarray
) -> list[str]:
    """Exposures that vary between people who are counted together and were of several sites.

    Of exposures that are randomised only those are, whose mean differs between these sites by more
    than chance (:data:`BY_CHANCE`).

    Parameters
    ----------
    exposures : what is said of each, with its ``id`` and ``type``; interactions among them.
    leaves : who is in no cell, shape (people,).
    site : of each person after control, shape (people,).

    Returns
    -------
    Their ids, in the order of ``exposures``.
    """
    kinds = {e["id"]: e["type"] for e in exposures}
    here_too = [e["id"] for e in exposures if e["id"] in people.x]
    drawn = {name for name in here_too if all(kinds[p] == RANDOMISED for p in parts_of(name))}
    moved = (site != people.site) & people.sited & ~leaves
    found: set[str] = set()
    for setting in np.unique(people.setting[moved]):
        here = np.flatnonzero(moved & (people.setting == setting))
        if len(set(people.site[here])) > 1:
            x = people.x.iloc[here][here_too]
            varies = {name for name in here_too if float(np.ptp(x[name])) > NO_SPREAD}
            by_chance = {
                name
                for name in varies & drawn
                if alike(x[name].to_numpy(), people.site[here]) >= BY_CHANCE
            }
            found |= varies - by_chance
    return [name for name in here_too if name in found]


def alike(x: np.ndarray, site: np.ndarray) -> float:
    """The probability of means that differ as much between sites, if sites are all alike.

    Of an exposure of two values this is Pearson's chi-squared test of sites by levels, with people
    less one in place of people; of any other it is the test of Kruskal and Wallis (1952, JASA 47)
    with values in place of ranks.

    Parameters
    ----------
    x : the exposure, which varies, shape (people,).
    site : of each person.
    """
    names, at, n = np.unique(site.astype(str), return_inverse=True, return_counts=True)
    mean = np.bincount(at, x) / n
    between = (n * (mean - x.mean()) ** 2).sum() / x.var(ddof=1)
    return float(chi2.sf(between, len(names) - 1))
