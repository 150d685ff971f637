"""Differences of two tables in one parcel: none is few people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metastudy.common.problems import BadInput
from metastudy.parcels.codes import KIND
from metastudy.parcels.refusals import Refusal, refused

__all__ = ["check_within"]

Documents = Mapping[str, Any]
Counts = dict[tuple[str, ...], int]


def check_within(study: str, documents: Documents, least: int) -> None:
    """Check that no two numbers of people in a parcel differ by few.

    Numbers of estimates, of places and of the data report are compared with those of the cells.

    Raises
    ------
    BadInput
        ``parcel`` for the first pair that does.
    """
    people, answered = _people(documents), _answered(documents)
    pairs: list[tuple[str, int, int]] = list(_coded(documents))
    for row in documents["estimates.json"]:
        name = _of_estimate(row)
        if name in answered:
            said = f"estimates of {row['outcome']} and the cells"
            pairs.append((said, int(row["n"]), answered[name]))
    for *place, n in documents["study.json"]["places"]:
        if tuple(place) in people:
            pairs.append((f"places ({', '.join(place)}) and the cells", n, people[tuple(place)]))
    for place in documents["report.json"].get("places", ()):
        name = tuple(str(place[key]) for key in ("country", "sector", "role"))
        if type(place["n"]) is int and name in people:
            pairs.append((f"data report ({', '.join(name)}) and the cells", place["n"],
                          people[name]))  # fmt: skip
    for said, one, other in pairs:
        if 0 < abs(one - other) < least:
            raise _refused(
                study,
                f"numbers of people that differ by fewer than {least}: {said}",
                "tables whose difference is nobody, or many people",
                "this is a fault of the workflow, please report it; nothing was written",
            )


def _is_coded(document: Mapping[str, Any]) -> bool:
    return str(document["attributes"]["model"]) == KIND


def _coded(documents: Documents) -> Iterator[tuple[str, int, int]]:
    """Interviews behind each code of a place, and those that the place is said to have.

    A code is left out of a whole setting or is of all its interviews, so the first is the sum of
    some settings of the place; a place with one setting has one number.
    """
    said = {tuple(place): int(n) for *place, n in documents["study.json"]["places"]}
    for fit, document in documents.items():
        if not fit.startswith("cells/") or not _is_coded(document):
            continue
        numbers, places = document["numbers"], _places_of(document)
        for c, code in enumerate(document["coordinates"]["code"]):
            read: Counter[tuple[str, ...]] = Counter()
            for u, place in enumerate(places):
                read[place] += int(sum(numbers["single"][u][c]) + sum(numbers["double"][u][c]))
            for place, n in read.items():
                if n:
                    yield f"interviews for {code} in {fit} and places", n, said[place]


def _places_of(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    texts = document["texts"]
    return list(zip(texts["country"], texts["sector"], texts["role"], strict=True))


def _people(documents: Documents) -> Counts:
    """People of each place in the cells of the one fit that has them all; none if several have."""
    mains = [d for name, d in documents.items() if name.endswith("-main.json")]
    if len(mains) != 1 or _is_coded(mains[0]):
        return {}
    numbers = mains[0]["numbers"]
    found: Counter[tuple[str, ...]] = Counter()
    for c, n in enumerate(numbers["n"]):
        setting = numbers["setting_of_site"][numbers["site_of_cell"][c]]
        found[_places_of(mains[0])[setting]] += int(n)
    return dict(found)


def _answered(documents: Documents) -> Counts:
    """People who answered each outcome, by fit and place."""
    found: Counter[tuple[str, ...]] = Counter()
    for fit, document in documents.items():
        if not fit.startswith("cells/") or _is_coded(document):
            continue
        module, _, variant = fit.removeprefix("cells/").removesuffix(".json").rpartition("-")
        numbers, places = document["numbers"], _places_of(document)
        for c, n in enumerate(numbers["n"]):
            place = places[numbers["setting_of_site"][numbers["site_of_cell"][c]]]
            pattern = numbers["observed"][numbers["pattern_of_cell"][c]]
            for outcome, there in zip(document["coordinates"]["outcome"], pattern, strict=True):
                if there:
                    found[(module, variant, *place, outcome)] += int(n)
    return dict(found)


def _of_estimate(row: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("module", "variant", "country", "sector", "role")
    return (*(str(row[name]) for name in names), f"{row['outcome']}|{row['vignette']}")


def _refused(study: str, found: str, expected: str, fix: str) -> BadInput:
    return refused(Path("parcels", f"{study}.parcel"), Refusal(found, expected, fix), study)
