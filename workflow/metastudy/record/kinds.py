"""Kinds of the numbers of record, and the Monte Carlo error of each.

A number without a kind is an error. So a new column of a result table is named here, or among what
is left out, with the reason; a test goes through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
import pandas as pd

from metastudy.common.problems import MetastudyError

__all__ = ["FILES", "KINDS", "LEFT_OUT", "NUMBERS", "Kind", "Number", "schema_of", "without_kind"]

Kind = Literal["exact", "estimate", "derived", "diagnostic", "word"]
KINDS: tuple[Kind, ...] = ("exact", "estimate", "derived", "diagnostic", "word")
Errors = Callable[[pd.DataFrame], Any]

# Factors of sd / sqrt(ess), for errors from the parts of a row, where draws are not at hand.
OF_SD = 2.0  # standard deviation: a kurtosis of 17
OF_BOUND = 12.0  # bound of a 95 % interval: the largest of the shipped data's, most of which are 3
LEAST_ESS = 400.0  # effective draws of what has passed the gates and does not say how many it has
REPLICATES = 400.0  # of a predictive check (metastudy.model_checks.predictive_checks)
UNRELIABLE = 3.0  # log density of a row, by leave-one-out with a Pareto k that is too large
NORMAL = 3.92  # standard deviations between the bounds of a 95 % interval


@dataclass(frozen=True)
class Number:
    """A column of numbers or words: its kind and where its Monte Carlo error comes from.

    ``error`` takes the rows of a table to their errors, in the units of the column; ``source`` says
    in words what it is: ``own`` (computed from the draws for this number), ``ess`` (a probability
    and its effective draws), ``draws`` or ``parts`` (from other columns of the row).
    """

    kind: Kind
    error: Errors | None = None
    source: str = ""


def _own(column: str) -> Number:
    return Number("estimate", lambda rows: rows[column], "own")


def _of_share(p: Any, n: Any) -> Any:
    """Error of a probability, taken as (s + 1/2) / (n + 1): 0 and 1 have one too."""
    smooth = (p * n + 0.5) / (n + 1)
    return np.sqrt(smooth * (1 - smooth) / n)


def _probability(column: str) -> Number:
    return Number("estimate", lambda rows: _of_share(rows[column], _ess(rows)), "ess")


def _ess(rows: pd.DataFrame) -> Any:
    return rows["ess"].astype(float) if "ess" in rows else LEAST_ESS


def _parts(factor: float, sd: Callable[[pd.DataFrame], Any], kind: Kind = "derived") -> Number:
    return Number(kind, lambda rows: factor * sd(rows) / np.sqrt(_ess(rows)), "parts")


def _sd(rows: pd.DataFrame) -> Any:
    return rows["sd"]


def _ratio(rows: pd.DataFrame) -> Any:
    return rows["sd"] / rows["prior_sd"]


def _width(lower: str = "lower", upper: str = "upper") -> Callable[[pd.DataFrame], Any]:
    """The standard deviation that an interval would have if it were a normal one."""
    return lambda rows: (rows[upper] - rows[lower]) / NORMAL


def _of_refit(factor: float, sd: Callable[[pd.DataFrame], Any]) -> Number:
    """As :func:`_parts`, with the least effective draws of a refit that says them by their kind."""
    least = ["ess_bulk", "ess_tail"]
    return Number(
        "derived", lambda rows: factor * sd(rows) / np.sqrt(rows[least].min(axis=1)), "parts"
    )


def _itself(column: str) -> Callable[[pd.DataFrame], Any]:
    return lambda rows: rows[column]


def _moved(column: str) -> Number:
    """A move in standard deviations of another fit: of both means, and of what it is divided by."""
    return _parts(1.0, lambda rows: 2.0 + rows[column].abs())


def _elpd(rows: pd.DataFrame) -> Any:
    """Of leave-one-out: by the number of parameters, and by rows whose weights are not reliable.

    Two parameters' worth of variance over draws, of which two in five are effective; to that each
    row with a Pareto k above its threshold adds an error of its own.
    """
    return np.hypot(np.sqrt(5 * rows["p_loo"].abs() / rows["draws"]), UNRELIABLE * rows["high_k"])


def _elpd_difference(rows: pd.DataFrame) -> Any:
    """Of the difference from the best fit, which is the one without a difference."""
    error = _elpd(rows)
    return np.hypot(error, error[rows["difference"] == 0].max())


EXACT, WORD, DIAGNOSTIC = Number("exact"), Number("word"), Number("diagnostic")
SUMMARY: Mapping[str, Number] = {
    "mean": _own("mcse"),
    "sd": _parts(OF_SD, _sd),
    "lower": _own("mcse_lower"),
    "upper": _own("mcse_upper"),
    **{name: _probability(name) for name in ("positive", "pd", "rope", "above", "below")},
    "ess": DIAGNOSTIC,
}
_HETEROGENEITY: Mapping[str, Number] = {
    **SUMMARY,
    **dict.fromkeys(("prior_mean", "prior_sd", "prior_lower", "prior_upper"), EXACT),
    "ratio": _parts(OF_SD, _ratio),
}
_POOLED: Mapping[str, Number] = {
    **SUMMARY,
    "studies": EXACT,
    "prior_pull": _moved("prior_pull"),
    "weight": _own("weight_mcse"),
    **{
        f"{name}_apart": _parts(factor, _itself("sd_apart"))
        for name, factor in (("mean", 1.0), ("sd", OF_SD), ("lower", OF_BOUND), ("upper", OF_BOUND))
    },
    "verdict": WORD,
}
_LINE: Mapping[str, Number] = {
    "mean": _parts(1.0, _width()),
    "lower": _parts(OF_BOUND, _width()),
    "upper": _parts(OF_BOUND, _width()),
}
_AT_OTHER_CORRELATIONS: Mapping[str, Number] = {  # beside an assumed one
    "correlation": EXACT,
    **_LINE,
    **{
        f"{name}_{at}": _parts(factor, _width(f"lower_{at}", f"upper_{at}"))
        for at in ("30", "90")
        for name, factor in (("mean", 1.0), ("lower", OF_BOUND), ("upper", OF_BOUND))
    },
}
_ENDS = ("mean", "sd", "lower", "upper")
# By table of metastudy.common.result_tables; `verdict` is the word that a row earns.
NUMBERS: Mapping[str, Mapping[str, Number]] = {
    "contrasts": {**SUMMARY, "verdict": WORD},
    "heterogeneity": _HETEROGENEITY,
    "synthesis_heterogeneity": {
        **_HETEROGENEITY,
        "i2": _own("i2_mcse"),
        "i2_lower": Number("derived", lambda rows: OF_BOUND * rows["i2_mcse"], "parts"),
        "i2_upper": Number("derived", lambda rows: OF_BOUND * rows["i2_mcse"], "parts"),
    },
    "pooled": _POOLED,
    "exploratory": _POOLED,
    "moderators": {**SUMMARY, "scale": EXACT, "studies": EXACT, "verdict": WORD},
    "moderator_lines": {**_LINE, "x": EXACT, "weight": DIAGNOSTIC},
    "dependence": {
        **dict.fromkeys(("studies", "effects", "given", "declared", "assumed"), EXACT),
        **_AT_OTHER_CORRELATIONS,
    },
    "correlations": {"studies": EXACT, **_LINE},
    "influence": {
        "studies": EXACT,
        "mean": _of_refit(1.0, _sd),
        "sd": _of_refit(OF_SD, _sd),
        "mean_without": _of_refit(1.0, _width("lower_without", "upper_without")),
        "lower_without": _of_refit(OF_BOUND, _width("lower_without", "upper_without")),
        "upper_without": _of_refit(OF_BOUND, _width("lower_without", "upper_without")),
        "shift": _of_refit(1.0, lambda rows: 2.0 + rows["shift"].abs()),
        # Of a standard deviation between groups its own size is an upper bound of how it varies.
        **{name: _of_refit(1.0, _itself(name)) for name in ("total", "total_without")},
        **dict.fromkeys(("rhat", "ess_bulk", "ess_tail"), DIAGNOSTIC),
    },
    "prior_scales": {
        **dict.fromkeys(("studies", "factor"), EXACT),
        "mean": _parts(1.0, _sd, "estimate"),
        "sd": _parts(OF_SD, _sd),
        "lower": _parts(OF_BOUND, _sd),
        "upper": _parts(OF_BOUND, _sd),
        **{name: _probability(name) for name in ("positive", "pd", "rope", "above", "below")},
        **dict.fromkeys(("rhat", "ess"), DIAGNOSTIC),
        "shift": _moved("shift"),
        **dict.fromkeys(("scaled_prior", "scaled_likelihood"), DIAGNOSTIC),
        "verdict": WORD,
    },
    "refits": {
        "left_out": EXACT,
        "mean": _parts(1.0, _sd, "estimate"),
        "sd": _parts(OF_SD, _sd),
        "lower": _parts(OF_BOUND, _sd),
        "upper": _parts(OF_BOUND, _sd),
        **{name: _probability(name) for name in ("positive", "pd", "rope", "above", "below")},
        "rhat": DIAGNOSTIC,
        "ess": DIAGNOSTIC,
        "k": DIAGNOSTIC,
        "shift": _moved("shift"),
        "divergences": DIAGNOSTIC,
        "verdict": WORD,
    },
    "power": {
        **dict.fromkeys(("prior", "likelihood", "by_key"), DIAGNOSTIC),
        "diagnosis": WORD,
    },
    "correlations_of_arms": _AT_OTHER_CORRELATIONS,
    "predictive": {
        "observed": EXACT,
        "tail": Number("estimate", lambda rows: _of_share(rows["tail"], REPLICATES), "ess"),
    },
    "comparison": {
        "elpd_loo": Number("estimate", _elpd, "parts"),
        "difference": Number("derived", _elpd_difference, "parts"),
        **dict.fromkeys(("se", "se_difference", "p_loo", "weight", "high_k"), DIAGNOSTIC),
        "threshold": DIAGNOSTIC,  # of Pareto's k, by the number of draws
        **dict.fromkeys(("rows", "components"), EXACT),
    },
    "organisations": {
        "elpd": Number("estimate", _elpd, "parts"),
        "difference": Number("derived", _elpd_difference, "parts"),
        **dict.fromkeys(("se", "se_difference", "p_loo", "high_k", "largest_k"), DIAGNOSTIC),
        **dict.fromkeys(("organisations", "people"), EXACT),
    },
    "estimates": {"estimate": EXACT, "se": EXACT, "n": EXACT},
    # Integrated on a grid: there are no draws.
    "selection": dict.fromkeys(
        (
            *("effects", "affirmative", "mean", "sd", "lower", "upper", "positive", "pd"),
            *("rope", "above", "below", "tau", "tau_lower", "tau_upper"),
            *("weight", "weight_lower", "weight_upper", "slope", "slope_sd"),
            *("ratio_mean", "ratio_interval"),
        ),
        EXACT,
    ),
    "selection_effects": dict.fromkeys(("estimate", "se", "se_alone"), EXACT),
    # By closed forms and on grids, but for the main result beside them.
    "tails": {
        **dict.fromkeys(("studies", "df"), EXACT),
        "sd": _parts(OF_SD, _sd),
        **_LINE,
        **dict.fromkeys(
            [f"{name}_{kind}" for kind in ("normal", "t") for name in (*_ENDS, "total")], EXACT
        ),
    },
    "associations": dict.fromkeys(
        (
            *("n", "estimate", "se", "lower", "upper", "df", "partial_r2", "robustness"),
            *("robustness_interval", "reliability_exposure", "reliability_outcome"),
            *("corrected", "corrected_lower", "corrected_upper"),
        ),
        EXACT,
    ),
    "missing_outcomes": dict.fromkeys(
        (
            *("delta", "estimate", "lower", "upper"),
            *(f"{name}_{way}" for way in ("down", "up") for name in ("estimate", "lower", "upper")),
        ),
        EXACT,
    ),
    "left_out_groups": dict.fromkeys(
        ("groups", "estimands", "elpd", "difference", "se_difference"), EXACT
    ),
    "design_based": dict.fromkeys(("estimate", "se", "low", "high", "n", "clusters"), EXACT),
    "unlock": {"studies": EXACT, "sign": WORD},
    "structure": {"levels": EXACT, "used_as": WORD, "aliased_with": WORD},
}
# Columns that are no numbers of record, and why.
_ERRORS = dict.fromkeys(
    ("mcse", "mcse_lower", "mcse_upper", "i2_mcse"), "an error of another number"
)
_ERRORS_OF_POOLED = _ERRORS | {"weight_mcse": _ERRORS["mcse"]}
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("contrasts", "heterogeneity", "synthesis_heterogeneity"), _ERRORS),
    "moderators": _ERRORS,
    **dict.fromkeys(("pooled", "exploratory"), _ERRORS_OF_POOLED),
    "predictive": dict.fromkeys(
        ("mean", "lower", "upper", "lower50", "upper50"),
        "of replicates with no error of their own; `tail` says the same beside what was observed",
    ),
    "comparison": {"draws": "the setting that is compared as one"},
    "organisations": {
        "draws": "the setting that is compared as one",
        "elpd_rows": "the number of `comparison`, of some of its rows",
    },
    "power": {"key": "the largest of several that are nearly alike; by_key is beside it"},
    "missing_outcomes": {
        **dict.fromkeys(("asked", "missing"), "counts of people that may be few"),
        "tipping": "a ratio to a slope that may be rounding; both estimates are beside it",
    },
}
# Where the tables are, in this order; the first that fits counts.
FILES: Mapping[str, str] = {
    "contrasts/*-heterogeneity.parquet": "heterogeneity",
    "contrasts/*.parquet": "contrasts",
    "refits/*-power.parquet": "power",
    "refits/*-correlations.parquet": "correlations_of_arms",
    "refits/*.parquet": "refits",
    "predictive/*.parquet": "predictive",
    "comparison/*-organisations.parquet": "organisations",
    "comparison/*.parquet": "comparison",
    "design_based/*.parquet": "design_based",
    "synthesis/heterogeneity.parquet": "synthesis_heterogeneity",
    "unlock/*.parquet": "unlock",
    "selection/analyses.parquet": "selection",
    "selection/effects.parquet": "selection_effects",
    **{
        f"robustness/{name}.parquet": name
        for name in ("tails", "associations", "missing_outcomes", "left_out_groups")
    },
    **{
        f"synthesis/{name}.parquet": name
        for name in (
            *("estimates", "pooled", "exploratory", "structure"),
            *("moderators", "moderator_lines", "dependence", "correlations", "influence"),
            "prior_scales",
        )
    },
}


def schema_of(file: str) -> str:
    """Which table of :mod:`metastudy.common.result_tables` a file below ``results`` holds.

    Raises
    ------
    MetastudyError
        If no line of :data:`FILES` fits.
    """
    for pattern, name in FILES.items():
        if PurePosixPath(file).match(pattern):
            return name
    raise MetastudyError(
        f"{file} holds numbers of which the record knows no kind: name it in FILES and its columns "
        "in NUMBERS, both in metastudy.record.kinds"
    )


def without_kind(name: str, rows: pd.DataFrame) -> list[str]:
    """Columns of numbers that have no kind and are not left out with a reason.

    A table without rows has no numbers, and its columns no types.
    """
    if rows.empty:
        return []
    known = {*NUMBERS.get(name, {}), *LEFT_OUT.get(name, {})}
    is_number = pd.api.types.is_numeric_dtype
    is_flag = pd.api.types.is_bool_dtype
    return [
        str(column)
        for column in rows
        if is_number(rows[column]) and not is_flag(rows[column]) and column not in known
    ]
