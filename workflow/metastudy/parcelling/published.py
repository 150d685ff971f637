"""Published tables of a study: what is public of its people beside what a parcel tells.

A table can be of more people than the cells: then the difference of the two is the sum over those
who are in no cell, who must be nobody or many. And a table can split the people of a cell: then its
sums are known of each part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import PublishedTable
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study
from metastudy.models.base import NO_VIGNETTE
from metastudy.parcelling.data_sets import other_data_sets
from metastudy.parcelling.lattice import lattice_of
from metastudy.parcelling.sums import FEWEST, dominated, few_or_alike

__all__ = ["groups_of", "who_leaves_too"]

OTHERS = "others"
_TRAITS = ("arrangement", "region", "occupation", "age_band", "gender", "lang")  # in no cell
_COLUMN = {"site": "org_id"}
_WHOLE_SEARCHED = 60  # of those who are in no cell; of more, one column has more than enough

Names = Sequence[tuple[str, str]]


def groups_of(
    study: Study, tables: Sequence[PublishedTable], ids: np.ndarray, names: Names
) -> np.ndarray:
    """Groups of people whose sums the tables of a column tell, together.

    Parameters
    ----------
    ids : of the people, in the order of the rows.
    names : construct and vignette of each column.

    Returns
    -------
    Numbers from zero, shape (people, column); zeros where no table is published.
    """
    found = np.zeros((len(ids), len(names)), dtype=int)
    for k, name in enumerate(names):
        labels = [_labels(study, t, t.by, name[1]).reindex(ids) for t in tables if _is_of(t, name)]
        if labels:
            together = pd.concat(labels, axis=1).astype(str).agg("\x1e".join, axis=1)
            found[:, k] = np.unique(together, return_inverse=True)[1]
    return found


def who_leaves_too(
    study: Study,
    tables: Sequence[PublishedTable],
    ids: np.ndarray,
    names: Names,
    kept: np.ndarray,
    cell: np.ndarray,
    site: np.ndarray,
    least: int,
) -> np.ndarray:
    """Who has to leave with those who are in no cell, as a published table is of them as well.

    Of each group of a table those whose answer is in no cell are counted: if they are few, or their
    sums tell answers, people of the group's largest cell leave with them, the first in the order of
    their keyed ids, which nobody can tell without the key. Tables are taken by what the cells tell
    apart as well: conditions and places, sites after control.

    Parameters
    ----------
    ids, names : as for :func:`groups_of`.
    kept : whether each answer is in a cell, shape (people, column).
    cell : the cell of each person, numbers.
    site : of each person, after control.

    Returns
    -------
    Shape (people,).
    """
    everybody = study.respondents["respondent_id"].to_numpy(dtype=str)
    at = pd.Series(np.arange(len(ids)), ids).reindex(everybody)
    mine, place = at.notna().to_numpy(), at.fillna(0).to_numpy(dtype=int)
    wide = _scores(study).reindex(everybody)
    org = study.respondents["org_id"].astype("str").fillna("").to_numpy(dtype=object)
    # Who is in no cell is of the site that the others of the organisation are counted at.
    of_cells = dict(zip(org[mine], site[place[mine]], strict=True))
    after = np.array([of_cells.get(one, OTHERS) for one in org], dtype=object)
    after[mine] = site[place[mine]]
    leave = np.zeros(len(ids), dtype=bool)
    for k, name in enumerate(names):
        if name not in wide:
            continue
        score = wide[name].to_numpy()
        answered = ~np.isnan(score)
        inside = mine & np.r_[kept[:, k], False][np.where(mine, place, len(ids))]
        for table in (t for t in tables if _is_of(t, name)):
            by = [one for one in table.by if one not in _TRAITS and one != "site"]
            labels = _labels(study, table, by, name[1]).reindex(everybody).to_numpy(dtype=object)
            if "site" in table.by:
                labels = labels + "\x1f" + after.astype(str)
            for label in np.unique(labels[answered].astype(str)):
                group = answered & (labels == label)
                need = _more(study, everybody, name, score, group & ~inside, least)
                stay = place[group & inside]
                stay = stay[~leave[stay]]
                if not need or not len(stay):
                    continue
                _, of, size = np.unique(cell[stay], return_inverse=True, return_counts=True)
                own = stay[of == int(np.argmax(size))]
                leave[own[np.argsort(ids[own])][:need]] = True
    return leave


def _more(
    study: Study,
    everybody: np.ndarray,
    name: tuple[str, str],
    score: np.ndarray,
    outside: np.ndarray,
    least: int,
) -> int:
    """How many more must leave so that the sums over those who are in no cell tell no answer."""
    number, enough = int(outside.sum()), max(least, 2 * FEWEST)
    if number == 0:
        return 0
    if number < enough:
        return enough - number
    own, one = score[outside][:, None], np.zeros(number, dtype=int)
    two = np.array([len(np.unique(np.round(score[~np.isnan(score)], 6))) == 2])
    tells = bool(few_or_alike(np.round(own, 6), one, two, least).any())
    tells |= bool(dominated(own, np.array([100.0])).any())
    lattice = lattice_of(study, everybody[outside], [name])
    if not tells and lattice.top[0] and number <= _WHOLE_SEARCHED:
        tells = not other_data_sets(lattice, one).safe
    return least if tells else 0


def _is_of(table: PublishedTable, name: tuple[str, str]) -> bool:
    return table.construct == name[0] and table.vignette in (None, name[1])


def _labels(study: Study, table: PublishedTable, by: Sequence[str], vignette: str) -> pd.Series:
    """The group of each respondent in a table, as a text."""
    people = study.respondents.set_index("respondent_id")
    found = pd.Series("", index=people.index.astype(str))
    for name in by:
        column = _COLUMN.get(name, name)
        if column in people:
            values = people[column]
        else:
            own = study["assignments"]
            own = own[own["factor"].astype("str") == name]
            of = own["vignette"].astype("str").fillna(NO_VIGNETTE)
            own = own[of.isin([vignette, NO_VIGNETTE])]
            values = own.groupby("respondent_id", observed=True)["level"].first()
        said = values.astype("str").fillna("")
        said.index = said.index.astype(str)
        found = found + "\x1f" + said.reindex(found.index).fillna("")
    return found


def _scores(study: Study) -> pd.DataFrame:
    score = scores(study.measurements)
    score["vignette"] = score["vignette"].astype("str").fillna(NO_VIGNETTE)
    score["construct"] = score["construct"].astype("str")
    wide = score.pivot(index="respondent_id", columns=["construct", "vignette"], values="score")
    wide.index = wide.index.astype(str)
    return wide
