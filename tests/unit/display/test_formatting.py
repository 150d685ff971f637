"""Numbers and lists as a reader sees them."""

from __future__ import annotations

from metastudy.display.formatting import (
    inline,
    interval,
    joined,
    mark,
    number,
    numbered,
    of_all,
    percent,
    probability,
)


def test_numbers_are_written_for_readers() -> None:
    assert number(-0.004) == "0.00"
    assert number(-1.5, 1) == "−1.5"
    assert interval(-0.0003, 0.277) == "−0.0003 to 0.28"
    assert interval(0.004, 0.3) == "0.004 to 0.30"
    assert percent(0.374) == "37%"
    assert probability(0.99999) == "above 0.999"
    assert joined([]) == "none"
    assert inline("US citizens") == "US citizens"
    assert mark(["observed", "simulated"]) == "Simulated and observed data"


def test_one_is_singular_and_one_of_one_is_the_one() -> None:
    assert [numbered(n, "verdict") for n in (0, 1, 2)] == [
        "no verdicts",
        "one verdict",
        "two verdicts",
    ]
    assert numbered(1, "study", "studies", digits=True) == "1 study"
    assert numbered(2, "study", "studies", digits=True) == "2 studies"
    assert of_all(1, 1, "verdict", "change") == "the one verdict changes"
    assert of_all(0, 1, "verdict", "change", digits=True) == "the one verdict does not change"
    assert of_all(1, 2, "verdict", "change", digits=True) == "one of 2 verdicts changes"
    assert of_all(0, 2, "verdict", "change") == "none of two verdicts change"
