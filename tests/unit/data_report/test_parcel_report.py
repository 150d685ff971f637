"""Numbers of a data report that came in a parcel belong together, or the parcel is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helpers.parcel_studies import harmonized, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.data_report.inspection.parcel import _fits
from metastudy.data_report.inspection.study import inspect
from metastudy.data_report.inspection.values import Inspection


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    folder = tmp_path_factory.mktemp("studies")
    return inspect(harmonized(raw_study(folder, "alpha"), folder / "alpha"), VOCABULARY, 5)


def test_the_numbers_of_a_study_belong_together(made: Inspection) -> None:
    assert made.answers is not None
    assert made.answers.items
    assert _fits(made)
    assert _fits(replace(made, answers=None))


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("items", {"shares": (1,)}),
        ("items", {"shares": (), "labels": ()}),
        ("items", {"floor": 999}),
        ("items", {"ceiling": -5}),
        ("items", {"floor": 10**400}),
        ("items", {"floor": "](javascript:alert(1))"}),
        ("items", {"missing": {"system": 900}}),
        ("items", {"low": 7.0, "high": 1.0}),
        ("items", {"item": "x" * 100_000}),
        ("items", {"item_rest": 5.0}),
        ("scales", {"alpha": 7.0}),
        ("scales", {"ceiling": 150}),
    ],
)
def test_what_cannot_be_is_refused(made: Inspection, part: str, changes: dict[str, Any]) -> None:
    assert made.answers is not None
    first, *others = getattr(made.answers, part)
    other = (replace(first, **changes), *others)
    assert not _fits(replace(made, answers=replace(made.answers, **{part: other})))
