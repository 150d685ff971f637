"""Where there is one, nothing is said to be one of one; where none is, the words are none."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from metastudy.article.topics import convergence, selection
from metastudy.article.topics.published import OUTCOMES, sign_test_sentence
from metastudy.display.sentences import power_scaled


def with_signs(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=OUTCOMES)


SIGNS = {"positive": 5, "negative": 1, "share": 0.83, "lower": 0.36, "upper": 0.99}


def test_one_outcome_with_a_sign_test_is_the_one() -> None:
    one = sign_test_sentence(with_signs(SIGNS))
    assert one.startswith("The one exposure and outcome has several data sets with a sign; those")
    several = sign_test_sentence(with_signs(SIGNS, {"positive": 1, "negative": 0}))
    assert several.startswith("One of two exposures and outcomes has several data sets")


@pytest.mark.parametrize(
    ("missed", "total", "expected"),
    [
        (0, 1, "The one gate was passed."),
        (1, 1, "The one gate was missed."),
        (1, 2, "One of the 2 gates was missed."),
        (0, 2, "All 2 gates were passed."),
    ],
)
def test_one_gate_is_the_one(missed: int, total: int, expected: str) -> None:
    assert convergence._missed(missed, total) == expected


@pytest.mark.parametrize(
    ("n", "total", "expected"),
    [
        (0, 1, "the one published effect is not"),
        (1, 1, "the one published effect is"),
        (0, 4, "of four published effects none is"),
        (1, 4, "of four published effects one is"),
        (3, 4, "of four published effects three are"),
    ],
)
def test_published_effects_that_are_significant_are_counted_in_words(
    n: int, total: int, expected: str
) -> None:
    assert selection._affirmative(n, total) == expected


@pytest.mark.parametrize(
    ("prior", "both", "total", "expected"),
    [
        (0, 0, 1, "does not find the population effect sensitive to the prior."),
        (1, 1, 1, "finds the population effect sensitive to the prior, and to the likelihood as "
         "well."),
        (1, 0, 3, "finds one of 3 population effects sensitive to the prior, none of them to the "
         "likelihood as well."),
    ],
)  # fmt: skip
def test_what_power_scaling_finds_of_one_effect_is_said_of_it(
    prior: int, both: int, total: int, expected: str
) -> None:
    said = power_scaled(prior, both, total, "population effect", digits=True)
    assert said == f"Power-scaling {expected}"
