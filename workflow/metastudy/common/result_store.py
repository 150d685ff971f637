"""A store for results: what was made from the same contents, code, settings and lock is reused.

An entry is one file, ``<first two digits of the key>/<key>.<SHA-256 of its bytes>``. Its name says
what its content must be and one rename makes it whole, so jobs may share the store without locks:
they see an entry complete or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from metastudy.common.problems import MetastudyError

__all__ = ["fetch", "forget", "keep", "key"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class _ReadError(OSError):
    """What is to be copied cannot be read; any other OSError of a copy is one of writing."""


def key(parts: Mapping[str, str]) -> str:
    """The key of a result: a digest of all that it depends on.

    Parameters
    ----------
    parts : what the result depends on, by name: mostly digests, such as
        ``{"cells": ..., "code": ..., "lock": ...}``. The order does not count.

    Returns
    -------
    64 hexadecimal digits: the SHA-256 of the parts as canonical JSON.

    Raises
    ------
    TypeError
        If a name or value is no string: other values have more than one spelling.
    """
    for name, value in parts.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"a part of a key must be text: {name!r}: {value!r}")
    text = json.dumps(dict(parts), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def fetch(store: str | Path, key: str, target: str | Path) -> bool:
    """Copy the entry of a key to a file, whole and checked, or leave the file as it was.

    An entry whose bytes are not those it was stored with is removed with a note on stderr, and
    counts as missing; so is one that is a folder, a pipe or a link that leads nowhere. An entry
    that cannot be read counts as missing too: nothing may fail for the store.

    Parameters
    ----------
    store : folder of the store; it need not exist.
    key : as made by :func:`key`.
    target : the file to write, in a folder that exists.

    Returns
    -------
    Whether the target was written.

    Raises
    ------
    MetastudyError
        If the entry is there and the target cannot be written, as on a full disk: what was computed
        anew could not be written either.
    """
    target = Path(target)
    for entry in _entries(Path(store), key):
        copy = None
        try:
            copy = _temporary(target.parent)
            content = _copy(entry, copy)
        except _ReadError as error:
            if copy is not None:
                copy.unlink(missing_ok=True)
            _note(f"{entry} cannot be read and is passed over: {error}")
            continue
        except OSError as error:
            if copy is not None:
                copy.unlink(missing_ok=True)
            raise MetastudyError(
                f"{target} is in the store and cannot be written: {error.strerror}; it needs "
                f"{entry.stat().st_size / 1e6:.1f} MB"
            ) from None
        if content == entry.name.rpartition(".")[2]:
            copy.replace(target)
            return True
        copy.unlink()
        _note(f"{entry} is damaged; it is removed and computed again")
        _remove(entry)
    return False


def keep(store: str | Path, key: str, source: str | Path) -> bool:
    """Put a file into the store under a key.

    The first intact entry of a key stays, so what is taken from the store is the same every time.
    A store that cannot be written (full, read-only) is reported on stderr and costs nothing else.

    Parameters
    ----------
    store : folder of the store; made where it is missing.
    key : as made by :func:`key`.
    source : the file to keep.

    Returns
    -------
    Whether the key has an intact entry now.
    """
    folder = _folder(Path(store), key)
    copy: Path | None = None
    try:
        for entry in _entries(Path(store), key):
            with contextlib.suppress(_ReadError):
                if _copy(entry, None) == entry.name.rpartition(".")[2]:
                    return True
            _note(f"{entry} is damaged; it is replaced")
            _remove(entry)
        folder.mkdir(parents=True, exist_ok=True)
        copy = _temporary(folder)
        content = _copy(Path(source), copy)
        copy.replace(folder / f"{key}.{content}")
    except OSError as error:
        if copy is not None:
            copy.unlink(missing_ok=True)
        if not Path(source).is_file():
            raise error.__cause__ or error from None
        _note(f"{source} was not stored: {error}")
        return False
    return True


def forget(store: str | Path, key: str) -> None:
    """Remove whatever is kept under a key; what cannot be removed is said on stderr."""
    for entry in _entries(Path(store), key):
        _remove(entry)


def _folder(store: Path, key: str) -> Path:
    if not _DIGEST.fullmatch(key):
        raise ValueError(f"no key of the store: {key!r}")
    return store / key[:2]


def _entries(store: Path, key: str) -> list[Path]:
    """The files of a key; what has the name of one and is no file is removed."""
    found = sorted(_folder(store, key).glob(f"{key}.*"))
    for entry in found:
        if not entry.is_file():
            _note(f"{entry} is no file; it is removed and computed again")
            _remove(entry)
    return [entry for entry in found if entry.is_file()]


def _temporary(folder: Path) -> Path:
    # beside the file it becomes, for a rename is whole only within one file system
    handle, name = tempfile.mkstemp(prefix=".store-", suffix=".part", dir=folder)
    umask = os.umask(0)
    os.umask(umask)
    # mkstemp lets nobody else read; a result is a file like any other
    os.fchmod(handle, 0o666 & ~umask)
    os.close(handle)
    return Path(name)


def _copy(source: Path, target: Path | None) -> str:
    """Copy a file, or only read it, and return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with open(target or os.devnull, "wb") as copy, _opened(source) as file:
        while chunk := _chunk(file):
            digest.update(chunk)
            copy.write(chunk)
        if target:
            copy.flush()
            os.fsync(copy.fileno())
    return digest.hexdigest()


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise _ReadError(error) from error


def _chunk(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise _ReadError(error) from error


def _remove(entry: Path) -> None:
    try:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    except OSError as error:
        _note(f"{entry} cannot be removed: {error}")


def _note(text: str) -> None:
    print(f"store: {text}", file=sys.stderr)
