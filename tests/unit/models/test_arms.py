"""Means of arms from mean and effect, against the means of the raw answers in each arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.models.answers.arms import arms
from metastudy.models.answers.cells import answer_cells

WORK = "volunteers_at_work"
FACTOR = [{"factor": "task_type", "type": "randomised"}]
ANSWERS = {"complementary": [10.0, 20.0, 30.0], "core": [40.0, 60.0], "both": [70.0, 72.0, 77.0]}


@pytest.mark.parametrize("levels", [["complementary", "core"], ["complementary", "core", "both"]])
def test_arms_are_the_means_of_the_answers_that_least_squares_finds(levels: list[str]) -> None:
    factors = dict(VOCABULARY["factors"])
    factors["task_type"] = {**factors["task_type"], "levels": {n: n.title() for n in levels}}
    vocabulary = replace(VOCABULARY, sections={**VOCABULARY.sections, "factors": factors})
    people = [(level, value) for level in levels for value in ANSWERS[level]]
    study = answer_study(
        "small", {("threat_quality", WORK): [value for _, value in people]},
        {"task_type": [level for level, _ in people]}, ["threat_quality"], FACTOR,
    )  # fmt: skip
    cells = answer_cells([study], "threat", vocabulary)
    xx, xy = (cells[name].sum("cell").values for name in ("xx", "xy"))
    mean, *effects = cells.scale.item() * np.linalg.solve(xx, xy)[:, 0]
    mean += cells.centre.item()
    for level, effect in zip(cells.exposure_level.values, effects, strict=True):
        reference, other = arms(mean, effect, str(level))
        assert reference == pytest.approx(20)
        assert other == pytest.approx(np.mean(ANSWERS[str(level) or "core"]))
