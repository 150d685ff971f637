"""What is said in the place of a file that may not be given away: name, size, keyed checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metastudy.common.data_file import is_data
from metastudy.common.keyed_checksum import keyed
from metastudy.harmonize import pseudonyms
from metastudy.sharing.data import DataFile

__all__ = ["Withheld", "bare_digests", "keys_of", "withheld"]


@dataclass(frozen=True)
class Withheld:
    """A file that stays where it is: the study that forbids it, size in bytes, keyed checksum."""

    study: str
    size: int
    checksum: str


def keys_of(
    files: Sequence[DataFile], data: Path, settings: Mapping[str, str | None]
) -> dict[str, bytes]:
    """The key of each study whose files may not be given away.

    Parameters
    ----------
    files : of :func:`metastudy.sharing.data.files_of`.
    data : folder of the raw data.
    settings : the configuration's section ``pseudonyms``.

    Raises
    ------
    BadInput
        As :func:`metastudy.harmonize.pseudonyms.key_of`: without a key nothing can stand in the
        place of the files.
    """
    return {
        file.study: pseudonyms.key_of(
            file.study, file.persons, data / file.study / file.file, settings
        )
        for file in files
        if not file.shareable
    }


def withheld(
    kept: Mapping[str, tuple[Path, str]], keys: Mapping[str, bytes]
) -> dict[str, Withheld]:
    """Name each file that stays, by its place, with its size and its keyed checksum.

    Parameters
    ----------
    kept : of :func:`metastudy.sharing.data.divided`.
    keys : of :func:`keys_of`.
    """
    return {
        place: Withheld(study, path.stat().st_size, keyed(path, keys[study]))
        for place, (path, study) in sorted(kept.items())
    }


def bare_digests(kept: Mapping[str, tuple[Path, str]], keys: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each data file that stays, with the keyed checksum that takes its place.

    A bare checksum lets anybody try guesses of the answer that they do not know. A text file has
    two: of its bytes, and with ``LF`` as the end of its lines, as the record of numbers takes it.
    Both give way to the keyed checksum of the file as it is. Tables without rows are the same in
    all studies, so only files of data count, and an empty one is none.

    Parameters
    ----------
    kept, keys : as for :func:`withheld`.
    """
    found = {}
    for place, (path, study) in kept.items():
        content = path.read_bytes()
        if not place.startswith("raw/") or not is_data(path) or not content:
            continue
        plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for each in (content, plain):
            found[hashlib.sha256(each).hexdigest()] = keyed(content, keys[study])
    return found
