"""Effect sizes and their variances from what publications report, each with its formula and source.

The treatment comes first and the reference second. An effect is :class:`Effect`: estimate,
sampling variance, metric, and the formula in words, which the harmonized table shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atanh, isnan, log, nan, pi, sqrt, tanh

from scipy.special import ndtri, stdtrit

__all__ = [
    "CONVERSIONS",
    "Arm",
    "Effect",
    "clustered",
    "converted",
    "correction",
    "difference_of_means",
    "fisher_z",
    "log_odds_ratio",
    "log_rate_ratio",
    "log_response_ratio",
    "log_risk_ratio",
    "normal_quantile",
    "of_pairs",
    "risk_difference",
    "standardised_difference",
    "standardised_of_t",
    "statistic_of_p",
    "z_of_statistic",
]

BORENSTEIN = "Borenstein et al. 2009"
HALF = "half an event added to each cell (Gart and Zweifel 1967)"
LOGISTIC = pi / sqrt(3)  # standard deviation of the standard logistic distribution


@dataclass(frozen=True)
class Arm:
    """One arm: respondents, and mean and SD, or events, or events and the time at risk."""

    n: float = nan
    mean: float = nan
    sd: float = nan
    events: float = nan
    time: float = nan


@dataclass(frozen=True)
class Effect:
    """An effect, its sampling variance, its metric, and how it was computed."""

    estimate: float
    variance: float
    metric: str
    method: str

    def also(self, said: str) -> Effect:
        """The same effect, with one more thing said of how it was computed."""
        return replace(self, method=f"{self.method}; {said}")


def correction(df: float) -> float:
    """Hedges' correction for small samples, by degrees of freedom (Hedges 1981, eq. 6e)."""
    return 1 - 3 / (4 * df - 1)


def normal_quantile(level: float) -> float:
    """The quantile that spans ``level`` per cent of the normal distribution, such as 1.96."""
    return float(ndtri(0.5 + level / 200))


def statistic_of_p(p: float, df: float = nan) -> float:
    """The size of a t value, or of a z value without ``df``, by its two-sided p."""
    return float(-ndtri(p / 2) if isnan(df) else -stdtrit(df, p / 2))


def difference_of_means(one: Arm, other: Arm, metric: str, paired: float = nan) -> Effect:
    """Raw difference of means (Borenstein et al. 2009, chapter 4).

    Parameters
    ----------
    metric : the unit that the means are in.
    paired : correlation of the two measurements of the same people, where it is one; the variances
        of the arms are not pooled.
    """
    return Effect(
        one.mean - other.mean,
        _variance_of_difference(one, other, paired),
        metric,
        f"difference of {'paired ' * (not isnan(paired))}means; variance from the SDs and ns "
        f"({BORENSTEIN}, chapter 4)",
    )


def _variance_of_difference(one: Arm, other: Arm, paired: float) -> float:
    apart = one.sd**2 / one.n + other.sd**2 / other.n
    return apart if isnan(paired) else apart - 2 * paired * one.sd * other.sd / one.n


def standardised_difference(one: Arm, other: Arm, by: str, paired: float = nan) -> Effect:
    """Standardised difference of means with Hedges' correction.

    Parameters
    ----------
    by : ``pooled_sd``, Hedges' g (Borenstein et al. 2009, chapter 4), or ``control_sd``, Glass's
        delta, whose variance by the delta method lets the arms differ in theirs (compare Bonett
        2009; of pairs Becker 1988).
    paired : correlation of the two measurements of the same people, where it is one.
    """
    difference, pairs = one.mean - other.mean, not isnan(paired)
    if by == "control_sd":
        df = other.n - 1
        d = difference / other.sd
        raw = _variance_of_difference(one, other, paired)
        variance = raw / other.sd**2 + d**2 / (2 * df)
        source = "Becker 1988" if pairs else "Bonett 2009"
        name = f"Glass's delta in the SD of the reference arm (compare {source})"
    elif pairs:
        df = one.n - 1
        d = difference / sqrt((one.sd**2 + other.sd**2) / 2)
        variance = 2 * _variance_of_difference(one, other, paired) / (one.sd**2 + other.sd**2)
        variance += d**2 * of_pairs(one.sd, other.sd, paired) / (2 * df)
        name = "Hedges' g of pairs in the SD within, variance by the delta method"
    else:
        df = one.n + other.n - 2
        square = ((one.n - 1) * one.sd**2 + (other.n - 1) * other.sd**2) / df
        d = difference / sqrt(square)
        variance = _variance_of_d(d, one.n, other.n)
        name = f"Hedges' g in the pooled SD ({BORENSTEIN}, chapter 4)"
    j = correction(df)
    return Effect(
        j * d, j**2 * variance, "sd", f"{name}; J = 1 - 3 / (4 x {df:g} - 1) (Hedges 1981)"
    )


def of_pairs(one: float, other: float, paired: float) -> float:
    """The error of the mean of two variances that go together, over that of one of them.

    By the delta method, from the covariance 2 r^2 s1^2 s2^2 / df of two variances of the same
    people: (1 + r^2) / 2 where they are the same.

    Parameters
    ----------
    one, other : standard deviations of the two measurements.
    paired : correlation r of the two.
    """
    return (one**4 + other**4 + 2 * (paired * one * other) ** 2) / (one**2 + other**2) ** 2


def _variance_of_d(d: float, one: float, other: float) -> float:
    return (one + other) / (one * other) + d**2 / (2 * (one + other))


def standardised_of_t(t: float, one: float, other: float, paired: float = nan) -> Effect:
    """Hedges' g from t: t root(1/n1 + 1/n0), of pairs t root(2 (1 - r) / n).

    Parameters
    ----------
    one, other : respondents of the arms; of pairs each the number of pairs.

    References
    ----------
    Rosenthal (1994), Parametric measures of effect size; Borenstein (2009), Effect sizes for
    continuous data, both in The handbook of research synthesis; Dunlap et al. (1996) for pairs.
    """
    if isnan(paired):
        df, d = one + other - 2, t * sqrt(1 / one + 1 / other)
        variance, source = _variance_of_d(d, one, other), "t root(1/n1 + 1/n0) (Rosenthal 1994)"
    else:
        df, d = one - 1, t * sqrt(2 * (1 - paired) / one)
        variance = 2 * (1 - paired) / one + d**2 / (2 * df)
        source = "t root(2 (1 - r) / n) (Dunlap et al. 1996), variance as Becker 1988"
    j = correction(df)
    said = f"Hedges' g = J {source}; J = 1 - 3 / (4 x {df:g} - 1) (Hedges 1981)"
    return Effect(j * d, j**2 * variance, "sd", said)


def log_response_ratio(one: Arm, other: Arm, paired: float = nan) -> Effect:
    """Log of the ratio of two means (Hedges, Gurevitch and Curtis 1999; paired Lajeunesse 2011)."""
    variance = one.sd**2 / (one.n * one.mean**2) + other.sd**2 / (other.n * other.mean**2)
    if not isnan(paired):
        variance -= 2 * paired * one.sd * other.sd / (one.n * one.mean * other.mean)
    source = "Hedges, Gurevitch and Curtis 1999" if isnan(paired) else "Lajeunesse 2011"
    return Effect(
        log(one.mean / other.mean), variance, "log_response_ratio", f"log(m1 / m0) ({source})"
    )


def _cells(one: Arm, other: Arm) -> tuple[list[float], bool]:
    """Events and others of both arms, and whether a zero had half an event added to each cell."""
    cells = [one.events, one.n - one.events, other.events, other.n - other.events]
    zero = min(cells) == 0
    return [cell + 0.5 * zero for cell in cells], zero


def log_odds_ratio(one: Arm, other: Arm) -> Effect:
    """Log odds ratio of two arms (Woolf 1955; Borenstein et al. 2009, chapter 5)."""
    (a, b, c, d), zero = _cells(one, other)
    said = f"log odds ratio, variance 1/a + 1/b + 1/c + 1/d ({BORENSTEIN}, chapter 5)"
    found = Effect(log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d, "log_odds", said)
    return found.also(HALF) if zero else found


def log_risk_ratio(one: Arm, other: Arm) -> Effect:
    """Log risk ratio of two arms (Borenstein et al. 2009, chapter 5)."""
    (a, b, c, d), zero = _cells(one, other)
    said = f"log risk ratio, variance 1/a - 1/n1 + 1/c - 1/n0 ({BORENSTEIN}, chapter 5)"
    variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
    found = Effect(log(a / (a + b) / (c / (c + d))), variance, "log_risk_ratio", said)
    return found.also(HALF) if zero else found


def risk_difference(one: Arm, other: Arm) -> Effect:
    """Difference of two shares in percentage points (Borenstein et al. 2009, chapter 5).

    A zero changes the variance, not the estimate.
    """
    (a, b, c, d), zero = _cells(one, other)
    said = f"risk difference, variance ab/n1^3 + cd/n0^3 ({BORENSTEIN}, chapter 5)"
    variance = a * b / (a + b) ** 3 + c * d / (c + d) ** 3
    share = 100 * (one.events / one.n - other.events / other.n)
    found = Effect(share, 1e4 * variance, "percentage_points", said)
    return found.also(f"in the variance {HALF}") if zero else found


def log_rate_ratio(one: Arm, other: Arm) -> Effect:
    """Log ratio of two rates of events (Rothman, Greenland and Lash 2008, chapter 14)."""
    zero = min(one.events, other.events) == 0
    a, c = one.events + 0.5 * zero, other.events + 0.5 * zero
    said = "log rate ratio, variance 1/a + 1/c (Rothman, Greenland and Lash 2008, chapter 14)"
    found = Effect(log(a / one.time / (c / other.time)), 1 / a + 1 / c, "log_rate_ratio", said)
    return found.also("half an event added to each arm") if zero else found


def fisher_z(r: float, n: float) -> Effect:
    """Fisher's z of a correlation of n pairs (Borenstein et al. 2009, chapter 6)."""
    said = f"Fisher's z = artanh(r), variance 1 / (n - 3) ({BORENSTEIN}, chapter 6)"
    return Effect(atanh(r), 1 / (n - 3), "fisher_z", said)


def z_of_statistic(statistic: float, n: float, chi_squared: bool = False) -> Effect:
    """Fisher's z of the correlation of a test.

    Parameters
    ----------
    statistic : t, of which r is t / root(t^2 + n - 2); or the root of chi-squared with its sign,
        of which r is phi, root(chi^2 / n) (Rosenthal 1994).
    """
    if chi_squared:
        r, said = statistic / sqrt(n), "r = root(chi-squared / n)"
    else:
        r, said = statistic / sqrt(statistic**2 + n - 2), "r = t / root(t^2 + n - 2)"
    return fisher_z(r, n).also(f"{said} (Rosenthal 1994)")


def _logit_to_sd(found: Effect) -> Effect:
    return Effect(found.estimate / LOGISTIC, found.variance / LOGISTIC**2, "sd", "")


def _sd_to_logit(found: Effect) -> Effect:
    return Effect(found.estimate * LOGISTIC, found.variance * LOGISTIC**2, "log_odds", "")


def _z_to_sd(found: Effect) -> Effect:
    r = tanh(found.estimate)
    rest = 1 - r**2
    return Effect(2 * r / sqrt(rest), 4 * found.variance * rest**2 / rest**3, "sd", "")


# What may be converted where a study declares it: from one metric to another.
CONVERSIONS = {
    ("log_odds", "sd"): (
        _logit_to_sd,
        f"converted: d = log odds ratio x root(3) / pi ({BORENSTEIN}, chapter 7; "
        "Hasselblad and Hedges 1995)",
    ),
    ("sd", "log_odds"): (
        _sd_to_logit,
        f"converted: log odds ratio = d x pi / root(3) ({BORENSTEIN}, chapter 7)",
    ),
    ("fisher_z", "sd"): (
        _z_to_sd,
        f"converted: d = 2 r / root(1 - r^2) ({BORENSTEIN}, chapter 7)",
    ),
}


def converted(found: Effect, metric: str) -> Effect:
    """The effect in another metric, one of :data:`CONVERSIONS`."""
    formula, said = CONVERSIONS[found.metric, metric]
    return replace(formula(found), method=f"{found.method}; {said}")


def clustered(found: Effect, icc: float, size: float) -> Effect:
    """The effect with the variance of a design in clusters.

    The variance of individuals times the design effect, 1 + (m - 1) ICC (Kish 1965; Cochrane
    Handbook, section 23.1.4).

    Parameters
    ----------
    icc : intraclass correlation of the outcome.
    size : mean number m of respondents in a cluster.
    """
    factor = 1 + (size - 1) * icc
    wider = replace(found, variance=found.variance * factor)
    return wider.also(
        f"variance times the design effect {factor:.4g} = 1 + (m - 1) ICC (Kish 1965)"
    )
