"""What interactions of exposures are called: whoever makes them and whoever shows them agrees."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["INTERACTION", "TIMES", "is_interaction", "parts_of", "times"]

INTERACTION = "interaction"  # the exposure type of all of them
TIMES = ":"  # between the ids of the two exposures, between their names, and between their levels


def times(parts: Iterable[str]) -> str:
    """The ids, names or levels of the two exposures in one; what is empty is left out.

    >>> times(["task_randomised", "trust_measured"])
    'task_randomised:trust_measured'
    """
    return TIMES.join(filter(None, parts))


def is_interaction(exposure: str) -> bool:
    """Whether the id of an exposure is that of an interaction."""
    return TIMES in exposure


def parts_of(exposure: str) -> list[str]:
    """The ids of the exposures that an interaction is of; of another exposure its own id."""
    return exposure.split(TIMES)
