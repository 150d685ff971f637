"""Two numbers of record: what is there in one record only, and errors that are not known."""

from __future__ import annotations

import math
from typing import Any

import pytest

from metastudy.inference.refit_gates import missed
from metastudy.record.comparison import compared


def record(value: Any, beside: Any) -> dict[str, Any]:
    """The tables of a record of one number."""
    rows = {"row": [[value], [beside]]}
    return {"refits/threat": {"columns": ["mean"], "kinds": ["estimate"], "rows": rows}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((None, None), (0.5, 0.01)),
        ((0.5, 0.01), (None, None)),
        ((0.5, math.inf), (9.0, 0.01)),
        ((0.5, math.nan), (9.0, 0.01)),
    ],
)
def test_a_number_without_its_like_and_an_unknown_error_are_no_agreement(old, new) -> None:
    (found,) = compared(record(*old), record(*new))
    assert found.distance == math.inf


def test_what_is_not_a_number_passes_no_gate() -> None:
    limits = {"rhat": 1.02, "ess_bulk": 200, "divergences": 0}
    assert "R-hat" in missed({"rhat": [math.nan, 1.0]}, 0, limits)
    assert "bulk ESS" in missed({"ess_bulk": [math.nan, 900]}, 0, limits)
    assert missed({"rhat": [1.0], "ess_bulk": [900]}, 0, limits) == ""
