"""People of estimates beside the people of places: what is shown of both tells no small number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import SETTINGS, VOCABULARY
from metastudy.article import shown_people
from metastudy.article.results import Results
from metastudy.common.problems import MetastudyError
from metastudy.harmonized import schema
from metastudy.harmonized.study import PLACE, Study

NO_ROWS = {name: schema.empty(name) for name in ("arms", "effects")}
OF_A_PLACE = ("country", "sector", "role")


class Counted(Study):
    """A study of which only is known how many people its places have."""

    @property
    def places(self) -> Counter[tuple[str, ...]]:
        return Counter(self.report["places"])


def world(places: dict[tuple[str, ...], int], least: int) -> Results:
    """One observed study with people in each country, sector, role and arrangement."""
    people = sum(places.values())
    report = {"study": "s", "provenance": "observed", "rows_kept": people, "places": places}
    some = pd.DataFrame([["A", "care", "nurse", ""]], columns=list(PLACE))
    study = Counted(report, {"respondents": some, **NO_ROWS})
    settings = {**SETTINGS, "privacy": {"smallest_cell": least}}
    return Results(VOCABULARY, studies=(study,), settings=settings)


def told(found: Results, *estimates: tuple[tuple[str, ...], int]) -> list[object]:
    """What is shown as the number of people of estimates, each of a place and of so many."""
    rows = [("s", *place[:3], n) for place, n in estimates]
    table = pd.DataFrame(rows, columns=["study", *OF_A_PLACE, "n"])
    return shown_people.of_estimates(found, table)["n"].to_list()


@cache
def drawn_up(least: int, names: tuple[str, ...], most: int) -> list[tuple[object, np.ndarray]]:
    """All studies of some places that show alike, with every two estimates of theirs.

    A name is that of a country and of an arrangement. Of each heap the numbers that a reader may
    not work out, where they are small: a row a study with its two estimates.
    """
    heaps: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    keys = [(name[0], "care", "nurse", name[1:]) for name in names]
    for counts in product(range(1, most), repeat=len(names)):
        if sum(counts) > most:
            continue
        places = dict(zip(keys, counts, strict=True))
        found = world(places, least)
        study = found.studies[0]
        grid = tuple(shown_people.places(found, study).items())
        everybody = str(shown_people.kept(found, study))
        for first, second in _two_estimates(found, counts, keys):
            heaps[grid, everybody, first[:2], second[:2]].append(
                (*counts, first[2], second[2], *first[3:], *second[3:], *_apart(first, second))
            )
    return [(shown, np.array(numbers)) for shown, numbers in heaps.items()]


Estimate = tuple[str, object, int, int]  # its place, what is shown, n, and who is not in it


def _two_estimates(
    found: Results, counts: Sequence[int], keys: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Estimate, Estimate]]:
    by_place: dict[str, int] = defaultdict(int)
    for key, n in zip(keys, counts, strict=True):
        by_place[key[0]] += n
    all_of_them = [((p, "care", "nurse"), n) for p, c in by_place.items() for n in range(1, c + 1)]
    shown = told(found, *all_of_them)
    each = [
        (place[0], said, n, by_place[place[0]] - n)
        for (place, n), said in zip(all_of_them, shown, strict=True)
    ]
    return combinations_with_replacement(each, 2)


def _apart(first: Estimate, second: Estimate) -> tuple[int]:
    """Who is in one of two analyses of a place, if one is of some of the other's people."""
    return (abs(first[2] - second[2]) if first[0] == second[0] else 0,)


@pytest.mark.parametrize(
    ("least", "names", "most"),
    [
        (3, ("A", "B"), 14),
        (3, ("A", "B", "C"), 14),
        (3, ("Ax", "Ay", "B"), 14),
        (4, ("A", "B"), 20),
    ],
    ids=["two places", "three places", "an arrangement", "a larger cell"],
)
def test_no_small_number_follows_from_places_and_two_estimates(
    least: int, names: tuple[str, ...], most: int
) -> None:
    for shown, numbers in drawn_up(least, names, most):
        low, high = numbers.min(axis=0), numbers.max(axis=0)
        known = (low == high) & (low > 0) & (low < least)
        assert not known.any(), (shown, numbers[0])


def test_an_estimate_of_a_hidden_place_has_the_words_of_the_place() -> None:
    """15 to 19 of 59, beside a small and a hidden place of 16 together: the small one was 1."""
    first, second, third = (("A", "x", "r", ""), ("B", "x", "r", ""), ("C", "x", "r", ""))
    for small in (1, 2, 3, 4):
        found = world({first: small, second: 16 - small, third: 43}, least=5)
        shown = told(found, (second, 16 - small), (second, 9), (first, small), (third, 41))
        assert shown == ["≥5", "≥5", "<5", "39–42"]
        assert told(found, (second, 3)) == ["<5"]


def test_people_without_country_sector_and_role_are_a_place_by_their_columns() -> None:
    """Of 60 people 20 have none: 58 are not of these, and not all of the study."""
    found = world({("", "", "", ""): 20, ("A", "care", "nurse", ""): 40}, least=5)
    unsaid = ("", "", "", "")
    assert told(found, (unsaid, 58), (unsaid, 18), (unsaid, 20)) == ["56–59", "16–19", 20]
    table = pd.DataFrame({"study": "s", "n": [58, 60, 18]})
    assert shown_people.of_estimates(found, table)["n"].to_list() == ["56–59", 60, "16–20"]


def test_more_people_than_were_kept_are_not_counted() -> None:
    found = world({("A", "care", "nurse", ""): 60}, least=5)
    assert told(found, (("A", "care", "nurse"), 61)) == ["≥60"]


@pytest.mark.parametrize(
    ("clusters", "shown"),
    [(47, "44–47"), (46, "44–47"), (44, "44–47"), (43, "40–44"), (12, "10–14"), (3, "<5")],
)
def test_clusters_do_not_tell_how_many_people_an_estimate_is_of(clusters: int, shown: str) -> None:
    found = world({("A", "care", "nurse", ""): 48}, least=5)
    table = pd.DataFrame({"study": "s", "n": [47, 48], "clusters": clusters})
    seen = shown_people.of_estimates(found, table)
    assert seen["n"].to_list() == ["44–47", 48]
    assert seen["clusters"].to_list() == [shown, clusters]


def test_nothing_is_counted_without_what_hides_it() -> None:
    """Names of studies alone, or none at all, would let every number through."""
    found = world({("A", "care", "nurse", ""): 48}, least=5)
    table = pd.DataFrame({"study": ["s"], "n": [47]})
    named = Study({"study": "s", "provenance": "observed", "codebook": {"id": "s"}}, {})
    for less in ((), (named,)):
        with pytest.raises(MetastudyError, match="'studies' among the needs"):
            shown_people.of_estimates(replace(found, studies=less), table)
    other = replace(found.studies[0], report={**found.studies[0].report, "study": "another"})
    with pytest.raises(MetastudyError, match="of the study 's'"):
        shown_people.of_estimates(replace(found, studies=(other,)), table)
    publication = Study(other.report, {"effects": schema.empty("effects").assign(citation=["s"])})
    seen = shown_people.of_estimates(replace(found, published=(publication,), studies=()), table)
    assert seen["n"].to_list() == [47], "what was published is known"
    with pytest.raises(MetastudyError, match="'cells' among the needs"):
        shown_people.cells_of(found, "threat")
