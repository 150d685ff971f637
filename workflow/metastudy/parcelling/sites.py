"""Sites of a setting in which some people are too few to be a cell: what they keep, and where.

There are two ways. People of a small cell can stay at their site with fewer outcomes, as members of
another cell there; or keep their outcomes and be counted at one site ``others`` of their setting,
while all other people of their site stay. Both are tried, and the one that keeps more is taken.
"""

from __future__ import annotations

import numpy as np

from metastudy.parcelling.patterns import coarsened
from metastudy.parcelling.people import People
from metastudy.parcelling.sums import Telling

__all__ = ["OTHERS", "information", "placed", "why_told"]

OTHERS = "others"
# Share of the variance of answers that is between sites, for the comparison of the two ways alone:
# organisational surveys find 0.05 to 0.20 (Bliese 2000, in Klein & Kozlowski, Multilevel Theory).
BETWEEN = 0.1
FEWEST_SITES = 3  # that say something of the spread between sites
TINY = 1e-12

Way = tuple[
    np.ndarray, np.ndarray
]  # outcomes kept, shape (people, outcome); sites, shape (people,)


def placed(
    people: People, telling: Telling, here: np.ndarray, kept: np.ndarray, whole: bool
) -> Way:
    """What the people of a setting keep, and their sites, so that no cell is small.

    Where no site is left they have none (an empty text), or are all of the others (:func:`_rest`).

    Nobody leaves. The two ways are compared by :func:`information`, which sees counts alone; where
    both are as good, people keep their outcomes. A way that leaves an outcome without any answer is
    taken only if the other does so too.

    Parameters
    ----------
    here : places of the people of a setting, of whom no pattern is rare in the setting.
    kept : outcomes that everybody has, shape (people of the study, outcome).
    whole : whether sites stay or go as wholes, as a table by site is public: what it has of people
        who are counted elsewhere would be its difference to the cells. Then a site in which
        somebody would have to go is one of the others.
    """
    ways = [_fewer_outcomes(people, telling, here, kept[here], whole)]
    if not whole:
        ways.insert(0, _elsewhere(people, telling, here, kept[here]))
    before = kept[here], people.site[here]
    return max(
        ways, key=lambda way: (_outcomes(way) == _outcomes(before), information(way, before))
    )


def _outcomes(way: Way) -> int:
    """How many outcomes have an answer."""
    return int(way[0].any(axis=0).sum())


def information(way: Way, before: Way) -> float:
    """What is kept of answers and of sites, the mean over outcomes: two if all is.

    Of answers it is their share, as for the mean of an outcome and for effects within sites. Of
    sites it is the share of the Fisher information on the log of the variance between them
    (:func:`_of_sites`). ``others`` is no site here.
    """
    (kept, site), (had, was) = way, before
    asked = had.any(axis=0)
    answers = kept[:, asked].sum(axis=0) / had[:, asked].sum(axis=0)
    sites = _of_sites(kept[:, asked], site) / np.maximum(_of_sites(had[:, asked], was), TINY)
    return round(float((answers + sites).mean()), 9)


def _of_sites(kept: np.ndarray, site: np.ndarray) -> np.ndarray:
    r"""Twice the Fisher information on the log of the variance between sites, by outcome.

    Means of sites are normal with variance t^2 + s^2 / n, and their own mean is not known: so it is
    the information of the restricted likelihood, a half of the trace of (P dV)^2 (Searle, Casella
    and McCulloch 1992, Variance Components, chapter 6). With the reliabilities of the means,
    r = n / (n + (1 - b) / b) of n people who answered and the share b (:data:`BETWEEN`) of the
    variance, twice that is

    .. math:: S_2 - 2 S_3 / S_1 + (S_2 / S_1)^2, \qquad S_i = \textstyle\sum r^i,

    (k - 1) r^2 of k sites of one size. Fewer than three say nothing: with a flat prior on the
    standard deviation it has no posterior then (Gelman 2006, Bayesian Analysis 1).
    """
    own = ~np.isin(site.astype(str), ("", OTHERS))
    names, at = np.unique(site[own].astype(str), return_inverse=True)
    count = np.zeros((len(names), kept.shape[1]))
    np.add.at(count, at, kept[own])
    r = count / (count + (1 - BETWEEN) / BETWEEN)
    one, two, three = (np.maximum((r**power).sum(axis=0), TINY) for power in (1, 2, 3))
    found = two - 2 * three / one + (two / one) ** 2
    return np.where((count > 0).sum(axis=0) >= FEWEST_SITES, found, 0.0)


def _elsewhere(people: People, telling: Telling, here: np.ndarray, kept: np.ndarray) -> Way:
    """Cells of a site and pattern that are too small go to the others, with all their outcomes.

    If the others of a pattern are too few by themselves, the smallest cells that could stay go
    with them, in the end all: then they are the cell of the setting, which has been looked at.
    """
    site, goes = people.site[here].copy(), np.zeros(len(here), dtype=bool)
    patterns, of, number = np.unique(kept, axis=0, return_inverse=True, return_counts=True)
    for p in np.argsort(-number, kind="stable"):
        own = np.flatnonzero(of.ravel() == p)
        at, order = _by_size(site[own])
        sound = [s for s in order if _sound(people, telling, here[own[at == s]], patterns[p])]
        while True:
            rest = own[~np.isin(at, sound)]
            if not len(rest) or not sound or _sound(people, telling, here[rest], patterns[p]):
                break
            sound.pop()
        goes[rest] = True
    site[goes] = _rest(people, here) if goes.all() else OTHERS
    return kept, site


def _rest(people: People, here: np.ndarray) -> str:
    """The site of a setting in which no site is left.

    It has none; or it is one site itself where the setting is of one level of an exposure that is
    the same for all of a site: people of two levels would else be as if independent of each other.
    """
    return OTHERS if people.level[here].any() else ""


def _fewer_outcomes(
    people: People, telling: Telling, here: np.ndarray, kept: np.ndarray, whole: bool
) -> Way:
    """People of small cells stay at their site with fewer outcomes; who cannot is of the others."""
    own, site = kept.copy(), people.site[here].copy()
    version, stays = people.version[here], np.zeros(len(here), dtype=bool)
    at, order = _by_size(site)
    sound = []
    for place in order:
        members = np.flatnonzero(at == place)
        fewer, gone = coarsened(kept[members], version[members], telling.least, people.needed)
        members, fewer = members[~gone], fewer[~gone]
        if not len(members) or (whole and gone.any()):
            continue
        if why_told(telling, here[members], fewer):
            continue
        own[members], stays[members] = fewer, True
        sound.append(place)
    while sound and not stays.all():
        rest = np.flatnonzero(~stays)
        fewer, gone = coarsened(kept[rest], version[rest], telling.least, people.needed)
        if not gone.any() and not why_told(telling, here[rest], fewer):
            own[rest], site[rest] = fewer, OTHERS
            return own, site
        stays[at == sound.pop()] = False
    if not sound:
        site[:] = _rest(people, here)
        return kept, site
    return own, site


def _by_size(site: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The site of each person as a number, and these from the largest to the smallest."""
    names, at, size = np.unique(site.astype(str), return_inverse=True, return_counts=True)
    return at, sorted(range(len(names)), key=lambda place: (-size[place], names[place]))


def _sound(people: People, telling: Telling, members: np.ndarray, pattern: np.ndarray) -> bool:
    """Whether a cell of these people may go out."""
    few = np.unique(people.version[members], return_counts=True)[1].min() < telling.least
    return not few and not telling.of(members, pattern)


def why_told(telling: Telling, members: np.ndarray, own: np.ndarray) -> str:
    """Why a cell of these people, who are of one site, may not go out, or nothing."""
    for pattern in np.unique(own, axis=0):
        if why := telling.of(members[(own == pattern).all(axis=1)], pattern):
            return why
    return ""
