"""The tables of the second stage: what a row is, which columns it has, their types and values."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.common.result_columns import (
    COUNT,
    FLAG,
    HETEROGENEITY,
    MEASURE,
    NUMBER,
    NUMBERS,
    SHARE,
    SHARE_OR_NONE,
    SPREAD,
    TEXT,
)
from metastudy.common.table_schema import Column
from metastudy.common.unsaid import NOT_SAID

__all__ = ["INCONSISTENCY", "SECOND_STAGE"]

_USES = ("varying", "fixed", "left out", "refused", NOT_SAID)
INCONSISTENCY: Mapping[str, Column] = {
    "i2": SHARE_OR_NONE,
    "i2_lower": SHARE_OR_NONE,
    "i2_upper": SHARE_OR_NONE,
    "i2_mcse": MEASURE,
}
_OF_ESTIMAND = (
    *("id", "exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric"),
)
_ESTIMAND: Mapping[str, Column] = dict.fromkeys(
    ("exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric"), TEXT
)
_POOLED: Mapping[str, Column] = {
    "id": TEXT,
    "exposure": TEXT,
    "exposure_type": TEXT,
    "outcome": TEXT,
    "family": TEXT,
    "role": TEXT,
    "response_mode": TEXT,
    "level": TEXT,
    "group": TEXT,
    "studies": Column("int64", low=1),
    "metric": TEXT,
    **NUMBERS,
    "prior_pull": MEASURE,  # of a mean: how far its prior moves it, in posterior SDs
    "weight": MEASURE,  # of a study's effect: its part in the mean, given the spreads
    "weight_mcse": MEASURE,
    # Of a mean in a family, what it is without the family.
    **{f"{name}_apart": MEASURE for name in ("mean", "sd", "lower", "upper")},
    "provenance": TEXT,
    "note": TEXT,
}
SECOND_STAGE: Mapping[str, Mapping[str, Column]] = {
    "estimates": {
        "id": TEXT,
        "module": TEXT,
        "study": TEXT,
        "country": TEXT,
        "sector": TEXT,
        "role": TEXT,
        "exposure": TEXT,
        "exposure_name": TEXT,
        "exposure_type": TEXT,
        "outcome": TEXT,
        "family": TEXT,
        "vignette": TEXT,
        "response_mode": TEXT,
        "metric": TEXT,
        "estimate": NUMBER,
        "n": COUNT,  # 0: not published
        "provenance": TEXT,
        "se": SPREAD,
        "note": TEXT,  # what was done to a published effect, or to a covariance
    },
    "moderators": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "parameter": TEXT,
        "moderator": TEXT,
        "category": TEXT,  # empty: a number, whose change per standard deviation this is
        "at": TEXT,  # where the population mean is: the mean of a number, or the reference
        "scale": SPREAD,  # the standard deviation of a number; 1 for a category
        "unit": TEXT,
        "between": FLAG,  # whether it varies between studies only
        "studies": Column("int64", low=1),
        **NUMBERS,
        "provenance": TEXT,
        "note": TEXT,
    },
    "moderator_lines": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "moderator": TEXT,
        "unit": TEXT,
        "kind": Column(among=("estimate", "mean")),
        "group": TEXT,
        "x": MEASURE,
        "category": TEXT,
        "mean": NUMBER,
        "lower": NUMBER,
        "upper": NUMBER,
        "weight": MEASURE,
        "provenance": TEXT,
    },
    "dependence": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "studies": Column("int64", low=1),
        "effects": Column("int64", low=1),
        "given": COUNT,  # pairs of estimates whose covariance is given
        "declared": COUNT,  # whose correlation is
        "assumed": COUNT,  # whose correlation is that of the configuration
        "correlation": MEASURE,  # that one, where it is used
        "mean": NUMBER,
        "lower": NUMBER,
        "upper": NUMBER,
        **{f"{name}_{at}": MEASURE for at in ("30", "90") for name in ("mean", "lower", "upper")},
        "missed": TEXT,  # gates that such a refit misses, whose numbers are then left out
        "provenance": TEXT,
    },
    "correlations": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        **dict.fromkeys(("other", "other_exposure", "other_outcome"), TEXT),
        "studies": Column("int64", low=1),  # that measure both
        "mean": MEASURE,  # missing where it is taken as zero
        "lower": MEASURE,
        "upper": MEASURE,
        "prior": TEXT,
        "reason": TEXT,  # why it is taken as zero
        "provenance": TEXT,
    },
    "influence": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "study": TEXT,  # left out
        "studies": Column("int64", low=2),  # with it
        "mean": NUMBER,  # of the population, with all studies
        "sd": SPREAD,
        "mean_without": NUMBER,
        "lower_without": NUMBER,
        "upper_without": NUMBER,
        "shift": MEASURE,  # of the mean, in posterior standard deviations with all studies
        "total": MEASURE,  # posterior mean of the total heterogeneity; missing where there is none
        "total_without": MEASURE,
        "rhat": NUMBER,  # of mean and total without it, the worse one
        "ess_bulk": NUMBER,
        "ess_tail": NUMBER,
        "missed": TEXT,  # gates that the refit misses
        "provenance": TEXT,
    },
    "prior_scales": {
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "kind": Column(among=("population", "family")),  # of which mean
        "studies": Column("int64", low=1),
        "prior_key": TEXT,  # of the configuration, or all of the plan's
        "factor": Column("float64", low=0),  # how many times as wide
        "mean": NUMBER,
        "sd": SPREAD,
        "lower": NUMBER,
        "upper": NUMBER,
        "positive": SHARE,
        "pd": Column("float64", low=0.5, high=1),
        "rope": SHARE_OR_NONE,
        "above": SHARE_OR_NONE,
        "below": SHARE_OR_NONE,
        "shift": MEASURE,  # of the mean, in posterior standard deviations of the whole fit
        "scaled_prior": Column("float64", low=0),  # how the mean moves with a power of all priors
        "scaled_likelihood": Column("float64", low=0),  # and of the likelihood
        "rhat": NUMBER,
        "ess": NUMBER,  # the least of the mean, its sign and the tails
        "missed": TEXT,  # gates that the refit misses; such a row is counted nowhere
        "note": TEXT,  # the varied priors in words
        "provenance": TEXT,
    },
    "pooled": _POOLED,
    "exploratory": _POOLED,
    "synthesis_heterogeneity": {**HETEROGENEITY, **INCONSISTENCY},
    "structure": {
        "module_or_family": TEXT,
        "exposure": TEXT,
        "outcome": TEXT,
        "grouping": TEXT,
        "levels": COUNT,
        "used_as": Column(among=_USES),
        "aliased_with": TEXT,
        "reason": TEXT,
    },
    "unlock": {  # an estimand that is not pooled, and what a candidate study would do for it
        "candidate": TEXT,
        "module": TEXT,
        **_ESTIMAND,
        "studies": COUNT,  # that would speak of it
        "sign": Column(among=("spread", "pooled", "contrast", "aliased", "nothing")),
        "reason": TEXT,
    },
    "selection": {
        **_ESTIMAND,
        "analysis": Column(among=("plain", "step_function", "pet", "peese", "worst_case")),
        "side": Column(among=("positive", "negative")),  # that selection favours
        "declared": FLAG,
        "effects": Column("int64", low=2),
        "affirmative": COUNT,  # significant on that side, one-sided p below 0.025
        "mean": MEASURE,  # missing with all that follows where the analysis was not done
        "sd": MEASURE,
        "lower": MEASURE,
        "upper": MEASURE,
        "positive": SHARE_OR_NONE,
        "pd": Column("float64", null=True, low=0.5, high=1),
        "rope": SHARE_OR_NONE,
        "above": SHARE_OR_NONE,
        "below": SHARE_OR_NONE,
        "tau": MEASURE,
        "tau_lower": MEASURE,
        "tau_upper": MEASURE,
        "weight": SHARE_OR_NONE,  # publication of other effects relative to affirmative ones
        "weight_lower": SHARE_OR_NONE,
        "weight_upper": SHARE_OR_NONE,
        "slope": MEASURE,  # on the standard error (pet) or its square (peese)
        "slope_sd": MEASURE,
        "ratio_mean": MEASURE,  # selection by which the mean is zero; 1: none, infinite: no such
        "ratio_interval": MEASURE,  # the same for the nearer end of the interval
        "reason": TEXT,  # why an analysis was not done
        "note": TEXT,
        "provenance": TEXT,
    },
    "selection_effects": {
        "id": TEXT,
        "study": TEXT,
        **_ESTIMAND,
        "estimate": NUMBER,
        "se": SPREAD,
        "se_alone": SPREAD,  # without what the effect itself adds
        "side": Column(among=("positive", "negative")),
        "affirmative": FLAG,
        "note": TEXT,
        "provenance": TEXT,
    },
}
