"""Conditions that nobody is in, each with what emptied it: values, answers, scores or exposures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study

__all__ = ["COPIES", "no_empty_arm", "unscored"]

COPIES = (
    "where columns are copies of one question, such as one for each condition, give them the same "
    "`item: NAME` in the codebook; where they are scales of their own, a construct each"
)


def unscored(study: Study, constructs: Iterable[str], people: pd.Index | None = None) -> str:
    """Say where people answered items of a scale and too few of them for a score.

    Parameters
    ----------
    study : with its measurements; of arms with means there are none.
    constructs : that are looked at.
    people : ids of respondents; without it, all.

    Returns
    -------
    One sentence's end, such as "60 answered some of the 2 items of trust, nobody two
    thirds of them"; empty where nobody of them answered too few.
    """
    table = scores(study.measurements)
    table = table[table["construct"].isin(list(constructs))]
    if people is not None:
        table = table[table["respondent_id"].isin(people)]
    said = []
    for construct, mine in table.groupby("construct", sort=False):
        some = mine[mine["answered"] > 0]
        if len(some) and some["score"].isna().all():
            number = some["respondent_id"].nunique()
            said.append(
                f"{number} answered some of the {int(some['items'].max())} items of {construct}, "
                "nobody two thirds of them"
            )
    return "; ".join(said)


def no_empty_arm(
    study: Study,
    factor: str,
    levels: Sequence[str],
    assigned: pd.Series,
    kept: pd.DataFrame,
    exposures: pd.DataFrame,
) -> None:
    """Refuse a factor that has a level without anybody whose outcome can be compared.

    Parameters
    ----------
    study : whose people they are.
    factor, levels : as in the vocabulary.
    assigned : level of everybody who has one, by the respondent.
    kept : scores of outcomes (columns: construct, vignette) of those who are in the model.
    exposures : all exposures of everybody; NaN where somebody has none.

    Raises
    ------
    BadInput
        ``empty-arm`` where nobody was assigned to a level, answered there, or has all exposures;
        ``too-few-items`` where people answered, and too few items of a scale for a score.
    """
    inside = assigned.reindex(kept.index)
    empty = [name for name in levels if not (inside == name).any()]
    if not empty:
        return
    there = assigned.index[assigned.isin(empty)]
    thin = unscored(study, kept.columns.get_level_values("construct"), there)
    lacking = list(exposures.columns[exposures.reindex(there).isna().all()]) if len(there) else []
    found = f"nobody in: {', '.join(empty)}"
    fix = "correct the value map of the factor, or take it out of `exposures`"
    code = "empty-arm"
    if thin:
        found = f"nobody with a score in: {', '.join(empty)}; {thin}"
        fix, code = COPIES, "too-few-items"
    elif lacking:
        found += f" who also has {', '.join(map(str, lacking))}"
        fix = "correct the value maps of these exposures, or take one out of `exposures`"
    elif len(there):
        found += f" who answered an outcome, though the condition is in {len(there)} rows"
        fix = (
            "look at the missing codes of the items, and at what was asked in this condition; or "
            "take the factor out of `exposures`"
        )
    raise BadInput(
        Problem(
            study=study.id,
            file=f"data/raw/{study.id}/codebook.yaml",
            column=f"factor {factor}",
            found=found,
            expected=f"somebody who answers an outcome in each of: {', '.join(levels)}"
            + (", two thirds of its items at least" if thin else ""),
            fix=fix,
            code=code,
        )
    )
