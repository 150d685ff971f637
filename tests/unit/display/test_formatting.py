"""Numbers and lists as a reader sees them."""

from __future__ import annotations

from metastudy.display.formatting import (
    inline,
    interval,
    joined,
    mark,
    number,
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
