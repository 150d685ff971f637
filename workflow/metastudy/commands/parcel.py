"""Make a parcel of a study: sufficient statistics after disclosure control, in one plain file."""

from __future__ import annotations

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.commands._parcel import made, options
from metastudy.commands._run import run
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.control import Controlled, modules_of
from metastudy.parcelling.make import estimates_of
from metastudy.parcelling.older import check_against_older, older_parcels, put_aside
from metastudy.parcelling.page import asked_for, owner_page
from metastudy.parcels.parcel import read, write


def main() -> None:
    """Entry point of the rule ``parcel``."""
    args = options(main.__doc__)
    parcel = made(args)
    path, manifest, inside = parcel.path, parcel.manifest, parcel.documents
    study, controlled, vocabulary = parcel.study, parcel.controlled, parcel.vocabulary
    for older in older_parcels(path):
        check_against_older(inside, read(older, study.id), manifest["least"], older)
    aside = put_aside(path)
    write(path, manifest, inside)
    if aside and aside.read_bytes() == path.read_bytes():
        aside.unlink()  # the same parcel again
        aside = None
    size, moved = path.stat().st_size, _moved(study, controlled, vocabulary)
    page = path.with_suffix(".html")
    asked = asked_for(parcel.request, parcel.not_asked, manifest) if parcel.request else ()
    page.write_text(owner_page(manifest, inside, size, moved, asked, parcel.tables), "utf-8")
    for line in asked:
        print(f"{study.id}: {': '.join(line)}")
    did = controlled.did
    for name, found in did.items():
        print(f"{study.id}: {name.replace('_', ' ')}: {found}")
    print(f"{study.id}: " + ("no cell was touched" if did["untouched"] else "cells were merged"))
    if aside:
        print(f"{study.id}: the parcel before it is now {aside}; if it was never sent, remove it")
    print(f"{path}: {size} bytes; read {page} before you send it")


def _moved(study: Study, controlled: Controlled, vocabulary: Vocabulary) -> list[list[str]]:
    """How far control moved each estimate, in standard errors, and how much wider it is."""
    names = ("country", "sector", "role", "exposure", "outcome", "vignette")
    rows = []
    for module in modules_of(study, vocabulary):
        before, after = (
            {
                tuple(row[name] for name in names): row
                for row in estimates_of(cells_of_one(one, module, vocabulary), vocabulary, "main")
            }
            for one in (study, controlled.study)
        )
        for key, row in before.items():
            label = [module, row["exposure"].replace("_", " "), row["outcome"].replace("_", " ")]
            if (new := after.get(key)) is None or not row["se"] > 0:
                rows.append([*label, "not in the parcel", ""])
            else:
                by = (new["estimate"] - row["estimate"]) / row["se"]
                rows.append([*label, f"{by:+.2f}", f"{new['se'] / row['se']:.2f}"])
    return rows


if __name__ == "__main__":
    run(main)
