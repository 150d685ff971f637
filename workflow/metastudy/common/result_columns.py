"""Columns that many tables of results have: their types, and the summary of draws."""

from __future__ import annotations

from collections.abc import Mapping

from metastudy.common.table_schema import Column

__all__ = [
    "COUNT",
    "FLAG",
    "HETEROGENEITY",
    "MEASURE",
    "NUMBER",
    "NUMBERS",
    "SHARE",
    "SHARE_OR_NONE",
    "SPREAD",
    "TEXT",
]

TEXT = Column()
NUMBER = Column("float64")
MEASURE = Column("float64", null=True)  # where a quantity does not vary, it is not defined
SPREAD = Column("float64", low=0)
SHARE = Column("float64", low=0, high=1)
SHARE_OR_NONE = Column("float64", null=True, low=0, high=1)
COUNT = Column("int64", low=0)
FLAG = Column("bool")

# Summary of draws. An error of Monte Carlo is missing where all draws are the same.
NUMBERS: Mapping[str, Column] = {
    "mean": NUMBER,
    "sd": SPREAD,
    "lower": NUMBER,
    "upper": NUMBER,
    "mcse": MEASURE,
    "mcse_lower": MEASURE,
    "mcse_upper": MEASURE,
    "ess": MEASURE,
    "positive": SHARE,
    "pd": Column("float64", low=0.5, high=1),
    "rope": SHARE_OR_NONE,
    "above": SHARE_OR_NONE,
    "below": SHARE_OR_NONE,
}
HETEROGENEITY: Mapping[str, Column] = {
    "variant": TEXT,
    "parameter": TEXT,
    **NUMBERS,
    "prior": TEXT,
    "prior_mean": NUMBER,
    "prior_sd": SPREAD,
    "prior_lower": NUMBER,
    "prior_upper": NUMBER,
    "ratio": SPREAD,  # of the posterior's standard deviation to the prior's
}
