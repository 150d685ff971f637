"""Plans of the second stage: estimates, covariance and design of one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from metastudy.codebook.vocabulary import STANDARDISERS
from metastudy.common.problems import BadInput, Problem
from metastudy.design.effects import EffectDesign, Part, effect_design
from metastudy.design.identification import SETTING, Identification, identify
from metastudy.design.moderators import NO_SLOPES, Moderation, Moderator, Slopes, moderate
from metastudy.models.priors import OF_METRIC
from metastudy.synthesis.families import ALIKE, Families, families
from metastudy.synthesis.nesting import EFFECT, Nesting, nesting
from metastudy.synthesis.published_standardisers import UNKNOWN
from metastudy.synthesis.together import LEAST, common, joined

__all__ = [
    "ESTIMAND",
    "EXPLORATORY",
    "GROUPINGS",
    "SecondStage",
    "average_vignettes",
    "explore",
    "plans",
    "pooled_rows",
    "unit_of",
]

# One estimand: only studies that agree in all of these are pooled.
ESTIMAND = ["exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric"]
OF_MODULES = ("sd", "log_odds")  # metrics that the name of an estimand leaves out
PLACE = ["study", "country", "sector"]
GROUPINGS = [*PLACE, SETTING]
# The one model in which everything meets; it is marked exploratory wherever it is shown.
EXPLORATORY = ["family", "exposure_type", "response_mode", *PLACE, "estimate"]
# A logistic log-odds ratio in standard deviations (Hasselblad and Hedges 1995).
LOGIT_TO_SD = np.sqrt(3) / np.pi


@dataclass(frozen=True)
class SecondStage:
    """What a second-stage model is fitted to, and what its design identifies.

    ``unit`` is what takes the place of one standard deviation in its priors, in its metric
    (:func:`unit_of`). ``moderation`` and ``nested`` are what each estimand has of declared
    moderators and groupings, ``slopes`` the columns of all moderators, and ``families`` what is
    shrunk to the mean of its family.
    """

    table: pd.DataFrame  # one row per estimate
    covariance: np.ndarray
    design: EffectDesign
    estimands: pd.DataFrame  # one row per pooled estimand, `id` first
    found: dict[str, Identification]  # by estimand
    unit: float = 1.0
    moderation: Mapping[str, Moderation] = field(default_factory=dict)
    nested: Mapping[str, Nesting] = field(default_factory=dict)
    slopes: Slopes = NO_SLOPES
    families: Families | None = None


def average_vignettes(
    table: pd.DataFrame, covariance: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """One estimate per setting and estimand: the mean over vignettes, with its covariance.

    Published effects have a name in the column ``effect`` and stay apart.
    """
    keys = [*PLACE, *ESTIMAND, *({EFFECT} & set(table))]
    groups = table.groupby(keys, sort=False).ngroup().to_numpy()
    weights = np.eye(groups.max() + 1)[:, groups] if len(groups) else np.zeros((0, 0))
    weights = weights / weights.sum(axis=1, keepdims=True)
    averaged = table.drop_duplicates(keys, ignore_index=True).assign(vignette="")
    covariance = weights @ covariance @ weights.T
    return (
        averaged.assign(
            estimate=weights @ table["estimate"].to_numpy(), se=np.sqrt(np.diag(covariance))
        ),
        covariance,
    )


def unit_of(table: pd.DataFrame, metric: str) -> float:
    """What takes the place of one standard deviation in the priors of a metric.

    One where the metric has priors of its own; else half the median of the standard errors times
    the root of the sample sizes, which is the standard deviation of an outcome that two arms of
    the same size share (unit information; Kass and Wasserman 1995).

    Raises
    ------
    BadInput
        ``no-unit`` where the metric has no priors and no estimate has a sample size.
    """
    if metric in OF_METRIC:
        return 1.0
    known = table[table["n"] > 0]
    if known.empty:
        raise BadInput([_without_unit(str(name), metric) for name in table["id"]])
    return float(0.5 * (known["se"] * np.sqrt(known["n"])).median())


def _without_unit(name: str, metric: str) -> Problem:
    study, _, finding = name.partition("|")
    return Problem(
        file=f"data/raw/{study}",
        found=f"an effect in {metric.replace('_', ' ')} without a sample size, which is to be "
        "pooled: nothing says what a large one is",
        expected="the sample size beside it, or an effect in SDs that says in which",
        fix="fill in n, or the standardiser of a standardised difference",
        study=study,
        row=f"finding {finding}",
        column="n",
        code="no-unit",
    )


def plans(
    table: pd.DataFrame,
    covariance: np.ndarray,
    moderators: Sequence[Moderator] = (),
    signs: Mapping[str, int] | None = None,
) -> Iterator[SecondStage]:
    """The second stage: a model for each set of estimands that share something.

    An estimand is pooled where several studies report it, or one publication from several places.
    (A study whose rows are here has its places pooled in the fit of its module.) Two share
    something where a study's estimates of them are correlated, where two studies measure both
    (:mod:`metastudy.synthesis.together`), or where they are of one family
    (:mod:`metastudy.synthesis.families`).

    Parameters
    ----------
    table, covariance : estimates of one metric (:mod:`metastudy.synthesis.study_estimates`), with
        a column for each moderator and declared grouping (:mod:`metastudy.synthesis.declared`).
    moderators : what the effects may differ by.
    signs : of the outcomes that have one in their family; without it no outcome is shrunk to a
        family.
    """
    averaged, covariance = average_vignettes(table, covariance)
    keep = np.flatnonzero(pooled_rows(averaged))
    rows, covariance = averaged.iloc[keep].reset_index(drop=True), covariance[np.ix_(keep, keep)]
    if rows.empty:
        return
    estimand = rows.groupby(ESTIMAND, sort=False).ngroup().to_numpy()
    rows = rows.assign(**{SETTING: rows[[*PLACE, "role"]].agg("|".join, axis=1)})
    one, other = np.nonzero(covariance)
    links = csr_matrix((np.ones(len(one)), (estimand[one], estimand[other])))
    links = links + csr_matrix(common(rows, estimand) >= LEAST)
    if signs is not None:
        _, first = np.unique(estimand, return_index=True)
        family = rows.groupby(ALIKE, sort=False).ngroup().to_numpy()[first]
        links = links + csr_matrix(family[:, None] == family)
    shared = connected_components(links, directed=False)[1][estimand]
    for part in dict.fromkeys(shared):
        mine = np.flatnonzero(shared == part)
        own = rows.iloc[mine].reset_index(drop=True)
        yield _planned(own, covariance[np.ix_(mine, mine)], moderators, signs)


def pooled_rows(table: pd.DataFrame) -> np.ndarray:
    """Which estimates are pooled with others, shape (rows,)."""
    one = table[EFFECT] if EFFECT in table else pd.Series("", index=table.index)
    study, country, sector = (table[name].astype(str) for name in PLACE)
    place = (study + "|" + country + "|" + sector).where(one.ne(""), study)
    groups = table.assign(place=place).groupby(ESTIMAND, sort=False)
    several = groups[["study", "place"]].transform("nunique").gt(1).any(axis=1)
    return several.to_numpy(dtype=bool)


def _planned(
    rows: pd.DataFrame,
    covariance: np.ndarray,
    moderators: Sequence[Moderator],
    signs: Mapping[str, int] | None,
) -> SecondStage:
    parts, found, names, every = [], {}, [], []
    moderation, nested, slopes = {}, {}, {}
    for key, mine in rows.groupby(ESTIMAND, sort=False):
        exposure, kind, outcome, _, role, mode, metric = map(str, key)  # family is the outcome's
        own = () if metric in OF_MODULES else (metric,)
        name = "|".join((exposure, kind, outcome, role, mode, *own))
        at = mine.index.to_numpy()
        moderation[name] = fixed = moderate(mine, moderators, mine["study"])
        nested[name] = own_of = nesting(mine)
        units = mine.assign(**own_of.levels, **fixed.fixed)
        every.append(units)
        groupings = [*own_of.above, *GROUPINGS, *own_of.below]
        found[name] = identify(units, groupings, fixed=list(fixed.fixed))
        for label, column in fixed.fixed.items():
            slopes[f"{name} {label}"] = np.zeros(len(rows))
            slopes[f"{name} {label}"][at] = column
        parts.append(Part(name, "", at, [name] * len(at), found[name], np.arange(len(at))))
        names.append({"id": name, **dict(zip(ESTIMAND, key, strict=True))})
    unit = unit_of(rows, metric)
    design = joined(effect_design(len(rows), parts), rows, every, [*found.values()])
    columns = np.stack([*slopes.values()], axis=1) if slopes else NO_SLOPES.columns
    table = pd.DataFrame(names)
    shrunk = None if signs is None else families(table, signs, OF_MODULES)
    return SecondStage(
        rows, covariance, design, table, found, unit, moderation, nested,
        Slopes(tuple(slopes), columns), shrunk,
    )  # fmt: skip


def explore(
    table: pd.DataFrame, covariance: np.ndarray, burden: Mapping[str, int]
) -> SecondStage | None:
    """The exploratory model across families: standardised estimates, signed towards burden.

    Parameters
    ----------
    burden : +1 or -1 per outcome that has a direction of burden; other outcomes stay out.
    """
    averaged, covariance = average_vignettes(table, covariance)
    # A risk ratio has no standard deviation.
    common = averaged["metric"].isin(["sd", "log_odds", *STANDARDISERS, UNKNOWN])
    sign = averaged["outcome"].map(dict(burden)).fillna(0).where(common, 0).to_numpy()
    keep = np.flatnonzero(sign)
    if len(keep) < 2:
        return None
    scale = sign * np.where(averaged["metric"] == "log_odds", LOGIT_TO_SD, 1.0)
    rows = averaged.assign(estimate=averaged["estimate"] * scale, metric="sd").iloc[keep]
    rows = rows.assign(se=rows["se"] * np.abs(scale[keep]), estimate_id=rows["id"])
    rows = rows.reset_index(drop=True)
    covariance = (covariance * np.outer(scale, scale))[np.ix_(keep, keep)]
    found = identify(rows.assign(estimate=rows["id"]), EXPLORATORY)
    at = np.arange(len(rows))
    design = effect_design(len(rows), [Part("all", "", at, ["all"] * len(rows), found, at)])
    names = pd.DataFrame([{"id": "all", **dict.fromkeys(ESTIMAND, ""), "metric": "sd"}])
    return SecondStage(rows, covariance, design, names, {"all": found})
