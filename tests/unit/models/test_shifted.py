"""Missing outcomes that are shifted: the closed form is what multiple imputation comes to."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.shifted import MOSTLY, shifted

DELTA, IMPUTED = 0.5, 300


def world(share: float, n: int = 240, seed: int = 3) -> tuple[object, np.ndarray, np.ndarray]:
    """A trait and an outcome that is missing more often where the trait is high."""
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=n)
    outcome = 50 + 4 * trait + 10 * rng.normal(size=n)
    missing = rng.uniform(size=n) < 2 * share / (1 + np.exp(-1.5 * trait))
    seen = np.where(missing, np.nan, outcome)
    answers = {
        ("self_efficacy", None): 50 + 10 * trait,
        ("coping_avoidance", "user_vs_collective_value"): seen,
        ("coping_tradeoff", "user_vs_collective_value"): 50 + 10 * rng.normal(size=n),
    }
    study = answer_study(
        "s", answers, {}, ["coping_avoidance", "coping_tradeoff"],
        [{"construct": "self_efficacy", "type": "measured"}],
    )  # fmt: skip
    x = (trait - trait.mean()) / trait.std(ddof=1)
    cells = answer_cells([study], "coping", VOCABULARY)
    at = [str(c) for c in cells.construct_of.values].index("coping_avoidance")
    y = (seen - float(cells.centre.values[0, at])) / float(cells.scale.values[0, at])
    return cells, x, y


def imputed(x: np.ndarray, y: np.ndarray, delta: float) -> tuple[float, float]:
    """Slope and standard error by proper multiple imputation and Rubin's rules."""
    rng = np.random.default_rng(11)
    design, seen = np.column_stack([np.ones(len(x)), x]), ~np.isnan(y)
    inverse = np.linalg.inv(design[seen].T @ design[seen])
    b = inverse @ design[seen].T @ y[seen]
    left = ((y[seen] - design[seen] @ b) ** 2).sum()
    slopes, within = [], []
    for _ in range(IMPUTED):
        sigma = np.sqrt(left / rng.chisquare(seen.sum() - 2))
        drawn = b + sigma * np.linalg.cholesky(inverse) @ rng.normal(size=2)
        whole = y.copy()
        whole[~seen] = design[~seen] @ drawn + sigma * rng.normal(size=(~seen).sum()) + delta
        bread = np.linalg.inv(design.T @ design)
        slope = bread @ design.T @ whole
        residual = ((whole - design @ slope) ** 2).sum() / (len(x) - 2)
        slopes.append(slope[1])
        within.append(residual * bread[1, 1])
    between = np.var(slopes, ddof=1)
    return float(np.mean(slopes)), float(np.sqrt(np.mean(within) + (1 + 1 / IMPUTED) * between))


def test_the_shifted_effect_is_that_of_multiple_imputation() -> None:
    cells, x, y = world(0.25)
    (row,) = shifted(cells, VOCABULARY, DELTA).to_dict("records")
    assert (row["asked"], row["missing"]) == (240, int(np.isnan(y).sum()))
    for way, delta in (("up", DELTA), ("down", -DELTA)):
        slope, se = imputed(x, y, delta)
        assert row[f"estimate_{way}"] == pytest.approx(slope, abs=4 * 0.05 / np.sqrt(IMPUTED))
        assert row[f"se_{way}"] == pytest.approx(se, rel=0.04)
    plain, _ = imputed(x, y, 0.0)
    assert row["estimate"] == pytest.approx(plain, abs=4 * 0.05 / np.sqrt(IMPUTED))
    assert abs(row["estimate_up"] - row["estimate"]) > 0.03, "the shift is seen"


def test_at_the_tipping_point_the_effect_is_zero() -> None:
    cells, _, _ = world(0.25)
    (row,) = shifted(cells, VOCABULARY, DELTA).to_dict("records")
    (there,) = shifted(cells, VOCABULARY, row["tipping"]).to_dict("records")
    assert there["estimate_up"] == pytest.approx(0, abs=1e-9)


def test_who_hardly_answered_is_not_guessed_and_who_always_did_has_no_row() -> None:
    cells, _, _ = world(0.45, seed=5)
    (row,) = shifted(cells, VOCABULARY, DELTA).to_dict("records")
    assert row["outcome"] == "coping_avoidance"
    few = 2 * row["missing"] > row["asked"]
    assert row["reason"] == (MOSTLY if few else "")
    cells, _, _ = world(0.7, seed=5)
    (row,) = shifted(cells, VOCABULARY, DELTA).to_dict("records")
    assert row["reason"] == MOSTLY
    assert np.isnan(row["estimate_up"])
    assert shifted(world(0.0)[0], VOCABULARY, DELTA).empty


def test_who_was_not_shown_a_vignette_is_not_missing_there() -> None:
    rng, n = np.random.default_rng(8), 200
    shown = np.arange(n) % 2 == 0
    trait = rng.normal(size=n)
    answers = {("self_efficacy", None): 50 + 10 * trait}
    for vignette, mine in (("user_vs_collective_value", shown), ("inclusion_vs_quality", ~shown)):
        for outcome in ("coping_avoidance", "coping_tradeoff"):
            y = np.where(mine, 50 + 10 * rng.normal(size=n), np.nan)
            answers[outcome, vignette] = y
    answers["coping_avoidance", "user_vs_collective_value"][:20] = np.nan  # ten of those shown it
    study = answer_study(
        "s", answers, {}, ["coping_avoidance", "coping_tradeoff"],
        [{"construct": "self_efficacy", "type": "measured"}],
    )  # fmt: skip
    found = shifted(answer_cells([study], "coping", VOCABULARY), VOCABULARY, DELTA)
    (row,) = found.to_dict("records")
    assert (row["vignette"], row["outcome"]) == ("user_vs_collective_value", "coping_avoidance")
    assert (row["asked"], row["missing"]) == (100, 10)


def test_a_setting_where_nothing_is_missing_makes_no_floats_of_the_counts_of_others() -> None:
    task = {"task_type": ["complementary", "core"] * 30}
    score = 50 + 10 * np.random.default_rng(5).normal(size=60)
    other = np.where(np.arange(60) < 6, np.nan, score)
    studies = [
        answer_study(
            name,
            {("threat_job", None): score, ("threat_quality", None): second},
            task,
            ["threat_job", "threat_quality"],
            [{"factor": "task_type", "type": "randomised"}],
            country=country,
        )
        for name, second, country in (("a", score[::-1], "DK"), ("b", other, "FI"))
    ]
    found = shifted(answer_cells(studies, "threat", VOCABULARY), VOCABULARY, DELTA)
    assert found[["study", "asked", "missing"]].to_numpy().tolist() == [["b", 60, 6]]
    assert found[["asked", "missing"]].dtypes.eq("int64").all()
