"""The data report as equations of the attack: against all data sets, printed one by one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.parcel_attack import Share, Sums, solved_together
from helpers.parcel_studies import harmonized, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.disclosure import shares
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.parcelling import sums as telling
from metastudy.parcelling.control import control
from metastudy.parcelling.data_sets import other_data_sets
from metastudy.parcelling.flow import as_it_may_go
from metastudy.parcelling.lattice import Lattice
from metastudy.parcelling.reported import Reported, bits_of_report, reported_of

TOP, LEAST, PEOPLE = 4, 3, 8
NAME = ("answer", "")
VERSION = np.repeat([0, 1], PEOPLE // 2)


def study(items: int) -> Study:
    """A table of one construct, of which only the number of items is read."""
    table = pd.DataFrame(
        {
            "construct": NAME[0],
            "vignette": None,
            "item_id": [f"i{i}" for i in range(items)],
            "scale_min": 0.0,
            "scale_max": float(TOP),
            "missing_reason": None,
        }
    )
    return Study({"study": "made"}, {"measurements": table})


def lattice(value: np.ndarray) -> Lattice:
    return Lattice(value, np.ones_like(value), np.array([TOP]), [NAME])


def report(value: np.ndarray, items: int = 1) -> Reported:
    return reported_of(study(items), lattice(value), np.ones_like(value, dtype=bool), LEAST)


def printed(value: np.ndarray, items: int = 1) -> list[object]:
    """What is in a parcel, made of the answers themselves as the data report makes it."""
    counts = np.bincount(value.ravel(), minlength=TOP + 1).tolist()
    both = [shares([n, len(value) - n], LEAST)[0] for n in (counts[0], counts[-1])]
    found = [*both, *(shares(counts, LEAST) if items == 1 else [])]
    return [f"<{LEAST}" if one == 0 else one for one in found]


def told(value: np.ndarray) -> Sums:
    x = np.column_stack([np.ones(len(value)), VERSION - 0.5])
    return Sums(x, x.T @ value, value.T @ value, np.full(1, TOP))


def all_with(value: np.ndarray, items: int | None) -> set[tuple[int, ...]]:
    """Every data set with the sums of these answers, and the same report if one is given."""
    found = set()
    each = list(itertools.combinations_with_replacement(range(TOP + 1), PEOPLE // 2))
    for one, other in itertools.product(each, each):
        new = np.array([*one, *other])[:, None]
        same = new[: PEOPLE // 2].sum() == value[: PEOPLE // 2].sum()
        same &= new.sum() == value.sum() and (new**2).sum() == (value**2).sum()
        if same and (items is None or printed(new, items) == printed(value, items)):
            found.add((*one, *other))
    return found


def answers(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, TOP + 1, (PEOPLE, 1))


def equations(value: np.ndarray, items: int = 1) -> list[Share]:
    """What the report tells, as the attack takes it."""
    own = report(value, items)
    counts = np.array([(value == low).sum() for low in own.ranges[0][:, 0]])
    known = own.room[0] + counts[:, None]
    return [
        Share(0, int(low), *limits)
        for (low, high), limits in zip(own.ranges[0], known.tolist(), strict=True)
        if low == high
    ]


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_the_attack_with_the_report_finds_the_data_sets_that_have_it(seed: int, items: int) -> None:
    value = answers(seed)
    found = solved_together([told(value)], [(0,)], (), equations(value, items), most=10_000)
    mine = {tuple(one.ravel().tolist()) for one in found}
    expected = all_with(value, items)
    sets = {(*sorted(one[: PEOPLE // 2]), *sorted(one[PEOPLE // 2 :])) for one in mine}
    assert sets >= expected, "none that has the report is left out"
    wide = sets - expected
    assert len(wide) <= len(all_with(value, None)) - len(expected)
    if items == 3:
        assert not wide, "of two ends with a known rule, ranges are all that a reader knows"


def test_the_report_gives_answers_away_that_the_sums_do_not() -> None:
    """So an attack without it is too weak."""
    alone = together = 0
    for seed in range(40):
        value = answers(seed)
        without = solved_together([told(value)], [(0,)], most=100)
        beside = solved_together([told(value)], [(0,)], (), equations(value), most=100)
        alone, together = alone + (len(without) == 1), together + (len(beside) == 1)
    assert together > alone


@pytest.mark.parametrize("seed", range(8))
def test_what_is_exhibited_has_the_same_report(seed: int) -> None:
    value = answers(seed)
    with_it = other_data_sets(lattice(value), VERSION, reported=report(value))
    number = len(solved_together([told(value)], [(0,)], (), equations(value), most=10_000))
    assert 1 <= with_it.number <= number
    if number == 1:
        assert with_it.fixed.all()


def test_answers_that_the_report_holds_are_fixed_and_without_it_are_not() -> None:
    """Nobody more may give an answer, and nobody fewer: who gave it cannot give another one."""
    rng = np.random.default_rng(1)
    value, version = rng.integers(0, 13, (40, 1)), np.repeat([0, 1], 20)
    cell = Lattice(value, np.ones_like(value), np.array([12]), [NAME])
    assert other_data_sets(cell, version).safe
    low, high = np.array([[0, 5]]), np.zeros((1, 2))
    held = Reported((low,), (high,))
    assert not held.same(value, np.where(value == value[value <= 5].max(), 6, value))
    each = Reported((np.column_stack([np.arange(13)] * 2),), (np.zeros((13, 2)),))
    found = other_data_sets(cell, version, reported=each)
    assert found.number < other_data_sets(cell, version).number


def test_control_keeps_a_cell_at_home_that_only_the_report_gives_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = harmonized(raw_study(tmp_path, "alpha", sites=2, each=20), tmp_path / "alpha")
    assert control(made, VOCABULARY, 5).did["untouched"]

    def exact(*args: object) -> Reported:
        """A report that tells how many gave each answer."""
        found = reported_of(*args)  # type: ignore[arg-type]
        every = np.column_stack([np.arange(19)] * 2)
        return replace(found, ranges=(every,) * 2, room=(np.zeros((19, 2)),) * 2)

    monkeypatch.setattr("metastudy.parcelling.control.reported_of", exact)
    assert not control(made, VOCABULARY, 5).did["untouched"]


def test_a_large_cell_must_have_bits_beyond_those_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells that are not searched: all numbers that the report tells of answers are counted."""
    made = harmonized(raw_study(tmp_path, "alpha", sites=1, each=70), tmp_path / "alpha")
    # two constructs of three items with seven answers, nobody without one
    assert bits_of_report(made) == pytest.approx(2 * (3 * (7 + 4) + 6) * np.log2(201))
    assert telling.SEARCHED < 140
    assert control(made, VOCABULARY, 5).did["untouched"]
    monkeypatch.setattr("metastudy.parcelling.control.bits_of_report", lambda study: 1e6)
    with pytest.raises(Exception, match="solved for the answers"):
        control(made, VOCABULARY, 5)


def test_more_than_few_whose_share_rounds_to_zero_look_like_nobody_too() -> None:
    """24 of 5,000 are not fewer than 10, and 0 per cent would say that somebody gave the answer."""
    shown = shares([24, 4976], 10)
    assert shown == [0, 100]
    item = {"floor": shown[0], "ceiling": "<10", "shares": [*shown, "<10"]}
    report = {"smallest_cell": 10, "answers": {"items": [item], "scales": []}}
    (found,) = as_it_may_go(report, 5000)["answers"]["items"]
    assert found == {"floor": "<25", "ceiling": "<25", "shares": ["<25", 100, "<25"]}
    value = np.repeat([0, 12, 5], [24, 9, 4967])[:, None]
    lattice = Lattice(value, np.ones_like(value), np.array([12]), [NAME])
    made = reported_of(study(3), lattice, np.ones(value.shape, dtype=bool), 10)
    assert made.room[0].tolist() == [[-24, 0], [-9, 15]], "both may be of nobody to 24 people"


def test_an_outcome_that_leaves_all_cells_is_no_longer_told(tmp_path: Path) -> None:
    made = harmonized(raw_study(tmp_path, "alpha", sites=2, each=20, missing=76), tmp_path / "a")
    with pytest.raises(BadInput) as caught:
        control(made, VOCABULARY, 5)
    assert {problem.code for problem in caught.value.problems} == {"constant-outcome"}


def test_nobody_and_few_look_the_same_in_a_parcel() -> None:
    item = {"floor": 0, "ceiling": "<10", "shares": [0, 40, "<10", 60], "item_rest": 0.4321}
    scale = {"floor": "<10", "ceiling": 0, "alpha": 0.81234}
    report = {"smallest_cell": 10, "answers": {"items": [item], "scales": [scale]}}
    found = as_it_may_go(report, 200)
    (item,), (scale,) = found["answers"]["items"], found["answers"]["scales"]
    assert item == {"floor": "<10", "ceiling": "<10", "shares": ["<10", 40, "<10", 60],
                    "item_rest": 0.43}  # fmt: skip
    assert scale == {"floor": "<10", "ceiling": "<10", "alpha": 0.81}
