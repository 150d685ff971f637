"""Disclosure control: a study's tables made coarse enough that its cells may leave the building.

It works on the rows, before anything is summed up. So cells, standardisers, estimates and the data
report are all of the same people and answers, and no two of them differ by a few people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import PublishedTable
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import disclosure
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows, rows_of
from metastudy.models.base import NO_VIGNETTE
from metastudy.parcelling.between_sites import between_sites
from metastudy.parcelling.controlled import LEAST, Controlled, modules_of, no_parcel
from metastudy.parcelling.flow import public_report
from metastudy.parcelling.interviews import control_interviews
from metastudy.parcelling.lattice import lattice_of
from metastudy.parcelling.patterns import coarsened
from metastudy.parcelling.people import People, people_of
from metastudy.parcelling.published import groups_of, who_leaves_too
from metastudy.parcelling.reported import bits_of_report, reported_of
from metastudy.parcelling.sites import OTHERS, placed, why_told
from metastudy.parcelling.sums import FEWEST, Telling
from metastudy.parcels.request import CODINGS, KINDS

__all__ = ["control"]


def control(
    study: Study, vocabulary: Vocabulary, least: int, tables: Sequence[PublishedTable] = ()
) -> Controlled:
    """Make a study's tables coarse enough that each count in its cells is zero or large enough.

    (a) Who has a rare pattern of missing outcomes, or one whose sums tell answers
    (:class:`metastudy.parcelling.sums.Telling`), keeps the outcomes of the largest sub-pattern
    of enough people of the same setting and version whose sums tell none, or leaves. (b) Who is
    among few at a site keeps fewer outcomes there or is one of the ``others`` of the setting
    (:mod:`metastudy.parcelling.sites`); if no site is left, the setting has no sites, unless an
    exposure is the same for all of a site: then those of one level are one site. What nothing
    had to be done to stays as it is. (c) Where a published table is of few more people than the
    cells, or of people whose sums tell answers, others leave with them
    (:mod:`metastudy.parcelling.published`).

    Parameters
    ----------
    study : with all of its tables.
    least : smallest number of people of a site, pattern and version; :data:`LEAST` if smaller.
    tables : that are published of the study.

    Raises
    ------
    BadInput
        ``parcel`` if the study has no answers on scales, or if nobody is left.
    """
    if _kind(study, vocabulary) == CODINGS:
        return control_interviews(study, vocabulary, least, tables)
    least = max(least, LEAST)
    modules = modules_of(study, vocabulary)
    if not study.has_rows:
        raise no_parcel(
            study,
            "arms with means",
            "rows of people, of which sufficient statistics can be made",
            "send the file of the arms itself: it has nobody's answers in it",
        )
    rows = {module: rows_of(study, module, vocabulary) for module in modules}
    people = people_of(study, rows)
    telling = _telling(study, people, least, tables)
    kept, leaves, site = _known(study, people, telling, tables)
    _check_values(study, people, telling, kept, leaves, site)

    away = set(people.ids[leaves])
    # Nobody's answers are in a cell: so the data report, too, is of the people of the cells.
    away |= set(study.respondents["respondent_id"]) - set(people.ids)
    for r in rows.values():
        _check_levels(study, people, r, telling, kept & ~leaves[:, None])
    changed = _apply(study, people, kept, leaves, site, away)
    after = {module: rows_of(changed, module, vocabulary) for module in modules}
    _check_counts(study, people_of(changed, after), least)
    exposures = list({e["id"]: e for r in rows.values() for e in r.exposures}.values())
    here = ~leaves
    moved = (site != people.site) & here
    fewer = (kept != people.y.notna().to_numpy()).any(axis=1) & here
    name, own = _names(study, people, site), ~np.isin(site.astype(str), ("", OTHERS, study.id))
    at_some = people.sited & (people.site != study.id)  # rows have who has none at the study's id
    did = {
        "untouched": not (away or moved.any() or fewer.any()),
        "least": least,
        "people": int(here.sum()),
        "people_left": disclosure.count(len(away), least),
        "people_with_fewer_outcomes": disclosure.count(int(fewer.sum()), least),
        "people_moved": disclosure.count(int(moved.sum()), least),
        "sites_before": _sites(people.place, people.site, at_some),
        "sites_after": _sites(people.place, name, here & ~np.isin(name, ("", study.id))),
        "settings_without_sites": len(set(people.place[here]) - set(people.place[here & own])),
        "between_sites": between_sites(people, exposures, leaves, site),
    }
    report = public_report(study.report, len(changed.respondents), len(away), least)
    return Controlled(replace(changed, report=report), did)


def _kind(study: Study, vocabulary: Vocabulary) -> str:
    """The one kind of model that all outcomes of a study are of."""
    kinds: dict[str, list[str]] = {}
    for outcome in study.report["outcomes"]:
        if module := vocabulary.module(outcome):
            kinds.setdefault(vocabulary.model(module), []).append(outcome)
    other = [outcome for kind in kinds if kind not in KINDS for outcome in kinds[kind]]
    if not set(kinds) & set(KINDS):
        raise no_parcel(
            study,
            "no answers on scales and no coded interviews",
            "answers to scales or codes of interviews, of which counts and sums can be sent",
            "what is of few people, or counts of patterns of one person's answers, stays at home",
        )
    if other:
        raise no_parcel(
            study,
            f"{', '.join(other)}, of which no parcel can be made",
            "outcomes that are answers on scales or codes of interviews",
            "take what is named out of `outcomes` in the codebook",
        )
    if len(kinds) > 1:
        raise no_parcel(
            study,
            "answers on scales and codes of interviews in one study",
            "one of the two, as control looks at each by itself",
            "give each a folder and a codebook of its own, and make two parcels",
        )
    return next(iter(kinds))


def _sites(place: np.ndarray, site: np.ndarray, sited: np.ndarray) -> int:
    return len(set(zip(place[sited].tolist(), site[sited].tolist(), strict=True)))


def _names(study: Study, people: People, site: np.ndarray) -> np.ndarray:
    """Sites by the names that they have after control."""
    several = people.place.max() > 0
    others = [
        f"{study.id}-org-others" + (f"-{p + 1}" if several else "") + (f"-{level}" if level else "")
        for p, level in zip(people.place.tolist(), people.level.tolist(), strict=True)
    ]
    return np.where(site == OTHERS, np.array(others, dtype=object), site)


def _telling(study: Study, people: People, least: int, tables: Sequence[PublishedTable]) -> Telling:
    """What tells whether the sums of a cell may go out."""
    constructs, vignettes = (people.y.columns.get_level_values(i).astype(str) for i in (0, 1))
    names = [*zip(constructs, vignettes, strict=True), *people.traits]
    lattice = lattice_of(study, people.ids, names)
    score = scores(study.measurements)
    score["vignette"] = score["vignette"].astype("str").fillna(NO_VIGNETTE)
    wide = score.pivot(index="respondent_id", columns=["construct", "vignette"], values="score")
    value = wide.reindex(index=people.ids, columns=pd.MultiIndex.from_tuples(names)).to_numpy()
    two = {}
    for setting in np.unique(people.setting):
        answers = pd.DataFrame(value[people.setting == setting])
        two[int(setting)] = (answers.nunique() == 2).to_numpy()
    public = groups_of(study, tables, people.ids, names)
    bits, everything = bits_of_report(study), lattice.value >= 0
    reported = reported_of(study, lattice, everything, least)
    where = people.version, two, people.setting
    return Telling(lattice, value, *where, least, public, reported, bits)


def _known(
    study: Study, people: People, telling: Telling, tables: Sequence[PublishedTable]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What people keep, who leaves, and sites, until no table and no report tells of few people."""
    away = np.zeros(len(people.ids), dtype=bool)
    whole = any("site" in table.by for table in tables)
    while True:
        telling.begin()
        kept, leaves, site = _coarse(people, telling, away, whole)
        if leaves.all():
            return kept, leaves, site
        keys = [people.setting, people.version, np.unique(site.astype(str), return_inverse=True)[1]]
        cell = np.unique(np.column_stack([*keys, kept]), axis=0, return_inverse=True)[1].ravel()
        inside = np.column_stack(
            [kept & ~leaves[:, None], *(~leaves[:, None] for _ in people.traits)]
        )
        more = who_leaves_too(
            study, tables, people.ids, telling.lattice.names, inside, cell,
            _names(study, people, site), telling.least,
        )  # fmt: skip
        if more.any():
            away |= more | leaves
            continue
        places = np.unique(keys[2] * len(people.ids) + people.setting, return_inverse=True)[1]
        reported = reported_of(study, telling.lattice, inside, telling.least)
        if not telling.by_report(reported, kept, places, ~leaves):
            return kept, leaves, site


def _coarse(
    people: People, telling: Telling, away: np.ndarray, whole: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outcomes that people keep, who leaves, and their sites (none: no sites)."""
    kept = people.y.notna().to_numpy(copy=True)
    leaves, site = away.copy(), people.site.copy()
    for setting in np.unique(people.setting[~away]):
        here = np.flatnonzero((people.setting == setting) & ~away)
        own, gone = _untold(people, telling, here, kept)
        kept[here], leaves[here] = own, gone
        here = here[~gone]
        if people.sited[here].any():
            kept[here], site[here] = placed(people, telling, here, kept, whole)
    return kept, leaves, site


def _untold(
    people: People, telling: Telling, here: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coarsen patterns of a setting until no cell is small and none tells an answer."""
    told: list[np.ndarray] = []
    versions, least = len(np.unique(people.version[here])), telling.least

    def fewest(pattern: np.ndarray) -> int:
        return FEWEST * (int(pattern.sum()) + len(people.traits) + versions)

    while True:
        own, gone = coarsened(kept[here], people.version[here], least, people.needed, told, fewest)
        new = [
            pattern
            for pattern in np.unique(own[~gone], axis=0)
            if telling.of(here[~gone & (own == pattern).all(axis=1)], pattern)
        ]
        if not new:
            return own, gone
        told += new


def _check_values(
    study: Study,
    people: People,
    telling: Telling,
    kept: np.ndarray,
    leaves: np.ndarray,
    site: np.ndarray,
) -> None:
    """What goes out, looked at again; and whether anything is left."""
    for setting in np.unique(people.setting):
        here = np.flatnonzero((people.setting == setting) & ~leaves)
        for name in np.unique(site[here].astype(str)) if len(here) else ():
            members = here[site[here] == name]
            if why := why_told(telling, members, kept[members]):
                raise no_parcel(
                    study, f"a cell that gives answers away: {why}",
                    "sums that give nobody's answer away",
                    "this is a fault of the workflow, please report it; nothing was written",
                )  # fmt: skip
    if leaves.all():
        raise no_parcel(
            study,
            _why_nobody(telling),
            f"{telling.least} people of a setting and condition, whose sums give no answer away",
            "take the construct that is named out of `outcomes` in the codebook, or out of "
            "`exposures` where it is the same for all of a site; a study that is too small cannot "
            "be a parcel",
        )


def _check_levels(
    study: Study, people: People, rows: Rows, telling: Telling, kept: np.ndarray
) -> None:
    """Of each level of a factor somebody is left in a module.

    Parameters
    ----------
    rows : of the module, before control.
    kept : outcomes of all modules that people keep, shape (people, outcome).
    """
    left = people.ids[kept[:, people.y.columns.isin(rows.y.columns)].any(axis=1)]
    table = study.assignments[study.assignments["respondent_id"].isin(rows.y.index)]
    for factor in (e["factor"] for e in study.report["exposures"] if "factor" in e):
        mine = table[table["factor"] == factor]
        still = set(mine.loc[mine["respondent_id"].isin(left), "level"])
        if gone := sorted(set(mine["level"].astype(str)) - set(map(str, still))):
            raise no_parcel(
                study,
                f"nobody whose sums may go out at the level {', '.join(gone)} of {factor}, which "
                f"{mine['level'].isin(gone).sum()} people have: {_why_nobody(telling)}",
                f"{telling.least} people of each level in a setting, whose sums give no answer "
                "away",
                f"take {factor} out of `exposures` in the codebook, or give the level to a larger "
                "one in its value map; rows of the study can be sent where that is allowed",
            )


def _why_nobody(telling: Telling) -> str:
    """Why everybody had to leave: what the cell of all outcomes tells, or that few are in it."""
    found = [why for why in telling.known.values() if why]
    small = (
        f"fewer than {telling.least} people in each setting and condition, or than {FEWEST} for "
        "each outcome and condition"
    )
    return f"no cell without: {found[0]}" if found else small


def _apply(
    study: Study,
    people: People,
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
    new = pd.Series(_names(study, people, site), people.ids)[site != people.site]
    respondents = tables["respondents"]
    at = respondents["respondent_id"].isin(new.index)
    named = respondents.loc[at, "respondent_id"].map(new)
    respondents.loc[at, "org_id"] = named.where(named != "", None)
    return study.with_tables(**tables)


def _check_counts(study: Study, people: People, least: int) -> None:
    """Each count of people of a site, pattern and version, as they went in: none is small."""
    seen = people.y.notna().to_numpy()
    site = np.unique(people.site.astype(str), return_inverse=True)[1]
    keys = np.column_stack([people.setting, site, people.version, seen])
    count = np.unique(keys, axis=0, return_counts=True)[1]
    if count.min() < least:
        raise no_parcel(
            study,
            f"a cell of fewer than {least} people after disclosure control",
            f"cells of {least} people at least",
            "this is a fault of the workflow, please report it; nothing was written",
        )
