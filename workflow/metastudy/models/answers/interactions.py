"""Interactions within a study: products of two exposures, as exposures of their own.

In a product a factor is centred so that each of its levels counts alike, and a trait is around the
mean of its setting anyway. So a main effect keeps its meaning beside an interaction: it is the mean
of the effects at the levels of the other factor, or the effect at the mean of the trait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from metastudy.codebook.interactions import INTERACTION, parts_of, times
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem

__all__ = ["check_interactions", "products"]

ORDER = ("randomised", "organisational", "measured")  # what differs comes before by what it differs
CONSTANT = 1e-9  # a standard deviation within settings, in the units of exposures


def products(
    pairs: Sequence[Sequence[str]],
    x: pd.DataFrame,
    exposures: Sequence[Mapping[str, str]],
    vocabulary: Vocabulary,
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The columns of interactions, and what is said of each.

    Parameters
    ----------
    pairs : names of the two exposures of each, in any order; each pair has the same ids whichever
        is named first.
    x : the exposures, a column each, with the rows of people.
    exposures : what is said of them.

    Returns
    -------
    Columns and entries as of exposures: the id of an interaction joins those of its parts. Its
    coefficient is the difference of an effect between a level and the reference, or per standard
    deviation of a trait.
    """
    columns: dict[str, pd.Series] = {}
    described = []
    for pair in pairs:
        sides = [[e for e in exposures if e["name"] == name] for name in pair]
        sides.sort(key=lambda side: (ORDER.index(side[0]["type"]), side[0]["name"]))
        for parts in product(*sides):
            key, name, level = (times(part[of] for part in parts) for of in ("id", "name", "level"))
            one, other = (_centred(part, x[part["id"]], vocabulary) for part in parts)
            columns[key] = one * other
            described.append({"id": key, "name": name, "type": INTERACTION, "level": level})
    return pd.DataFrame(columns, index=x.index), described


def _centred(exposure: Mapping[str, str], values: pd.Series, vocabulary: Vocabulary) -> pd.Series:
    """A contrast of a factor with its levels counted alike; two levels are so coded already."""
    return values - 1 / len(vocabulary.levels(exposure["name"])) if exposure["level"] else values


def check_interactions(
    study: str,
    pairs: Sequence[Sequence[str]],
    interactions: Sequence[str],
    x: pd.DataFrame,
    levels: Mapping[str, pd.Series],
    setting: Sequence[pd.Series],
) -> None:
    """Refuse an interaction that the people of a study do not identify.

    Parameters
    ----------
    pairs, interactions : names of their exposures, and their ids.
    x : exposures with interactions, of those who are in the cells.
    levels : of each factor, for the same people.
    setting : what settings are made of within the study.

    Raises
    ------
    BadInput
        ``empty-interaction`` where nobody is in a combination of two factors' levels, and
        ``aliased-interaction`` where other exposures make up a product within settings.
    """
    problems = []
    for pair in pairs:
        if not set(pair) <= set(levels):
            continue
        counts = pd.crosstab(levels[pair[0]], levels[pair[1]])
        places = product(counts.index, counts.columns)
        if empty := [f"{a} with {b}" for a, b in places if not counts.loc[a, b]]:
            problems.append(
                _problem(
                    study,
                    pair,
                    f"nobody in: {', '.join(empty)}",
                    "somebody who answers an outcome in each combination of the two factors",
                    "empty-interaction",
                )
            )
    if not problems:
        within = x - x.groupby(list(setting)).transform("mean")
        for name in interactions:
            if alias := _made_up_of(within, name):
                problems.append(
                    _problem(
                        study,
                        parts_of(name),
                        f"a product that {' and '.join(alias)} make up within settings",
                        "people whose two exposures vary apart from all other exposures",
                        "aliased-interaction",
                    )
                )
                break  # the others that are made up of this one are no other fault
    if problems:
        raise BadInput(problems)


def _problem(study: str, pair: Sequence[str], found: str, expected: str, code: str) -> Problem:
    return Problem(
        study=study,
        file=f"data/raw/{study}/codebook.yaml",
        column=f"interaction of {' and '.join(pair)}",
        found=found,
        expected=expected,
        fix="take the pair out of `interactions` in the study's codebook",
        code=code,
    )


def _made_up_of(within: pd.DataFrame, name: str) -> list[str]:
    """The fewest other columns that make up one, or the intercept of a constant; none if none do.

    Columns are around the means of settings, so one that is zero is constant there.
    """
    size = np.sqrt((within**2).sum())
    if size[name] <= CONSTANT * np.sqrt(len(within)):
        return ["the means of settings"]
    others = [str(column) for column in within if column != name]

    def makes_up(some: Sequence[str]) -> bool:
        before = (within[[*some]] / size[[*some]].where(size[[*some]] > 0, 1.0)).to_numpy()
        both = np.column_stack([before, within[name] / size[name]])
        rank = np.linalg.matrix_rank
        return bool(some) and rank(both) == rank(before)

    if not makes_up(others):
        return []
    needed = others
    for column in others:
        fewer = [kept for kept in needed if kept != column]
        if makes_up(fewer):
            needed = fewer
    return needed
