"""Numbers of people as the article may say them: of a study, and of all of them.

Invented people and those of published arms are counted as they are; of observed ones few are never
counted, and no number is shown from which few can be worked out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from metastudy.article.results import Modelled, Results
from metastudy.common import people_flow
from metastudy.common.disclosure import Count, known, protect
from metastudy.common.people_flow import Bounds, Left, total
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED

__all__ = ["all_used", "excluded", "kept", "least", "places", "read", "total", "used"]

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


def all_used(evidence: Results, cells: Modelled) -> Bounds:
    """How many people the cells of a module have."""
    known = {study.id for study in evidence.studies}
    others = [Bounds(n, n) for study, n in cells.rows.items() if study not in known]
    mine = [used(evidence, s, cells)[1] for s in evidence.studies if s.id in cells.rows]
    return total([*mine, *others])
