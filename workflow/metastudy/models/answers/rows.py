"""Rows of answers: outcomes, exposures and traits of each respondent of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study
from metastudy.models.answers.empty_arms import COPIES, no_empty_arm, unscored
from metastudy.models.answers.interactions import check_interactions, products
from metastudy.models.answers.scored_arms import Within, means_of, within_of
from metastudy.models.answers.standardisers import centres, standardisers, within_sd
from metastudy.models.base import KEYS_OF_SETTING, NO_VIGNETTE, NOT_STATED, own_place

__all__ = ["People", "Rows", "people_of", "rows_of"]


@dataclass(frozen=True)
class People:
    """One study's respondents as they answered: a row for each who is in a model."""

    score: pd.DataFrame  # outcomes (construct, vignette), per cent of the scale, NaN where missing
    x: pd.DataFrame  # exposures
    site: pd.DataFrame  # study, country, sector, role, site, and whether it is one (sited)
    exposures: list[dict[str, str]]
    dropped: list[dict[str, Any]]
    within: Within | None = None  # of arms in place of people, whose scores are means


@dataclass(frozen=True)
class Rows:
    """One study as numbers: a row per respondent, or per arm where ``within`` is given."""

    y: pd.DataFrame  # outcomes (construct, vignette) in standard units, NaN where not observed
    x: pd.DataFrame  # exposures
    site: pd.DataFrame  # study, country, sector, role, site, and whether it is one (sited)
    centre: pd.DataFrame  # of each outcome, a row per setting (country, sector, role)
    scale: pd.DataFrame  # columns scale, df and all_arms (standardisers), a row per outcome
    exposures: list[dict[str, str]]
    dropped: list[dict[str, Any]]
    within: Within | None = None  # in standard units


def rows_of(study: Study, module: str, vocabulary: Vocabulary, folded: bool = False) -> Rows:
    """Bring one study to numbers: scores in standard units and exposures, by respondent or arm.

    Raises
    ------
    BadInput
        ``constant-outcome``, and what :func:`people_of` raises.
    """
    people = people_of(study, module, vocabulary, folded)
    y, x, site = people.score, people.x, people.site
    setting = [site[name] for name in KEYS_OF_SETTING[1:]]
    randomised = x[[e["id"] for e in people.exposures if e["type"] == "randomised"]]
    within = people.within
    spread = (within.n, within.variance) if within else None
    scale = standardisers(y, setting, randomised, spread)
    if (bad := scale[~(scale["scale"] > 0)]).size:
        thin = unscored(study, [str(c) for c, _ in bad.index])
        raise BadInput(
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/measurements.parquet",
                column=", ".join(f"{c} in {v}" if v else str(c) for c, v in bad.index),
                found=thin or "the same score of everybody in a setting, or too few scores",
                expected="an outcome that varies within settings",
                fix=f"{COPIES}; or take the construct out of `outcomes`"
                if thin
                else "take the construct out of `outcomes` in the study's codebook",
                code="too-few-items" if thin else "constant-outcome",
            )
        )
    centre = centres(y, setting, randomised, within.n if within else None)
    own = pd.MultiIndex.from_frame(site[list(KEYS_OF_SETTING[1:])])
    standard = (y - centre.reindex(own).to_numpy()) / scale["scale"]
    if within:
        unit = scale["scale"].to_numpy()
        within = within.scaled(unit)
    return Rows(standard, x, site, centre, scale, people.exposures, people.dropped, within)


def people_of(study: Study, module: str, vocabulary: Vocabulary, folded: bool = False) -> People:
    """The respondents of a study with their scores and exposures.

    Only who has every exposure and answered an outcome is in them. Folded, a person's score of a
    whole is the mean of its own score and of those of its parts, as far as there are any, and the
    parts are no outcomes (:meth:`metastudy.codebook.vocabulary.Vocabulary.folding`). Of a study of
    arms with means a row is an arm (:mod:`metastudy.models.answers.scored_arms`).
    """
    mine = [
        c
        for c in study.report["outcomes"]
        if c in vocabulary["constructs"] and vocabulary.module(c) == module
    ]
    people = study.respondents.set_index("respondent_id")
    people = people.assign(
        role=people["role"].fillna(NOT_STATED),
        **{name: own_place(people[name], study.id) for name in ("country", "sector")},
    ).astype({"role": str})
    wide = (_scores(study) if study.arms.empty else means_of(study)).reindex(people.index)
    setting = [people[name].reindex(wide.index) for name in KEYS_OF_SETTING[1:]]
    x, exposures = _exposures(study, wide, vocabulary, setting)
    y = wide[[c for c in wide.columns if c[0] in mine]]
    outcomes = [str(c) for c in y.columns.get_level_values("construct")]
    whole = vocabulary.folding(mine) if folded else {}
    if folded:
        construct, vignette = (y.columns.get_level_values(level) for level in (0, 1))
        y = y.T.groupby([construct.map(whole), vignette]).mean().T

    complete = x.notna().all(axis=1)
    answered = y.notna().any(axis=1)
    behind = pd.Series(1, index=people.index)  # how many people a row stands for
    if not study.arms.empty:
        behind = study.arms.groupby("respondent_id")["people"].first().reindex(people.index)
    dropped = [
        {"study": study.id, "rule": rule, "rows": int(behind[rows].sum())}
        for rule, rows in (
            ("exposure_missing", ~complete),
            ("no_outcome_scored", complete & ~answered),
        )
    ]
    keep = complete & answered
    of_all, x, y, people = x, x[keep], y[keep], people[keep]
    levels: dict[str, pd.Series] = {}
    for name in (e["factor"] for e in study.report["exposures"] if "factor" in e):
        assigned = _levels(study, name)
        levels[name] = assigned.reindex(people.index)
        no_empty_arm(study, name, list(vocabulary.levels(name)), assigned, y, of_all)
    setting = [people["country"], people["sector"], people["role"]]
    if pairs := study.report.get("interactions", []):
        more, described = products(pairs, x, exposures, vocabulary)
        x, exposures = x.join(more), [*exposures, *described]
        check_interactions(study.id, pairs, [e["id"] for e in described], x, levels, setting)
    site = people[list(KEYS_OF_SETTING[1:])].assign(
        study=study.id,
        site=people["org_id"].fillna(study.id).astype(str),
        sited=people.groupby(setting)["org_id"].transform(lambda found: found.notna().any()),
    )
    if study.arms.empty:
        return People(y, x, site, exposures, dropped)
    within = within_of(study, y.index, outcomes, vocabulary)
    if folded:
        parts = np.array([whole[name] for name in outcomes])
        share = (y.columns.get_level_values(0).to_numpy()[:, None] == parts).astype(float)
        within = within.folded(share / share.sum(axis=1, keepdims=True))
    lost = float(behind[keep].sum() - within.n.sum())
    dropped.append({"study": study.id, "rule": "design_effect", "rows": round(lost)})
    return People(y, x, site, exposures, dropped, within)


def _scores(study: Study) -> pd.DataFrame:
    """Scores of respondents (rows) on constructs in vignettes (columns)."""
    score = scores(study.measurements)
    score["vignette"] = score["vignette"].astype("str").fillna(NO_VIGNETTE)
    return score.pivot(index="respondent_id", columns=["construct", "vignette"], values="score")


def _exposures(
    study: Study, wide: pd.DataFrame, vocabulary: Vocabulary, setting: list[pd.Series]
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Exposures of a study: contrasts of factors, and measured traits in standard deviations.

    Traits are around the mean of their setting, in the standard deviation within settings.
    """
    columns: dict[str, pd.Series] = {}
    described: list[dict[str, str]] = []

    def add(name: str, kind: str, level: str, values: pd.Series) -> None:
        key = f"{name}_{kind}" + (f"_{level}" if level else "")
        columns[key] = values
        described.append({"id": key, "name": name, "type": kind, "level": level})

    for exposure in study.report["exposures"]:
        kind = exposure["type"]
        if name := exposure.get("construct"):
            trait = wide[[c for c in wide.columns if c[0] == name]].mean(axis=1)
            sd = float(within_sd(trait.to_frame(), setting)[0].iloc[0])
            _varies(study, name, sd)
            add(name, kind, "", (trait - trait.groupby(setting).transform("mean")) / sd)
        elif name := exposure.get("factor"):
            level = _levels(study, name).reindex(wide.index)
            levels = list(vocabulary.levels(name))
            known = level.notna()
            if len(levels) == 2:
                add(name, kind, "", ((level == levels[1]) - 0.5).where(known))
            else:
                for other in levels[1:]:
                    add(name, kind, other, (level == other).astype(float).where(known))
    return pd.DataFrame(columns, index=wide.index), described


def _varies(study: Study, construct: str, sd: float) -> None:
    if not sd > 0:
        thin = unscored(study, [construct])
        raise BadInput(
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/measurements.parquet",
                column=construct,
                found=thin or "the same score, or fewer than two scores, of everybody in a setting",
                expected="an exposure that varies within settings",
                fix=f"{COPIES}; or take the construct out of `exposures`"
                if thin
                else "take the construct out of `exposures` in the study's codebook",
                code="too-few-items" if thin else "constant-exposure",
            )
        )


def _levels(study: Study, factor: str) -> pd.Series:
    mine = study.assignments[study.assignments["factor"] == factor]
    if mine.groupby("respondent_id")["level"].nunique().gt(1).any():
        raise BadInput(
            Problem(
                study=study.id,
                file=f"data/raw/{study.id}/codebook.yaml",
                column=f"factor {factor}",
                found="levels that differ between the vignettes of one respondent",
                expected="one level per respondent",
                fix="declare one factor per vignette",
                code="varying-exposure",
            )
        )
    return mine.drop_duplicates("respondent_id").set_index("respondent_id")["level"].astype(str)
