"""A study that comes as a parcel: its place among the harmonized studies, with no rows of people.

What the parcel says of the study becomes the report that other studies have, and the parcel itself
stays beside it for whoever needs its cells or its data report.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import scratch
from metastudy.common.code_digest import file_digest
from metastudy.harmonized import parquet, schema
from metastudy.harmonized.schema import PARCEL, REPORT, TABLES
from metastudy.parcels.cells import cells_of, check_vocabulary
from metastudy.parcels.parcel import Parcel, read, vocabulary_with
from metastudy.parcels.refusals import Refusal, refused
from metastudy.parcels.signature import check_signature
from metastudy.parcels.suffices import note_on

__all__ = ["report_of", "save_parcel"]


def report_of(parcel: Parcel, path: Path, signed: bool = False, wanted: str = "") -> dict[str, Any]:
    """The report of a study in a parcel; the file that was read is the parcel."""
    said, manifest = parcel.study, parcel.manifest
    notes = ["the study came as a parcel of sufficient statistics: there are no rows of people"]
    if signed:
        notes.append("the parcel is signed with a key of its owner")
    if parcel.request:
        notes.append(f"it was made for the request {parcel.request['digest'][:12]} of an analyst")
    if wanted and (other := note_on(parcel, wanted)):
        notes.append(other)
    if said["few_left"]:
        notes.append(f"fewer than {manifest['least']} more rows left by some rules at the owner's")
    return {
        "study": parcel.id,
        "provenance": manifest["provenance"],
        "file": path.name,
        "format": "parcel",
        "sha256": file_digest(path),
        **{name: said[name] for name in ("rows_read", "rows_kept", "excluded")},
        "quality": [],
        "unmapped": [],
        "ignored": [],
        "notes": notes,
        "missing": {},
        **{name: said[name] for name in ("codebook", "outcomes", "vocabulary", "exposures")},
        "reliabilities": said.get("reliabilities", {}),
        "parcel": {
            **{name: said[name] for name in ("places", "sites")},
            **{name: manifest[name] for name in ("version", "checksum", "code", "lock")},
            "request": parcel.request,
            "control": parcel.documents["control.json"],
        },
    }


def save_parcel(path: Path, common: Vocabulary, folder: Path, wanted: str = "") -> dict[str, Any]:
    """Check a parcel, and write the study's folder of harmonized tables; give its report.

    Parameters
    ----------
    path : the parcel in the folder of the study.
    common : the vocabulary of this project.
    folder : ``results/harmonized/<study>``; made if it is not there.
    wanted : digest of the present request, for a note on a parcel that was made for another.

    Raises
    ------
    BadInput
        As :func:`metastudy.parcels.parcel.read`, for a signature that is not the owner's, and
        where the parcel's words are not those of the vocabulary. Then nothing is written.
    """
    parcel = read(path)
    signed = check_signature(path, parcel.id)
    vocabulary = vocabulary_with(parcel, path, common)
    try:
        for module, variant in parcel.fits:
            cells_of(parcel, module, variant)
        check_vocabulary(parcel, vocabulary)
    except Refusal as said:
        raise refused(path, said) from None
    report = report_of(parcel, path, signed, wanted)
    said_of_all = pd.DataFrame(parcel.study["attributes"], columns=["kind", "name", "value"])
    said_of_all = said_of_all.assign(study_id=parcel.id, finding_id=None)
    with scratch.beside(folder) as made:
        for name in TABLES:
            rows = schema.shape(name, said_of_all) if name == "attributes" else schema.empty(name)
            parquet.write(rows, made / f"{name}.parquet")
        text = json.dumps(report, indent=2, ensure_ascii=False)
        (made / REPORT).write_text(text + "\n", encoding="utf-8")
        shutil.copyfile(path, made / PARCEL)
        folder.mkdir(exist_ok=True)
        for written in sorted(made.iterdir()):
            written.replace(folder / written.name)
    return report
