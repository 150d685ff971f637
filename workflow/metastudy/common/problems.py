"""What is said when an input is wrong: every problem at once, each with its place and its cure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from metastudy.common.text import some_of

__all__ = ["MAX_ROWS_NAMED", "BadInput", "MetastudyError", "Problem", "place_of_rows"]

MAX_ROWS_NAMED = 8  # where the same thing is wrong in many rows


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with one input.

    Parameters
    ----------
    file : the file as the user knows it, relative to the project's root.
    found, expected : what is there, and what may be there.
    fix : where and how to put it right.
    study, row, column : the place; a row is numbered as the file's own program numbers it.
    code : a stable name of the kind of problem, such as ``off-scale``.
    """

    file: str
    found: str
    expected: str
    fix: str
    study: str | None = None
    row: int | str | None = None
    column: str | None = None
    code: str = "bad-input"

    def __str__(self) -> str:
        place = ", ".join(
            f"{name} {value}"
            for name, value in (("row", self.row), ("column", self.column))
            if value is not None
        )
        head = f"[{self.code}] {self.file}" + (f", {place}" if place else "")
        study = f"\n    study:    {self.study}" if self.study else ""
        return (
            f"{head}{study}\n    found:    {self.found}\n    expected: {self.expected}"
            f"\n    fix:     {self.fix}"
        )


def place_of_rows(rows: Sequence[int]) -> int | str:
    """Spell the place of one problem of several rows; at most :data:`MAX_ROWS_NAMED` are named.

    >>> place_of_rows([3]), place_of_rows([3, 4]), place_of_rows(range(1, 11))
    (3, '3, 4', '1, 2, 3, 4, 5, 6, 7, 8 and 2 more')
    """
    return rows[0] if len(rows) == 1 else some_of(rows, MAX_ROWS_NAMED)


class MetastudyError(Exception):
    """An error whose message is meant for the user: it is printed without a traceback."""


class BadInput(MetastudyError):
    """One or more :class:`Problem` of one input, reported together."""

    def __init__(self, problems: Problem | Iterable[Problem]):
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        count = len(self.problems)
        head = f"{count} problem{'s' if count > 1 else ''} in the input; nothing was written."
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))
