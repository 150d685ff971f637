"""Counts of a study's people by arm or by organisation, as they may be shown beside its places."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metastudy.common import people_flow
from metastudy.common.breakdowns import beside
from metastudy.common.disclosure import Count
from metastudy.harmonized.study import PLACE, Study

__all__ = ["by_group", "least_within"]


def by_group(study: Study, group: pd.Series, least: int) -> list[tuple[str, Count | None]]:
    """People of each group by its name, in the order of the names.

    Parameters
    ----------
    group : names by ``respondent_id``; who has none is in no group.
    least : the smallest cell that is shown.
    """
    people = study.respondents.drop_duplicates("respondent_id").set_index("respondent_id")
    place = people.reindex(columns=list(PLACE)).astype("str").fillna("").agg("\0".join, axis=1)
    own = group.reindex(people.index)
    weight = study.people_of.reindex(people.index)
    names = sorted(map(str, own.dropna().unique()))
    crossed = np.zeros((place.nunique(), len(names) + 1), dtype=np.int64)
    at = own.map({name: k for k, name in enumerate(names)}).fillna(len(names)).astype(int)
    np.add.at(crossed, (pd.factorize(place)[0], at.to_numpy()), weight.to_numpy())
    return list(zip(names, beside(crossed, least), strict=True))


def least_within(study: Study, least: int) -> int:
    """The smallest cell that is shown of parts of a study.

    Where it is hidden how many people it kept, as the places would tell each other, no number that
    may be all of them is shown.
    """
    kept = people_flow.kept(int(study.report["rows_kept"]), [*study.places.values()], least)
    return least if kept.exact else kept.high + 1
