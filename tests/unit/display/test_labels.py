"""Words for the names of parameters."""

from __future__ import annotations

import pytest

from helpers.evidence import evidence


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
