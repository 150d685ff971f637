"""Cells of two parcels, added up in every way that both allow, differ by nobody or by many people.

Each attack is done by hand first: the answers of one person are worked out from both parcels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.parcelling import people
from metastudy.parcelling.control import control
from metastudy.parcelling.make import documents
from metastudy.parcelling.older import check_against_older
from metastudy.parcels.parcel import Parcel

FIT = "cells/threat-main.json"
OUTCOMES = ("threat_quality", "threat_profession", "threat_job")
Documents = Mapping[str, Any]


def study_of(
    score: np.ndarray, level: np.ndarray, site: np.ndarray | None = None, kind: str = "randomised"
) -> Study:
    """A study of one factor; scores in POMP, shape (people, outcome), NaN where not answered."""
    answers = {(OUTCOMES[k], ""): score[:, k].tolist() for k in range(score.shape[1])}
    arm = np.where(level > 0, "core", "complementary").tolist()
    org = None if site is None else [f"one-org-{s}" for s in site]
    made = answer_study(
        "one",
        answers,  # type: ignore[arg-type]
        {"task_type": arm},
        OUTCOMES[: score.shape[1]],
        [{"factor": "task_type", "type": kind}],
        org,
    )
    return replace(made, report={**made.report, "excluded": {}})


def told(study: Study) -> Documents:
    return documents(control(study, VOCABULARY, 5), VOCABULARY, {})


def compare(new: Documents, old: Documents) -> None:
    check_against_older(new, Parcel({"study": "one"}, old), 10, Path("older.parcel"))


def total(document: Documents, answered: int) -> tuple[int, np.ndarray]:
    """People who answered so many outcomes, and their sums [intercept, exposure] by outcome."""
    numbers = document[FIT]["numbers"]
    centre, scale = (np.array(numbers[name][0], dtype=float) for name in ("centre", "scale"))
    n, sums = 0, np.zeros((2, len(centre)))
    for c, pattern in enumerate(numbers["pattern_of_cell"]):
        if sum(numbers["observed"][pattern]) == answered:
            n += numbers["n"][c]
            xx, xy = np.array(numbers["xx"][c]), np.array(numbers["xy"][c])
            sums += xy * scale + np.outer(xx[:, 0], centre)
    return n, sums


def scores(n: int, outcomes: int = 2, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(5, 95, (n, outcomes))


def test_where_sites_have_other_names_their_people_are_compared_by_pattern(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 14 who leave a cell for other ones thirteen gave the lowest answer: the sum is one's."""
    level = np.repeat([0, 0, 1, 1], [14, 60, 40, 60])
    score = scores(len(level), 3)
    score[:13, 1] = 0
    score[np.repeat([False, True, False, True], [14, 60, 40, 60]), 1:] = np.nan
    site = 100 * level + np.arange(len(level)) // 6
    study = study_of(score, level, site, "organisational")
    with monkeypatch.context() as before:
        before.setattr(people, "_levels", lambda x, place, site: np.zeros(len(x), dtype=int))
        old = told(study)
    new = told(study)
    (one, of_old), (other, of_new) = total(old, 3), total(new, 3)
    assert one - other == 14
    assert (of_old - of_new)[0, 1] == pytest.approx(score[13, 1])
    with pytest.raises(BadInput, match="a pattern of answers differs by few people, 14"):
        compare(new, old)
    compare(old, old)
    compare(new, new)


@pytest.mark.parametrize("kind", ["organisational", "randomised"])
@pytest.mark.parametrize("sited", [True, False])
def test_a_persons_answers_are_not_told_by_another_level_of_that_person(
    kind: str, sited: bool
) -> None:
    """At a site of people of both levels, and where nobody has a site."""
    level, site = np.arange(240) % 2, np.arange(240) // 60
    score = scores(240)
    corrected = level.copy()
    corrected[5] = 1 - level[5]
    old, new = (told(study_of(score, x, site if sited else None, kind)) for x in (level, corrected))
    change = (total(new, 2)[1] - total(old, 2)[1])[1] / (corrected[5] - level[5])
    assert change == pytest.approx(score[5])
    with pytest.raises(BadInput, match="by few people, whose answers changed"):
        compare(new, old)
    compare(new, new)


def test_at_each_level_nobody_or_many_people_come_and_go() -> None:
    """Thirty leave, of whom one is of the second condition: its sum is less by that one's."""
    level, score = np.arange(240) % 2, scores(240)
    old = told(study_of(score, level))
    stays = np.ones(240, dtype=bool)
    stays[np.r_[np.flatnonzero(level == 0)[:29], 1]] = False
    new = told(study_of(score[stays], level[stays]))
    by_level = [(0.5 * sums[0] + sums[1]) for _, sums in (total(old, 2), total(new, 2))]
    assert by_level[0] - by_level[1] == pytest.approx(score[1])
    with pytest.raises(BadInput, match=r"at levels of 'task_type_randomised' by few people, 1 "):
        compare(new, old)
    stays[np.flatnonzero(level == 1)[:29]] = False
    compare(told(study_of(score[stays], level[stays])), old)


def test_an_answer_that_is_corrected_is_found_though_many_others_left_out_another() -> None:
    """Forty take an answer back, so no cell has as many people; one corrects the other answer."""
    level, score = np.arange(400) % 2, scores(400)
    score[200:, 1] = np.nan
    old = told(study_of(score, level))
    fewer = score.copy()
    fewer[:40, 1] = np.nan
    compare(told(study_of(fewer, level)), old)
    fewer[100, 0] = 50
    new = told(study_of(fewer, level))
    change = sum(total(new, k)[1][0, 0] - total(old, k)[1][0, 0] for k in (1, 2))
    assert change == pytest.approx(50 - score[100, 0])
    with pytest.raises(BadInput, match="those who answered threat_quality"):
        compare(new, old)


@pytest.mark.parametrize("changes", [False, True])
def test_a_measured_exposure_in_other_units_is_nobodys_change_and_another_value_is_ones(
    changes: bool,
) -> None:
    """Sixty come to the second site, and with them the units of all change."""
    rng, site = np.random.default_rng(2), np.repeat([0, 1], [80, 160])
    score, trait = scores(240), rng.uniform(5, 95, 240)

    def parcel(people: slice, values: np.ndarray) -> Documents:
        study = study_of(score[people], np.arange(240)[people] % 2, site[people])
        own = study.measurements["construct"].astype("str") == OUTCOMES[0]
        more = study.measurements[own].assign(
            construct="trust_government", value_pomp=values[people]
        )
        exposures = [
            *study.report["exposures"],
            {"construct": "trust_government", "type": "measured"},
        ]
        study = replace(study, report={**study.report, "exposures": exposures})
        return told(study.with_tables(measurements=pd.concat([study.measurements, more])))

    old = parcel(slice(0, 180), trait)
    values = trait.copy()
    if changes:
        values[7] = 100 - trait[7]
    new = parcel(slice(0, 240), values)
    assert new[FIT]["numbers"]["xx"][0] != old[FIT]["numbers"]["xx"][0]
    if changes:
        with pytest.raises(BadInput, match="by few people, whose answers changed"):
            compare(new, old)
    else:
        compare(new, old)
