"""Whether what a parcel says of disclosure control agrees with the rest of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metastudy.parcels.refusals import Refusal

__all__ = ["check_control"]

TOUCHED = ("people_left", "people_with_fewer_outcomes", "people_moved")
NO_RATIOS = {"estimates": 0, "lost": 0, "median": 0, "largest": 0}

Rule = tuple[bool, str, str]  # whether something is wrong, what was found, what is expected


def check_control(documents: Mapping[str, Any], fits: Mapping[tuple[str, str], Any]) -> None:
    """Check ``control.json``, which the article tells, and the people behind estimates.

    Parameters
    ----------
    documents : of the parcel, by name; they keep their schemas.
    fits : the documents of cells by module and variant, not yet checked themselves.

    Raises
    ------
    Refusal
        For the first contradiction.
    """
    did, kept = documents["control.json"], int(documents["study.json"]["rows_kept"])
    rules = (*_of_people(did, documents["study.json"]), *_of_estimates(did, documents, fits))
    for wrong, found, expected in rules:
        if wrong:
            raise Refusal(found, expected, place="control.json")
    for at, row in enumerate(documents["estimates.json"]):
        if row["n"] > kept:
            found = f"{row['n']} people behind an estimate, of {kept} who were kept"
            raise Refusal(found, "no more than were kept", place=f"estimates.json [{at}].n")


def _of_people(did: Mapping[str, Any], study: Mapping[str, Any]) -> Iterator[Rule]:
    kept, left = int(study["rows_kept"]), int(study["rows_read"]) - int(study["rows_kept"])
    found = f"{did['people']} people in cells of {kept} who were kept"
    yield did["people"] > kept, found, "no more people in cells than were kept"
    touched = did["untouched"] and any(did[name] != 0 for name in TOUCHED)
    found = "people who were touched in cells that are said to be untouched"
    yield touched, found, "documents that agree"
    before = kept + left + int(did["least"])  # fewer than the threshold may have left unsaid
    for name, of, most in (
        ("people_left", "rows that were left out", left),
        ("people_with_fewer_outcomes", "people who were kept", kept),
        ("people_moved", "people who were kept", kept),
        ("sites_before", "people at most", before),
        ("settings_without_sites", "people who were kept", kept),
    ):
        wrong = isinstance(did[name], int) and did[name] > most
        yield wrong, f"{did[name]} in '{name}' and {most} {of}", "no more than there are"
    found = f"{did['sites_after']} and {study['sites']} sites"
    yield did["sites_after"] != study["sites"], found, "one number of sites"
    found = f"{did['sites_after']} sites and {kept} people who were kept"
    yield did["sites_after"] > kept, found, "a person at each site at least"
    if said := did.get("interviews"):
        for name, whole in (
            ("read_twice", before),
            ("second_readings_left", said["read_twice"]),
            ("codes_of_settings_left", said["codes_of_settings"]),
        ):
            numbers = isinstance(said[name], int) and isinstance(whole, int)
            found = f"{said[name]} in 'interviews.{name}' of {whole}"
            yield numbers and said[name] > whole, found, "no more than there are"


def _of_estimates(
    did: Mapping[str, Any], documents: Mapping[str, Any], fits: Mapping[tuple[str, str], Any]
) -> Iterator[Rule]:
    given = did.get("intervals") or NO_RATIOS
    there = sum(row["variant"] == "main" for row in documents["estimates.json"])
    compared, lost, added = given["estimates"], given["lost"], did.get("estimates_added", 0)
    yield lost > compared, f"{lost} of {compared} estimates lost", "no more lost than there are"
    found = f"{compared - lost} and {added} new estimates, of which {there} are in the parcel"
    yield compared - lost + added > there, found, "no more than there are"
    found = f"a median of {given['median']} above the largest, {given['largest']}"
    yield given["median"] > given["largest"], found, "a median of at most the largest"
    known = {name for document in fits.values() for name in _exposures(document)}
    if other := [name for name in did.get("between_sites", ()) if name not in known]:
        found = f"'{other[0][:80]}' in 'between_sites', of which there are no cells"
        yield True, found, "exposures of the cells"


def _exposures(document: Any) -> list[Any]:
    """Ids of exposures of a document of cells that may be of any form."""
    names = document.get("coordinates") if isinstance(document, dict) else None
    found = names.get("exposure") if isinstance(names, dict) else None
    return found if isinstance(found, list) else []
