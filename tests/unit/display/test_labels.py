"""Words for the names of parameters."""

from __future__ import annotations

import pytest

from helpers.evidence import evidence
from helpers.raw_studies import VOCABULARY
from metastudy.common.unsaid import UNSAID, note
from metastudy.display.labels import Labels


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "tau[Surgery against none_randomised|randomised|depth|published study+setting]",
            ["", "Surgery against none (randomised), depth, published, study and setting in one"],
        ),
        (
            "total_tau[task_type_randomised|randomised|threat_quality]",
            ["Total", "Core against complementary tasks (randomised), threat to service quality"],
        ),
    ],
    ids=["a published contrast is one", "a declared exposure"],
)
def test_a_parameter_is_in_words(name: str, expected: list[str]) -> None:
    assert evidence("all", 1).labels.parameter(name) == expected


def test_studies_that_do_not_say_where_they_are_have_their_labels_in_a_reason() -> None:
    labels = Labels(VOCABULARY, {"b": "A second study"})
    names = [f"{UNSAID}{name}" for name in ("adams2014", "b", "c", "d", "e", "f")]
    some = f"in no component: {note('sector', names[:2])}"
    assert labels.of_reason(some) == (
        "in no component: sector not said by Adams 2014, A second study"
    )
    many = f"has a variance of its own; {note('country', names)}, each a level of its own"
    assert labels.of_reason(many) == (
        "has a variance of its own; country not said by Adams 2014, A second study, C, D, E "
        "and 1 more, each a level of its own"
    )
    assert labels.of_reason("aliased with b") == "aliased with b"
