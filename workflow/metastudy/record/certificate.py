"""A certificate: which part of the way from raw data to article was checked, and by whom.

The owner of a parcel checks the way from the data file to the parcel, whom nobody else can check;
a reviewer checks the way from the parcel to the article. Neither sees what the other saw.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metastudy.common.code_digest import file_digest
from metastudy.display.formatting import mark
from metastudy.display.page import Page, Section, Table, Text
from metastudy.parcels.parcel import Parcel, parcel_in

__all__ = ["SUFFIX", "certificate_page", "of_build", "of_owner"]

SUFFIX = ".certificate.json"
OWNER, REVIEWER, NOBODY = "owner", "reviewer", "nobody"
SHOWN = "The part of a certificate that an owner made is their word: it has no signature."


def of_owner(parcel: Parcel, path: Path, same_code: bool) -> dict[str, Any]:
    """What the owner's check found, which fails unless all of it agrees.

    Parameters
    ----------
    path : of the parcel.
    same_code : whether code and locked packages are those that the parcel was made with.
    """
    by = {"by": OWNER, "with": "snakemake verify_parcel", "result": "agrees"}
    parts = [
        {"part": "the parcel is whole: its seal and the digest of each document", **by},
        {"part": "data file and codebook have the keyed checksums in the parcel", **by},
        {"part": "every document of the parcel comes out again from that file", **by},
    ]
    asked = parcel.request["digest"] if parcel.request else None
    if asked:
        parts.append({"part": f"the parcel is what the request {asked[:12]} asks for", **by})
    return {
        "study": parcel.id,
        "parcel": file_digest(path),
        "request": asked,
        "checksum": dict(parcel.manifest["checksum"]),
        "same_code": same_code,
        "checked": parts,
    }


def of_build(data: Path, studies: Sequence[str], verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Join the owners' certificates and the verdict on a build from the cells or rows on.

    Parameters
    ----------
    data : the folder of the studies, an owner's certificate beside its parcel.
    verdict : of :func:`metastudy.record.verdict.judge`.
    """
    by = {"by": REVIEWER, "with": "snakemake verify", "result": str(verdict["verdict"])}
    checked = []
    for study in studies:
        path = parcel_in(data / study)
        if path is None:
            checked.append({"study": study, "part": "from the data file to the article", **by})
            continue
        checked += [{"study": study, **part} for part in _of_parcel(path)]
        checked.append({"study": study, "part": "from the parcel to the article", **by})
    return {"verdict": str(verdict["verdict"]), "checked": checked}


def _of_parcel(path: Path) -> list[dict[str, str]]:
    """What the owner's certificate says of a parcel, if it is of this one."""
    part = {"part": "from the data file to the parcel", "by": NOBODY, "with": ""}
    beside = path.with_name(path.stem + SUFFIX)
    if not beside.is_file():
        return [{**part, "result": "not shown: no certificate of the owner"}]
    try:
        said = json.loads(beside.read_text("utf-8"))
        its_own = said["parcel"] == file_digest(path)
        keys = ("part", "by", "with", "result")
        parts = [{key: str(one[key]) for key in keys} for one in said["checked"]]
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return [{**part, "result": "not shown: a certificate that cannot be read"}]
    if not its_own:
        return [{**part, "result": "not shown: a certificate of another parcel"}]
    return parts


def certificate_page(found: Mapping[str, Any], provenance: Sequence[str]) -> Page:
    """The page of a certificate, of one parcel or of a build.

    Parameters
    ----------
    found : of :func:`of_owner` or :func:`of_build`.
    provenance : of the studies, for the mark.
    """
    own = str(found.get("study", ""))
    rows = [
        (str(one.get("study", own)), one["part"], one["by"], one["with"], one["result"])
        for one in found["checked"]
    ]
    columns = ("Study", "Part", "By", "With", "Result")
    facts = [Text(SHOWN)]
    if own:
        facts.append(Text(f"SHA-256 of the parcel: {found['parcel']}."))
        if found["request"]:
            facts.append(Text(f"Digest of the request that it was made for: {found['request']}."))
        if not found["same_code"]:
            facts.append(Text("Code or packages are not those that the parcel was made with."))
    return Page(
        name=f"{own}.certificate" if own else "certificate",
        title="Which part was checked by whom",
        subtitle=f"The parcel of {own}" if own else "From the raw data to the article",
        mark=mark(provenance),
        marked="What was checked rests on such data.",
        sections=[Section("Checked", [Table("Parts of the way.", columns, rows, heads=2), *facts])],
    )
