"""Published standardised differences, in the standard deviation that the studies' own are in.

Effects of studies whose data are here are in standard deviations of the reference arm where the
exposure is randomised, and of everybody where it is not
(:mod:`metastudy.models.answers.standardisers`). A published difference is often in another one. It
is recomputed where the standard deviations of both arms are given; else its metric is its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Any

import numpy as np

from metastudy.harmonize.effect_sizes import of_pairs
from metastudy.models.answers.standardisers import LEAST_DF, LEAST_OF_ALL, small_sample

__all__ = ["UNKNOWN", "Difference", "error_alone", "standardised"]

UNKNOWN = "unknown_sd"  # the metric of a difference that does not say what it is in
RECOMPUTED = "recomputed from {} by the standard deviations of the arms"
ALLOWED = "in {}, which the configuration lets pool"
IMPOSSIBLE = "a difference of {:.3g}, which no two arms have in {}"
SAID = {
    "control_sd": "SD of the reference arm",
    "pooled_sd": "SD within both arms",
    "total_sd": "SD of all respondents",
    UNKNOWN: "SD of which nothing is said",
}


@dataclass(frozen=True)
class Difference:
    """A standardised difference: estimate and error, what it is in, and what is known of its arms.

    ``standardiser`` is one of :data:`SAID`; ``corrected`` says whether Hedges' correction is in
    estimate and error, and ``sd_error`` whether the error has that of the standard deviation in
    it. Sizes and standard deviations of the arms are NaN where they are not known. ``paired`` is
    the correlation of the two measurements where the same people are in both arms, each of which
    has all of them.
    """

    estimate: float
    se: float
    standardiser: str
    randomised: bool
    corrected: bool = False
    sd_error: bool = True
    n: float = nan
    n_control: float = nan
    n_treatment: float = nan
    sd_control: float = nan
    sd_treatment: float = nan
    paired: float = nan

    @classmethod
    def of(cls, row: Any) -> Difference:
        """The difference of a row of the table of effects, whose metric is ``sd``."""
        n, control, treatment = float(row.n), float(row.n_control), float(row.n_treatment)
        n = control + treatment if isnan(n) else n
        if isnan(control):
            control = n / 2 if isnan(treatment) else n - treatment
        treatment = n - control if isnan(treatment) else treatment
        return cls(
            float(row.estimate),
            float(row.se),
            row.standardiser if isinstance(row.standardiser, str) else UNKNOWN,
            row.exposure_type == "randomised",
            row.small_sample == "corrected",
            row.sd_error != "not_included",
            n,
            control,
            treatment,
            float(row.sd_control),
            float(row.sd_treatment),
            float(row.paired_correlation),
        )

    @property
    def own(self) -> str:
        """The standardiser that a study whose data are here would have."""
        if not self.randomised:
            return "total_sd"
        return "pooled_sd" if self.df("control_sd") < LEAST_DF else "control_sd"

    def df(self, standardiser: str) -> float:
        """Degrees of freedom of a standard deviation; NaN where the respondents are not known."""
        arms = self.n_control + self.n_treatment
        if not isnan(self.paired):  # the two variances go together: no more than one of them has
            arms = self.n_control + 1
        of = {"control_sd": self.n_control, "pooled_sd": arms - 1, "total_sd": self.n}
        return of.get(standardiser, nan) - 1

    def ratio(self, d: float) -> float:
        """What takes a difference ``d`` into :attr:`own`; NaN where no two arms have such a one.

        The arms are of the same size where theirs is not known. Everybody's variance is that
        within the arms and that between them.
        """
        n = self.n_control + self.n_treatment
        large = isnan(n)
        control = 0.5 if large else (self.n_control - 1) / n
        treatment = 0.5 if large else (self.n_treatment - 1) / n
        df = 1.0 if large else (n - 1) / n
        within = control * self.sd_control**2 + treatment * self.sd_treatment**2
        variance = {"control_sd": self.sd_control**2, "pooled_sd": within / (control + treatment)}
        if self.standardiser == "total_sd":
            rest = df - self.between * d**2
            variance["total_sd"] = within / rest if rest > 0 else nan
        old = variance[self.standardiser]
        if self.own == "total_sd":
            variance["total_sd"] = (within + self.between * d**2 * old) / df
        return sqrt(old / variance[self.own])

    @property
    def between(self) -> float:
        """Variance of the arms' means, over the squared difference between the two."""
        n = self.n_control + self.n_treatment
        return 0.25 if isnan(n) else self.n_control * self.n_treatment / n**2

    def of_sd(self, standardiser: str, d: float) -> tuple[float, float]:
        """What the error of a standard deviation makes of the variance v of a difference d in it.

        Returns
        -------
        The factor a and the sum b of a (v + b). The difference itself makes everybody's standard
        deviation larger, so that the two errors make up for each other.

        Raises
        ------
        ValueError
            For a difference that is larger than everybody's standard deviation allows.
        """
        df = self.df(standardiser)
        arms = standardiser == "total_sd" and not isnan(self.sd_control + self.sd_treatment)
        explained = self.between * d**2 if arms else 0.0
        if explained >= 1:
            raise ValueError(IMPOSSIBLE.format(d, SAID[standardiser]))
        square = d**2
        if standardiser == "pooled_sd" and not isnan(self.paired + self.sd_control):
            square *= of_pairs(self.sd_treatment, self.sd_control, self.paired)
        return (1 - explained) ** 2, 0.0 if isnan(df) else square / (2 * df)


def standardised(found: Difference, allowed: Collection[str] = ()) -> tuple[float, float, str, str]:
    """A published difference as the second stage takes it.

    Small samples are corrected (Hedges 1981) and the error of the standard deviation is in the
    standard error, in both as in the studies' own estimates; both need the number of respondents.

    Parameters
    ----------
    found : what was published.
    allowed : standardisers whose differences may pool with the studies' own as they are.

    Returns
    -------
    estimate, se, metric, note
        The metric is ``sd`` if it may pool with the studies' own, else its standardiser.

    Raises
    ------
    ValueError
        Where there are too few respondents for a standard deviation; or where it is to be
        recomputed and the standard error is smaller than that of its standard deviation alone, or
        the difference larger than there can be.

    Notes
    -----
    A difference d of means with the variance v of its own and a standard deviation of f degrees of
    freedom has the variance v + d^2 / 2f (Hedges and Olkin 1985, chapter 5). By the standard
    deviation of everybody, of which the arms make up the share r^2, it is (1 - r^2)^2 of that, by
    the first order.
    """
    d, square, new, metric, note = _taken(found, allowed)
    correction = _correction(found, new)
    factor, more = found.of_sd(new, d)
    return correction * d, correction * sqrt(factor * (square + more)), metric, note


def error_alone(found: Difference, allowed: Collection[str] = ()) -> float:
    """The standard error of :func:`standardised` without what the difference itself adds to it.

    That is the error of the difference between the means, for which the standard deviation is
    known. It does not grow with the difference, so a regression of differences on it shows no slope
    where there is none (Pustejovsky and Rodgers 2019). Where the error is too small to hold that of
    the standard deviation, it is the whole one.
    """
    _, square, new, _, _ = _taken(found, allowed)
    if square <= 0:
        return standardised(found, allowed)[1]
    return _correction(found, new) * sqrt(square)


def _correction(found: Difference, standardiser: str) -> float:
    df = found.df(standardiser)
    return 1.0 if isnan(df) else float(small_sample(np.array(df)))


def _taken(found: Difference, allowed: Collection[str]) -> tuple[float, float, str, str, str]:
    """Difference and variance of its means, not corrected, its standardiser, metric and a note."""
    old, own = found.standardiser, found.own
    metric, note = "sd", ""
    fits = old == own or (found.randomised and old == "control_sd")
    new = old
    if not fits and not isnan(found.sd_control + found.sd_treatment) and old != UNKNOWN:
        new, note = own, RECOMPUTED.format(SAID[old])
    elif not fits and old in allowed:
        note = ALLOWED.format(SAID[old])
    elif not fits:
        metric = old
    before, after = found.df(old), found.df(new)
    if min(before, after) < LEAST_OF_ALL:
        raise ValueError(f"too few respondents for a standard deviation: {found.n:g}")
    undone = float(small_sample(np.array(before))) if found.corrected and not isnan(before) else 1.0
    d, square = found.estimate / undone, (found.se / undone) ** 2
    if found.sd_error:
        factor, more = found.of_sd(old, d)
        square = square / factor - more
    if new != old:
        if isnan(ratio := found.ratio(d)):
            raise ValueError(IMPOSSIBLE.format(d, SAID[old]))
        if square <= 0:
            raise ValueError("a standard error below that of the standard deviation alone")
        d, square = d * ratio, square * ratio**2
    return d, square, new, metric, note
