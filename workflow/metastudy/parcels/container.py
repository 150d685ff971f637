"""The file itself: a ZIP archive of JSON documents and nothing else, read with distrust.

A parcel comes from elsewhere. So names, sizes and ways of packing are checked before a byte is
unpacked, and JSON is read strictly: no key twice, no number that is none, no depth without end.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metastudy.common import user_files
from metastudy.parcels.refusals import Refusal

__all__ = ["MANIFEST", "NAME", "canonical", "digest", "pack", "strict_json", "unpack"]

MANIFEST = "parcel.json"
NAME = re.compile(
    r"(parcel|study|control|report|estimates)\.json|cells/[a-z][a-z0-9_]*-(main|folded)\.json"
)
MOST_BYTES = 16 * 2**20  # of the file; a study of 100,000 people and a hundred cells has 0.1 MB
MOST_UNPACKED = 64 * 2**20  # of all documents together
MOST_MEMBERS = 64
MOST_RATIO = 200  # unpacked to packed; digits stay below ten
FREE_BYTES = 2**20  # unpacked size up to which the ratio does not matter
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever it is made
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError),
    *(ValueError, OverflowError, RuntimeError),
)


def canonical(document: Any) -> bytes:
    """Spell a document as it is written: keys in order, floats so that they are read back exactly.

    Raises
    ------
    ValueError
        For a number that is not finite.
    """
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode()


def digest(content: bytes) -> str:
    """SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def pack(documents: Mapping[str, bytes]) -> bytes:
    """Pack documents into an archive: the same documents are the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in (MANIFEST, *sorted(set(documents) - {MANIFEST})):
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, documents[name], compresslevel=9)
    return made.getvalue()


def unpack(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the documents of a parcel, and the digest of each one's bytes.

    Raises
    ------
    Refusal
        For a file that is no archive, is cut off, is larger or unpacks to more than a parcel may,
        has names that no parcel has, or holds what is no strict JSON.
    """
    try:
        content = user_files.read_whole(path, MOST_BYTES)
    except user_files.NotReadable as error:
        raise Refusal(
            str(error),
            f"a plain file of at most {user_files.size(MOST_BYTES)}",
            code="too-large" if error.large else "wrong-format",
        ) from None
    except OSError as error:
        raise Refusal(
            f"a file that cannot be read: {error.strerror}",
            "the parcel",
            "put it there, or let it be read",
            "missing-file",
        ) from None
    if not content.startswith(b"PK\x03\x04"):
        raise Refusal("no ZIP archive", "a parcel, which is a ZIP archive", code="wrong-format")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _checked(archive)
            documents = {one.filename: archive.read(one) for one in members}
    except _UNREADABLE as error:
        raise Refusal(
            f"a damaged archive: {error}",
            "a whole ZIP archive",
            "copy the file again: it may have been cut off",
            "wrong-format",
        ) from None
    parsed = {name: strict_json(name, text) for name, text in documents.items()}
    return parsed, {name: digest(text) for name, text in documents.items()}


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members of an archive, after a look at names, kinds and sizes."""
    members, seen = archive.infolist(), set()
    if len(members) > MOST_MEMBERS:
        raise _hostile(f"{len(members)} files inside", f"at most {MOST_MEMBERS}")
    if archive.comment:
        raise _hostile("a comment of the archive", "documents of the format and nothing else")
    for one in members:
        if not NAME.fullmatch(one.filename) or one.orig_filename != one.filename:
            raise _hostile(
                f"the name {one.orig_filename[:80]!r} in the archive", "names of the format"
            )
        if one.filename in seen:
            raise _hostile(f"the name '{one.filename}' twice in the archive", "each name once")
        seen.add(one.filename)
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise _hostile(f"'{one.filename}', which is no plain file", "plain files")
        if one.flag_bits & 0x1:
            raise _hostile(f"'{one.filename}', which has a password", "files without a password")
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _hostile(f"'{one.filename}', packed in an unusual way", "files that are deflated")
        if one.comment:
            raise _hostile(f"a comment of '{one.filename}'", "documents and nothing else")
        if one.file_size > max(FREE_BYTES, MOST_RATIO * one.compress_size):
            raise _hostile(
                f"'{one.filename}': {one.compress_size} bytes unpack to {one.file_size}",
                f"files that are packed at most {MOST_RATIO}-fold",
            )
    total = sum(one.file_size for one in members)
    if total > MOST_UNPACKED:
        raise _hostile(f"files that unpack to {total} bytes", f"at most {MOST_UNPACKED} bytes")
    return members


def _hostile(found: str, expected: str) -> Refusal:
    fix = "ask the owner for the parcel again; this one may be hostile"
    return Refusal(found, expected, fix, "hostile-archive")


def strict_json(name: str, content: bytes) -> Any:
    """Read JSON in which no key is twice, no number is none, and nothing is nested without end.

    Parameters
    ----------
    name : of the document, for the message.

    Raises
    ------
    Refusal
        For anything else.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key twice in one object")
        return found

    def no_number(text: str) -> Any:
        raise ValueError(f"'{text}', which is no number")

    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        raise _hostile(f"'{name}', which is nested without end", "a flat document") from None
    except ValueError as error:
        raise Refusal(
            f"'{name}' is no strict JSON: {error}", "JSON in UTF-8, no key twice"
        ) from None
