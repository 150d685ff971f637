"""Cells of events: how many people at a site, with the same exposures, have each 0/1 outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized import scale_scores
from metastudy.harmonized.study import Study
from metastudy.models.answers.assumed import APART
from metastudy.models.answers.cells import setting_names
from metastudy.models.answers.rows import People, people_of
from metastudy.models.base import HIGHEST, KEYS_OF_SETTING, LOWEST, attributes_of, in_order
from metastudy.models.events.patterns import DATA, with_patterns

__all__ = ["DATA", "NEEDED", "event_cells", "events_of"]

NEEDED = (*scale_scores.NEEDED, "item_id", "scale_min", "scale_max")


def event_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts of a module's 0/1 outcomes.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families, with the columns
        :data:`NEEDED` of their measurements.
    folded : whether an outcome is there where it or a part of it is, the parts being no outcomes of
        their own then (:meth:`metastudy.codebook.vocabulary.Vocabulary.folding`).

    Returns
    -------
    xarray.Dataset
        ``n`` and ``events`` (group, outcome), a group being the people of a site with one
        combination of exposures: ``site_of_group``, ``combination_of_group``; ``x`` (combination,
        exposure); ``count`` (pattern), how many of a group, ``group_of_pattern``, have the same
        answers to all outcomes together, ``answer`` (pattern, outcome), -1 for none; settings,
        sites, exposures and outcomes as in :func:`metastudy.models.answers.cells.answer_cells`, and
        what :func:`metastudy.models.events.patterns.with_patterns` adds, unless a study has counts
        by arm of several outcomes (attribute ``apart``): a pattern of it is of one outcome, and
        each outcome of the module is counted by itself. Each outcome is a ``family_of`` its own:
        none is pooled with another.

    Raises
    ------
    BadInput
        ``no-event`` for an outcome that is not 0 or 1, ``several-answers`` for one that was asked
        of a person in several vignettes, and what
        :func:`metastudy.models.answers.rows.people_of` raises.
    """
    studies = sorted(studies, key=lambda study: study.id)
    people = [_counted(events_of(study, module, vocabulary, folded), study) for study in studies]
    asked = [p.score.columns for p in people]
    constructs, vignettes = (
        in_order({str(c) for of in asked for c in of.unique(name)}, vocabulary[f"{name}s"])
        for name in ("construct", "vignette")
    )
    outcomes = pd.MultiIndex.from_product([constructs, vignettes], names=["construct", "vignette"])
    exposures = {e["id"]: e for p in people for e in p.exposures}

    where = pd.concat([p.site for p in people], ignore_index=True)
    keys = list(KEYS_OF_SETTING)
    sites = where.drop_duplicates([*keys, "site"]).sort_values([*keys, "site"], ignore_index=True)
    settings = sites.drop(columns="site").drop_duplicates(keys, ignore_index=True)
    site = where[[*keys, "site"]].merge(sites.reset_index(names="at"), how="left")["at"].to_numpy()
    x = pd.concat([p.x.reindex(columns=list(exposures), fill_value=0.0) for p in people])
    combinations, combination = np.unique(x.to_numpy(float), axis=0, return_inverse=True)
    pairs = np.column_stack([site, combination.ravel()])
    groups, group = np.unique(pairs, axis=0, return_inverse=True)

    score = pd.concat([p.score.reindex(columns=outcomes) for p in people]).to_numpy(float)
    seen = ~np.isnan(score)
    answer = np.where(seen, score / HIGHEST, -1).astype(np.int8)
    patterns, count = np.unique(
        np.column_stack([group.ravel(), answer]), axis=0, return_counts=True
    )
    of_pattern, answer = patterns[:, 0], patterns[:, 1:].astype(np.int8)
    counts = np.zeros((2, len(groups), len(outcomes)))
    for kind, number in enumerate((answer >= 0, answer > 0)):
        np.add.at(counts[kind], of_pattern, number * count[:, None])
    setting_of_site = sites[keys].merge(settings.reset_index(names="at"), how="left")["at"]
    of_group = setting_of_site.to_numpy()[groups[:, 0]]
    n_of_setting = np.zeros((len(settings), len(outcomes)))
    np.add.at(n_of_setting, of_group, counts[0])
    present = [
        [int(e in {own["id"] for own in p.exposures}) for e in exposures]
        for p in people
        for _ in range(int((settings["study"] == p.site["study"].iloc[0]).sum()))
    ]
    of = outcomes.get_level_values("construct").to_numpy(dtype=str)
    cells = xr.Dataset(
        {
            "n": (("group", "outcome"), counts[0]),
            "events": (("group", "outcome"), counts[1]),
            "count": ("pattern", count.astype(float)),
            "group_of_pattern": ("pattern", of_pattern),
            "answer": (("pattern", "outcome"), answer),
            "site_of_group": ("group", groups[:, 0]),
            "combination_of_group": ("group", groups[:, 1]),
            "x": (("combination", "exposure"), combinations),
            "setting_of_site": ("site", setting_of_site.to_numpy()),
            "asked": (("setting", "outcome"), (n_of_setting > 0).astype(np.int8)),
            "present": (("setting", "exposure"), np.array(present, dtype=np.int8)),
            "sited": ("setting", settings["sited"].to_numpy(dtype=np.int8)),
            "family_of": ("construct", np.array(constructs, dtype=str)),
            "family_sign": ("construct", np.zeros(len(constructs), dtype=int)),
            **{c: ("setting", settings[c].to_numpy(dtype=str)) for c in keys},
            **{
                f"exposure_{name}": ("exposure", np.array([e[name] for e in exposures.values()]))
                for name in ("type", "name", "level")
            },
            **_levels(list(exposures.values()), vocabulary),
            "construct_of": ("outcome", of),
            "vignette_of": ("outcome", outcomes.get_level_values("vignette").to_numpy(dtype=str)),
        },
        coords={
            "setting": setting_names(settings),
            "site": sites["site"].to_numpy(dtype=str),
            "coefficient": ["intercept", *exposures],
            "exposure": np.array(list(exposures), dtype=str),
            "construct": constructs,
            "vignette": vignettes,
            "outcome": [f"{c}|{v}" for c, v in outcomes],
        },
        attrs=attributes_of(
            *("events", DATA, studies, module, folded), [d for p in people for d in p.dropped]
        ),
    )
    if apart := [study.id for study in studies if study.outcomes_apart(constructs)]:
        return cells.assign_attrs({APART: " ".join(apart)})
    return with_patterns(cells, [vocabulary.family(c) for c in constructs])


def events_of(study: Study, module: str, vocabulary: Vocabulary, folded: bool = False) -> People:
    """The respondents of a study with their 0/1 outcomes, as 0 or 100.

    Raises
    ------
    BadInput
        As :func:`event_cells`.
    """
    people = people_of(study, module, vocabulary)
    score = people.score
    constructs = list(dict.fromkeys(score.columns.get_level_values("construct")))
    problems = [problem for c in constructs for problem in _no_event(study, str(c), score[c])]
    vignettes = pd.Series(score.columns.get_level_values("construct")).value_counts()
    problems += [
        Problem(
            study=study.id,
            file=f"data/raw/{study.id}/codebook.yaml",
            column=str(construct),
            found=f"a 0/1 outcome in {number} vignettes of one person",
            expected="one answer of a person to a 0/1 outcome",
            fix="declare a construct for each vignette; or put the construct into a module of the "
            "model `answers`, where it is a score",
            code="several-answers",
        )
        for construct, number in vignettes[vignettes > 1].items()
    ]
    if problems:
        raise BadInput(problems)
    if not folded:
        return people
    whole = vocabulary.folding(constructs)
    construct, vignette = (score.columns.get_level_values(level) for level in (0, 1))
    any_part = score.T.groupby([construct.map(whole), vignette]).max().T
    any_part.columns = any_part.columns.set_names(["construct", "vignette"])
    return People(any_part, people.x, people.site, people.exposures, people.dropped)


def _counted(people: People, study: Study) -> People:
    """People as they are counted: those of whom only counts by arm are known, once an outcome.

    Who of them has which outcomes together nobody knows, so nobody answers two.
    """
    score = people.score
    if not study.outcomes_apart(set(score.columns.get_level_values("construct"))):
        return people
    times = score.shape[1]
    once = [score.where(np.tile(np.arange(times) == k, (len(score), 1))) for k in range(times)]

    def again(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table] * times, ignore_index=True)

    whole = pd.concat(once, ignore_index=True)
    return replace(people, score=whole, x=again(people.x), site=again(people.site))


def _no_event(study: Study, construct: str, score: pd.DataFrame) -> Iterator[Problem]:
    """What is said of an outcome that is not 0 or 1: which items it has, with which bounds."""
    mine = study.measurements[study.measurements["construct"].astype("str") == construct]
    columns = ["vignette", "item_id", "scale_min", "scale_max"]
    items = mine[columns].astype({"vignette": "str", "item_id": "str"}).drop_duplicates()
    several = bool(items["vignette"].fillna("").duplicated().any())
    whole = (items["scale_max"] - items["scale_min"]).eq(1).all()
    if whole and not several and (score.isna() | score.isin([LOWEST, HIGHEST])).all(axis=None):
        return
    items = items.drop(columns="vignette")
    bounds = [
        f"{item} from {low:g} to {high:g}" for item, low, high in items.itertuples(index=False)
    ]
    yield Problem(
        study=study.id,
        file=f"data/raw/{study.id}/codebook.yaml",
        column=construct,
        found=f"{'items' if len(items) > 1 else 'the item'} {', '.join(bounds)}",
        expected="one item that is 0 or 1, as the module's model is `events`",
        fix=(
            "where they are copies of one question, give them the same `item: NAME`; "
            if len(items) > 1
            else ""
        )
        + "bring the item to 0 and 1 by `values`, with min 0 and max 1; or put the construct "
        "into a module of the model `answers`, where it is a score",
        code="no-event",
    )


def _levels(
    exposures: Sequence[dict[str, str]], vocabulary: Vocabulary
) -> dict[str, tuple[str, np.ndarray]]:
    """Reference level and other level of each factor, empty for what is none."""
    ends = []
    for e in exposures:
        factor = vocabulary["factors"].get(e["name"]) if e["type"] != "interaction" else None
        names = list(factor["levels"]) if factor else ["", ""]
        ends.append((names[0], e["level"] or names[1]))
    found = np.array(ends, dtype=str).reshape(len(exposures), 2)
    return {"reference": ("exposure", found[:, 0]), "other": ("exposure", found[:, 1])}
