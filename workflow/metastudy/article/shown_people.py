"""Numbers of people as the article may say them: of a study, and of all of them.

Invented people and those of published arms are counted as they are; of observed ones few are never
counted, and no number is shown from which few can be worked out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from metastudy.article.results import Modelled, Results
from metastudy.common import people_flow
from metastudy.common.disclosure import Count, known, protect
from metastudy.common.people_flow import Bounds, Left, total
from metastudy.common.tables import records
from metastudy.common.unsaid import is_unsaid
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED

__all__ = [
    "all_used",
    "excluded",
    "kept",
    "least",
    "of_estimates",
    "places",
    "read",
    "total",
    "used",
]

Place = tuple[str, str, str]  # country, sector and role; an empty one is not said


def least(evidence: Results, study: Study) -> int:
    """The smallest number of a study's people that is shown."""
    if study.provenance == "simulated" or len(study.arms):
        return 1
    return int(evidence.settings.get("privacy", {}).get("smallest_cell", 1))


def places(evidence: Results, study: Study) -> dict[Place, int | str]:
    """People of each place and role; small cells are hidden, and what would give them away.

    They are added up from what the data report shows, which has the arrangements of a place too:
    two lists of the same people, each protected by itself, would tell together what neither tells.
    """
    if study.parcel:
        return _of_parcel(study)
    smallest, found = least(evidence, study), study.places
    order = sorted(found)
    parts: dict[Place, list[Count]] = {}
    for place, n in zip(order, protect([found[p] for p in order], smallest).cells, strict=True):
        country, sector, role, _ = place
        parts.setdefault((country, sector, role), []).append(n)
    if len(parts) == 1:
        said = kept(evidence, study)
        return {next(iter(parts)): said.low if said.exact else said.short}
    return {place: _added(cells, smallest) for place, cells in parts.items()}


def _added(cells: Sequence[Count], smallest: int) -> Count:
    """Add up what is shown of the arrangements of one place."""
    if len(cells) == 1:
        return cells[0]
    low = sum(known(n, smallest)[0] for n in cells)
    high = sum(known(n, smallest)[1] for n in cells)
    if math.isinf(high):
        return f"≥{low}"
    said = Bounds(low, int(high))
    return said.low if said.exact else said.short


def _of_parcel(study: Study) -> dict[Place, int | str]:
    found: dict[Place, int | str] = {}
    for *place, n in study.report["parcel"]["places"]:
        country, sector, role = ("" if name == NOT_STATED else str(name) for name in place)
        found[country, sector, role] = n
    return found


def kept(evidence: Results, study: Study) -> Bounds:
    """How many people of a study were kept; what leads from them or to them is told from these."""
    people = int(study.report["rows_kept"])
    places = [] if study.parcel or not len(study.respondents) else [*study.places.values()]
    return people_flow.kept(people, places, least(evidence, study))


def excluded(evidence: Results, study: Study) -> Left:
    """How many rows of a study left by rules of its codebook."""
    return people_flow.left(study.report["excluded"], least(evidence, study))


def read(evidence: Results, study: Study) -> Bounds:
    """How many rows of a study were read."""
    return kept(evidence, study) + excluded(evidence, study).total


def used(evidence: Results, study: Study, cells: Modelled) -> tuple[Mapping[str, Bounds], Bounds]:
    """How many of a study's people the cells of a module leave out, by rule, and have."""
    rules = {d["rule"]: int(d["rows"]) for d in cells.dropped if d["study"] == study.id}
    people, rest = int(study.report["rows_kept"]), int(cells.rows[study.id])
    return people_flow.used(kept(evidence, study), people, rules, rest, least(evidence, study))


def of_estimates(evidence: Results, estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates with numbers of people as they may be said beside the people of their place.

    Parameters
    ----------
    estimates : with ``study`` and ``n``, and with ``country``, ``sector`` and ``role`` if each is
        of a place alone. Degrees of freedom ``df`` and as many ``clusters`` as people go with n.
    """
    studies = {s.id: s for s in evidence.studies if not s.parcel and least(evidence, s) > 1}
    if not studies:
        return estimates
    shown = {name: places(evidence, study) for name, study in studies.items()}
    found = []
    for row in records(estimates):
        if study := studies.get(str(row["study"])):
            said = _of_estimate(evidence, study, shown[study.id].get(_place(row)), int(row["n"]))
            if isinstance(said, str):
                row |= {"df": math.nan} if "df" in row else {}
                row |= {"clusters": said} if row.get("clusters") == row["n"] else {}
            row["n"] = said
        found.append(row)
    return pd.DataFrame(found, columns=estimates.columns) if found else estimates


def _of_estimate(evidence: Results, study: Study, of_place: Count | None, n: int) -> Count:
    if isinstance(of_place, int):
        among, people = Bounds(of_place, of_place), of_place
    else:
        among, people = kept(evidence, study), int(study.report["rows_kept"])
    said = people_flow.part(among, people, n, least(evidence, study))
    return said.low if said.exact else said.short


def _place(row: Mapping[str, Any]) -> Place:
    """The place of an estimate, named as places are; what is not said is empty."""
    names = [str(row.get(key) or "") for key in ("country", "sector", "role")]
    country, sector, role = ("" if is_unsaid(n) or n == NOT_STATED else n for n in names)
    return country, sector, role


def all_used(evidence: Results, cells: Modelled, with_rows: bool = False) -> Bounds:
    """How many people the cells of a module have; only those who are there row by row if asked."""
    if with_rows:
        there = [s for s in evidence.studies if s.has_rows and s.id in cells.rows]
        return total(used(evidence, study, cells)[1] for study in there)
    known = {study.id for study in evidence.studies}
    others = [Bounds(n, n) for study, n in cells.rows.items() if study not in known]
    mine = [used(evidence, s, cells)[1] for s in evidence.studies if s.id in cells.rows]
    return total([*mine, *others])
