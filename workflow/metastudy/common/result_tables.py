"""The tables after harmonizing: what a row is, which columns it has, and their types and values."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pandera.pandas as pa

from metastudy.common.problems import MetastudyError
from metastudy.common.result_columns import (
    COUNT,
    FLAG,
    HETEROGENEITY,
    MEASURE,
    NUMBER,
    NUMBERS,
    SHARE_OR_NONE,
    SPREAD,
    TEXT,
)
from metastudy.common.robustness_tables import ROBUSTNESS
from metastudy.common.second_stage_tables import INCONSISTENCY, SECOND_STAGE
from metastudy.common.table_schema import Column, pandera_schema

__all__ = ["CONTRAST", "EFFECT", "INCONSISTENCY", "NUMBERS", "TABLES", "checked", "columns", "none"]

# What a contrast is.
CONTRAST: Mapping[str, Column] = {
    "module": TEXT,
    "variant": TEXT,  # main; error_free: codings taken as true; else a sensitivity analysis
    "estimand": Column(  # effect: a contrast of exposures; difference: of two effects; mean: also a
        among=("effect", "difference", "mean", "moderator")  # share or a prevalence; moderator: the
    ),  # change of an effect by what studies differ in
    "exposure": TEXT,
    "exposure_type": TEXT,
    "outcome": TEXT,
    # population, study, country or sector; new_country and the like, next_in_country: a prediction;
    # of a difference what differs: outcome, vignette, role or exposure_type
    "level": TEXT,
    "group": TEXT,  # which study, country or sector
    "against": TEXT,  # of a difference: what is taken away
    "vignette": TEXT,
    "study": TEXT,
    "country": TEXT,
    "sector": TEXT,
    "role": TEXT,
    "metric": Column(among=("sd", "latent_sd", "pomp", "log_odds", "probability")),
    "provenance": TEXT,
    "note": TEXT,  # what a prediction rests on, where that is little
}
EFFECT: Mapping[str, Column] = {
    "module": TEXT,
    "exposure": TEXT,
    "exposure_type": TEXT,
    "outcome": TEXT,
    "role": TEXT,
    "provenance": TEXT,
}
TABLES: Mapping[str, Mapping[str, Column]] = {
    "contrasts": {"id": TEXT, **CONTRAST, **NUMBERS},
    "heterogeneity": HETEROGENEITY,
    "refits": {
        **EFFECT,
        "kind": TEXT,  # see metastudy.model_checks.leave_group_out.Refit
        "group": TEXT,
        "left_out": SHARE_OR_NONE,  # of the rows
        "how": Column(among=("sampled", "reweighted", "not run")),  # by weights of the whole fit
        "note": TEXT,  # why it was not run
        "missed": TEXT,  # gates that the refit misses; such a row is counted nowhere
        "metric": Column(among=("sd", "log_odds")),
        "mean": MEASURE,  # as what follows, missing where it was not run
        "sd": MEASURE,
        "lower": MEASURE,
        "upper": MEASURE,
        "pd": Column("float64", null=True, low=0.5, high=1),
        "positive": SHARE_OR_NONE,
        "rope": SHARE_OR_NONE,
        "above": SHARE_OR_NONE,
        "below": SHARE_OR_NONE,
        "rhat": MEASURE,  # of draws
        "ess": MEASURE,  # the least of the mean, its sign and the tails
        "k": MEASURE,  # of the weights of other priors: the shape of their tail
        "shift": MEASURE,  # of the mean, in posterior standard deviations of the whole fit
        "divergences": COUNT,
    },
    "power": {
        **EFFECT,
        "prior": MEASURE,  # all top-level priors together
        "likelihood": MEASURE,
        "key": TEXT,  # of the prior that moves it most by itself
        "by_key": MEASURE,  # how much that is
        "diagnosis": Column(among=("", "strong_prior", "conflict")),
    },
    "predictive": {
        "module": TEXT,
        "kind": Column(among=("prior", "posterior")),
        "study": TEXT,  # joined where a country or sector has several
        "country": TEXT,  # empty: all of the study
        "sector": TEXT,
        "outcome": TEXT,  # empty: all of them
        "vignette": TEXT,
        "other": TEXT,  # the second outcome of a correlation
        "other_vignette": TEXT,
        "statistic": TEXT,
        "observed": MEASURE,  # missing where it would tell of few people
        "mean": MEASURE,  # of the replicates, as what follows
        "lower": MEASURE,
        "upper": MEASURE,
        "lower50": MEASURE,
        "upper50": MEASURE,
        "tail": SHARE_OR_NONE,  # of the replicates above the observed value, ties by half
        "provenance": TEXT,
    },
    "comparison": {
        "module": TEXT,
        "pooling": Column(among=("pooled", "partial", "unpooled")),
        "elpd_loo": NUMBER,
        "se": SPREAD,
        "difference": NUMBER,
        "se_difference": SPREAD,
        "p_loo": NUMBER,
        "weight": NUMBER,
        "high_k": COUNT,
        "threshold": NUMBER,
        "rows": COUNT,
        "draws": COUNT,
        "components": COUNT,  # standard deviations between groups; without one none is pooled
        "note": TEXT,
        "provenance": TEXT,
    },
    "organisations": {  # ways of pooling by what they predict of a left-out organisation
        "module": TEXT,
        "pooling": Column(among=("", "pooled", "partial", "unpooled")),
        "organisations": COUNT,
        "people": COUNT,
        "elpd": MEASURE,  # as what follows, missing where it is refused
        "se": MEASURE,
        "difference": MEASURE,
        "se_difference": MEASURE,
        "p_loo": MEASURE,
        "elpd_rows": MEASURE,  # of the same people, left out one by one
        "high_k": COUNT,
        "largest_k": MEASURE,
        "draws": COUNT,
        "reason": TEXT,  # why there is no number
        "provenance": TEXT,
    },
    "design_based": {
        "study": TEXT,
        "exposure": TEXT,
        "exposure_name": TEXT,
        "exposure_type": TEXT,
        "outcome": TEXT,
        "vignette": TEXT,
        "weighted": FLAG,
        "estimate": NUMBER,
        "se": SPREAD,
        "low": NUMBER,
        "high": NUMBER,
        "n": COUNT,
        "clusters": COUNT,
        "provenance": TEXT,
    },
    "ranks": {
        "part": TEXT,
        "simulation": COUNT,
        "parameter": TEXT,
        "quantity": TEXT,
        "truth": NUMBER,
        "mean": NUMBER,
        "sd": SPREAD,
        "rank": COUNT,
        "ranked": COUNT,  # draws
        "covered_50": FLAG,
        "covered_80": FLAG,
        "covered_95": FLAG,
        "passed": FLAG,
        "provenance": TEXT,
    },
    "gates": {
        "part": TEXT,
        "simulation": COUNT,
        "gate": TEXT,
        "value": MEASURE,
        "threshold": NUMBER,
        "quantity": TEXT,
        "passed": FLAG,
        "provenance": TEXT,
    },
    **SECOND_STAGE,
    **ROBUSTNESS,
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
