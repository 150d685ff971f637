"""Disclosure control of a study of coded interviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from metastudy.codebook.codebook import PublishedTable
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import disclosure
from metastudy.harmonized.study import Study
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.readings import at_units, codes_of
from metastudy.parcelling.codes import Coarser, coarser_codes
from metastudy.parcelling.controlled import LEAST, Controlled, modules_of, no_parcel
from metastudy.parcelling.flow import public_report
from metastudy.parcels.codes import ALIKE, PLACES

__all__ = ["control_interviews", "parts_in", "told_of_interviews"]


def parts_in(study: Study, module: str, vocabulary: Vocabulary) -> dict[str, str]:
    """Codes of a study that are a part of another code of it, with that one.

    Counted as one code they cannot go out beside both: the three counts together tell how many
    interviews have both codes, and that is a pattern of one person's codings.
    """
    whole = vocabulary.folding(codes_of(study, module, vocabulary))
    return {part: of for part, of in whole.items() if part != of}


def control_interviews(
    study: Study, vocabulary: Vocabulary, smallest: int, tables: Sequence[PublishedTable] = ()
) -> Controlled:
    """Make counts of codes coarse enough that they tell nobody's codings.

    The threshold of interviews behind a count is :data:`LEAST`, and that of interviews with a code
    and without it :data:`metastudy.parcels.codes.ALIKE`; or the configured one, where it is larger
    (:func:`metastudy.parcelling.codes.coarser_codes`).

    Parameters
    ----------
    study : with all of its tables, its outcomes codes alone.
    smallest : ``privacy.smallest_cell``.
    tables : that are published of the study; there must be none.

    Raises
    ------
    BadInput
        ``parcel`` for what cannot go, and if nothing is left.
    """
    least, alike = max(smallest, LEAST), max(smallest, ALIKE)
    if tables:
        raise no_parcel(
            study,
            "published_tables of a study of interviews",
            "tables of answers on scales; of codes no published table can be taken as known",
            "send no parcel of these interviews: beside a table of codes it shows codes of few",
        )
    if len(study["case_ratings"] if "case_ratings" in study.tables else ()):
        raise no_parcel(
            study,
            "ratings of cases, which are of one case each",
            "codings of interviews, of which counts can be sent",
            "take the ratings out of the codebook, or into a study of their own that stays at home",
        )
    coded: dict[tuple[str, str], xr.Dataset] = {}
    found: list[tuple[xr.Dataset, Coarser]] = []
    for module in modules_of(study, vocabulary):
        before = code_cells([study], module, vocabulary)
        after = coarser_codes(before, least, alike)
        coded[module, "main"] = after.cells
        found.append((before, after))
        if not parts_in(study, module, vocabulary):  # else it would tell of both together
            folded = code_cells([study], module, vocabulary, folded=True)
            coded[module, "folded"] = coarser_codes(folded, least, alike).cells
    if not any(after.cells.sizes["code"] for _, after in found):
        raise no_parcel(
            study,
            f"no code that {alike} interviews of a setting have and {alike} have not, of "
            f"{least} or more",
            f"settings of {least} interviews at least, which do not all have a code or all lack it",
            "a study that is too small cannot be a parcel",
        )
    coded = {fit: cells for fit, cells in coded.items() if cells.sizes["code"]}
    stay = _stay(study, found[0][1])
    left = int((~stay).sum())
    did = _did(found, left, least, alike)
    changed = study.with_tables(
        respondents=study.respondents[stay].reset_index(drop=True),
        readings=study.readings.iloc[:0],
        codings=study.codings.iloc[:0],
    )
    report = public_report(study.report, int(stay.sum()), left, least)
    kept = {str(code) for cells in coded.values() for code in cells.code.values}
    report["outcomes"] = [code for code in report["outcomes"] if code in kept]
    return Controlled(replace(changed, report=report), did, coded)


def _stay(study: Study, after: Coarser) -> np.ndarray:
    """Whether an interview was read and its setting stays."""
    places = zip(*(at_units(study)[name].astype(str) for name in PLACES), strict=True)
    there = np.array([place in after.people for place in places])
    return there & study.respondents["respondent_id"].isin(study.readings["source_id"]).to_numpy()


def _did(
    found: Sequence[tuple[xr.Dataset, Coarser]], left: int, least: int, alike: int
) -> dict[str, Any]:
    """What control did, as the parcel tells it; of several modules, the most that it did to one."""

    def most(name: str) -> int:
        return max(int(getattr(after, name)) for _, after in found)

    def total(name: str) -> int:
        return sum(int(getattr(after, name)) for _, after in found)

    kept = {str(code) for _, after in found for code in after.cells.code.values}
    asked = [str(code) for before, _ in found for code in before.code.values]
    return {
        "untouched": not left and all(after.cells is before for before, after in found),
        "least": least,
        "people": max(sum(after.people.values()) for _, after in found),
        "people_left": disclosure.count(left, least),
        "people_with_fewer_outcomes": disclosure.count(most("without"), least),
        "people_moved": disclosure.count(most("moved"), least),
        "sites_before": max(len(set(before.site.values)) for before, _ in found),
        "sites_after": max(_told_apart(after.cells) for _, after in found),
        "settings_without_sites": most("only_others"),
        "interviews": {
            "alike": alike,
            "read_twice": disclosure.count(most("second"), least),
            "second_readings_left": disclosure.count(most("unused"), least),
            "codes_of_settings": total("pairs"),
            "codes_of_settings_left": total("missing"),
            "codes_left": [code for code in asked if code not in kept],
        },
    }


def _told_apart(cells: xr.Dataset) -> int:
    return len(set(cells.site.values))


def told_of_interviews(did: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What control did to codes and readings, as pairs of a name and what is said of it."""
    said = did.get("interviews")
    if not said:
        return []
    left = ", ".join(said["codes_left"]) or "none"
    return [
        ("Interviews with a code, and without it, in a count: at least", str(said["alike"])),
        ("Interviews that two coders read", str(said["read_twice"])),
        ("Of these, the second reading is not in each count", str(said["second_readings_left"])),
        ("Counts of a code in a setting", str(said["codes_of_settings"])),
        ("Of these left out, as nearly all interviews have the code or nearly none",
         str(said["codes_of_settings_left"])),
        ("Codes left out everywhere", left),
    ]  # fmt: skip
