"""The form of cells as a document: which names and numbers there are, spelt and read back.

A float is spelt by its shortest decimal that is read back as the same float, so nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from metastudy.parcels.parcel import Parcel
from metastudy.parcels.refusals import Refusal

__all__ = ["Form", "Wrong", "agree", "opened", "spelt"]

ATTRIBUTES = ("model", "data", "module", "variant", "studies", "dropped", "vocabulary")
LONGEST = 200  # characters of a name
MAY_BE_EMPTY = ("vignette",)  # coordinates in which a name may be the empty text

Wrong = Callable[[str, str], Refusal]


@dataclass(frozen=True)
class Form:
    """Cells of one kind of model.

    Attributes
    ----------
    coordinates : names of those that a document holds.
    numbers : dimensions and type of each variable of numbers.
    texts : dimension of each variable of texts.
    may_miss : numbers that are null where there are none.
    same : dimensions that have the size of a coordinate under another name.
    fixed : coordinates that are the same in all documents, and so in none.
    """

    coordinates: tuple[str, ...]
    numbers: Mapping[str, tuple[tuple[str, ...], type]]
    texts: Mapping[str, str]
    may_miss: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def spelt(cells: xr.Dataset, form: Form) -> dict[str, Any]:
    """Spell the cells of one study as a document."""
    return {
        "coordinates": {name: [str(v) for v in cells[name].values] for name in form.coordinates},
        "numbers": {name: _listed(cells[name].values) for name in form.numbers},
        "texts": {name: [str(v) for v in cells[name].values] for name in form.texts},
        "attributes": {name: str(cells.attrs[name]) for name in ATTRIBUTES},
    }


def _listed(values: np.ndarray) -> Any:
    if values.dtype.kind == "f" and np.isnan(values).any():
        found = values.astype(object)
        found[np.isnan(values)] = None
        return found.tolist()
    return values.tolist()


def opened(document: Any, form: Form, wrong: Wrong) -> xr.Dataset:
    """Read a document back, checked for names, types and sizes.

    Raises
    ------
    Refusal
        As ``wrong`` makes it, for what is not of this form.
    """
    wanted: Mapping[str, Any] = {
        "coordinates": form.coordinates,
        "numbers": form.numbers,
        "texts": form.texts,
        "attributes": ATTRIBUTES,
    }
    if not isinstance(document, dict) or set(document) != set(wanted):
        raise wrong("another structure", f"an object of {', '.join(sorted(wanted))}")
    for part, names in wanted.items():
        found = document[part]
        if not isinstance(found, dict) or set(found) != set(names):
            raise wrong(f"other names in '{part}'", f"{', '.join(names)}")
    said = document["coordinates"]
    coordinates = {name: _names(said[name], name, wrong) for name in form.coordinates}
    coordinates |= {name: np.array(of, dtype=str) for name, of in form.fixed.items()}
    sizes = {name: len(of) for name, of in coordinates.items()}
    sizes |= {name: sizes[of] for name, of in form.same.items()}
    variables: dict[str, Any] = {}
    for name, (dims, kind) in form.numbers.items():
        values, missing = document["numbers"][name], name in form.may_miss
        variables[name] = (dims, _array(values, name, dims, kind, sizes, wrong, missing))
    for name, dim in form.texts.items():
        of = _names(document["texts"][name], name, wrong, empty=True)
        if len(of) != sizes[dim]:
            raise wrong(f"'{name}' of {len(of)}", f"one of each {dim}, {sizes[dim]}")
        variables[name] = (dim, of)
    attributes = {name: document["attributes"][name] for name in ATTRIBUTES}
    if not all(isinstance(value, str) and len(value) < 10**6 for value in attributes.values()):
        raise wrong("an attribute that is no text", "attributes that are texts")
    return xr.Dataset(variables, coordinates, attributes)


def agree(
    cells: xr.Dataset, parcel: Parcel, kind: str, module: str, variant: str, wrong: Wrong
) -> None:
    """Check that the attributes of cells agree with the rest of their parcel.

    Raises
    ------
    Refusal
        As ``wrong`` makes it, for cells of something else.
    """
    attrs = cells.attrs
    said = (attrs["model"], attrs["module"], attrs["variant"])
    if said != (kind, module, variant):
        raise wrong(f"cells of {', '.join(said)[:80]}", f"{kind}, {module}, {variant}")
    try:
        about, dropped = json.loads(attrs["studies"]), json.loads(attrs["dropped"])
        added = json.loads(attrs["vocabulary"])
        one = {k: parcel.study["codebook"][k] for k in ("citation", "response_mode", "provenance")}
        agrees = about == {parcel.id: one} and added == parcel.study["vocabulary"]
        agrees &= all(
            set(d) == {"study", "rule", "rows"}
            and type(d["rows"]) is int
            and d["study"] == parcel.id
            for d in dropped
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        agrees = False
    if not agrees:
        raise wrong("attributes that do not agree with study.json", "those of its codebook")
    if set(cells.study.values) != {parcel.id}:
        raise wrong("cells of another study", f"cells of {parcel.id} alone")


def _names(of: Any, name: str, wrong: Wrong, empty: bool = False) -> np.ndarray:
    sound = isinstance(of, list) and all(isinstance(v, str) and len(v) <= LONGEST for v in of)
    if not sound or not (empty or name in MAY_BE_EMPTY or all(of)):
        raise wrong(f"'{name}' that is no list of names", f"texts of at most {LONGEST} characters")
    return np.array(of, dtype=str) if of else np.array([], dtype="<U1")


def _array(
    values: Any,
    name: str,
    dims: tuple[str, ...],
    kind: type,
    sizes: dict[str, int],
    wrong: Wrong,
    may_miss: bool,
) -> np.ndarray:
    """One variable as an array of its kind; the first of a new dimension sets its size."""
    try:
        found = np.array(values, dtype=object)
    except ValueError:
        found = np.array(None)
    if found.ndim == 1 and len(dims) > 1 and found.size == 0:
        found = found.reshape(0, *(sizes.get(dim, 0) for dim in dims[1:]))
    wanted = tuple(sizes.setdefault(d, n) for d, n in zip(dims, found.shape, strict=False))
    if found.ndim != len(dims) or found.shape != wanted:
        raise wrong(
            f"'{name}' of the shape {found.shape}", f"{wanted or dims}, by {', '.join(dims)}"
        )
    types = {float: (int, float), int: (int,), bool: (bool,)}
    base = {np.float64: float, np.bool_: bool}.get(kind, int)
    flat = found.ravel().tolist()
    if base is float and may_miss:
        flat = [float("nan") if v is None else v for v in flat]
    if not all(type(v) in types[base] for v in flat):
        raise wrong(f"a value in '{name}' that is no {base.__name__}", f"{base.__name__}s")
    try:
        array: np.ndarray = np.array(flat, dtype=kind).reshape(found.shape)
    except OverflowError:
        raise wrong(
            f"a number in '{name}' that is too large", "numbers of people's answers"
        ) from None
    if base is float and (np.isinf(array).any() or (np.isnan(array).any() and not may_miss)):
        raise wrong(f"a number in '{name}' that is not finite", "finite numbers")
    return array
