"""Counts from step to step: what is shown leaves every small number at least two values.

The reader is taken to know the rule. All flows of a few people are drawn up, those that look alike
are put together, and in none of these heaps may a small number be the same throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain, combinations_with_replacement, product

from metastudy.common.people_flow import Bounds, kept, left, part, used

LEAST = 4
MOST = 11


def told(heaps: Mapping[object, list[tuple[int, ...]]]) -> list[tuple[object, int]]:
    """Which shown flows give a small number away, and of which step."""
    found = []
    for shown, flows in heaps.items():
        for at, values in enumerate(zip(*flows, strict=True)):
            if len(set(values)) == 1 and 0 < values[0] < LEAST:
                found.append((shown, at))
    return found


def text(steps: Mapping[str, Bounds]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(n)) for name, n in steps.items())


def heaped(flows: Iterable[tuple[object, tuple[int, ...]]]) -> dict[object, list[tuple[int, ...]]]:
    heaps: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    for shown, flow in flows:
        heaps[shown].append(flow)
    return heaps


def test_no_small_number_of_people_who_left_can_be_worked_out() -> None:
    def flow(*counts: int) -> tuple[object, tuple[int, ...]]:
        found = left(dict(zip("abc", counts, strict=False)), LEAST)
        read = Bounds(50, 50) + found.total  # the kept are known
        # The sum of all who left is a number of people as well.
        return (text(found.steps), str(read)), (*counts, sum(counts))

    for rules in (1, 2, 3):
        heaps = heaped(flow(*counts) for counts in product(range(MOST), repeat=rules))
        assert told(heaps) == []


def test_no_small_number_of_people_in_a_model_or_left_out_of_it_can_be_worked_out() -> None:
    def flow(a: int, b: int, rest: int) -> tuple[object, tuple[int, ...]]:
        people = a + b + rest
        stays = kept(people, [people], LEAST)
        steps, model = used(stays, people, {"a": a, "b": b}, rest, LEAST)
        return (str(stays), text(steps), str(model)), (a, b, rest, a + b)

    splits = [(*ab, rest) for *ab, rest in product(range(2 * MOST), repeat=3)]
    heaps = heaped(flow(*split) for split in splits if sum(split) < 2 * MOST)
    assert told(heaps) == []


def test_no_small_number_follows_from_two_analyses_and_the_people_they_are_of() -> None:
    def seen(people: int, one: int, other: int) -> tuple[object, tuple[int, ...]]:
        stays = kept(people, [people], LEAST)
        shown = [part(stays, n, LEAST) for n in (one, other)]
        for n, said in zip((one, other), shown, strict=True):
            assert said.low <= n <= said.high
        # One analysis may be of some of the other's people.
        numbers = (one, other, people - one, people - other, one - other, other - one)
        return (str(stays), *map(str, shown)), numbers

    numbers = product(range(3 * MOST), repeat=3)
    heaps = heaped(seen(*n) for n in numbers if max(n[1:]) <= n[0])
    assert told(heaps) == []


def test_an_analysis_of_nearly_all_is_told_as_a_range() -> None:
    stays = Bounds(200, 200)
    assert [part(stays, n, 5).short for n in (200, 199, 196, 195, 150)] == [
        *("200", "196–199", "196–199", "191–195", "146–150")
    ]
    assert part(stays, 199, 1).short == "199"


def test_beside_a_range_of_people_an_analysis_has_that_range_or_fewer() -> None:
    """A step from the number of people would tell which number of the range it is."""
    for stays in (Bounds(3, 12), Bounds(31, 34), Bounds(0, 8), Bounds(1, 4)):
        for n in range(1, stays.high + 1):
            said = part(stays, n, 5)
            assert said.low <= n <= said.high
            assert said in {stays, Bounds(1, stays.low - 1), Bounds(1, stays.high)}
            assert said.low < said.high


def test_what_is_said_holds_of_every_study_of_several_places() -> None:
    several = (combinations_with_replacement(range(1, LEAST + 2), n) for n in (2, 3, 5, 7))
    for places in chain.from_iterable(several):
        people = sum(places)
        stays = kept(people, places, LEAST)
        assert stays.low <= people <= stays.high
        for gone in range(people + 1):
            steps, model = used(stays, people, {"a": gone}, people - gone, LEAST)
            assert steps["a"].low <= gone <= steps["a"].high, (places, gone)
            assert model.low <= people - gone <= model.high, (places, gone)


def test_few_who_left_make_the_other_end_a_range() -> None:
    found = left({"no_consent": 3}, 5)
    assert str(found.total) == "fewer than 5"
    assert str(Bounds(200, 200) + found.total) == "201 to 204"
    steps, model = used(Bounds(200, 200), 200, {"no_outcome": 3}, 197, 5)
    assert {name: n.short for name, n in steps.items()} == {"no_outcome": "<5"}
    assert str(model) == "196 to 199"


def test_who_are_many_are_counted_beside_who_are_few() -> None:
    found = left({"a": 3, "b": 40, "c": 0}, 5)
    assert text(found.steps) == (("a", "fewer than 5"), ("b", "40"), ("c", "0"))
    assert str(found.total) == "41 to 44"


def test_people_who_left_by_no_recorded_rule_are_hidden_too() -> None:
    steps, model = used(Bounds(200, 200), 200, {}, 197, 5)
    assert steps == {}
    assert str(model) == "196 to 199"


def test_a_study_of_few_people_is_a_small_number_and_so_are_its_places() -> None:
    assert str(kept(3, [3], 5)) == "fewer than 5"
    assert str(kept(90, [3, 87], 5)) == "90"
    assert str(kept(8, [4, 4], 5)) == "2 to 8"


def test_nothing_is_hidden_where_everybody_counts() -> None:
    found = left({"a": 1, "b": 2}, 1)
    assert text(found.steps) == (("a", "1"), ("b", "2"))
    assert found.total == Bounds(3, 3)
