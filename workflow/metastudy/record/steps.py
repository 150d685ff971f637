"""What each change since the record did: a chain of builds with one change added at a time.

From the record on, in this order: lock and machine, priors and settings, code, data and codebooks,
seed. Old code can only run with the lock of today, so the lock comes first. A part that is the same
is no step, and what is equal to the record or to the build of today needs no build of its own. The
steps of a number are differences between neighbours in the chain, so they sum to its move.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from metastudy.common.problems import BadInput, Problem
from metastudy.record.comparison import Compared, compared
from metastudy.record.verdict import cut_of, differing_inputs, differing_others

__all__ = [
    *("PARTS", "Chain", "Moved", "Step", "changed_parts", "chain_of", "dumped", "moves", "numbers"),
    *("plan", "read"),
]

SCHEMA = 1
PARTS = ("lock", "priors", "code", "data", "seed")
NAMES = {
    "lock": "lock and machine",
    "priors": "priors and settings",
    "code": "code",
    "data": "data and codebooks",
    "seed": "seed",
}
BY_CHANCE = 2.0  # Monte Carlo errors within which a step is called "Monte Carlo"
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A step of the chain: the parts that are as today after it and were not before it."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        names = [NAMES[part] for part in self.parts]
        together = ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
        return together + (", not separated" if len(names) > 1 else "")


@dataclass(frozen=True)
class Moved:
    """A number of record that moved, in all or in one of the steps.

    ``values`` has one more than there are steps, from the record to today, ``None`` where the
    number is not there; ``errors`` has the Monte Carlo error of each step, ``None`` where there is
    none.
    """

    table: str
    row: str
    column: str
    kind: str
    primary: bool
    values: tuple[Any, ...]
    errors: tuple[float | None, ...]
    by_chance: tuple[bool, ...]


@dataclass(frozen=True)
class Chain:
    """All that moved, step by step.

    ``record`` is the checksum of the record, ``build`` that of the numbers of today; ``moved`` how
    many numbers each step moved beyond the cut.
    """

    record: str
    build: str
    steps: tuple[str, ...]
    why: str  # some steps are not separated; empty if all are
    cut: float
    compared: int
    moved: tuple[int, ...]
    numbers: tuple[Moved, ...] = field(repr=False)


def changed_parts(old: Record, new: Record) -> tuple[str, ...]:
    """The parts in which two records differ, in the order of the chain."""
    inputs, others = differing_inputs(old, new), differing_others(old, new)
    differ = {
        "lock": "lock" in others or "machine" in others,
        "priors": "priors" in inputs or "settings" in inputs,
        "code": "code" in others or "keys" in others,
        "data": "raw" in inputs or "codebooks" in inputs,
        "seed": "seed" in others,
    }
    return tuple(part for part in PARTS if differ[part])


def plan(changed: Sequence[str], no_code: bool = False, no_data: bool = False) -> tuple[Step, ...]:
    """The steps of the chain, each of parts that changed.

    Parameters
    ----------
    changed : parts that differ, in the order of :data:`PARTS`.
    no_code : the code of the record cannot be run. Then code and lock come first, as one step.
    no_data : its data are not to be had. Then they change with all that comes before them.

    >>> [step.name for step in plan(["priors", "code", "data"])]
    ['priors and settings', 'code', 'data and codebooks']
    >>> [step.name for step in plan(["lock", "priors", "code", "seed"], no_code=True)]
    ['lock and machine and code, not separated', 'priors and settings', 'seed']
    """
    groups: list[tuple[str, ...]] = [(part,) for part in PARTS]
    if no_code:
        groups = [("lock", "code"), ("priors",), ("data",), ("seed",)]
    if no_data:
        groups = [("lock", "priors", "code", "data"), ("seed",)]
    found = [tuple(part for part in group if part in changed) for group in groups]
    return tuple(Step(parts) for parts in found if parts)


def moves(states: Sequence[Record]) -> tuple[list[Moved], float, int, list[int]]:
    """Numbers of record that moved beyond Monte Carlo error, in all or in one of the steps.

    Parameters
    ----------
    states : ``tables`` of the record, of each build between, and of today.

    Returns
    -------
    numbers, cut, compared, moved
        Primary ones and the farthest first; the cut of the verdict; how many numbers were compared;
        and how many each step moved beyond the cut.
    """
    first, last = states[0], states[-1]
    total = list(compared(first, last))
    cut = cut_of(sum(1 for pair in total if pair.error))
    steps = [
        {(p.table, p.row, p.column): p for p in compared(one, other)}
        for one, other in itertools.pairwise(states)
    ]
    found: list[tuple[float, Moved]] = []
    counts = [0] * len(steps)
    for pair in total:
        key = (pair.table, pair.row, pair.column)
        mine = [step.get(key) for step in steps]
        beyond = [one is not None and one.differs(cut) for one in mine]
        counts = [count + far for count, far in zip(counts, beyond, strict=True)]
        if pair.differs(cut) or any(beyond):
            primary = pair.row in first[pair.table]["primary"]
            values = [_value(state, pair) for state in states]
            found.append((pair.distance, _moved(pair, values, mine, primary)))
    found.sort(key=lambda one: (not one[1].primary, -one[0]))
    return [one for _, one in found], cut, len(total), counts


def _value(tables: Record, pair: Compared) -> Any:
    """The value of a number in other tables, ``None`` where it is not there."""
    table = tables.get(pair.table, {"columns": [], "rows": {}})
    found = table["rows"].get(pair.row)
    there = found is not None and pair.column in table["columns"]
    return found[0][table["columns"].index(pair.column)] if there else None


def _moved(
    pair: Compared, values: Sequence[Any], mine: Sequence[Compared | None], primary: bool
) -> Moved:
    by_chance = (one is not None and one.error and 0 < one.distance <= BY_CHANCE for one in mine)
    return Moved(
        pair.table,
        pair.row,
        pair.column,
        pair.kind,
        primary,
        values=tuple(values),
        errors=tuple(None if one is None else one.error for one in mine),
        by_chance=tuple(bool(one) for one in by_chance),
    )


def chain_of(states: Sequence[Record], steps: Sequence[Step], why: str) -> Chain:
    """The chain of whole records, the first of which is the accepted one."""
    moved, cut, n, counts = moves([state["tables"] for state in states])
    return Chain(
        record=states[0]["checksum"],
        build=numbers(states[-1]["tables"]),
        steps=tuple(step.name for step in steps),
        why=why,
        cut=cut,
        compared=n,
        moved=tuple(counts),
        numbers=tuple(moved),
    )


def numbers(tables: Record) -> str:
    """Checksum of the numbers of a build."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def dumped(chain: Chain) -> str:
    """The chain as JSON, a number on a line."""
    said = {"schema": SCHEMA} | asdict(chain)
    rows = [json.dumps(row, ensure_ascii=False) for row in said.pop("numbers")]
    head = json.dumps(said, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{head},\n "numbers": [\n' + ",\n".join(f"  {row}" for row in rows) + "\n ]\n}\n"


def read(path: Path) -> Chain:
    """Read what :func:`dumped` wrote.

    Raises
    ------
    BadInput
        If it is half-written, of another version or was edited into another form.
    """
    try:
        said = json.loads(path.read_text("utf-8-sig"))
        if not isinstance(said, dict) or said.pop("schema", None) != SCHEMA:
            raise ValueError("another version")
        if place := _misshapen(said):
            raise ValueError(f"{place} of another form")
        own = [Moved(**{k: _fixed(v) for k, v in row.items()}) for row in said.pop("numbers")]
        chain = Chain(**{key: _fixed(value) for key, value in said.items()}, numbers=tuple(own))
        if any(len(one.values) != len(chain.steps) + 1 for one in own):
            raise ValueError("a number without a value for each step")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadInput(
            Problem(
                file=str(path),
                found=f"no chain of changes: {error}",
                expected="what `snakemake changes` wrote",
                fix="snakemake changes",
                code="record",
            )
        ) from None
    return chain


_TEXT, _NUMBER = (str,), (int, float)
_WHOLE: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("record", "build", "why"), _TEXT),
    "cut": _NUMBER,
    "compared": (int,),
}
_LISTS: Mapping[str, tuple[type, ...]] = {"steps": _TEXT, "moved": (int,), "numbers": (dict,)}
_OF_NUMBER: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("table", "row", "column", "kind"), _TEXT),
    "primary": (bool,),
}
_LISTS_OF_NUMBER: Mapping[str, tuple[type, ...]] = {
    "values": (str, int, float, bool, type(None)),
    "errors": (int, float, type(None)),
    "by_chance": (bool,),
}


def _misshapen(said: Mapping[str, Any]) -> str:
    """The first entry of a chain that has another type; one that is missing is found elsewhere."""
    for key in (*_WHOLE, *_LISTS):
        if key in said and not _is(said[key], _WHOLE.get(key, (list,)), _LISTS.get(key)):
            return key
    count = len(said.get("steps", ()))
    for at, row in enumerate(said.get("numbers", ())):
        for key in (*_OF_NUMBER, *_LISTS_OF_NUMBER):
            if key not in row:
                continue
            one, parts = _OF_NUMBER.get(key, (list,)), _LISTS_OF_NUMBER.get(key)
            if not _is(row[key], one, parts):
                return f"{key} of number {at + 1}"
            if key in ("errors", "by_chance") and len(row[key]) != count:
                return f"{key} of number {at + 1}"
    return "moved" if len(said.get("moved", ())) != count else ""


def _is(value: Any, types: tuple[type, ...], parts: tuple[type, ...] | None = None) -> bool:
    """Whether a value has one of some types, and the parts of a list have one of theirs."""
    if type(value) not in types:
        return False
    return parts is None or all(type(part) in parts for part in value)


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
