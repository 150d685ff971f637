"""Published differences in another standard deviation pool only as what the studies' own are.

Means and standard deviations of arms that are drawn here are the truth: what a publication would
make of them in any standardiser has to come out as what a study with those rows would have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized import schema
from metastudy.models.answers.cells import answer_cells
from metastudy.synthesis.eligibility import refused
from metastudy.synthesis.pooling import explore, plans
from metastudy.synthesis.published_effects import published
from metastudy.synthesis.published_standardisers import Difference, standardised
from metastudy.synthesis.study_estimates import estimates

STANDARDISERS = ("control_sd", "pooled_sd", "total_sd")


def hedges(df: float) -> float:
    return 1 - 3 / (4 * df - 1)


def arms(n: tuple[int, int], effect: float, spread: float, seed: int) -> list[np.ndarray]:
    """Answers of people in the reference arm and in the other one."""
    rng = np.random.default_rng(seed)
    return [
        50 + 10 * rng.standard_normal(n[0]),
        50 + 10 * (effect + spread * rng.standard_normal(n[1])),
    ]


def reported(answers: list[np.ndarray], standardiser: str, **more: Any) -> Difference:
    """What a publication has of these answers: the difference by one standard deviation.

    The error is that of the difference of means over the standard deviation, as of a regression on
    a standardised outcome.
    """
    control, treatment = answers
    n = [len(arm) for arm in answers]
    within = np.sqrt(
        ((n[0] - 1) * control.var(ddof=1) + (n[1] - 1) * treatment.var(ddof=1)) / (sum(n) - 2)
    )
    sd = {
        "control_sd": control.std(ddof=1),
        "pooled_sd": within,
        "total_sd": np.concatenate(answers).std(ddof=1),
    }[standardiser]
    error = within * np.sqrt(1 / n[0] + 1 / n[1])
    return Difference(
        (treatment.mean() - control.mean()) / sd, error / sd, standardiser, True,
        sd_error=False, n=sum(n), n_control=n[0], n_treatment=n[1],
        sd_control=control.std(ddof=1), sd_treatment=treatment.std(ddof=1),
    )  # fmt: skip


@pytest.mark.parametrize("standardiser", STANDARDISERS)
@pytest.mark.parametrize(("n", "spread"), [((150, 150), 1.0), ((120, 240), 1.4), ((400, 90), 0.7)])
def test_a_published_difference_is_what_a_study_with_those_rows_would_have(
    n: tuple[int, int], spread: float, standardiser: str
) -> None:
    answers = arms(n, 0.8, spread, seed=sum(n))
    study = answer_study(
        "s",
        {("threat_job", None): np.concatenate(answers)},
        {"task_type": np.repeat(["complementary", "core"], n)},
        ["threat_job"],
        [{"factor": "task_type", "type": "randomised"}],
    )
    row = estimates(answer_cells([study], "threat", VOCABULARY), VOCABULARY)[0].squeeze()
    estimate, se, metric, note = standardised(reported(answers, standardiser))
    assert estimate == pytest.approx(row["estimate"], rel=1e-9)
    assert se == pytest.approx(row["se"], rel=0.01)
    assert metric == row["metric"] == "sd"
    assert bool(note) == (standardiser != "control_sd")


@given(
    some.sampled_from(STANDARDISERS), some.sampled_from(STANDARDISERS), some.booleans(),
    some.floats(-2, 2), some.floats(0.3, 3), some.integers(30, 300), some.integers(3, 300),
)  # fmt: skip
def test_in_whatever_standard_deviation_it_was_published_it_comes_out_the_same(
    one: str, other: str, randomised: bool, effect: float, spread: float, n: int, m: int
) -> None:
    answers = arms((n, m), effect, spread, seed=n + m)
    first, second = (
        standardised(replace(reported(answers, name), randomised=randomised))
        for name in (one, other)
    )
    assert first[:2] == pytest.approx(second[:2], rel=1e-9)


@pytest.mark.parametrize("standardiser", STANDARDISERS)
def test_what_is_in_estimate_and_error_already_is_not_put_in_again(standardiser: str) -> None:
    """With the error of the standard deviation and Hedges' correction in it, or with neither."""
    plain = reported(arms((60, 90), 0.7, 1.0, seed=4), standardiser)
    as_published = replace(plain, sd_control=np.nan, sd_treatment=np.nan)
    estimate, se, *_ = standardised(as_published)
    df = {"control_sd": 59, "pooled_sd": 148, "total_sd": 149}[standardiser]
    assert estimate == pytest.approx(hedges(df) * plain.estimate)
    whole = np.sqrt(plain.se**2 + plain.estimate**2 / (2 * df))
    assert se == pytest.approx(hedges(df) * whole)
    full = replace(as_published, estimate=estimate, se=se, corrected=True, sd_error=True)
    assert standardised(full)[:2] == pytest.approx((estimate, se))
    uncorrected = replace(as_published, se=whole, sd_error=True)
    assert standardised(uncorrected)[:2] == pytest.approx((estimate, se))


@pytest.mark.parametrize("standardiser", STANDARDISERS)
def test_the_error_of_a_recomputed_difference_is_its_spread_over_many_samples(
    standardiser: str,
) -> None:
    """Published are the mean over many samples and its spread, which the standardiser is in."""
    rng = np.random.default_rng(11)
    n, samples = (60, 40), 20_000
    control = rng.standard_normal((samples, n[0]))
    treatment = 0.9 + 1.2 * rng.standard_normal((samples, n[1]))
    difference = treatment.mean(axis=1) - control.mean(axis=1)
    one, two = control.var(axis=1, ddof=1), treatment.var(axis=1, ddof=1)
    variance = {
        "control_sd": one,
        "pooled_sd": (59 * one + 39 * two) / 98,
        "total_sd": np.concatenate([control, treatment], axis=1).var(axis=1, ddof=1),
    }
    d = {name: difference / np.sqrt(value) for name, value in variance.items()}
    found = Difference(
        d[standardiser].mean(), d[standardiser].std(), standardiser, True,
        n=100, n_control=60, n_treatment=40, sd_control=1.0, sd_treatment=1.2,
    )  # fmt: skip
    estimate, se, *_ = standardised(found)
    own = hedges(59) * d["control_sd"]
    assert estimate == pytest.approx(own.mean(), rel=0.03)
    assert se == pytest.approx(own.std(), rel=0.03)
    bare = standardised(replace(found, sd_error=False))[1]
    assert abs(bare / se - 1) > 0.02, "without what the standardiser does, it would be another"


def test_without_the_sizes_of_the_arms_each_is_half_and_without_any_nothing_is_corrected() -> None:
    found = Difference(0.5, 0.1, "pooled_sd", True, sd_control=8.0, sd_treatment=12.0)
    estimate, se, metric, _ = standardised(found)
    ratio = np.sqrt((8**2 + 12**2) / 2) / 8
    assert (estimate, se) == pytest.approx((0.5 * ratio, 0.1 * ratio))
    assert metric == "sd"


def test_with_few_people_in_the_reference_arm_the_standard_deviation_is_that_of_both() -> None:
    """As of studies whose data are here: below twenty degrees of freedom it is of all arms."""
    few, many = (
        Difference(0.5, 0.3, "pooled_sd", True, n=2 * n, n_control=n, n_treatment=n)
        for n in (20, 21)
    )
    assert standardised(few)[2] == "sd"
    assert standardised(many)[2] == "pooled_sd"
    both = replace(few, standardiser="total_sd", sd_control=1.0, sd_treatment=2.0)
    recomputed = replace(both, standardiser=both.own)
    within = np.sqrt((1 + 4) / 2)
    total = within * np.sqrt(38 / (39 - 40 / 4 * 0.5**2))
    assert standardised(both)[0] == pytest.approx(hedges(38) * 0.5 * total / within)
    assert both.own == recomputed.standardiser == "pooled_sd"


@pytest.mark.parametrize(
    ("randomised", "own"), [(True, "control_sd"), (False, "total_sd")], ids=["random", "measured"]
)
def test_what_cannot_be_recomputed_has_a_metric_of_its_own_unless_it_may_pool(
    randomised: bool, own: str
) -> None:
    for name in (*STANDARDISERS, "unknown_sd"):
        found = Difference(0.5, 0.1, name, randomised, n=400, n_control=200, n_treatment=200)
        metric, note = standardised(found)[2:]
        assert metric == ("sd" if name == own else name)
        assert note == ""
        metric, note = standardised(found, [name])[2:]
        assert metric == "sd"
        assert ("lets pool" in note) == (name != own)


# --- from the table of effects -------------------------------------------------------------------


def read(*rows: dict[str, Any], allowed: tuple[str, ...] = ()) -> tuple[pd.DataFrame, np.ndarray]:
    """Harmonized findings of an effect of one experiment, as the second stage takes them."""
    full = [
        {
            "study_id": "found", "finding_id": f"F{k}", "citation": f"paper{k}",
            "contrast": "a against b", "exposure_type": "randomised", "outcome": "threat_job",
            "family": "perceived_threat", "direction": "positive", "metric": "sd",
            "estimate": 0.3, "se": 0.1, "n": 360.0, "verification": "published_numeric",
            "provenance": "observed",
        } | row
        for k, row in enumerate(rows, start=1)
    ]  # fmt: skip
    table = pd.concat([schema.empty("effects"), schema.shape("effects", pd.DataFrame(full))])
    return published(table, VOCABULARY, allowed)


def test_effects_in_different_standard_deviations_are_different_estimands() -> None:
    rows = [{"standardiser": name} for name in (*STANDARDISERS, None) for _ in range(2)]
    table, covariance = read(*rows)
    assert table["metric"].tolist() == [
        *("sd", "sd", "pooled_sd", "pooled_sd", "total_sd", "total_sd", "unknown_sd", "unknown_sd")
    ]
    for metric, mine in table.groupby("metric"):
        at = mine.index.to_numpy()
        (found,) = plans(mine.reset_index(drop=True), covariance[np.ix_(at, at)])
        assert (found.unit == 1.0) == (metric != "unknown_sd"), metric
    assert len(explore(table, covariance, {"threat_job": 1}).table) == 8


def test_what_does_not_pool_is_told_with_its_metric() -> None:
    table, _ = read({"standardiser": "control_sd"}, {"standardiser": "pooled_sd"})
    assert any("metric sd: not pooled with metric pooled sd" in r for r in refused(table)["reason"])


def test_the_configuration_lets_them_pool_and_the_estimates_say_so() -> None:
    rows = [{"standardiser": "control_sd"}, {"standardiser": "pooled_sd"}]
    table, covariance = read(*rows, allowed=("pooled_sd",))
    (found,) = plans(table, covariance)
    assert len(found.table) == 2
    assert table["note"].tolist() == [
        "",
        "in SD within both arms, which the configuration lets pool",
    ]


def test_an_effect_without_standardiser_and_sample_size_says_nothing_of_its_unit() -> None:
    table, covariance = read({"n": None}, {"n": None})
    with pytest.raises(BadInput) as caught:
        [*plans(table, covariance)]
    assert {p.code for p in caught.value.problems} == {"no-unit"}
    assert "standardiser" in caught.value.problems[0].fix


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"standardiser": "total_sd", "estimate": 2.5}, "a difference of 2.5, which no two arms"),
        (
            {"standardiser": "total_sd", "estimate": 2.5, "exposure_type": "measured"},
            "a difference of 2.5, which no two arms have in SD of all respondents",
        ),
        ({"standardiser": "pooled_sd", "se": 0.001}, "a standard error below that of the standard"),
        ({"standardiser": "control_sd", "n": 5.0}, "too few respondents for a standard deviation"),
    ],
)
def test_a_difference_that_cannot_be_recomputed_is_one_error_with_its_finding(
    row: dict[str, Any], found: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read({"standardiser": "control_sd"}, {"sd_control": 1.0, "sd_treatment": 1.1} | row)
    (problem,) = caught.value.problems
    assert (problem.code, problem.row) == ("standardiser", "finding F2")
    assert problem.file == "data/raw/found"
    assert problem.found.startswith(found)


def test_one_publication_in_two_standard_deviations_is_two_effects_of_one_estimand() -> None:
    both = {"citation": "one", "sd_control": 1.0, "sd_treatment": 1.1}
    table, _ = read(both | {"standardiser": "control_sd"}, both | {"standardiser": "pooled_sd"})
    assert table["metric"].tolist() == ["sd", "sd"]
    assert table["effect"].nunique() == 2
