"""Countries and sectors that nobody said: each is its study's own, no place that others share.

Two studies that do not say where they were need not have been in the same place, nor in another
one. So what a study does not say is a level of its own, and where no study says it there is no such
grouping: it would be the studies once more.
"""

from __future__ import annotations

from collections.abc import Iterable

from metastudy.common.text import some_of

__all__ = ["NOT_SAID", "UNSAID", "is_unsaid", "note"]

UNSAID = "unknown in "  # before a study's name, of its country or sector that nobody said
NOT_SAID = "not said"  # for the reader; also what becomes of a grouping that no study says
MOST_NAMED = 5


def is_unsaid(level: str) -> bool:
    """Whether a level stands for what a study does not say."""
    return level.startswith(UNSAID)


def note(grouping: str, levels: Iterable[str]) -> str:
    """Which studies do not say their country or sector; empty where all do."""
    names = [level.removeprefix(UNSAID) for level in levels if is_unsaid(level)]
    return f"{grouping} not said by {some_of(names, MOST_NAMED)}" if names else ""
