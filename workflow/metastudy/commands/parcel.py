"""Make a parcel of a study: sufficient statistics after disclosure control, in one plain file."""

from __future__ import annotations

from metastudy.commands._parcel import made, options
from metastudy.commands._run import run
from metastudy.display.labels import Labels
from metastudy.parcelling.in_short import in_short
from metastudy.parcelling.older import (
    check_against_older,
    older_parcels,
    put_aside,
    put_words_aside,
    read_older,
)
from metastudy.parcelling.page import asked_for, owner_page
from metastudy.parcels.parcel import write


def main() -> None:
    """Entry point of the rule ``parcel``."""
    args = options(main.__doc__)
    parcel = made(args)
    path, manifest, inside = parcel.path, parcel.manifest, parcel.documents
    study = parcel.study
    for older in older_parcels(path):
        check_against_older(inside, read_older(older, study.id), manifest["least"], older)
    aside = put_aside(path)
    write(path, manifest, inside)
    words = []
    if aside and aside.read_bytes() == path.read_bytes():
        aside.unlink()  # the same parcel again
        aside = None
    else:
        words = put_words_aside(path, aside)
    size, labels = path.stat().st_size, Labels(parcel.vocabulary)
    page = path.with_suffix(".html")
    asked = asked_for(parcel.request, parcel.not_asked, manifest) if parcel.request else ()
    text = owner_page(manifest, inside, size, parcel.losses, labels, asked, parcel.tables)
    page.write_text(text, "utf-8")
    for line in asked:
        print(f"{study.id}: {': '.join(line)}")
    did = parcel.controlled.did
    for name, found in did.items():
        print(f"{study.id}: {name.replace('_', ' ')}: {found}")
    print(f"{study.id}: {in_short(inside, manifest['least'])[-1]}")
    if aside:
        print(f"{study.id}: the parcel before it is now {aside}; if it was never sent, remove it")
    for one in words:
        where = f"kept beside it in {aside.parent}" if aside else "removed"
        print(f"{study.id}: {one} was of the parcel before this one, and is {where}")
    print(f"{path}: {size} bytes; read {page} before you send it")


if __name__ == "__main__":
    run(main)
