"""The owner's page in short: what the file is, and of what control can do that which it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metastudy.parcelling.codes import OTHERS

__all__ = ["in_short"]


def in_short(documents: Mapping[str, Any], least: int) -> list[str]:
    """What to know before the rest of the page is read, a text a paragraph.

    Parameters
    ----------
    documents : of the parcel, by name.
    least : smallest number of people, or of interviews, behind a sum.
    """
    did, estimates = documents["control.json"], len(documents["estimates.json"])
    coded = bool(did.get("interviews"))
    of, sums = ("interviews", "Counts of codes") if coded else ("people", "Sums")
    said = (
        f"{sums} over {did['people']} {of}, none of fewer than {least}, and {estimates} estimates "
        "that follow from them. No row of anybody is in the file."
    )
    if did["untouched"]:
        return [said, "Disclosure control had nothing to do."]
    kind = _of_codes(did) if coded else _of_answers(did)
    parts = [_left(did, of), *kind, _sites(did, documents, coded), _between(did)]
    return [said, " ".join(part for part in parts if part)]


def _left(did: Mapping[str, Any], of: str) -> str:
    if not did["people_left"]:
        return f"Disclosure control took no {of} out."
    return f"Disclosure control took {_number(did['people_left'])} {of} out."


def _of_answers(did: Mapping[str, Any]) -> list[str]:
    fewer = did["people_with_fewer_outcomes"]
    others = "others" if did["people_left"] else "people"
    return [f"It left out some answers of {_number(fewer)} {others}."] if fewer else []


def _of_codes(did: Mapping[str, Any]) -> list[str]:
    """Counts and second readings that are left out, each where there are some."""
    of, said = did["interviews"], []
    if left := of["codes_of_settings_left"]:
        said.append(
            f"It left out {left} of {of['codes_of_settings']} counts of a code in a setting."
        )
    if second := of["second_readings_left"]:
        said.append(f"Of {_number(second)} interviews that two coders read, some or all codes are "
                    "counted as one coder found them.")  # fmt: skip
    return said


def _sites(did: Mapping[str, Any], documents: Mapping[str, Any], coded: bool) -> str:
    """What became of sites; nothing where there were none or all are as before."""
    before, after, moved = (did[key] for key in ("sites_before", "sites_after", "people_moved"))
    sites, of = ("organisations", "interviews") if coded else ("sites", "people")
    if not before or (not moved and before == after):
        return ""
    were = f"There were {before} {sites}" if before > 1 else f"There was one {sites.rstrip('s')}"
    if not after:
        return f"{were}, of which none is left, so the file does not tell them apart."
    if not moved:
        return f"Of {before} {sites} {after} are left."
    where = "with others, for one code at least" if coded else "at others"
    levels, none = (False, False) if coded else _others(documents)
    if did["settings_without_sites"] and none:
        where = "at others or at no site"
    as_one = "others of a setting counted as one"
    if levels:
        as_one += " (of each level of what is the same for all of a site)"
    return f"{were}, now there are {after}, {as_one}; {_number(moved)} {of} are {where}."


def _others(documents: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether some setting has others of several levels, and whether some has no site."""
    levels, none = False, False
    for document in (one for name, one in documents.items() if name.startswith("cells/")):
        numbers, sites = document["numbers"], document["coordinates"]["site"]
        others = [
            setting
            for site, setting in zip(sites, numbers["setting_of_site"], strict=True)
            if OTHERS in site
        ]
        levels |= len(set(others)) < len(others)
        none |= 0 in numbers["sited"]
    return levels, none


def _between(did: Mapping[str, Any]) -> str:
    """That estimates hold differences between sites too; nothing where none does."""
    if not (number := len(did.get("between_sites") or ())):
        return ""
    of = "one exposure" if number == 1 else f"{number} exposures"
    return f"So estimates of {of} hold differences between sites too."


def _number(of: int | str) -> str:
    """A number that may be a small one, which a parcel does not say."""
    return of.replace("<", "fewer than ") if isinstance(of, str) else str(of)
