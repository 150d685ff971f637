"""What all tests share: the record of the long ones, and the fixture by which they report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.long_record import FIGURE, LongRecord


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LongRecord(config), "long-record")


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Take down what a test found, for its row of `long.csv`: ``figures(covered=0.94)``."""

    def record(**found: float | str) -> None:
        for name, value in found.items():
            shown = f"{value:.4g}" if isinstance(value, float) else value
            record_property(f"{FIGURE}{name}", shown)

    return record
