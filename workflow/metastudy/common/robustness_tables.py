"""The tables of sensitivity analyses beside the pooled results and the single studies."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.common.result_columns import COUNT, MEASURE, NUMBER, SHARE, SPREAD, TEXT
from metastudy.common.table_schema import Column

__all__ = ["ROBUSTNESS"]

_OF_ESTIMAND = ("exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric")
_OF_A_SETTING = (
    *("id", "module", "study", "country", "sector", "role", "exposure", "exposure_type"),
    *("outcome", "vignette", "metric"),
)
_ENDS = ("mean", "sd", "lower", "upper")
_RELIABILITY = Column("float64", low=0, high=1)

ROBUSTNESS: Mapping[str, Mapping[str, Column]] = {
    "correlations_of_arms": {  # contrasts where a correlation of outcomes of arms is assumed
        "id": TEXT,  # of the contrast
        "module": TEXT,
        "correlation": SHARE,  # the assumed one
        "mean": NUMBER,
        "lower": NUMBER,
        "upper": NUMBER,
        **{f"{name}_{at}": MEASURE for at in ("30", "90") for name in ("mean", "lower", "upper")},
        "missed": TEXT,  # gates that a refit misses; it has no numbers then
        "provenance": TEXT,
    },
    "tails": {  # heterogeneity with normal and with t tails, of one estimate of each study
        "id": TEXT,
        **dict.fromkeys(_OF_ESTIMAND, TEXT),
        "studies": Column("int64", low=1),
        "df": SPREAD,  # of the t
        **{name: SPREAD if name == "sd" else NUMBER for name in _ENDS},  # the main result
        **{f"{name}_{kind}": MEASURE for kind in ("normal", "t") for name in (*_ENDS, "total")},
        "farthest": TEXT,  # study whose estimate is farthest from the mean
        "reason": TEXT,  # why it was not done
        "provenance": TEXT,
    },
    "associations": {  # of measured exposures, each of one setting by itself
        **dict.fromkeys(_OF_A_SETTING, TEXT),
        "n": COUNT,
        "estimate": NUMBER,
        "se": SPREAD,
        "lower": NUMBER,
        "upper": NUMBER,
        "df": SPREAD,
        "partial_r2": SHARE,
        "robustness": SHARE,  # partial R2 of a confounder by which the estimate is zero
        "robustness_interval": SHARE,  # by which its interval reaches zero
        "reliability_exposure": _RELIABILITY,
        "reliability_outcome": _RELIABILITY,
        "corrected": MEASURE,
        "corrected_lower": MEASURE,
        "corrected_upper": MEASURE,
        "reason": TEXT,  # why it was not corrected
        "provenance": TEXT,
    },
    "missing_outcomes": {  # effects whose missing outcomes are shifted, each of one setting
        **dict.fromkeys(_OF_A_SETTING, TEXT),
        "asked": COUNT,
        "missing": COUNT,
        "delta": SPREAD,  # the shift, in standard deviations
        "estimate": NUMBER,
        "lower": NUMBER,
        "upper": NUMBER,
        **{f"{name}_{way}": MEASURE for way in ("down", "up") for name in ("estimate", "lower",
                                                                          "upper")},
        "tipping": MEASURE,  # shift at which the estimate is zero; infinite where none is
        "reason": TEXT,  # why it was not done
        "provenance": TEXT,
    },
    "left_out_groups": {  # ways of pooling by what they predict of groups that are left out
        "id": TEXT,
        "module": TEXT,
        "grouping": Column(among=("study", "country", "sector")),
        "pooling": Column(among=("", "pooled", "partial", "unpooled")),
        "groups": Column("int64", low=1),
        "estimands": COUNT,
        "elpd": MEASURE,
        "difference": MEASURE,
        "se_difference": MEASURE,
        "reason": TEXT,  # why there is nothing to compare
        "provenance": TEXT,
    },
}  # fmt: skip
