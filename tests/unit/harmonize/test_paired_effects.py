"""Standardised differences of pairs, small probabilities and correlations: their errors are true.

The truth is the spread over simulated samples, or the tail of the distribution by itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from metastudy.harmonize.effect_forms import computed
from metastudy.harmonize.effect_rows import Row
from metastudy.harmonize.effect_sizes import (
    Arm,
    standardised_difference,
    standardised_of_t,
    statistic_of_p,
)
from metastudy.synthesis.published_standardisers import Difference, error_alone, standardised

SAMPLES = 4000


@pytest.mark.parametrize("r", [0.2, 0.9])
@pytest.mark.parametrize("sds", [(1.0, 1.0), (1.0, 1.6)])
@pytest.mark.parametrize("form", ["means", "t"])
def test_the_error_of_a_difference_of_pairs_is_its_spread(
    form: str, sds: tuple[float, float], r: float
) -> None:
    n = 40
    cross = r * sds[0] * sds[1]
    covariance = [[sds[0] ** 2, cross], [cross, sds[1] ** 2]]
    rng = np.random.default_rng(5)
    found = []
    for y in rng.multivariate_normal([1, 0], covariance, (SAMPLES, n)):
        if form == "means":
            one, other = (Arm(n, y[:, k].mean(), y[:, k].std(ddof=1)) for k in (0, 1))
            found.append(standardised_difference(one, other, "pooled_sd", r))
        else:
            apart = y[:, 0] - y[:, 1]
            found.append(standardised_of_t(apart.mean() / apart.std(ddof=1) * n**0.5, n, n, r))
    said = np.sqrt(np.mean([one.variance for one in found]))
    spread = np.std([one.estimate for one in found])
    assert said == pytest.approx(spread, rel=0.08)  # the old form: half of it at a high correlation


@pytest.mark.parametrize("p", [0.04, 1e-9, 1e-17, 1e-40])
def test_a_probability_however_small_has_its_statistic(p: float) -> None:
    assert 2 * norm.sf(statistic_of_p(p)) == pytest.approx(p, rel=1e-6)
    assert 2 * student_t.sf(statistic_of_p(p, 98), 98) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("r", [0.1, 0.9])
@pytest.mark.parametrize("n", [8, 40])  # with few people the difference stays in the SD within
def test_a_difference_of_pairs_is_recomputed_as_one_of_pairs(n: int, r: float) -> None:
    """Pairs have the degrees of freedom of one arm; as two arms they were refused or shrunk."""
    one, other = Arm(n, 1.0, 1.6), Arm(n, 0.0, 1.0)
    published = standardised_difference(one, other, "pooled_sd", r)
    wanted = standardised_difference(one, other, "control_sd" if n > 20 else "pooled_sd", r)
    found = Difference(
        published.estimate, published.variance**0.5, "pooled_sd", randomised=True, corrected=True,
        n=n, n_control=n, n_treatment=n, sd_control=1.0, sd_treatment=1.6, paired=r,
    )  # fmt: skip
    estimate, se, metric, _ = standardised(found)
    assert metric == "sd"
    assert (estimate, se) == pytest.approx((wanted.estimate, wanted.variance**0.5))
    raw = (1.6**2 + 1 - 2 * r * 1.6) / n / (1.0 if n > 20 else (1.6**2 + 1) / 2)
    j = 1 - 3 / (4 * (n - 1) - 1)
    assert error_alone(found) == pytest.approx(j * raw**0.5)


@pytest.mark.parametrize("r", [0.12, -0.6])
@pytest.mark.parametrize("said", ["correlation", "fisher_z"])
@pytest.mark.parametrize("test", ["t", "f", "chi_squared"])
def test_a_correlation_and_its_test_give_the_number_of_people(
    test: str, said: str, r: float
) -> None:
    n = 84
    t = r * np.sqrt((n - 2) / (1 - r**2))
    value = {"t": t, "f": t**2, "chi_squared": n * r**2}[test]
    row = {"estimate": r if said == "correlation" else np.arctanh(r), test: value}
    made, problems = computed(Row(row | {"metric": "fisher_z", "reported_as": said}))
    assert not problems
    assert made["estimate"] == pytest.approx(np.arctanh(r))
    assert made["se"] == pytest.approx(1 / np.sqrt(n - 3))


SOUND = {
    "mean_treatment": 1.0, "sd_treatment": 1.0, "n_treatment": 9.0, "mean_control": 0.0,
    "sd_control": 1.0, "n_control": 9.0, "metric": "sd", "standardiser": "control_sd",
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        (SOUND | {"n_control": 2.0}, "mean_treatment", "1 degrees of freedom"),
        (
            SOUND | {"standardiser": "pooled_sd", "n": 2.0, "paired_correlation": 0.5},
            "mean_treatment",
            "1 degrees of freedom",
        ),
        (
            {"estimate": 0.3, "se": 0.1, "metric": "sd", "paired_correlation": 0.5},
            "paired_correlation",
            "a paired design beside an estimate",
        ),
        (
            {"estimate": 0.3, "t": -2.0, "metric": "fisher_z", "reported_as": "correlation"},
            "t",
            "-2, beside a correlation of 0.3",
        ),
    ],
)
def test_what_has_no_error_is_one_clear_problem(row: dict, field: str, said: str) -> None:
    made, problems = computed(Row(row))
    assert not made
    assert [(one.field, said in one.found) for one in problems] == [(field, True)]
