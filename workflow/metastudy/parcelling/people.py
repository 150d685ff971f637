"""The people of a study who are in some module, and all that control looks at of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows
from metastudy.models.base import KEYS_OF_SETTING, NO_VIGNETTE

__all__ = ["People", "people_of"]


NO_SPREAD = 1e-9  # of an exposure in a site, in its own units: less than this is rounding
# Share of the variance of an exposure that is within sites, below which it counts as one of sites.
OF_SITES = 0.2
# People beyond the first of each site: of fewer, chance alone makes those of a site alike.
PAIRS = 5


@dataclass
class People:
    """The people of a study in some module, in the order of their ids.

    Who is of one ``setting`` may be counted together: of one place (country, sector and role), and
    of one ``level`` of the exposures that are the same for nearly all of a site there, numbered
    from one; zero where there are none.
    """

    ids: np.ndarray
    y: pd.DataFrame  # all outcomes of all modules, in standard units
    x: pd.DataFrame  # exposures
    place: np.ndarray
    level: np.ndarray
    setting: np.ndarray
    site: np.ndarray
    sited: np.ndarray
    version: np.ndarray  # conditions and other exposures of two values, together
    needed: np.ndarray  # outcomes that exposures are made of
    traits: list[tuple[str, str]]  # measured exposures: construct and vignette


def people_of(study: Study, rows: dict[str, Rows]) -> People:
    """The people of a study, from the rows of its modules."""
    y = pd.concat([r.y for r in rows.values()], axis=1)
    x = pd.concat([r.x for r in rows.values()]).groupby(level=0, sort=False).first().loc[y.index]
    where = pd.concat([r.site for r in rows.values()])
    where = where[~where.index.duplicated()].loc[y.index]
    two = [name for name in x if x[name].nunique() <= 2]
    version = np.unique(x[two].to_numpy(), axis=0, return_inverse=True)[1].ravel()
    keys = where[list(KEYS_OF_SETTING)].astype(str).agg("\x1f".join, axis=1)
    place = np.unique(keys, return_inverse=True)[1]
    level = _levels(x, place, where["site"].where(where["site"] != where["study"], "").to_numpy())
    made_of = {e["construct"] for e in study.report["exposures"] if "construct" in e}
    return People(
        ids=y.index.to_numpy(dtype=str),
        y=y,
        x=x,
        place=place,
        level=level,
        setting=np.unique(np.column_stack([place, level]), axis=0, return_inverse=True)[1].ravel(),
        site=where["site"].where(where["sited"], "").to_numpy(dtype=object),
        sited=where["sited"].to_numpy(dtype=bool),
        version=version if two else np.zeros(len(y), dtype=int),
        needed=y.columns.get_level_values("construct").isin(made_of),
        traits=_traits(study, made_of),
    )


def _levels(x: pd.DataFrame, place: np.ndarray, site: np.ndarray) -> np.ndarray:
    """Levels of the exposures that vary between the sites of a place and hardly in any of them.

    At a site of people of two such levels the exposure would vary as if it were of persons, and its
    estimate would have a standard error that knows of no sites. A few people who are not as their
    site is (one who came from elsewhere, a home that changed its arrangement half way) change
    nothing of that: they have the level that is their own.

    Parameters
    ----------
    x : exposures, shape (people, exposure).
    site : of each person, empty for who has none.
    """
    found = np.zeros(len(x), dtype=int)
    for p in np.unique(place):
        here = np.flatnonzero(place == p)
        same = _of_sites(x.iloc[here], site[here])
        if same.any():
            own = x.iloc[here].to_numpy()[:, same].round(6)
            found[here] = 1 + np.unique(own, axis=0, return_inverse=True)[1].ravel()
    return found


def _of_sites(x: pd.DataFrame, site: np.ndarray) -> np.ndarray:
    """Which exposures are of sites: the mean square within them is a small share of that of all.

    The mean square within has people less sites for its degrees of freedom, so it is that of all
    where an exposure has nothing to do with sites, whatever their sizes are. An exposure of more
    than two values, such as a measured one, is of sites only if it does not vary within any: its
    values are no levels else.

    Parameters
    ----------
    x : exposures of the people of a place.
    site : of each, empty for who has none.
    """
    at, names = x[site != ""], site[site != ""]
    freedom = len(at) - len(set(names))
    if freedom < PAIRS:
        return np.zeros(x.shape[1], dtype=bool)
    sites = at.groupby(names)
    within = ((at - sites.transform("mean")) ** 2).sum() / freedom
    limit = (OF_SITES * x.var()).where(x.nunique() <= 2, NO_SPREAD**2)
    return ((within <= limit) & (x.max() - x.min() > NO_SPREAD)).to_numpy()


def _traits(study: Study, made_of: set[str]) -> list[tuple[str, str]]:
    table = study.measurements
    own = table[table["construct"].astype("str").isin(made_of)]
    found = zip(own["construct"].astype("str"), own["vignette"].astype("str").fillna(NO_VIGNETTE),
                strict=True)  # fmt: skip
    return sorted(set(found))
