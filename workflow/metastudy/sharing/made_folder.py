"""Folders that are made anew as a whole: only what was made there before is removed for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from metastudy.common.code_digest import file_digest
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown, some_of
from metastudy.common.user_files import NotReadable, read_whole

__all__ = ["LISTING", "free", "put"]

LISTING = ".made.json"  # in such a folder: its files by relative path, with their SHA-256
VERSION = 1
MOST_BYTES = 64 * 2**20  # of a listing
MOST_NAMED = 8  # files in a message
_SHA256 = re.compile(r"[0-9a-f]{64}")


def free(folder: Path, command: str) -> list[Path]:
    """The files that may be removed, so that a folder can be made anew; nothing is removed.

    Parameters
    ----------
    folder : is there or not.
    command : makes it, such as ``snakemake archive``; it is named in the error.

    Raises
    ------
    BadInput
        If the folder holds anything that its listing does not have, or not as it is now: a file of
        somebody else, one that was changed, a link. Also if it has no listing and is not empty, or
        is a link or no folder. Folders without a file in them are nobody's.
    """
    if not os.path.lexists(folder):
        return []
    if folder.is_symlink() or not folder.is_dir():
        what = "a link" if folder.is_symlink() else "no folder"
        raise _not_ours(folder, command, [f"{shown(folder)} itself, which is {what}"])
    found = dict(_there(folder))
    if not found:
        return []
    listed = _listed(folder, found, command)
    foreign = [f"{name}, {why}" for name, why in _foreign(folder, found, listed)]
    if foreign:
        raise _not_ours(folder, command, foreign)
    return [folder / name for name, kind in found.items() if kind == "file"]


def put(new: Path, folder: Path, command: str) -> None:
    """Put what was made in place of what was made before, with a listing of its files.

    Parameters
    ----------
    new : was made beside the folder; it is moved.
    folder, command : as for :func:`free`.

    Raises
    ------
    BadInput
        As :func:`free`; then nothing was removed.
    """
    files = {name: file_digest(new / name) for name, kind in _there(new) if kind == "file"}
    said = json.dumps({"version": VERSION, "files": files}, indent=1, ensure_ascii=False)
    (new / LISTING).write_text(said + "\n", "utf-8")
    old = free(folder, command)
    # The listing goes last: what is left by a run that is killed here can be made anew.
    for path in sorted(old, key=lambda path: path == folder / LISTING):
        path.unlink()
    if folder.is_dir():
        for place, _, _ in os.walk(folder, topdown=False):
            Path(place).rmdir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    new.rename(folder)


def _there(folder: Path) -> Iterator[tuple[str, str]]:
    """What is in a folder and those in it, by relative path: ``file``, ``link`` or ``other``."""
    for place, folders, files in os.walk(folder):
        for name in sorted(files + folders):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield inside, "link"
            elif not path.is_dir():
                yield inside, "file" if path.is_file() else "other"


def _foreign(
    folder: Path, found: Mapping[str, str], listed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is there and was not made, with the reason."""
    for name, kind in sorted(found.items()):
        if kind == "link":
            yield name, "a link"
        elif kind == "other" or name not in (*listed, LISTING):
            yield name, "which was not made by it"
        elif name != LISTING and file_digest(folder / name) != listed[name]:
            yield name, "which was changed since"


def _listed(folder: Path, found: Mapping[str, str], command: str) -> dict[str, str]:
    """The files of a listing with their checksums."""
    path = folder / LISTING
    if LISTING not in found:
        why = f"files and no {LISTING} that says who made them"
        raise _not_ours(folder, command, sorted(found), why)
    try:
        if path.is_symlink():
            raise ValueError("a link")
        said = json.loads(read_whole(path, MOST_BYTES).decode("utf-8"))
        if not isinstance(said, dict) or said.get("version") != VERSION:
            raise ValueError("another version")
        files = said.get("files")
        if not isinstance(files, dict) or not all(
            isinstance(digest, str) and _SHA256.fullmatch(digest) for digest in files.values()
        ):
            raise ValueError("no checksums of files")
    except (ValueError, OSError, NotReadable, RecursionError) as error:
        why = f"a {LISTING} that is no listing of files ({error})"
        raise _not_ours(folder, command, [], why) from None
    return files


def _not_ours(folder: Path, command: str, names: list[str], what: str = "") -> BadInput:
    head = what or "what would be lost"
    return BadInput(
        Problem(
            file=shown(folder),
            found=head + (f": {some_of(names, MOST_NAMED)}" if names else ""),
            expected=f"nothing but what `{command}` made there, as it was made",
            fix=f"move these files, or the folder {shown(folder)}, to another place and run "
            f"`{command}` again; nothing was removed",
            code="made-folder",
        )
    )
