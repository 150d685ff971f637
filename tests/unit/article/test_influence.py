"""What the article says of the influence of each study follows from its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics import influence
from metastudy.common import result_tables

STUDIES = ["first", "second", "third"]


def results(shift: list[float], missed: list[str], total: float = 0.2) -> Results:
    base = evidence("null", 3)
    whole = base.synthesis["pooled"].query("level == 'population'").iloc[0].to_dict()
    row = whole | {"mean": 0.3, "sd": 0.1, "studies": 3, "total": total, "rhat": 1.0}
    row |= {"ess_bulk": 500.0, "ess_tail": 500.0, "lower_without": 0.1, "upper_without": 0.5}
    rows = [
        row
        | {"study": study, "shift": s, "mean_without": 0.3 + 0.1 * s, "missed": m}
        | {"total_without": total + k / 10}
        for k, (study, s, m) in enumerate(zip(STUDIES, shift, missed, strict=True))
    ]
    made = pd.DataFrame(rows)[result_tables.columns("influence")]
    found = result_tables.checked("influence", made)
    return replace(base, synthesis={**base.synthesis, "influence": found})


def test_the_sentence_has_the_largest_shift_of_a_mean_and_of_a_total() -> None:
    found = results([0.5, -1.5, 0.1], ["", "", ""])
    said = influence.variables(found)["sentence"]
    name = found.labels.study("second")
    assert said.startswith("Without one study no pooled mean moves by more than 1.50 posterior")
    assert f"without {name})" in said
    assert "no total heterogeneity by more than 0.20 (from 0.20 to 0.40" in said
    assert "gate" not in said


def test_a_refit_that_misses_a_gate_is_shown_and_not_counted() -> None:
    found = results([0.5, -1.5, 0.1], ["", "R-hat 1.5 (gate 1.02)", ""])
    said = influence.variables(found)["sentence"]
    assert "more than 0.50 posterior" in said
    assert "1 of 3 refits without a study misses a gate and is not counted" in said
    shown = influence.table(found).shown
    assert shown["Gate missed"].tolist() == ["–", "R-hat 1.5 (gate 1.02)", "–"]
    assert shown["Mean without it"].tolist()[0] == "0.35 (0.10 to 0.50)"
    none = results([0.5, -1.5, 0.1], ["R-hat 1.5 (gate 1.02)"] * 3)
    assert influence.variables(none)["sentence"].startswith("Influence of each study: 3 of 3")


def test_an_effect_without_a_total_has_none_to_move() -> None:
    found = results([0.5, -1.5, 0.1], ["", "", ""], np.nan)
    assert "total" not in influence.variables(found)["sentence"]
    assert set(influence.table(found).shown["Total"]) == {"–"}


def test_without_several_studies_it_is_not_done_and_says_why() -> None:
    base = evidence("null", 1)
    assert base.synthesis["pooled"].empty
    assert influence.variables(base)["sentence"] == influence.FEW
    many = evidence("null", 3)
    assert influence.variables(many)["sentence"] == influence.MANY
    assert influence.table(base).shown.empty
