"""Places in the overview of the studies: in the vocabulary's order, and where one is not said."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from helpers.raw_studies import VOCABULARY
from metastudy.data_report.inspection.values import Place
from metastudy.data_report.pages import overview, reading
from metastudy.display.labels import Labels
from metastudy.display.page import Picture, Table

HERE = Place("US", "social_care", "professional", None, 9)
NOWHERE = Place(None, "elderly_care", "professional", "state_policy", 9)


def test_a_place_that_one_study_does_not_say_is_beside_those_of_others() -> None:
    """A table of some that are said and some that are not has these as missing numbers."""
    more: dict[str, Any] = {"published": None, "provenance": "simulated"}
    studies = [
        SimpleNamespace(study=str(at), places=(place,), exposure_types=("randomised",), **more)
        for at, place in enumerate((HERE, NOWHERE, replace(HERE, country="DK")))
    ]
    parts = overview._grid(cast(Any, studies), Labels(VOCABULARY, {}))
    (rows,) = (part.rows for part in parts if isinstance(part, Table))
    assert [row[1] for row in rows] == ["United States", "Not said", "Denmark"]
    assert [row[4] for row in rows] == ["Not said", "State policy", "Not said"]
    (drawing,) = (part.svg for part in parts if isinstance(part, Picture))
    assert 0 < drawing.index("Denmark") < drawing.index("United States")


def test_places_of_a_study_are_in_the_vocabulary_s_order_and_studies_as_they_come() -> None:
    order = list(VOCABULARY["countries"])
    keys = sorted(order)[:4]
    assert keys != sorted(keys, key=order.index)
    own = tuple(replace(HERE, country=key) for key in keys)
    more: dict[str, Any] = {"published": None, "provenance": "simulated"}
    studies = [
        SimpleNamespace(study=name, places=own, exposure_types=("randomised",), **more)
        for name in ("b", "a")
    ]
    labels = Labels(VOCABULARY, {})
    expected = [labels.of(key, "countries") for key in sorted(keys, key=order.index)]
    parts = overview._grid(cast(Any, studies), labels)
    (rows,) = (part.rows for part in parts if isinstance(part, Table))
    assert [row[1] for row in rows] == [*expected, *expected]
    assert [row[0] for row in rows] == ["B"] * 4 + ["A"] * 4
    (drawing,) = (part.svg for part in parts if isinstance(part, Picture))
    assert drawing.index(expected[0]) < drawing.index(expected[1])
    one = SimpleNamespace(places=own, published=None, coding=None)
    (table,) = reading.places(cast(Any, one), labels)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == expected
