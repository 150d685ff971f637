"""Which published effects are asked about selection, how, and what is said instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import SETTINGS
from helpers.raw_studies import VOCABULARY
from helpers.selection_worlds import experiments, findings
from metastudy.common import result_tables
from metastudy.common.problems import BadInput
from metastudy.models.priors import priors_of
from metastudy.synthesis.published_effects import errors_alone, published
from metastudy.synthesis.published_standardisers import Difference, error_alone, standardised
from metastudy.synthesis.selected_effects import (
    LEAST,
    ONLY_MEAN,
    PRIMARY,
    analyses,
    check_sides,
    one_each,
)

PRIORS = priors_of(SETTINGS["priors"])
ALLOWED = ["pooled_sd"]


def analysed(
    effects: pd.DataFrame, sides: dict[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All analyses by name, and the effects, both in the form in which they are written."""
    table, covariance = published(effects, VOCABULARY, ALLOWED)
    own = one_each(table, covariance, errors_alone(effects, table, ALLOWED))
    made, seen = analyses(own, sides or {}, PRIORS, 0.95, {"sd": 0.1}, 1.96)
    result_tables.checked("selection_effects", seen)
    return result_tables.checked("selection", made).set_index("analysis"), seen


def world(number: int, seed: int = 4, share: float = 0.2) -> tuple[np.ndarray, ...]:
    return experiments(np.random.default_rng(seed), share, number)


def test_from_ten_effects_on_all_is_done_and_below_only_the_bound_with_the_reason() -> None:
    enough, _ = analysed(findings(*world(LEAST)))
    assert (enough["reason"] == "").all()
    assert enough["mean"].notna().all()
    few, _ = analysed(findings(*world(LEAST - 1)))
    done = few["reason"] == ""
    assert list(few.index[done]) == ["plain", "worst_case"]
    assert few.loc[~done, "mean"].isna().all()
    assert set(few.loc[~done, "reason"]) == {
        "there are 9 effects, and of fewer than ten selection cannot be distinguished from chance"
    }


def test_one_publication_is_not_asked_about_selection() -> None:
    made, seen = analysed(findings(*world(1)))
    assert made.empty
    assert seen.empty
    made, seen = analysed(findings(*(np.zeros(0) for _ in range(3))))
    assert made.empty
    assert list(made.columns) == [c for c in result_tables.columns("selection") if c != "analysis"]


def test_selection_of_negative_effects_is_the_mirror_of_that_of_positive_ones() -> None:
    y, se, alone = world(12)
    up, _ = analysed(findings(y, se, alone), {"willingness": "positive"})
    down, _ = analysed(findings(-y, se, alone), {"willingness": "negative"})
    same = ["affirmative", "sd", "pd", "rope", "tau", "weight", "ratio_mean", "slope_sd"]
    pd.testing.assert_frame_equal(up[same], down[same], atol=1e-8)
    for one, other in (("mean", "mean"), ("lower", "upper"), ("slope", "slope")):
        np.testing.assert_allclose(up[one], -down[other], atol=1e-8)
    np.testing.assert_allclose(up["above"], down["below"], atol=1e-8)
    np.testing.assert_allclose(up["positive"], 1 - down["positive"], atol=1e-8)
    wrong, _ = analysed(findings(-y, se, alone), {"willingness": "positive"})
    assert wrong["affirmative"].iloc[0] < down["affirmative"].iloc[0]


def test_a_side_that_is_not_declared_is_that_of_the_mean_and_it_is_said() -> None:
    y, se, alone = world(12)
    for sign, side in ((1, "positive"), (-1, "negative")):
        made, _ = analysed(findings(sign * y, se, alone))
        assert set(made["side"]) == {side}
        assert not made["declared"].any()
        assert made.loc["step_function", "note"].startswith("no side was declared")
    key = {"a against b|willingness": "negative", "willingness": "positive"}
    made, _ = analysed(findings(y, se, alone), key)
    assert set(made["side"]) == {"negative"}, "exposure and outcome go before the outcome alone"
    assert made["declared"].all()
    assert (made["note"] == "").all()


def test_with_all_effects_on_one_side_of_the_cut_it_is_said_that_nothing_shows_selection() -> None:
    y, se, alone = world(12)
    high = np.abs(y) + 3 * se
    made, _ = analysed(findings(high, se, alone), {"willingness": "positive"})
    for name in ("step_function", "worst_case"):
        assert made.loc[name, "reason"].startswith("all effects are significant on the positive")
        assert np.isnan(made.loc[name, "mean"])
    assert made.loc[["plain", "pet", "peese"], "mean"].notna().all()
    made, _ = analysed(findings(high, se, alone), {"willingness": "negative"})
    assert made.loc["step_function", "reason"].startswith("no effect is significant on the neg")
    assert made.loc["worst_case", "mean"] == pytest.approx(made.loc["plain", "mean"], abs=1e-4)
    assert np.isnan(made.loc["worst_case", "ratio_mean"])


def test_errors_that_do_not_differ_leave_the_regressions_out() -> None:
    y, _, _ = world(12)
    n = 4 / 0.14**2
    made, _ = analysed(findings(y, np.sqrt(0.14**2 + y**2 / (2 * (n - 2))), np.full(12, 0.14)))
    assert made.loc[["pet", "peese"], "reason"].str.contains("all alike").all()
    assert made.loc["step_function", "reason"] == ""


def test_a_study_of_several_places_counts_once_with_its_mean_or_its_primary_estimate() -> None:
    y, se, alone = np.array([0.3, 0.1, 0.5]), np.array([0.1, 0.2, 0.1]), np.array([0.1, 0.2, 0.1])
    effects = findings(y, se, alone, metric="log_odds", standardiser=None)
    effects["citation"] = ["one", "other", "other"]
    effects["country"] = ["DK", "DK", "US"]
    table, covariance = published(effects, VOCABULARY)
    covariance[1, 2] = covariance[2, 1] = 0.5 * 0.2 * 0.1
    found = one_each(table, covariance, se).set_index("study")
    assert found["estimate"].to_dict() == pytest.approx({"one": 0.3, "other": 0.3})
    variance = (0.2**2 + 0.1**2 + 2 * 0.5 * 0.2 * 0.1) / 4
    assert found.loc["other", "se"] == pytest.approx(variance**0.5)
    assert found.loc["other", "se_alone"] == pytest.approx(variance**0.5)
    assert found["note"].to_dict() == {"one": "", "other": ONLY_MEAN}
    found = one_each(table, covariance, se, ["found|F2"]).set_index("study")
    assert found.loc["other", ["estimate", "se"]].tolist() == pytest.approx([0.5, 0.1])
    assert found.loc["other", "note"] == PRIMARY


def test_a_side_of_what_no_finding_is_about_is_an_error_that_names_it() -> None:
    effects = findings(*world(3))
    check_sides({"willingness": "positive", "a against b|willingness": "negative"}, effects)
    with pytest.raises(BadInput) as caught:
        check_sides({"wilingness": "positive", "b|willingness": "negative"}, effects)
    assert [p.code for p in caught.value.problems] == ["selection-side"] * 2
    assert "'wilingness'" in str(caught.value)
    assert "there are willingness" in str(caught.value)
    assert "selection.sides" in str(caught.value)


def difference(**more: Any) -> Difference:
    given = {"estimate": 0.0, "se": 0.2, "standardiser": "pooled_sd", "randomised": True}
    return Difference(**(given | {"n": 100.0, "n_control": 50.0, "n_treatment": 50.0} | more))


def test_the_error_of_a_difference_without_it_does_not_grow_with_it() -> None:
    """Two arms of fifty: the root of 1/50 + 1/50, with the correction for 98 degrees of freedom."""
    few = 1 - 3 / (4 * 98 - 1)
    for d in (0.0, 0.8, 1.6):
        whole = float(np.sqrt(0.04 + d**2 / (2 * 98)))
        found = difference(estimate=d, se=whole)
        assert error_alone(found, ALLOWED) == pytest.approx(few * 0.2, rel=1e-4)
        assert standardised(found, ALLOWED)[1] == pytest.approx(few * whole, rel=1e-4)
    hedges = difference(estimate=few * 1.6, se=few * whole, corrected=True)
    assert error_alone(hedges, ALLOWED) == pytest.approx(few * 0.2, rel=1e-4)


def test_an_error_that_has_none_of_the_deviation_in_it_is_taken_as_it_is() -> None:
    few = 1 - 3 / (4 * 98 - 1)
    found = difference(estimate=0.8, se=0.2, sd_error=False)
    assert error_alone(found, ALLOWED) == pytest.approx(few * 0.2, rel=1e-4)
    unknown = replace(found, n=np.nan, n_control=np.nan, n_treatment=np.nan)
    assert error_alone(unknown, ALLOWED) == pytest.approx(0.2)
