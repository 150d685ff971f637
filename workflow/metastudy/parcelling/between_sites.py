"""Exposures whose estimates hold differences between sites too, as sites went.

Rows with sites give effects within them. Among people who are counted together, of ``others`` or of
a setting without sites, an exposure that nobody assigned varies between their sites as well: what
is estimated there is the association of both, which is another estimand (Raudenbush and Bryk 2002,
Hierarchical Linear Models, chapter 5: the effect within and the effect between).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from metastudy.codebook.interactions import parts_of
from metastudy.parcelling.people import NO_SPREAD, People

__all__ = ["between_sites"]

RANDOMISED = "randomised"


def between_sites(
    people: People, exposures: Sequence[Mapping[str, str]], leaves: np.ndarray, site: np.ndarray
) -> list[str]:
    """Exposures that vary between people who are counted together and were of several sites.

    Exposures that are randomised are none of these: chance makes their levels alike at all sites.

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
    chosen = [
        e["id"]
        for e in exposures
        if any(kinds[part] != RANDOMISED for part in parts_of(e["id"])) and e["id"] in people.x
    ]
    moved = (site != people.site) & people.sited & ~leaves
    found: set[str] = set()
    for setting in np.unique(people.setting[moved]):
        here = np.flatnonzero(moved & (people.setting == setting))
        if len(set(people.site[here])) > 1:
            x = people.x.iloc[here][chosen]
            found |= {name for name in chosen if float(x[name].max() - x[name].min()) > NO_SPREAD}
    return [name for name in chosen if name in found]
