"""ZIP archives come from elsewhere: sizes and names are checked before anything is believed."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput
from metastudy.readers.refusals import refuse
from metastudy.readers.signatures import what_it_is

__all__ = [
    "MAX_BYTES",
    "MAX_MEMBERS",
    "MAX_RATIO",
    "Archive",
    "check_size",
    "names_in",
    "unpack",
]

MAX_MEMBERS = 100_000  # files in an archive; a large project has some thousand sources
MAX_BYTES = 512 * 2**20  # of one unpacked file; transcripts and sheets are far smaller
MAX_RATIO = 500  # unpacked to packed size; real texts and XML stay below some dozen
FREE_BYTES = 10 * 2**20  # unpacked size up to which the ratio does not matter
_FIX = "take the archive from its source again; this one may be hostile"
# What zipfile raises on damaged bytes; NotImplementedError comes from a broken version number.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class Archive:
    """A checked archive: only members of a sound name and size can be read from it.

    Parameters
    ----------
    codebook : names the file.
    file : the open archive.
    members : by their names in lower case, with slashes.
    """

    codebook: Codebook
    file: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def bytes(self, name: str) -> bytes:
        """Read a member by its lower-case name, after a look at its sizes."""
        member = self.members[name]
        check_size(self.codebook, member)
        try:
            return self.file.read(member)
        except RuntimeError as error:  # a password, or a way of packing that is not known
            raise refuse(
                self.codebook,
                f"{member.filename}: {error}",
                "an archive without a password, packed in the usual way",
                "export the data again",
            ) from None
        except _UNREADABLE as error:
            raise _damaged(self.codebook, f"{member.filename}: {error}") from None


def unpack(codebook: Codebook, content: bytes, expected: str, fix: str) -> Archive:
    """Open an archive and check the names and the number of its members.

    Parameters
    ----------
    codebook : names the file.
    content : the bytes of the file.
    expected, fix : what the file should be, and what to do if it is no archive at all.

    Returns
    -------
    Archive, to be closed by its ``file``.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no archive or a damaged one; ``hostile-archive`` if a path leads
        out of it, if two members have one name, or if it holds too many.
    """
    try:
        file = zipfile.ZipFile(io.BytesIO(content))
    except _UNREADABLE as error:
        if content[:4] == b"PK\x03\x04":
            raise _damaged(codebook, str(error)) from None
        raise refuse(codebook, what_it_is(content[:4096]), expected, fix) from None
    infos = file.infolist()
    names = [info.filename.replace("\\", "/") for info in infos]
    unsafe = [
        name
        for name in names
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in PurePosixPath(name).parts
    ]
    if unsafe or len(infos) > MAX_MEMBERS:
        raise refuse(
            codebook,
            f"the path '{unsafe[0]}' in the archive" if unsafe else f"{len(infos)} files inside",
            f"paths inside the archive, of at most {MAX_MEMBERS} files",
            _FIX,
            code="hostile-archive",
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for name, info in zip(names, infos, strict=True):
        if name.lower() in members:
            raise refuse(
                codebook,
                f"the path '{name}' twice in the archive",
                "each path once",
                _FIX,
                code="hostile-archive",
            )
        members[name.lower()] = info
    return Archive(codebook, file, members)


def names_in(content: io.BufferedIOBase) -> tuple[str, ...]:
    """List the members of an archive in lower case; none if it cannot be opened."""
    try:
        with zipfile.ZipFile(content) as file:
            return tuple(name.replace("\\", "/").lower() for name in file.namelist())
    except _UNREADABLE:
        return ()


def check_size(codebook: Codebook, member: zipfile.ZipInfo) -> None:
    """Refuse a member that unpacks to very much, or to very much more than it is."""
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > MAX_BYTES or (member.file_size > FREE_BYTES and ratio > MAX_RATIO):
        raise refuse(
            codebook,
            f"{member.filename}: {member.compress_size} bytes unpack to {member.file_size}",
            f"files of at most {MAX_BYTES} bytes, packed at most {MAX_RATIO}-fold",
            _FIX,
            code="hostile-archive",
        )


def _damaged(codebook: Codebook, message: str) -> BadInput:
    return refuse(
        codebook,
        f"a damaged archive: {message}",
        "a whole ZIP archive",
        "copy the file again: it may have been cut off",
    )
