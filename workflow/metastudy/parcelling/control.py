"""Disclosure control: a study's tables made coarse enough that its cells may leave the building.

It works on the rows, before anything is summed up. So cells, standardisers, estimates and the data
report are all of the same people and answers, and no two of them differ by a few people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import disclosure
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows, rows_of
from metastudy.models.base import KEYS_OF_SETTING, NO_VIGNETTE
from metastudy.parcelling.flow import public_report
from metastudy.parcelling.patterns import coarsened

__all__ = ["LEAST", "Controlled", "control", "modules_of"]

LEAST = 10  # people in a cell, whatever the configuration says
ANSWERS = "answers"  # the kind of model whose cells can be a parcel's


@dataclass(frozen=True)
class Controlled:
    """A study after control, its report as it may be seen, and what control did to it."""

    study: Study
    did: dict[str, Any]


@dataclass
class _People:
    """The people of a study in some module, in the order of their ids."""

    ids: np.ndarray
    y: pd.DataFrame  # all outcomes of all modules, in standard units
    setting: np.ndarray
    site: np.ndarray
    sited: np.ndarray
    version: np.ndarray  # conditions and other exposures of two values, together
    needed: np.ndarray  # outcomes that exposures are made of


def modules_of(study: Study, vocabulary: Vocabulary) -> list[str]:
    """The modules that a study enters with answers on scales."""
    modules = (vocabulary.module(outcome) for outcome in study.report["outcomes"])
    return [m for m in dict.fromkeys(modules) if m and vocabulary.model(m) == ANSWERS]


def control(study: Study, vocabulary: Vocabulary, least: int) -> Controlled:
    """Make a study's tables coarse enough that each count in its cells is zero or large enough.

    (a) Who has a rare pattern of missing outcomes keeps the outcomes of the largest sub-pattern
    that has enough people, in the same setting and version, or leaves. (b) Within sites likewise;
    a site in which somebody would have to leave becomes part of ``others`` of its setting, and if
    no site is left, the setting has no sites. What nothing had to be done to stays as it is.

    Parameters
    ----------
    study : with all of its tables.
    least : smallest number of people of a site, pattern and version; :data:`LEAST` if smaller.

    Raises
    ------
    BadInput
        ``parcel`` if the study has no answers on scales, or if few people of a setting gave one of
        the two answers to an outcome, or all the same.
    """
    least = max(least, LEAST)
    modules = modules_of(study, vocabulary)
    if not modules:
        raise _refused(
            study,
            "no answers on scales",
            "answers to scales, of which sufficient statistics can be sent",
            "codings of interviews are counts of few people; there is no parcel of them yet",
        )
    rows = {module: rows_of(study, module, vocabulary) for module in modules}
    people = _people(study, rows)
    kept, leaves, site = _coarse(people, least)
    _check_values(study, people, kept, leaves, site, least)

    away = set(people.ids[leaves])
    outside = set(study.respondents["respondent_id"]) - set(people.ids)
    if len(outside) < least:  # nobody's answers are modelled; as few as these are not to be found
        away |= outside
    changed = _apply(study, people, kept, leaves, site, away)
    after = {module: rows_of(changed, module, vocabulary) for module in modules}
    _check_counts(study, _people(changed, after), least)
    moved = (site != people.site) & ~leaves
    fewer = (kept != people.y.notna().to_numpy()).any(axis=1) & ~leaves
    here = ~leaves
    did = {
        "untouched": not (away or moved.any() or fewer.any()),
        "least": least,
        "people": int(here.sum()),
        "people_left": disclosure.count(len(away), least),
        "people_with_fewer_outcomes": disclosure.count(int(fewer.sum()), least),
        "people_moved": disclosure.count(int(moved.sum()), least),
        "sites_before": _sites(people.setting, people.site, people.sited),
        "sites_after": _sites(people.setting[here], site[here], (site != "")[here]),
        "settings_without_sites": int(
            sum(not (site[people.setting == s] != "").any() for s in np.unique(people.setting))
        ),
    }
    report = public_report(study.report, len(changed.respondents), len(away), least)
    return Controlled(replace(changed, report=report), did)


def _sites(setting: np.ndarray, site: np.ndarray, sited: np.ndarray) -> int:
    return len(set(zip(setting[sited].tolist(), site[sited].tolist(), strict=True)))


def _people(study: Study, rows: dict[str, Rows]) -> _People:
    y = pd.concat([r.y for r in rows.values()], axis=1)
    x = pd.concat([r.x for r in rows.values()]).groupby(level=0, sort=False).first().loc[y.index]
    where = pd.concat([r.site for r in rows.values()])
    where = where[~where.index.duplicated()].loc[y.index]
    two = [name for name in x if x[name].nunique() <= 2]
    version = np.unique(x[two].to_numpy(), axis=0, return_inverse=True)[1].ravel()
    keys = where[list(KEYS_OF_SETTING)].astype(str).agg("\x1f".join, axis=1)
    made_of = {e["construct"] for e in study.report["exposures"] if "construct" in e}
    return _People(
        ids=y.index.to_numpy(dtype=str),
        y=y,
        setting=np.unique(keys, return_inverse=True)[1],
        site=where["site"].where(where["sited"], "").to_numpy(dtype=object),
        sited=where["sited"].to_numpy(dtype=bool),
        version=version if two else np.zeros(len(y), dtype=int),
        needed=y.columns.get_level_values("construct").isin(made_of),
    )


def _coarse(people: _People, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outcomes that people keep, who leaves, and their sites (none: no sites)."""
    kept = people.y.notna().to_numpy(copy=True)
    leaves, site = np.zeros(len(kept), dtype=bool), people.site.copy()
    for setting in np.unique(people.setting):
        here = np.flatnonzero(people.setting == setting)
        own, gone = coarsened(kept[here], people.version[here], least, people.needed)
        kept[here], leaves[here] = own, gone
        here = here[~gone]
        if people.sited[here].any():
            _sites_of(people, here, kept, site, least)
    return kept, leaves, site


def _sites_of(
    people: _People, here: np.ndarray, kept: np.ndarray, site: np.ndarray, least: int
) -> None:
    """Keep the sites of a setting that have enough people; the others become one, or none."""
    names, at, size = np.unique(
        people.site[here].astype(str), return_inverse=True, return_counts=True
    )
    found, sound = {}, []
    for place in sorted(range(len(names)), key=lambda place: (-size[place], names[place])):
        members = here[at == place]
        own = _enough(people, members, kept, least)
        if own is None:
            continue
        sound.append(place)
        found[place] = own
    while True:
        rest = here[~np.isin(at, sound)]
        own = _enough(people, rest, kept, least) if len(rest) else None
        if own is not None or not len(rest) or not sound:
            break
        sound.pop()  # the smallest
    if not sound:
        site[here] = ""
        return
    for place in sound:
        kept[here[at == place]] = found[place]
    if own is not None:
        kept[rest], site[rest] = own, "others"


def _enough(
    people: _People, members: np.ndarray, kept: np.ndarray, least: int
) -> np.ndarray | None:
    """What the people of a site keep, or nothing where one had to leave or an answer shows."""
    own, gone = coarsened(kept[members], people.version[members], least, people.needed)
    return None if gone.any() or _shows(people, members, own, least) else own


def _shows(people: _People, members: np.ndarray, own: np.ndarray, least: int) -> str:
    """The outcome of which a cell shows how a few people, or all of them, answered; or none."""
    values = people.y.to_numpy()
    for pattern in np.unique(own, axis=0):
        mine = members[(own == pattern).all(axis=1)]
        for k in np.flatnonzero(pattern):
            everybody = values[people.setting == people.setting[mine[0]], k]
            levels = np.unique(np.round(everybody[~np.isnan(everybody)], 9))
            answers, count = np.unique(np.round(values[mine, k], 9), return_counts=True)
            if len(answers) == 1 or (len(levels) == 2 and count.min() < least):
                return str(people.y.columns[int(k)][0])
    return ""


def _check_values(
    study: Study,
    people: _People,
    kept: np.ndarray,
    leaves: np.ndarray,
    site: np.ndarray,
    least: int,
) -> None:
    for setting in np.unique(people.setting):
        here = np.flatnonzero((people.setting == setting) & ~leaves)
        for name in np.unique(site[here].astype(str)) if len(here) else ():
            members = here[site[here] == name]
            if shown := _shows(people, members, kept[members], least):
                raise _refused(
                    study,
                    f"'{shown}', to which fewer than {least} people of a cell gave one of two "
                    "answers, or all the same",
                    "outcomes whose sums tell nobody's answer",
                    "take the construct out of `outcomes` in the codebook",
                )
    if leaves.all():
        raise _refused(
            study,
            f"fewer than {least} people in each setting and condition",
            f"{least} people of a setting and condition at least",
            "so small a study cannot be a parcel",
        )


def _apply(
    study: Study,
    people: _People,
    kept: np.ndarray,
    leaves: np.ndarray,
    site: np.ndarray,
    away: set[str],
) -> Study:
    """The study's tables without those who leave, with fewer answers and with coarser sites."""
    lost = people.y.notna().to_numpy() & ~kept & ~leaves[:, None]
    tables = {
        name: table[~table["respondent_id"].isin(away)].reset_index(drop=True)
        for name in ("respondents", "assignments", "measurements")
        for table in [study[name]]
    }
    if lost.any():
        person, outcome = np.nonzero(lost)
        construct, vignette = (people.y.columns.get_level_values(i) for i in (0, 1))
        gone = pd.MultiIndex.from_arrays(
            [people.ids[person], construct[outcome].astype(str), vignette[outcome].astype(str)]
        )
        answers = tables["measurements"]
        about = pd.MultiIndex.from_arrays(
            [
                answers["respondent_id"].astype(str),
                answers["construct"].astype(str),
                answers["vignette"].astype("str").fillna(NO_VIGNETTE),
            ]
        )
        tables["measurements"] = answers[~about.isin(gone)].reset_index(drop=True)
    several = people.setting.max() > 0
    names = [f"{study.id}-org-others" + (f"-{s + 1}" if several else "") for s in people.setting]
    new = pd.Series(np.where(site == "others", np.array(names, dtype=object), site), people.ids)
    new = new[site != people.site]
    respondents = tables["respondents"]
    at = respondents["respondent_id"].isin(new.index)
    named = respondents.loc[at, "respondent_id"].map(new)
    respondents.loc[at, "org_id"] = named.where(named != "", None)
    return study.with_tables(**tables)


def _check_counts(study: Study, people: _People, least: int) -> None:
    """Each count of people of a site, pattern and version, as they went in: none is small."""
    seen = people.y.notna().to_numpy()
    site = np.unique(people.site.astype(str), return_inverse=True)[1]
    keys = np.column_stack([people.setting, site, people.version, seen])
    count = np.unique(keys, axis=0, return_counts=True)[1]
    if count.min() < least:
        raise _refused(
            study,
            f"a cell of fewer than {least} people after disclosure control",
            f"cells of {least} people at least",
            "this is a fault of the workflow, please report it; nothing was written",
        )


def _refused(study: Study, found: str, expected: str, fix: str) -> BadInput:
    return BadInput(
        Problem(
            file=f"results/harmonized/{study.id}",
            found=found,
            expected=expected,
            fix=fix,
            study=study.id,
            code="parcel",
        )
    )
