"""What all tests share: the record of the long ones, and the fixture by which they report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.long_record import FIGURE, LongRecord


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LongRecord(config), "long-record")


def weight(item: pytest.Item) -> int:
    """How long a test may take, by its marks."""
    marks = {mark.name for mark in item.iter_markers()}
    return 4 * ("ci" in marks or "long" in marks) + 2 * ("fit" in marks) + ("slow" in marks)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first: begun last, they keep one worker busy after the others.

    A test of the long target has no limit of time: beside other work it may take hours.
    """
    heaviest: dict[str, int] = {}
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(0))
        file = item.nodeid.partition("::")[0]
        heaviest[file] = max(weight(item), heaviest.get(file, 0))
    items.sort(key=lambda item: -heaviest[item.nodeid.partition("::")[0]])


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Take down what a test found, for its row of `long.csv`: ``figures(covered=0.94)``."""

    def record(**found: float | str) -> None:
        for name, value in found.items():
            shown = f"{value:.4g}" if isinstance(value, float) else value
            record_property(f"{FIGURE}{name}", shown)

    return record
