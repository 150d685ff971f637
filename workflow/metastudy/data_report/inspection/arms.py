"""Inspect the arms of an experiment: their size, balance and attrition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.disclosure import about, divided
from metastudy.data_report.balance import arms, differences, differs, standardised
from metastudy.data_report.inspection.beside_places import by_group
from metastudy.data_report.inspection.values import (
    Arms,
    ArmSize,
    Check,
    Left,
    number_or_none,
    text_or_none,
)
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study

__all__ = ["arms_of"]


def arms_of(study: Study, vocabulary: Vocabulary, least: int) -> Arms | None:
    """Inspect the arms of a randomised study: sizes, balance, losses and manipulation checks.

    Parameters
    ----------
    study : with its tables of assignments and respondents.
    vocabulary : the common one with what the study adds to it.
    least : the smallest cell that is shown.

    Returns
    -------
    None if nothing was randomised.
    """
    assigned = study["assignments"]
    randomised = assigned[assigned["randomised"]]
    if not len(randomised):
        return None
    counts: list[ArmSize] = []
    for vignette, own in arms(randomised).groupby("vignette", dropna=False):
        for arm, n in by_group(study, own.set_index("respondent_id")["arm"], least):
            counts.append(ArmSize(text_or_none(vignette), arm, n))
    balance = [
        replace(one, difference=round(one.difference, 4), chance=round(one.chance, 4))
        for one in differences(study["respondents"], randomised, vocabulary, least)
    ]
    return Arms(
        factors=tuple(sorted(set(randomised["factor"]))),
        counts=tuple(counts),
        balance=tuple(balance),
        left=_left(study.report, vocabulary, least),
        checks=tuple(_checks(study, randomised, vocabulary, least)),
    )


def _left(report: Mapping[str, Any], vocabulary: Vocabulary, least: int) -> tuple[Left, ...] | None:
    """Tell how many rows of each level left by which rule.

    The rule's own count may stand on the page, and so may the people that each level kept: the
    levels of a rule are protected together, and a level in which a count is hidden has no shares.
    """
    by_rule, read = report.get("excluded_by_arm"), report.get("read_by_arm")
    if by_rule is None or read is None:
        return None
    rows: list[Left] = []
    for factor, of_level in read.items():
        total = {level: int(of_level.get(level, 0)) for level in vocabulary.levels(factor)}
        left = {
            rule: {level: int(of_factor.get(factor, {}).get(level, 0)) for level in total}
            for rule, of_factor in by_rule.items()
        }
        shown = {}
        for rule, counts in left.items():
            for level, n in zip(counts, divided([*counts.values()], least), strict=True):
                shown[rule, level] = n
        open_levels = {
            level for level in total if all(isinstance(shown[rule, level], int) for rule in left)
        }
        rows += [
            Left(
                rule=rule,
                factor=factor,
                level=level,
                n=shown[rule, level],
                share=round(100 * left[rule][level] / total[level], 1)
                if level in open_levels and total[level]
                else None,
                differs=differs(left[rule], total),
            )
            for rule in left
            for level in total
        ]
    return tuple(rows)


def _checks(
    study: Study, randomised: pd.DataFrame, vocabulary: Vocabulary, least: int
) -> list[Check]:
    """Compare a construct that checks a factor between the levels of that factor."""
    if not len(study["measurements"]):
        return []
    scored = scores(study["measurements"])
    rows: list[Check] = []
    for construct in dict.fromkeys(scored["construct"]):
        factor = vocabulary["constructs"][construct].get("checks")
        own = randomised[randomised["factor"] == factor]
        if not len(own):
            continue
        means = scored[scored["construct"] == construct].groupby("respondent_id")["score"].mean()
        groups = {
            level: means.reindex(own.loc[own["level"] == level, "respondent_id"].unique()).dropna()
            for level in vocabulary.levels(str(factor))
        }
        reference = next(iter(groups))
        for level, values in groups.items():
            few = len(values) < least
            rows.append(
                Check(
                    construct=construct,
                    factor=str(factor),
                    level=level,
                    n=about(len(values), least) if not few else f"<{least}",
                    mean=None if few else number_or_none(values.mean()),
                    difference=None
                    if few or level == reference
                    else number_or_none(standardised(values, groups[reference])),
                )
            )
    return rows
