"""An inequality of p beside an effect: it agrees and is said, or it cannot be true and is an error.

What a row's numbers give is computed here by SciPy, from normal and t distributions of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from metastudy.harmonize.effect_forms import computed
from metastudy.harmonize.effect_inequalities import as_rounded
from metastudy.harmonize.effect_rows import Row, Unfit

ODDS = {"estimate": 1.5, "ci_lower": 1.1, "ci_upper": 2.05, "ci_level": 95.0}  # p = 0.011
ODDS |= {"metric": "log_odds", "reported_as": "odds_ratio"}
MEANS = {
    "mean_treatment": 103.01,
    "sd_treatment": 5.501,
    "n_treatment": 50.0,
    "mean_control": 100.01,
}
MEANS |= {"sd_control": 4.501, "n_control": 50.0, "metric": "sd", "standardiser": "pooled_sd"}
EVENTS = {"events_treatment": 5.0, "n_treatment": 100.0, "events_control": 10.0}
EVENTS |= {"n_control": 100.0, "metric": "log_odds"}
PLAIN = {"estimate": 0.3001, "se": 0.1001, "metric": "scale_points", "n": 300.0}


def read(row: dict[str, Any], p: str = "") -> tuple[dict[str, Any], list[Unfit]]:
    return computed(Row(row | ({"p": p} if p else {})))


@pytest.mark.parametrize(
    ("row", "agrees", "against"),
    [
        (PLAIN, "<0.01", "<0.001"),  # z = 3, p = 0.0027
        (PLAIN, ">0.002", ">0.05"),
        (ODDS, "<0.05", "<0.001"),
        (MEANS, "<0.01", "<0.001"),  # t = 2.99, p = 0.0036
        (EVENTS, ">0.05", "<0.05"),  # z = 1.29, p = 0.2
        ({"r": 0.3, "n": 90.0, "metric": "fisher_z"}, "<0.01", ">0.05"),
        ({"t": 2.5, "n": 80.0, "metric": "sd"}, "<0.05", "<0.001"),  # p = 0.015
    ],
)
def test_what_agrees_moves_nothing_and_is_said_and_what_cannot_be_is_an_error(
    row: dict[str, Any], agrees: str, against: str
) -> None:
    alone, _ = read(row)
    beside, problems = read(row, agrees)
    assert not problems
    for name in ("estimate", "se"):
        assert beside.get(name) == alone.get(name)
    assert beside["method"].endswith(f"p {agrees[0]} {agrees[1:]} beside it agrees and is not used")
    _, (problem,) = read(row, against)
    assert (problem.field, problem.said[3]) == ("p", "impossible-effect")
    assert f"p {against[0]} {against[1:]}" in problem.found


def test_digits_that_were_rounded_away_are_no_contradiction() -> None:
    """0.02 and 0.01 are z = 2 as printed, and anything from 1 to 5 before."""
    row = PLAIN | {"estimate": 0.02, "se": 0.01}
    for p in ("<0.001", ">0.05", ">0.2"):
        assert not read(row, p)[1], p
    printed = PLAIN | {"estimate": 0.0200001, "se": 0.0100001}
    for p in ("<0.001", ">0.2"):
        assert read(printed, p)[1], p
    found = [row.number("estimate") for row in as_rounded(Row({"estimate": 20.0}))]
    assert found == [19.5, 20.0, 20.5]


def test_a_small_sample_is_judged_by_t_and_by_nothing_where_its_size_is_not_said() -> None:
    """With 8 degrees of freedom 2.9 is p = 0.02, and by z 0.0037."""
    row = PLAIN | {"estimate": 2.9003, "se": 1.0003, "n": 10.0}
    assert 2 * stats.t.sf(2.9, 8) > 0.0075 * 2 > 2 * 2 * stats.norm.sf(2.9)
    assert not read(row, ">0.0175")[1]
    assert read(row, "<0.0075")[1]
    made, problems = read(row | {"n": np.nan}, ">0.0175")
    assert not problems
    assert made["method"].endswith("p > 0.0175 beside it not used: no n")


def test_beside_an_estimate_without_an_error_it_bounds_the_error_and_pools_nothing() -> None:
    row = {name: value for name, value in PLAIN.items() if name != "se"}
    made, problems = read(row, "<0.05")
    assert not problems
    assert made["estimate"] == 0.3001
    assert np.isnan(made["se"])
    bound = 0.3001 / stats.t.isf(0.025, 298)
    assert f"se is below {bound:.3g}" in made["method"]
    _, (problem,) = read(row | {"estimate": 0.0}, "<0.05")
    assert problem.said[3] == "impossible-effect"


def test_in_clusters_a_p_may_count_them_or_leave_them_out() -> None:
    """The effect has z = 3 without its clusters, and 1.5 with a design effect of four."""
    row = PLAIN | {"icc": 0.1, "cluster_size": 31.0}
    assert not read(row, "<0.01")[1]
    assert not read(row, ">0.05")[1]
    assert read(row, "<0.0005")[1]


@pytest.mark.parametrize(("ratio", "sign"), [(0.7, -1), (1.4, 1)])
def test_a_ratio_without_an_error_is_its_logarithm(ratio: float, sign: int) -> None:
    made, problems = read({"estimate": ratio, "metric": "log_odds", "reported_as": "odds_ratio"})
    assert not problems
    assert made["estimate"] == pytest.approx(np.log(ratio))
    assert np.sign(made["estimate"]) == sign
    assert np.isnan(made["se"])
