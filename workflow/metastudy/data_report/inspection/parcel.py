"""The inspection of a study that came as a parcel: it was made at the owner's, and is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from json import dumps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from metastudy.data_report.inspection.values import Inspection
from metastudy.harmonized.study import Study
from metastudy.parcels.parcel import read
from metastudy.parcels.refusals import Refusal, refused

__all__ = ["inspected_at_home", "is_of"]

_LONGEST = 1000  # letters of the name of an item
_DEEPEST = 8  # levels of a value that may be anything


def inspected_at_home(study: Study, path: Path) -> Inspection:
    """Give the numbers of the data report that a parcel carries; the file read is the parcel.

    Raises
    ------
    BadInput
        ``parcel`` where they are not the numbers of a data report.
    """
    carried = read(path, study.id).documents["report.json"]
    try:
        found = Inspection.from_json(dumps(carried))
        sound = is_of(Inspection, found) and _fits(found)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        sound = False
    if not sound:
        said = Refusal(
            "a data report of another form", "the numbers of a data report", place="report.json"
        )
        raise refused(path, said, study.id)
    report = study.report
    reading = replace(
        found.reading,
        file=report["file"],
        format=report["format"],
        sha256=report["sha256"],
        notes=tuple(report["notes"]),
    )
    return replace(found, reading=reading, provenance=study.provenance)


def _fits(found: Inspection) -> bool:
    """Whether numbers of answers belong together, and shares are shares."""
    if not found.answers:
        return True
    items, scales = found.answers.items, found.answers.scales
    parts = [part for item in items for part in (item.floor, item.ceiling)]
    parts += [part for scale in scales for part in (scale.floor, scale.ceiling)]
    parts += [p for one in items for p in (*one.shares, *one.missing.values(), one.all_missing)]
    at_most_one = [one.item_rest for one in items]
    at_most_one += [n for one in scales for n in (one.alpha, one.low, one.high, one.omega)]
    return (
        all(len(one.labels) == len(one.shares) > 0 for one in items)
        and all(one.low < one.high and len(one.item) <= _LONGEST for one in items)
        and all(re.fullmatch(r"[<>≥]?\d{1,6}", str(part)) for part in parts if part is not None)
        and all(not isinstance(part, int) or part <= 100 for part in parts)
        and all(number is None or number <= 1 for number in at_most_one)
    )


def is_of(kind: Any, value: Any) -> bool:
    """Whether a value is of the type that an annotation names, down to its last part."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(is_of(one, value) for one in get_args(kind))
    if kind is NoneType:
        return value is None
    if origin is tuple:
        return isinstance(value, tuple) and all(is_of(get_args(kind)[0], one) for one in value)
    if origin is not None and issubclass(origin, Mapping):
        inside = get_args(kind)[1]
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and is_of(inside, one) for key, one in value.items()
        )
    if kind is Any:
        return _plain(value)
    if is_dataclass(kind):
        of = get_type_hints(kind)
        return type(value) is kind and all(
            is_of(of[field.name], getattr(value, field.name)) for field in fields(kind)
        )
    if kind is float:
        return type(value) in (int, float)
    return type(value) is kind


def _plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, Mapping):
        inside: Any = [*value.keys(), *value.values()]
    else:
        inside = value if isinstance(value, (list, tuple)) else ()
    return depth < _DEEPEST and all(_plain(one, depth + 1) for one in inside)
