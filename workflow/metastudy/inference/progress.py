"""How far chains are, as lines of a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from metastudy.common.progress_lines import PREFIX

__all__ = ["Progress"]

EVERY = 10.0  # seconds between two lines; a fit that is shorter needs none


def _to_log(line: str) -> None:
    print(line, flush=True)


class Progress:
    """Takes what nutpie tells of its chains, and says now and then how far they are.

    It only looks: the draws are the same bits with and without it.

    Parameters
    ----------
    say : takes a line.
    clock : gives seconds.
    """

    def __init__(
        self, say: Callable[[str], None] = _to_log, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.say, self.clock = say, clock
        self.said = clock()

    def __call__(self, chains: Sequence[Any]) -> None:
        """Take the chains as they are: ``finished_draws`` of ``total_draws``, ``divergences``.

        Draws of the warm-up count, as they take their time as well.
        """
        if self.clock() - self.said < EVERY:
            return
        self.said = self.clock()
        done, whole, wrong = (
            sum(getattr(chain, name) for chain in chains)
            for name in ("finished_draws", "total_draws", "divergences")
        )
        self.say(f"{PREFIX}{done} of {whole}, {wrong} divergences")
