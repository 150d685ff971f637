"""Sums that tell few people's answers are found, and numbers that differ by few people."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.parcel_studies import harmonized, parcel_of, raw_study
from metastudy.common.problems import BadInput
from metastudy.parcelling.differences import check_within
from metastudy.parcelling.sums import dominated, few_or_alike
from metastudy.parcels.parcel import Parcel, read

ONE = np.zeros(40, dtype=int)
TWO = np.repeat([0, 1], 20)


def two_values(ones: list[int], version: np.ndarray) -> np.ndarray:
    """An outcome of two values: the first people of each version gave the higher one."""
    value = np.zeros((len(version), 1))
    for v, n in enumerate(ones):
        value[np.flatnonzero(version == v)[:n]] = 100
    return value


def test_the_levels_of_an_outcome_of_two_values_are_counted_by_condition() -> None:
    two = np.array([True])
    assert not few_or_alike(two_values([10, 10], TWO), TWO, two, 10).any()
    assert few_or_alike(two_values([3, 17], TWO), TWO, two, 10).all(), "twenty of forty, as above"
    assert few_or_alike(two_values([20, 10], TWO), TWO, two, 10).all(), "all of one condition"


def test_the_levels_of_two_such_outcomes_are_counted_together() -> None:
    """Twenty of forty each, but two people gave the one answer and not the other."""
    first, second = (np.zeros(40) for _ in range(2))
    first[:20], second[2:22] = 100, 100
    value, two = np.column_stack([first, second]), np.array([True, True])
    assert few_or_alike(value, ONE, two, 10).tolist() == [False, True]
    second[:] = np.tile([0, 100], 20)
    value = np.column_stack([first, second])
    assert not few_or_alike(value, ONE, two, 10).any()


def test_one_person_who_is_most_of_a_sum_is_found() -> None:
    rng = np.random.default_rng(1)
    even = rng.uniform(20, 80, (40, 3))
    top = np.full(3, 100.0)
    assert not dominated(even, top).any()
    one = even.copy()
    one[:, 0], one[0, 0] = 0, 100  # all of the sum
    one[:, 1], one[0, 1] = 100, 40  # all that is missing to the upper end
    one[:, 2] = np.where(np.arange(40) % 2, 50, 51)
    one[0, 2] = 100  # most of the variance and little of the sum
    assert dominated(one, top).tolist() == [True, True, True]


# --- differences ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    folder = tmp_path_factory.mktemp("parcel")
    study = harmonized(raw_study(folder / "raw", "alpha", sites=2), folder / "rows")
    parcel_of(study, folder / "alpha" / "alpha.parcel")
    return read(folder / "alpha" / "alpha.parcel")


def copied(parcel: Parcel) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(parcel.documents))
    return found


def test_numbers_of_a_parcel_that_differ_by_few_people_are_found(parcel: Parcel) -> None:
    check_within("alpha", parcel.documents, 10)
    for document, word in (("estimates.json", "estimates of threat"), ("study.json", "places")):
        changed = copied(parcel)
        if document == "estimates.json":
            changed[document][0]["n"] -= 3  # type: ignore[index]
        else:
            changed[document]["places"][0][3] -= 3  # type: ignore[index]
        with pytest.raises(BadInput, match=word):
            check_within("alpha", changed, 10)
