"""Arms beside each other: how many people they have, how alike these are, who left from which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import JOINT

__all__ = ["CHANCE", "TRAITS", "Difference", "arms", "differences", "differs", "standardised"]

TRAITS = ("region", "occupation", "age_band", "gender", "tenure_yrs")
CHANCE = 1.96  # standard errors: so far arms differ by chance in 95 of 100 traits
SURE = 2.576  # beyond this, chance is a poor explanation of a difference between two shares


@dataclass(frozen=True)
class Difference:
    """One trait in one level of a factor against the factor's first level."""

    factor: str
    level: str
    reference: str
    vignette: str | None
    trait: str
    category: str  # empty for a number
    difference: float
    chance: float  # half-width of what chance explains


def arms(assignments: pd.DataFrame) -> pd.DataFrame:
    """Give each person's arm in each vignette.

    Parameters
    ----------
    assignments : the harmonized table; only randomised factors count.

    Returns
    -------
    Columns ``respondent_id``, ``vignette`` (null: the same in all) and ``arm``, the levels of the
    factors in the order of ``factors``, joined.
    """
    own = assignments[assignments["randomised"]].sort_values(["respondent_id", "factor"])
    keys = ["respondent_id", "vignette"]
    found = own.groupby(keys, dropna=False, sort=True)["level"].agg(JOINT.join)
    return found.rename("arm").reset_index()


def standardised(first: pd.Series, second: pd.Series) -> float | None:
    """Difference of two groups' means in pooled standard deviations (Austin 2009).

    Parameters
    ----------
    first, second : numbers; 0 and 1 for a category.

    Returns
    -------
    Mean of ``first`` less that of ``second`` over the root of the mean variance; missing where
    nobody varies.
    """
    a, b = first.dropna(), second.dropna()
    if len(a) < 2 or len(b) < 2:
        return None
    spread = np.sqrt((a.var(ddof=0) + b.var(ddof=0)) / 2)
    return float((a.mean() - b.mean()) / spread) if spread > 0 else None


def differences(
    respondents: pd.DataFrame, assignments: pd.DataFrame, vocabulary: Vocabulary, least: int
) -> list[Difference]:
    """Compare the traits of people between the levels of each randomised factor.

    Parameters
    ----------
    respondents, assignments : harmonized tables.
    vocabulary : for the first level of each factor.
    least : categories of fewer people are not compared.

    Returns
    -------
    One row for each factor, vignette, further level, trait and category.
    """
    columns: dict[tuple[str, str], pd.Series] = {}
    people = respondents.set_index("respondent_id")
    for trait in TRAITS:
        values = people[trait].dropna()
        if values.dtype == "float64":
            columns[trait, ""] = people[trait]
            continue
        counts = values.value_counts()
        for category in sorted(counts.index[counts >= least]):
            marked = people[trait].eq(category).astype("float64").where(people[trait].notna())
            columns[trait, str(category)] = marked
    found = []
    own = assignments[assignments["randomised"]]
    for (factor, vignette), mine in own.groupby(["factor", "vignette"], dropna=False):
        where = vignette if isinstance(vignette, str) else None
        levels = [one for one in vocabulary.levels(str(factor)) if one in set(mine["level"])]
        groups = {one: mine.loc[mine["level"] == one, "respondent_id"] for one in levels}
        for level in levels[1:]:
            for (trait, category), values in columns.items():
                a, b = values.reindex(groups[level]), values.reindex(groups[levels[0]])
                value = standardised(a, b)
                if value is not None:
                    chance = CHANCE * np.sqrt(1 / a.count() + 1 / b.count())
                    what = (str(factor), level, levels[0], where, trait, category)
                    found.append(Difference(*what, value, float(chance)))
    return found


def differs(left: Mapping[str, int], read: Mapping[str, int]) -> bool:
    """Tell whether the share of rows that left differs between levels by more than chance.

    Parameters
    ----------
    left, read : rows by level.
    """
    known = [level for level in read if read[level] > 0]
    if len(known) < 2:
        return False
    rate = {level: left.get(level, 0) / read[level] for level in known}
    high, low = max(known, key=rate.__getitem__), min(known, key=rate.__getitem__)
    pooled = sum(left.get(one, 0) for one in (high, low)) / (read[high] + read[low])
    error = np.sqrt(pooled * (1 - pooled) * (1 / read[high] + 1 / read[low]))
    return bool(error > 0 and (rate[high] - rate[low]) / error > SURE)
