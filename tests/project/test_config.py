"""The configuration is checked before anything runs, and numbers are what they are meant to be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from helpers.repository import ROOT
from metastudy.common.problems import BadInput
from metastudy.config import checked


def with_retries(value: object) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    found["sampling"]["retries"] = value
    return found


@pytest.mark.parametrize("value", [2, 2.0, "2", "2.0"], ids=repr)
def test_a_whole_number_counts_however_it_is_written(value: object) -> None:
    found = checked(with_retries(value))["sampling"]["retries"]
    assert (found, type(found)) == (2, int)


@pytest.mark.parametrize(
    "value", [1.5, -1, 6, True, None, "two", float("inf"), float("nan")], ids=repr
)
def test_what_is_no_number_of_retries_is_an_error_that_names_the_key(value: object) -> None:
    with pytest.raises(BadInput) as refused:
        checked(with_retries(value))
    assert {problem.column for problem in refused.value.problems} == {"sampling.retries"}
