"""Numbers of people as the article may say them: of a study, and of all of them.

Invented people and those of published arms are counted as they are; of observed ones few are never
counted, and no number is shown from which few can be worked out. Who asks here for a study or a
module whose files it was not given is refused: nothing could be hidden then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from metastudy.article.results import Modelled, Results
from metastudy.common import people_flow
from metastudy.common.disclosure import Count, known, protect
from metastudy.common.people_flow import Bounds, Left, total
from metastudy.common.problems import MetastudyError
from metastudy.common.tables import records
from metastudy.common.unsaid import is_unsaid
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED

__all__ = [
    "all_used",
    "cells_of",
    "excluded",
    "kept",
    "least",
    "of_estimates",
    "part_of_used",
    "places",
    "read",
    "total",
    "used",
]

Place = tuple[str, str, str]  # country, sector and role; an empty one is not said
PLACE = ("country", "sector", "role")
DECIMALS = 2  # of what is estimated from people whose number is a range


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
    return {place: said for place, (said, _) in _places(evidence, study).items()}


def _places(evidence: Results, study: Study) -> dict[Place, tuple[Count, Bounds]]:
    """Of each place what is shown, and what it may be; of one without an upper end, all people."""
    smallest, found = least(evidence, study), study.places
    order = sorted(found)
    parts: dict[Place, list[Count]] = {}
    for place, n in zip(order, protect([found[p] for p in order], smallest).cells, strict=True):
        country, sector, role, _ = place
        parts.setdefault((country, sector, role), []).append(n)
    everybody = kept(evidence, study)
    if len(parts) == 1:
        return {next(iter(parts)): (_count(everybody), everybody)}
    return {place: _added(cells, smallest, everybody.high) for place, cells in parts.items()}


def _count(said: Bounds) -> Count:
    return said.low if said.exact else said.short


def _added(cells: Sequence[Count], smallest: int, most: int) -> tuple[Count, Bounds]:
    """Add up the arrangements of one place: what is shown, and what it may be, at most ``most``."""
    low, high = (sum(known(n, smallest)[end] for n in cells) for end in (0, 1))
    between = Bounds(int(low), int(min(most, high)))
    if len(cells) == 1:
        return cells[0], between
    return f"≥{low}" if math.isinf(high) else _count(Bounds(int(low), int(high))), between


def _of_parcel(study: Study) -> dict[Place, int | str]:
    found: dict[Place, int | str] = {}
    for *place, n in study.report["parcel"]["places"]:
        country, sector, role = ("" if name == NOT_STATED else str(name) for name in place)
        found[country, sector, role] = n
    return found


def kept(evidence: Results, study: Study) -> Bounds:
    """How many people of a study were kept; what leads from them or to them starts there."""
    people = _people(study)
    places = [] if study.parcel or not len(study.respondents) else [*study.places.values()]
    return people_flow.kept(people, places, least(evidence, study))


def _people(study: Study) -> int:
    if "rows_kept" not in study.report:
        raise _cannot(f"of the study '{study.id}'", "its folder of harmonized tables", "studies")
    return int(study.report["rows_kept"])


def _cannot(of: str, without: str, needs: str) -> MetastudyError:
    return MetastudyError(
        f"numbers of people {of} cannot be shown without {without}, as few of them could not be "
        f"hidden; name '{needs}' among the needs of what shows them, in metastudy.article.catalogue"
    )


def cells_of(evidence: Results, module: str) -> Modelled:
    """What a module's cells say of their rows.

    Raises
    ------
    MetastudyError
        Where they were not given.
    """
    if module not in evidence.cells:
        raise _cannot(f"in the models of the module '{module}'", "its cells", "cells")
    return evidence.cells[module]


def excluded(evidence: Results, study: Study) -> Left:
    """How many rows of a study left by rules of its codebook."""
    return people_flow.left(study.report["excluded"], least(evidence, study))


def read(evidence: Results, study: Study) -> Bounds:
    """How many rows of a study were read."""
    return kept(evidence, study) + excluded(evidence, study).total


def used(evidence: Results, study: Study, cells: Modelled) -> tuple[Mapping[str, Bounds], Bounds]:
    """How many of a study's people the cells of a module leave out, by rule, and have."""
    rules = {d["rule"]: int(d["rows"]) for d in cells.dropped if d["study"] == study.id}
    people, rest = _people(study), int(cells.rows[study.id])
    return people_flow.used(kept(evidence, study), people, rules, rest, least(evidence, study))


def of_estimates(evidence: Results, estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates with numbers of people as they may be said beside the people of their place.

    Parameters
    ----------
    estimates : with ``study`` and ``n``, and with all of ``country``, ``sector`` and ``role`` if
        each is of a place alone. Where n is a range, degrees of freedom ``df`` are left out,
        ``clusters`` are a range that says no more of n, and other numbers have the two decimals of
        the printed tables: an interval and its standard error in full would give df.

    Raises
    ------
    MetastudyError
        If there are estimates of a study or a publication that was not given, or of which only the
        name was: it may be an observed study, whose numbers would be shown as they are.
    """
    everyone = (*evidence.studies, *evidence.published)
    gone = set(map(str, estimates.get("study", ()))) - {study.id for study in everyone}
    gone -= {str(key) for study in everyone if gone for key in study.effects["citation"]}
    for name in sorted(gone):
        raise _cannot(f"of the study '{name}'", "its folder of harmonized tables", "studies")
    studies = {s.id: s for s in evidence.studies if not s.parcel and least(evidence, s) > 1}
    if not studies:
        return estimates
    placed = set(PLACE) <= set(estimates.columns)
    whole = {name: kept(evidence, study) for name, study in studies.items()}
    among = {n: _places(evidence, study) if placed else {} for n, study in studies.items()}
    found = []
    for row in records(estimates):
        if study := studies.get(str(row["study"])):
            smallest, n = least(evidence, study), int(row["n"])
            place = among[study.id].get(_place(row)) if placed else None
            said, low = _of_estimate(whole[study.id], place, n, smallest)
            if isinstance(said, str):
                row |= {k: round(v, DECIMALS) for k, v in row.items() if isinstance(v, float)}
                row |= {"df": math.nan} if "df" in row else {}
                if "clusters" in row:
                    row["clusters"] = _clusters(int(row["clusters"]), said, low, smallest)
            row["n"] = said
        found.append(row)
    return pd.DataFrame(found, columns=estimates.columns) if found else estimates


def _of_estimate(
    everybody: Bounds, place: tuple[Count, Bounds] | None, n: int, smallest: int
) -> tuple[Count, int]:
    """Say how many people an estimate is of, and at least: of its place, or of the whole study.

    More than a place can have are of no place alone. Beside a place that is hidden the estimate has
    the words of the place: what depends on the number of the place would tell it.
    """
    words: Count | None = None
    if place is not None and n <= place[1].high:
        words, among = place
    elif n > everybody.high:
        return f"≥{everybody.low}", everybody.low
    else:
        among = everybody
    said = people_flow.part(among, n, smallest)
    return words if words is not None and said == among else _count(said), said.low


def _clusters(clusters: int, said: str, low: int, smallest: int) -> str:
    """Say how many clusters some people came in, whose number is a range from ``low`` on.

    There are no more clusters than people: so their range does not begin above that of people.
    """
    if clusters >= low:
        return said
    step = clusters - clusters % smallest
    return Bounds(max(1, step), step + smallest - 1).short


def _place(row: Mapping[str, Any]) -> Place:
    """The place of an estimate, named as places are; what is not said is empty."""
    names = [str(row.get(key) or "") for key in PLACE]
    country, sector, role = ("" if is_unsaid(n) or n == NOT_STATED else n for n in names)
    return country, sector, role


def all_used(evidence: Results, cells: Modelled, with_rows: bool = False) -> Bounds:
    """How many people the cells of a module have; only those who are there row by row if asked.

    Raises
    ------
    MetastudyError
        If the cells have people of a study that was not given.
    """
    mine = _members(evidence, cells)
    return total(used(evidence, s, cells)[1] for s in mine if s.has_rows or not with_rows)


def part_of_used(evidence: Results, cells: Modelled, n: int) -> Bounds:
    """How many people an analysis is of, who are some or all of those that the cells have."""
    smallest = max((least(evidence, s) for s in _members(evidence, cells)), default=1)
    return people_flow.part(all_used(evidence, cells), n, smallest)


def _members(evidence: Results, cells: Modelled) -> Iterable[Study]:
    studies = {study.id: study for study in evidence.studies}
    if gone := [study for study in cells.rows if study not in studies]:
        raise _cannot(f"of the study '{gone[0]}'", "its folder of harmonized tables", "studies")
    return [studies[name] for name in cells.rows]
