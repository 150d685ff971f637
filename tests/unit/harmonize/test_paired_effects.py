"""Standardised differences of pairs, small probabilities and correlations: their errors are true.

The truth is the spread over simulated samples, or the tail of the distribution by itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from metastudy.harmonize.effect_sizes import (
    Arm,
    standardised_difference,
    standardised_of_t,
    statistic_of_p,
)

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
