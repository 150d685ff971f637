"""Pairs of numbers of two records, each compared as its kind asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Compared", "compared"]

SAME = 1e-9  # relative; the last bits of what needs no draws depend on the processor


@dataclass(frozen=True)
class Compared:
    """A number of the record beside that of the rebuild.

    ``error`` is the Monte Carlo error of the difference, ``None`` where there is none. ``distance``
    is the difference in such errors: infinite of what has none and is not equal.
    """

    table: str
    row: str
    column: str
    kind: str
    before: Any
    after: Any
    error: float | None
    distance: float
    gone: bool = False
    border: bool = False  # another word, and both within two errors: they agree

    def differs(self, cut: float) -> bool:
        """Whether the number does not agree at a cut in Monte Carlo errors."""
        return self.gone or (self.distance > cut and not self.border)

    def as_dict(self, stage: str) -> dict[str, Any]:
        """What the verdict says of it; JSON has no infinity."""
        both = isinstance(self.before, float) and isinstance(self.after, float)
        return {
            "table": self.table,
            "row": self.row,
            "column": self.column,
            "kind": self.kind,
            "stage": stage,
            "before": self.before,
            "after": "not there" if self.gone else self.after,
            "difference": self.after - self.before if both else None,
            "error": self.error,
            "errors": self.distance if math.isfinite(self.distance) else None,
        }


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Compared]:
    """Each number of the old tables beside the same of the new.

    Parameters
    ----------
    old, new : ``tables`` of two records (:func:`metastudy.record.collect.tables`).

    Yields
    ------
    Compared
        A number that is in the new tables only is none of record, and left out.
    """
    for name, table in old.items():
        other = new.get(name, {"columns": [], "rows": {}})
        places = {column: i for i, column in enumerate(other["columns"])}
        for key, (values, beside) in table["rows"].items():
            found = other["rows"].get(key)
            for i, (column, kind) in enumerate(zip(table["columns"], table["kinds"], strict=True)):
                where = (name, key, column, kind)
                if found is None or column not in places:
                    yield Compared(*where, values[i], None, None, math.inf, gone=True)
                    continue
                at = places[column]
                yield _pair(where, (values[i], beside[i]), (found[0][at], found[1][at]))


def _pair(where: tuple[str, str, str, str], old: tuple[Any, Any], new: tuple[Any, Any]) -> Compared:
    (before, own), (after, others) = old, new
    kind = where[-1]
    if kind == "diagnostic":
        # The side of its gate; without a gate it is written down only.
        apart = own is not None and others is not None and own != others
        return Compared(*where, before, after, None, math.inf if apart else 0.0)
    if before is None or after is None or kind == "word":
        apart = before != after
        words = kind == "word"  # a number that is there in one record only has no candidates
        border = words and apart and (after in (own or ()) or before in (others or ()))
        distance = math.inf if apart and not border else 0.0
        return Compared(*where, before, after, None, distance, border=border)
    if kind == "exact":
        apart = not _same(before, after)
        return Compared(*where, before, after, None, math.inf if apart else 0.0)
    error = math.hypot(own or 0.0, others or 0.0)
    if not math.isfinite(error):
        error = 0.0  # what is not known excuses no difference
    if _same(before, after):
        return Compared(*where, before, after, error or None, 0.0)
    return Compared(
        *where, before, after, error or None, abs(after - before) / error if error else math.inf
    )


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float | int) and isinstance(after, float | int):
        return math.isclose(before, after, rel_tol=SAME, abs_tol=1e-12)
    return bool(before == after)
