"""Effect sizes are those of published worked examples, and of who computes them otherwise.

The examples are those of Borenstein, Hedges, Higgins and Rothstein (2009), Introduction to
meta-analysis, chapters 4 to 7, and the data sets of the R package metafor with the values that its
documentation prints; both to four digits. Others are simulated here, or from SciPy and statsmodels.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_2proportions

from metastudy.harmonize.effect_forms import computed
from metastudy.harmonize.effect_rows import Row
from metastudy.models.answers.standardisers import small_sample

MEANS = {
    "mean_treatment": 103.0, "sd_treatment": 5.5, "n_treatment": 50.0,
    "mean_control": 100.0, "sd_control": 4.5, "n_control": 50.0,
}  # fmt: skip
PAIRS = {
    "mean_treatment": 103.0, "mean_control": 100.0, "n": 50.0, "paired_correlation": 0.7,
    **dict.fromkeys(("sd_treatment", "sd_control"), 5.5 / sqrt(2 * 0.3)),
}  # fmt: skip
COUNTS = {"events_treatment": 5.0, "n_treatment": 100.0, "events_control": 10.0, "n_control": 100.0}
BCG = {"events_treatment": 4.0, "n_treatment": 123.0, "events_control": 11.0, "n_control": 139.0}
STROKE = {  # dat.normand1999, first study
    "mean_treatment": 55.0, "sd_treatment": 47.0, "n_treatment": 155.0,
    "mean_control": 75.0, "sd_control": 64.0, "n_control": 156.0,
}  # fmt: skip
PLANTS = {  # dat.curtis1998, first study
    "mean_treatment": 6.8169, "sd_treatment": 1.769982, "n_treatment": 3.0,
    "mean_control": 3.945, "sd_control": 1.115797, "n_control": 5.0,
}  # fmt: skip
INFECTIONS = {  # dat.nielweise2008, first study; the times are in catheter days
    "events_treatment": 7.0, "time_treatment": 1344.0, "events_control": 11.0,
    "time_control": 1988.0,
}  # fmt: skip
J = 1 - 3 / (4 * 309 - 1)  # of dat.normand1999; metafor leaves it out of the variance
OFFICIALS = {  # corrupt officials against no information, points of 100; first study of
    # Liu (2024), doi 10.1080/14719037.2022.2095003, from its data, doi 10.7910/DVN/ATDFQN (CC0)
    "mean_treatment": 67.012315, "sd_treatment": 25.074749, "n_treatment": 406.0,
    "mean_control": 69.945813, "sd_control": 22.924180, "n_control": 406.0,
}  # fmt: skip
POOLED = {"metric": "sd", "standardiser": "pooled_sd"}


def effect(row: dict, **more: object) -> tuple[float, float]:
    """Estimate and variance of a row."""
    made, problems = computed(Row(row | more))
    assert not problems, [(p.field, p.said) for p in problems]
    return made["estimate"], made["se"] ** 2


EXAMPLES = {
    "Borenstein: difference of means": (MEANS | {"metric": "scale_points"}, 3.0, 1.01),
    "Borenstein: Hedges' g": (MEANS | POOLED, 0.5924, 0.0411),
    "Borenstein: difference of pairs": (PAIRS | {"metric": "pomp"}, 3.0, 0.605),
    # Borenstein's variance, 0.0127, takes both SDs as known to a pair's difference: the spread of
    # simulated samples is that of the delta method, 2 (1 - r) / n + d^2 (1 + r^2) / (4 (n - 1)).
    "Borenstein: Hedges' g of pairs": (
        PAIRS | POOLED, 0.4160,
        (1 - 3 / 195) ** 2 * (0.6 / 50 + 0.4225**2 * 1.49 / (4 * 49)),
    ),
    "Borenstein: log risk ratio": (COUNTS | {"metric": "log_risk_ratio"}, -0.6931, 0.28),
    "Borenstein: log odds ratio": (COUNTS | {"metric": "log_odds"}, -0.7472, 0.3216),
    "Borenstein: risk difference": (COUNTS | {"metric": "percentage_points"}, -5.0, 13.75),
    "Borenstein: Fisher's z": ({"r": 0.5, "n": 100.0, "metric": "fisher_z"}, 0.5493, 0.0103),
    "Borenstein: log odds to d": (
        {"estimate": 0.9069, "variance": 0.0676, "reported_as": "log_odds", "metric": "sd"},
        0.5, 0.0205,
    ),
    "Borenstein: d to log odds": (
        {"estimate": 0.5, "variance": 0.02055, "reported_as": "sd", "metric": "log_odds"},
        0.9069, 0.0676,
    ),
    "Borenstein: r to d": (
        {"estimate": 0.5, "variance": 0.0058, "reported_as": "correlation", "metric": "sd"},
        1.1547, 0.0550,
    ),
    "Liu: difference of means": (OFFICIALS | {"metric": "pomp"}, -2.9335, 2.8430),
    "metafor: log risk ratio of dat.bcg": (BCG | {"metric": "log_risk_ratio"}, -0.8893, 0.3256),
    "metafor: log odds ratio of dat.bcg": (BCG | {"metric": "log_odds"}, -0.9387, 0.3571),
    "metafor: SMD of dat.normand1999": (STROKE | POOLED, -0.3552, 0.0131 * J**2),
    "metafor: response ratio of dat.curtis1998": (
        PLANTS | {"metric": "log_response_ratio"}, 0.5470, 0.0385,
    ),
    "metafor: rate ratio of dat.nielweise2008": (
        INFECTIONS | {"metric": "log_rate_ratio"},
        np.log(7 / 1344) - np.log(11 / 1988), 1 / 7 + 1 / 11,
    ),
    "metafor: Fisher's z of dat.molloy2014": (
        {"r": 0.187, "n": 109.0, "metric": "fisher_z"}, 0.1892, 0.0094,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("row", "estimate", "variance"), EXAMPLES.values(), ids=list(EXAMPLES))
def test_published_worked_examples_are_met_to_their_digits(
    row: dict, estimate: float, variance: float
) -> None:
    found = effect(row)
    assert found[0] == pytest.approx(estimate, abs=0.6e-4)
    assert found[1] == pytest.approx(variance, abs=0.6e-4)


@pytest.mark.parametrize(
    ("metric", "name", "scale"),
    [
        ("log_odds", "odds-ratio", 1),
        ("log_risk_ratio", "risk-ratio", 1),
        ("percentage_points", "diff", 100),
    ],
)
def test_counts_give_what_statsmodels_gives(metric: str, name: str, scale: float) -> None:
    for a, n, c, m in ((3, 40, 9, 55), (70, 90, 20, 80), (1, 300, 4, 200)):
        counts = {"events_treatment": a, "n_treatment": n, "events_control": c, "n_control": m}
        found = effect(counts, metric=metric)
        one, two = effectsize_2proportions(a, n, c, m, statistic=name)
        np.testing.assert_allclose(found, (one * scale, two * scale**2), rtol=1e-10)


def test_the_tests_of_a_contrast_give_the_effect_of_its_means() -> None:
    t, p = stats.ttest_ind_from_stats(103, 5.5, 50, 100, 4.5, 50)
    by_means = effect(MEANS, **POOLED)
    arms = {"n_treatment": 50.0, "n_control": 50.0, "direction": "positive", "metric": "sd"}
    for told in ({"t": t}, {"f": t**2}, {"p": repr(float(p))}):
        np.testing.assert_allclose(effect(arms, **told), by_means, rtol=1e-9)
    assert effect(arms | {"direction": "negative"}, f=t**2)[0] == pytest.approx(-by_means[0])
    raw = {"estimate": 3.0, "n": 100.0, "metric": "scale_points"}
    error = sqrt(1.01)
    for told in ({"t": t}, {"p": repr(float(p))}, {"f": t**2}):
        assert effect(raw, **told)[1] == pytest.approx(error**2), told
    by_z = effect(raw | {"metric": "log_odds"}, p=repr(float(p)))[1]
    assert by_z != pytest.approx(error**2, rel=1e-3), "a p of another test has another error"
    t = stats.ttest_1samp(np.arange(30.0) - 11, 0).statistic  # of the differences of pairs
    sd = np.std(np.arange(30.0), ddof=1)  # of the difference, so each measurement has sd / root 0.8
    pairs = {"n": 30.0, "paired_correlation": 0.6}
    half = dict.fromkeys(("sd_treatment", "sd_control"), sd / sqrt(0.8))
    by_means = effect(pairs | half, mean_treatment=3.5, mean_control=0.0, **POOLED)
    by_t = effect(pairs, t=t, metric="sd")
    assert by_t[0] == pytest.approx(by_means[0])
    # With a correlation from elsewhere all error of the SD is that of the difference's.
    more = (1 - 3 / (4 * 29 - 1)) ** 2 * (t**2 * 0.8 / 30) / (2 * 29)
    assert by_t[1] == pytest.approx((1 - 3 / (4 * 29 - 1)) ** 2 * 0.8 / 30 + more)


def test_tests_give_the_correlations_that_they_are_of() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=60)
    y = 0.4 * x + rng.normal(size=60)
    r, p = stats.pearsonr(x, y)
    t = r * sqrt(58 / (1 - r**2))
    expected = (np.arctanh(r), 1 / 57)
    of = {"n": 60.0, "metric": "fisher_z", "direction": "positive"}
    rows = ({"t": t}, {"f": t**2}, {"p": repr(float(p))}, {"r": r})
    rows += ({"estimate": r, "reported_as": "correlation"},)
    for told in rows:
        np.testing.assert_allclose(effect(of, **told), expected, rtol=1e-7)
    table = np.array([[30, 20], [15, 35]])
    chi = stats.chi2_contingency(table, correction=False).statistic
    phi = stats.contingency.association(table, method="cramer")
    assert effect(of | {"n": 100.0}, chi_squared=chi)[0] == pytest.approx(np.arctanh(phi))


def test_an_interval_gives_the_error_on_the_scale_of_its_metric() -> None:
    quantile = stats.norm.ppf(0.975)
    plain = {"estimate": 0.07, "ci_lower": 0.01, "ci_upper": 0.13, "ci_level": 95.0}
    assert effect(plain, metric="scale_points") == pytest.approx((0.07, (0.06 / quantile) ** 2))
    ends = {"ci_lower": exp(0.4 - quantile * 0.15), "ci_upper": exp(0.4 + quantile * 0.15)}
    ratio = {"estimate": exp(0.4), "ci_level": 95.0, "metric": "log_odds"} | ends
    assert effect(ratio, reported_as="odds_ratio") == pytest.approx((0.4, 0.15**2))
    assert effect(ratio)[1] != pytest.approx(0.15**2, rel=0.1), "without it they are logarithms"
    ninety = effect(plain | {"ci_level": 90.0}, metric="scale_points")[1]
    assert ninety == pytest.approx((0.06 / stats.norm.ppf(0.95)) ** 2)
    ratio = {"estimate": exp(0.4), "se": 0.15 * exp(0.4), "metric": "log_risk_ratio"}
    assert effect(ratio, reported_as="risk_ratio") == pytest.approx((0.4, 0.15**2))


@pytest.mark.parametrize("by", ["pooled_sd", "control_sd"])
@pytest.mark.parametrize("paired", [None, 0.7])
def test_the_error_of_a_standardised_difference_is_its_spread_over_many_samples(
    by: str, paired: float | None
) -> None:
    """And the mean is the difference in the population, which without the correction it is not."""
    n, draws, d = 60 if paired else 20, 40_000, 0.8
    rng = np.random.default_rng(11)
    spread = 1.0 if by == "pooled_sd" else 1.5  # of the treated; the reference has 1
    shared = paired or 0.0
    rho = np.array([[1, shared], [shared, 1]])
    scales = rng.multivariate_normal([0, 0], rho / n, size=draws)
    root = np.linalg.cholesky(rho)
    parts = rng.normal(size=(draws, n - 1, 2)) @ root.T
    sds = np.sqrt((parts**2).sum(axis=1) / (n - 1))
    difference = d + scales[:, 0] * spread - scales[:, 1]
    sd = sds[:, 1] if by == "control_sd" else np.sqrt((sds**2).mean(axis=1))
    df = n - 1 if by == "control_sd" or paired else 2 * n - 2
    many = difference / sd * (1 - 3 / (4 * df - 1))
    row = {
        "mean_treatment": d, "mean_control": 0.0, "sd_treatment": spread, "sd_control": 1.0,
        "metric": "sd", "standardiser": by,
    }  # fmt: skip
    design = {"n": n, "paired_correlation": paired} if paired else dict.fromkeys(
        ("n_treatment", "n_control"), n
    )  # fmt: skip
    found = effect(row | design)
    assert many.mean() == pytest.approx(d, abs=0.012)
    assert sqrt(found[1]) == pytest.approx(many.std(), rel=0.06)
    other = effect(row | {"n_treatment": n, "n_control": n})
    assert not paired or sqrt(other[1]) > 1.25 * many.std(), "pairs are not two arms"


def test_the_error_of_a_design_in_clusters_is_its_spread_over_many_samples() -> None:
    """Means of ten clusters of twenty in each arm, with an ICC of 0.1."""
    rng = np.random.default_rng(2)
    clusters, size, icc = 10, 20, 0.1
    between = rng.normal(0, sqrt(icc), (20_000, 2, clusters)).mean(axis=2)
    within = rng.normal(0, sqrt((1 - icc) / (clusters * size)), (20_000, 2))
    many = np.diff(between + within, axis=1)
    arms = {"n_treatment": 200.0, "n_control": 200.0, "sd_treatment": 1.0, "sd_control": 1.0}
    row = arms | {"mean_treatment": 0.3, "mean_control": 0.0, "metric": "scale_points"}
    alone = sqrt(effect(row)[1])
    assert sqrt(effect(row, icc=icc, cluster_size=20.0)[1]) == pytest.approx(many.std(), rel=0.03)
    assert alone < 0.65 * many.std()


@pytest.mark.parametrize("metric", ["log_odds", "log_risk_ratio"])
def test_a_zero_gives_a_finite_effect_that_says_how(metric: str) -> None:
    counts = {"events_treatment": 0, "n_treatment": 30, "events_control": 4, "n_control": 30}
    made, _ = computed(Row(counts | {"metric": metric}))
    a, b, c, d = 0.5, 30.5, 4.5, 26.5
    ratio = a * d / (b * c) if metric == "log_odds" else a / c
    assert made["estimate"] == pytest.approx(np.log(ratio))
    assert "half an event" in made["method"]
    made, _ = computed(Row(counts | {"metric": "percentage_points"}))
    assert made["estimate"] == pytest.approx(-100 * 4 / 30)


def test_an_inequality_of_p_bounds_the_effect_and_is_none() -> None:
    arms = {"n_treatment": 50.0, "n_control": 50.0, "metric": "sd", "direction": "positive"}
    at, _ = computed(Row(arms | {"p": "0.001"}))
    for text, name in (("<0.001", "size_above"), (">0.001", "size_below")):
        made, problems = computed(Row(arms | {"p": text}))
        assert not problems
        assert made[name] == pytest.approx(at["estimate"])
        assert not {"estimate", "se"} & set(made)
    clusters = arms | {"icc": 0.1, "cluster_size": 5.0}
    for row in ({"metric": "sd", "direction": "negative"}, clusters, arms | {"metric": "pomp"}):
        made, problems = computed(Row(row | {"p": "<0.05"}))
        assert set(made) == {"method"}
        assert not problems


def test_the_correction_is_that_of_the_studies_whose_rows_are_here() -> None:
    big = MEANS | {"n_treatment": 6.0, "n_control": 5.0} | POOLED
    s = sqrt((5 * 5.5**2 + 4 * 4.5**2) / 9)
    assert effect(big)[0] == pytest.approx(3 / s * float(small_sample(np.array(9))))
