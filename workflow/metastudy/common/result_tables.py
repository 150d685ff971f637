"""The tables after harmonizing: what a row is, which columns it has, and their types and values."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pandera.pandas as pa

from metastudy.common.problems import MetastudyError
from metastudy.common.table_schema import Column, pandera_schema

__all__ = ["CONTRAST", "EFFECT", "INCONSISTENCY", "NUMBERS", "TABLES", "checked", "columns", "none"]

_TEXT = Column()
_NUMBER = Column("float64")
_MEASURE = Column("float64", null=True)  # where a quantity does not vary, it is not defined
_SPREAD = Column("float64", low=0)
_SHARE = Column("float64", low=0, high=1)
_SHARE_OR_NONE = Column("float64", null=True, low=0, high=1)
_COUNT = Column("int64", low=0)
_FLAG = Column("bool")
_USES = ("varying", "fixed", "left out", "refused")

# Summary of draws. An error of Monte Carlo is missing where all draws are the same.
NUMBERS: Mapping[str, Column] = {
    "mean": _NUMBER,
    "sd": _SPREAD,
    "lower": _NUMBER,
    "upper": _NUMBER,
    "mcse": _MEASURE,
    "mcse_lower": _MEASURE,
    "mcse_upper": _MEASURE,
    "ess": _MEASURE,
    "positive": _SHARE,
    "pd": Column("float64", low=0.5, high=1),
    "rope": _SHARE_OR_NONE,
    "above": _SHARE_OR_NONE,
    "below": _SHARE_OR_NONE,
}
# What a contrast is.
CONTRAST: Mapping[str, Column] = {
    "module": _TEXT,
    "variant": _TEXT,  # main; error_free: codings taken as true; else a sensitivity analysis
    "estimand": Column(  # effect: a contrast of exposures; difference: of two effects; mean: also a
        among=("effect", "difference", "mean")  # share or a prevalence
    ),
    "exposure": _TEXT,
    "exposure_type": _TEXT,
    "outcome": _TEXT,
    # population, study, country or sector; new_country and the like, next_in_country: a prediction;
    # of a difference what differs: outcome, vignette, role or exposure_type
    "level": _TEXT,
    "group": _TEXT,  # which study, country or sector
    "against": _TEXT,  # of a difference: what is taken away
    "vignette": _TEXT,
    "study": _TEXT,
    "country": _TEXT,
    "sector": _TEXT,
    "role": _TEXT,
    "metric": Column(among=("sd", "latent_sd", "pomp", "log_odds", "probability")),
    "provenance": _TEXT,
    "note": _TEXT,  # what a prediction rests on, where that is little
}
EFFECT: Mapping[str, Column] = {
    "module": _TEXT,
    "exposure": _TEXT,
    "exposure_type": _TEXT,
    "outcome": _TEXT,
    "role": _TEXT,
    "provenance": _TEXT,
}
_HETEROGENEITY: Mapping[str, Column] = {
    "variant": _TEXT,
    "parameter": _TEXT,
    **NUMBERS,
    "prior": _TEXT,
    "prior_mean": _NUMBER,
    "prior_sd": _SPREAD,
    "prior_lower": _NUMBER,
    "prior_upper": _NUMBER,
    "ratio": _SPREAD,  # of the posterior's standard deviation to the prior's
}
INCONSISTENCY: Mapping[str, Column] = {
    "i2": _SHARE_OR_NONE,
    "i2_lower": _SHARE_OR_NONE,
    "i2_upper": _SHARE_OR_NONE,
    "i2_mcse": _MEASURE,
}
_OF_ESTIMAND = (
    *("id", "exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric"),
)
_POOLED: Mapping[str, Column] = {
    "id": _TEXT,
    "exposure": _TEXT,
    "exposure_type": _TEXT,
    "outcome": _TEXT,
    "family": _TEXT,
    "role": _TEXT,
    "response_mode": _TEXT,
    "level": _TEXT,
    "group": _TEXT,
    "studies": Column("int64", low=1),
    "metric": _TEXT,
    **NUMBERS,
    "prior_pull": _MEASURE,  # of a mean: how far its prior moves it, in posterior SDs
    "provenance": _TEXT,
    "note": _TEXT,
}
TABLES: Mapping[str, Mapping[str, Column]] = {
    "contrasts": {"id": _TEXT, **CONTRAST, **NUMBERS},
    "heterogeneity": _HETEROGENEITY,
    "refits": {
        **EFFECT,
        "kind": _TEXT,  # see metastudy.model_checks.leave_group_out.Refit
        "group": _TEXT,
        "left_out": _SHARE_OR_NONE,  # of the rows
        "how": Column(among=("sampled", "reweighted", "not run")),  # by weights of the whole fit
        "note": _TEXT,  # why it was not run
        "missed": _TEXT,  # gates that the refit misses; such a row is counted nowhere
        "metric": Column(among=("sd", "log_odds")),
        "mean": _MEASURE,  # as what follows, missing where it was not run
        "sd": _MEASURE,
        "lower": _MEASURE,
        "upper": _MEASURE,
        "pd": Column("float64", null=True, low=0.5, high=1),
        "positive": _SHARE_OR_NONE,
        "rope": _SHARE_OR_NONE,
        "above": _SHARE_OR_NONE,
        "below": _SHARE_OR_NONE,
        "rhat": _MEASURE,  # of draws
        "ess": _MEASURE,  # the least of the mean, its sign and the tails
        "k": _MEASURE,  # of the weights of other priors: the shape of their tail
        "shift": _MEASURE,  # of the mean, in posterior standard deviations of the whole fit
        "divergences": _COUNT,
    },
    "power": {
        **EFFECT,
        "prior": _MEASURE,  # all top-level priors together
        "likelihood": _MEASURE,
        "key": _TEXT,  # of the prior that moves it most by itself
        "by_key": _MEASURE,  # how much that is
        "diagnosis": Column(among=("", "strong_prior", "conflict")),
    },
    "predictive": {
        "module": _TEXT,
        "kind": Column(among=("prior", "posterior")),
        "study": _TEXT,  # joined where a country or sector has several
        "country": _TEXT,  # empty: all of the study
        "sector": _TEXT,
        "outcome": _TEXT,  # empty: all of them
        "vignette": _TEXT,
        "other": _TEXT,  # the second outcome of a correlation
        "other_vignette": _TEXT,
        "statistic": _TEXT,
        "observed": _MEASURE,  # missing where it would tell of few people
        "mean": _MEASURE,  # of the replicates, as what follows
        "lower": _MEASURE,
        "upper": _MEASURE,
        "lower50": _MEASURE,
        "upper50": _MEASURE,
        "tail": _SHARE_OR_NONE,  # of the replicates above the observed value, ties by half
        "provenance": _TEXT,
    },
    "comparison": {
        "module": _TEXT,
        "pooling": Column(among=("pooled", "partial", "unpooled")),
        "elpd_loo": _NUMBER,
        "se": _SPREAD,
        "difference": _NUMBER,
        "se_difference": _SPREAD,
        "p_loo": _NUMBER,
        "weight": _NUMBER,
        "high_k": _COUNT,
        "threshold": _NUMBER,
        "rows": _COUNT,
        "draws": _COUNT,
        "components": _COUNT,  # standard deviations between groups; without one none is pooled
        "note": _TEXT,
        "provenance": _TEXT,
    },
    "estimates": {
        "id": _TEXT,
        "module": _TEXT,
        "study": _TEXT,
        "country": _TEXT,
        "sector": _TEXT,
        "role": _TEXT,
        "exposure": _TEXT,
        "exposure_name": _TEXT,
        "exposure_type": _TEXT,
        "outcome": _TEXT,
        "family": _TEXT,
        "vignette": _TEXT,
        "response_mode": _TEXT,
        "metric": _TEXT,
        "estimate": _NUMBER,
        "n": _COUNT,  # 0: not published
        "provenance": _TEXT,
        "se": _SPREAD,
        "note": _TEXT,  # what was done to a published effect, or to a covariance
    },
    "moderators": {
        **dict.fromkeys(_OF_ESTIMAND, _TEXT),
        "parameter": _TEXT,
        "moderator": _TEXT,
        "category": _TEXT,  # empty: a number, whose change per standard deviation this is
        "at": _TEXT,  # where the population mean is: the mean of a number, or the reference
        "scale": _SPREAD,  # the standard deviation of a number; 1 for a category
        "unit": _TEXT,
        "between": _FLAG,  # whether it varies between studies only
        "studies": Column("int64", low=1),
        **NUMBERS,
        "provenance": _TEXT,
        "note": _TEXT,
    },
    "moderator_lines": {
        **dict.fromkeys(_OF_ESTIMAND, _TEXT),
        "moderator": _TEXT,
        "unit": _TEXT,
        "kind": Column(among=("estimate", "mean")),
        "group": _TEXT,
        "x": _MEASURE,
        "category": _TEXT,
        "mean": _NUMBER,
        "lower": _NUMBER,
        "upper": _NUMBER,
        "weight": _MEASURE,
        "provenance": _TEXT,
    },
    "dependence": {
        **dict.fromkeys(_OF_ESTIMAND, _TEXT),
        "studies": Column("int64", low=1),
        "effects": Column("int64", low=1),
        "given": _COUNT,  # pairs of estimates whose covariance is given
        "declared": _COUNT,  # whose correlation is
        "assumed": _COUNT,  # whose correlation is that of the configuration
        "correlation": _MEASURE,  # that one, where it is used
        "mean": _NUMBER,
        "lower": _NUMBER,
        "upper": _NUMBER,
        **{f"{name}_{at}": _MEASURE for at in ("30", "90") for name in ("mean", "lower", "upper")},
        "provenance": _TEXT,
    },
    "influence": {
        **dict.fromkeys(_OF_ESTIMAND, _TEXT),
        "study": _TEXT,  # left out
        "studies": Column("int64", low=2),  # with it
        "mean": _NUMBER,  # of the population, with all studies
        "sd": _SPREAD,
        "mean_without": _NUMBER,
        "lower_without": _NUMBER,
        "upper_without": _NUMBER,
        "shift": _MEASURE,  # of the mean, in posterior standard deviations with all studies
        "total": _MEASURE,  # posterior mean of the total heterogeneity; missing where there is none
        "total_without": _MEASURE,
        "rhat": _NUMBER,  # of mean and total without it, the worse one
        "ess_bulk": _NUMBER,
        "ess_tail": _NUMBER,
        "missed": _TEXT,  # gates that the refit misses
        "provenance": _TEXT,
    },
    "pooled": _POOLED,
    "exploratory": _POOLED,
    "synthesis_heterogeneity": {**_HETEROGENEITY, **INCONSISTENCY},
    "structure": {
        "module_or_family": _TEXT,
        "exposure": _TEXT,
        "outcome": _TEXT,
        "grouping": _TEXT,
        "levels": _COUNT,
        "used_as": Column(among=_USES),
        "aliased_with": _TEXT,
        "reason": _TEXT,
    },
    "selection": {
        "exposure": _TEXT,
        "exposure_type": _TEXT,
        "outcome": _TEXT,
        "family": _TEXT,
        "role": _TEXT,
        "response_mode": _TEXT,
        "metric": _TEXT,
        "analysis": Column(among=("plain", "step_function", "pet", "peese", "worst_case")),
        "side": Column(among=("positive", "negative")),  # that selection favours
        "declared": _FLAG,
        "effects": Column("int64", low=2),
        "affirmative": _COUNT,  # significant on that side, one-sided p below 0.025
        "mean": _MEASURE,  # missing with all that follows where the analysis was not done
        "sd": _MEASURE,
        "lower": _MEASURE,
        "upper": _MEASURE,
        "positive": _SHARE_OR_NONE,
        "pd": Column("float64", null=True, low=0.5, high=1),
        "rope": _SHARE_OR_NONE,
        "above": _SHARE_OR_NONE,
        "below": _SHARE_OR_NONE,
        "tau": _MEASURE,
        "tau_lower": _MEASURE,
        "tau_upper": _MEASURE,
        "weight": _SHARE_OR_NONE,  # publication of other effects relative to affirmative ones
        "weight_lower": _SHARE_OR_NONE,
        "weight_upper": _SHARE_OR_NONE,
        "slope": _MEASURE,  # on the standard error (pet) or its square (peese)
        "slope_sd": _MEASURE,
        "ratio_mean": _MEASURE,  # selection by which the mean is zero; 1: none, infinite: no such
        "ratio_interval": _MEASURE,  # the same for the nearer end of the interval
        "reason": _TEXT,  # why an analysis was not done
        "note": _TEXT,
        "provenance": _TEXT,
    },
    "selection_effects": {
        "id": _TEXT,
        "study": _TEXT,
        "exposure": _TEXT,
        "exposure_type": _TEXT,
        "outcome": _TEXT,
        "family": _TEXT,
        "role": _TEXT,
        "response_mode": _TEXT,
        "metric": _TEXT,
        "estimate": _NUMBER,
        "se": _SPREAD,
        "se_alone": _SPREAD,  # without what the effect itself adds
        "side": Column(among=("positive", "negative")),
        "affirmative": _FLAG,
        "note": _TEXT,
        "provenance": _TEXT,
    },
    "design_based": {
        "study": _TEXT,
        "exposure": _TEXT,
        "exposure_name": _TEXT,
        "exposure_type": _TEXT,
        "outcome": _TEXT,
        "vignette": _TEXT,
        "weighted": _FLAG,
        "estimate": _NUMBER,
        "se": _SPREAD,
        "low": _NUMBER,
        "high": _NUMBER,
        "n": _COUNT,
        "clusters": _COUNT,
        "provenance": _TEXT,
    },
    "ranks": {
        "part": _TEXT,
        "simulation": _COUNT,
        "parameter": _TEXT,
        "quantity": _TEXT,
        "truth": _NUMBER,
        "mean": _NUMBER,
        "sd": _SPREAD,
        "rank": _COUNT,
        "ranked": _COUNT,  # draws
        "covered_50": _FLAG,
        "covered_80": _FLAG,
        "covered_95": _FLAG,
        "passed": _FLAG,
        "provenance": _TEXT,
    },
    "gates": {
        "part": _TEXT,
        "simulation": _COUNT,
        "gate": _TEXT,
        "value": _MEASURE,
        "threshold": _NUMBER,
        "quantity": _TEXT,
        "passed": _FLAG,
        "provenance": _TEXT,
    },
}


def columns(name: str) -> list[str]:
    """The columns of a table of :data:`TABLES`, in order."""
    return list(TABLES[name])


def none(name: str) -> pd.DataFrame:
    """A table of :data:`TABLES` without rows."""
    return pd.DataFrame(columns=columns(name))


def checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Check a table before it is written.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    table : its rows; without any, only the columns are looked at, as they have no types then.

    Returns
    -------
    The table as it came.

    Raises
    ------
    MetastudyError
        With table, column and value: the fault is the program's, not the data's.
    """
    if list(table.columns) != columns(name):
        raise MetastudyError(
            f"the table '{name}' has the columns {', '.join(map(str, table.columns))}, and its "
            f"schema {', '.join(columns(name))}: a fault of the workflow, please report it"
        )
    if len(table):
        try:
            pandera_schema(name, TABLES[name]).validate(table.infer_objects(), lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases.drop_duplicates(["column", "check"])
            wrong = [f"{c.column}: {c.failure_case}, not {c.check}" for c in cases.itertuples()]
            raise MetastudyError(
                f"the table '{name}' breaks its schema in the column {'; '.join(wrong)}: a fault "
                "of the workflow, please report it"
            ) from None
    return table
