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
        ("not in the parcel", "")
        if one.moved is None or one.wider is None
        else (number(one.moved), number(one.wider))
        for one in found
    ]
    note = "This table is not in the file: beside the parcel it would say something of few people."
    columns = ("Moved by (standard errors)", "Standard error, times")
    return [_by_estimate("What this did to the estimates", columns, about, by, note)]


def estimates_table(documents: Mapping[str, Any], labels: Labels) -> Table:
    """All estimates that are in the file, with their standard errors."""
    coded = documents["control.json"].get("interviews")
    unit = "log-odds" if coded else "standard deviations"
    rows = documents["estimates.json"]
    about = [_of_estimate(r, (r["country"], r["sector"], r["role"]), labels) for r in rows]
    values = [(str(r["n"]), number(r["estimate"]), number(r["se"])) for r in rows]
    columns = ("Interviews" if coded else "People", "Estimate", "Standard error")
    return _by_estimate(f"Estimates of this study alone, in {unit}", columns, about, values)


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
