"""Tables of the owner's page with a row an estimate, in labels: estimates, and what moved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from metastudy.display.formatting import number
from metastudy.display.labels import Labels
from metastudy.display.page import Table
from metastudy.parcelling.loss import Loss

__all__ = ["estimates_table", "listed", "moved_tables", "place_of"]

_ABOUT = ("Module", "Fit", "Country", "Sector", "Role", "Exposure", "Outcome", "Situation")
_ALWAYS = ("Exposure", "Outcome")  # columns that are there though all rows are of one


def moved_tables(found: Sequence[Loss], did: Mapping[str, Any], labels: Labels) -> list[Table]:
    """What control did to each estimate, unless nothing had to be done."""
    if did["untouched"]:
        return []
    about = [_of_estimate({**asdict(one), "variant": "main"}, one.place, labels) for one in found]
    by = [
        ("not from the rows" if one.added else "not in the parcel", "")
        if one.moved is None or one.wider is None
        else (number(one.moved), number(one.wider))
        for one in found
    ]
    note = "This table is not in the file: beside the parcel it would say something of few people."
    note += _between(did, labels)
    if any(one.added for one in found):
        note += _ADDED
    columns = ("Moved by (standard errors)", "Standard error, times")
    return [_by_estimate("What this did to the estimates", columns, about, by, note)]


_ADDED = (
    " What is not from the rows does not vary within sites there, or takes as many people as there "
    "are; the file has an estimate of it, as sites went."
)


def _between(did: Mapping[str, Any], labels: Labels) -> str:
    """What estimates are of that hold differences between sites too; nothing where none does."""
    if not (names := did.get("between_sites")):
        return ""
    of = listed(labels.exposure_by_id(name).label for name in names)
    return (
        f" Within sites in the rows, and between sites too in the file, are estimates of: {of}. So "
        "they can have moved by more than the people who are gone, and their standard errors take "
        "people whose sites went for independent of each other."
    )


def estimates_table(documents: Mapping[str, Any], labels: Labels) -> Table:
    """All estimates that are in the file, with their standard errors."""
    coded = documents["control.json"].get("interviews")
    unit = "log-odds" if coded else "standard deviations"
    rows = documents["estimates.json"]
    about = [_of_estimate(r, (r["country"], r["sector"], r["role"]), labels) for r in rows]
    values = [(str(r["n"]), number(r["estimate"]), number(r["se"])) for r in rows]
    columns = ("Interviews" if coded else "People", "Estimate", "Standard error")
    note = _between(documents["control.json"], labels).strip()
    return _by_estimate(f"Estimates of this study alone, in {unit}", columns, about, values, note)


def _by_estimate(
    caption: str,
    columns: Sequence[str],
    about: Sequence[Sequence[str]],
    values: Sequence[Sequence[str]],
    note: str = "",
) -> Table:
    """A table with a row an estimate; what all rows have in common is in its caption."""
    apart = [name in _ALWAYS or len({row[k] for row in about}) > 1 for k, name in enumerate(_ABOUT)]
    first = about[0] if about else [""] * len(_ABOUT)
    same = [name for name, own in zip(first, apart, strict=True) if name and not own]
    said = f"{caption} ({listed(same)})." if same else f"{caption}."
    heads = [name for name, own in zip(_ABOUT, apart, strict=True) if own]
    rows = [
        (*(text for text, own in zip(row, apart, strict=True) if own), *value)
        for row, value in zip(about, values, strict=True)
    ]
    return Table(said, (*heads, *columns), rows, heads=len(heads), note=note)


def _of_estimate(row: Mapping[str, Any], place: Sequence[str], labels: Labels) -> tuple[str, ...]:
    """What an estimate is of, in labels, in the order of its columns."""
    return (
        labels.of(row["module"], "modules"),
        row["variant"],
        *place_of(place, labels),
        labels.exposure_by_id(row["exposure"]).label,
        labels.outcome(row["outcome"]),
        labels.of(row["vignette"], "vignettes") if row["vignette"] else "",
    )


def place_of(place: Sequence[str], labels: Labels) -> tuple[str, ...]:
    """Labels of a country, a sector and a role."""
    return tuple(
        labels.of(key, section)
        for key, section in zip(place, ("countries", "sectors", "roles"), strict=True)
    )


def listed(names: Iterable[str]) -> str:
    """Labels, which may have commas in them, one after another."""
    return "; ".join(names)
