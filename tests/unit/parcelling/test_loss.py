"""What disclosure control cost, and how much of that a parcel tells."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.parcel_studies import harmonized, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.parcelling.control import control
from metastudy.parcelling.loss import Loss, losses, said_of


def test_an_estimate_moves_as_two_regressions_by_hand_do(tmp_path: Path) -> None:
    """Five of a rare pattern leave: differences of two means, before and after."""
    study = harmonized(raw_study(tmp_path, "alpha", each=30, missing=5, sites=2), tmp_path / "rows")
    controlled = control(study, VOCABULARY, 5)
    found = {one.outcome: one for one in losses(study, controlled, VOCABULARY)}
    assert set(found) == {"threat_quality", "threat_job"}
    by_hand = [difference(one) for one in (study, controlled.study)]
    moved, wider = found["threat_quality"].moved, found["threat_quality"].wider
    assert moved is not None
    assert wider is not None
    assert abs(moved) < 1
    # the five are of both conditions; the standard error is within a few per cent of the simple one
    assert wider == pytest.approx(by_hand[1][1] / by_hand[0][1], abs=0.03)
    assert moved * (by_hand[1][0] - by_hand[0][0]) > 0
    assert found["threat_job"].moved == pytest.approx(0, abs=1e-9), "who left had not answered it"


def difference(study: object) -> tuple[float, float]:
    """Mean of the core condition less that of the other, and its standard error, of quality."""
    answers = study.measurements  # type: ignore[attr-defined]
    own = answers[answers["construct"].astype("str") == "threat_quality"]
    score = own.groupby("respondent_id")["value_pomp"].mean().dropna()
    arm = study.assignments.set_index("respondent_id")["level"].astype(str)  # type: ignore[attr-defined]
    groups = pd.DataFrame({"score": score, "arm": arm}).dropna().groupby("arm")["score"]
    mean, variance, n = groups.mean(), groups.var(), groups.count()
    return float(mean["core"] - mean["complementary"]), float((variance / n).sum() ** 0.5)


LEAST = {"least": 10}


def test_a_parcel_tells_ratios_in_twentieths_and_never_how_far_an_estimate_moved() -> None:
    found = [Loss("threat", "x", "a", 0.4, 1.012), Loss("threat", "x", "b", -0.1, 1.134),
             Loss("threat", "x", "c")]  # fmt: skip
    assert said_of(found, LEAST) == {
        "estimates": 3, "lost": 1, "median": 1.05, "largest": 1.15,
    }  # fmt: skip


def test_estimates_that_few_are_gone_from_are_not_told_and_hide_no_others() -> None:
    """So a study of which few left altogether tells what it cost where more lost an outcome."""
    few = [Loss("threat", "x", "a", 0.4, 3.0, gone=n) for n in (1, 9)]
    many = [Loss("threat", "x", "b", 0.1, 1.2, gone=10), Loss("threat", "x", "c", 0.0, 1.0)]
    assert said_of(few, LEAST) is None
    told = said_of([*few, *many], LEAST)
    assert told == {"estimates": 2, "lost": 0, "median": 1.1, "largest": 1.2}


def test_people_gone_from_an_estimate_are_those_without_an_answer_in_a_cell(tmp_path: Path) -> None:
    study = harmonized(raw_study(tmp_path, "alpha", each=30, missing=5, sites=2), tmp_path / "rows")
    controlled = control(study, VOCABULARY, 5)
    found = {one.outcome: one.gone for one in losses(study, controlled, VOCABULARY)}
    assert found == {"threat_quality": 5, "threat_job": 0}
    told = said_of(losses(study, controlled, VOCABULARY), controlled.did)
    assert told == {"estimates": 1, "lost": 0, "median": 1.0, "largest": 1.0}


def test_where_few_second_readings_are_gone_nothing_is_told() -> None:
    interviews = {"interviews": {"second_readings_left": "<10"}}
    assert said_of([Loss("strain", "x", "a", 0.4, 1.2)], LEAST | interviews) is None


def test_without_estimates_nothing_is_told() -> None:
    assert said_of([Loss("threat", "x", "a")], LEAST) is None
