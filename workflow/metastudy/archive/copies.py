"""The copies in an archive: as the files are, but for what must not leave with them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from metastudy.archive.contents import Contents
from metastudy.common.problems import MetastudyError
from metastudy.record.rebuild_folder import leads_out
from metastudy.record.record_file import SECTIONS, dumped, without

__all__ = ["copied"]

RUN = "results/run_config.yaml"
NOT_SAID = b"outside-of-this-archive"  # in place of the path of a key


def copied(contents: Contents, key_file: str | None, target: Path) -> None:
    """Copy all files to their places.

    In texts, the bare checksum of a file that stays becomes its keyed one. A record of numbers
    loses its checksums of rows and cells that stay, and the configuration the place of the key.

    Parameters
    ----------
    contents : of :func:`metastudy.archive.contents.gathered`.
    key_file : of the configuration, a place on this machine.
    target : a new folder.

    Raises
    ------
    MetastudyError
        If a file has the same bytes as one that may not be given away, or still holds its
        checksum; or if a place is outside of the folder.
    """
    words = {old.encode(): new.encode() for old, new in contents.digests.items()}
    place_of_key = {key_file.encode(): NOT_SAID} if key_file else {}
    studies = {file.study for file in contents.studies if not file.shareable}
    for place in (*contents.files, *contents.kept):
        if leads_out(place):
            raise MetastudyError(f"{place} is no place in an archive: it leads out of its folder")
    for place, path in contents.files.items():
        copy = target / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() in contents.digests:
            raise MetastudyError(
                f"{path} has the same bytes as a file of an observed study, which may not be "
                "given away: remove it, or write `share: yes` into the study's codebook"
            )
        if b"\0" in content:
            changed = content
        elif studies and path.name == "record.json":
            changed = _record(_replaced(content, words), studies, contents)
        else:
            of_config = place.startswith((f"{contents.code}config/", "config/", RUN))
            changed = _replaced(content, {**words, **(place_of_key if of_config else {})})
        if changed != content:
            copy.write_bytes(changed)
        if any(digest.encode() in changed for digest in contents.digests):
            raise MetastudyError(
                f"{path} holds the checksum of a file of an observed study, and is no text in "
                "which it can be replaced: remove it from the build"
            )


def _replaced(content: bytes, words: Mapping[bytes, bytes]) -> bytes:
    for old in sorted(words, key=len, reverse=True):
        content = content.replace(old, words[old])
    return content


def _record(content: bytes, studies: set[str], contents: Contents) -> bytes:
    """A record of numbers without checksums of columns and cells that stay."""
    try:
        found = json.loads(content)
    except ValueError:
        return content
    if not isinstance(found, dict) or not set(found) >= SECTIONS:
        return content
    fits = {Path(place).stem for place in contents.kept if place.startswith("results/cells/")}
    return dumped(without(found, studies, fits)).encode()
