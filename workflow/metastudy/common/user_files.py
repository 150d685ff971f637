"""Files that somebody puts in: what they are and where they lead, before a byte of them is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from metastudy.common.problems import BadInput, Problem

__all__ = [
    "MOST_BYTES",
    "NotReadable",
    "kind",
    "link_note",
    "outside",
    "read_whole",
    "refuse_others",
    "size",
]

MOST_BYTES = 2**30  # of a data file; memory holds several times as much while it is read
_KINDS = {
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class NotReadable(Exception):
    """What was found in place of a file that can be read, in words; and whether it is too large."""

    def __init__(self, found: str, large: bool = False):
        super().__init__(found)
        self.large = large


def kind(path: Path) -> str | None:
    """Say what is at a path in place of a file that may be read; ``None`` for such a file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "a link that leads nowhere" if path.is_symlink() else "no such file"
    if not stat.S_ISREG(mode):
        return _KINDS.get(stat.S_IFMT(mode), "no plain file")
    return None if os.access(path, os.R_OK) else "a file that may not be read"


def size(number: int) -> str:
    """Spell a number of bytes.

    >>> size(2_200_000_000), size(4_500_000)
    ('2.2 GB', '4.5 MB')
    """
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def read_whole(path: Path, most: int) -> bytes:
    """Read a plain file of a limited size.

    The kind is that of the opened file, so nothing waits for a pipe, and of a file that grows
    meanwhile no more is read.

    Parameters
    ----------
    path : the file.
    most : bytes that it may have.

    Raises
    ------
    NotReadable
        If it is another kind of file, or larger.
    OSError
        If it is not there or may not be read.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise NotReadable(_KINDS.get(stat.S_IFMT(found.st_mode), "no plain file"))
        if found.st_size > most:
            raise NotReadable(f"a file of {size(found.st_size)}", large=True)
        with open(opened, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(opened)
    if len(content) > most:
        raise NotReadable(f"a file of more than {size(most)}", large=True)
    return content


def outside(path: Path, folder: Path) -> bool:
    """Tell whether a path leads out of a folder by links; the folder itself may be a link."""
    real = Path(os.path.realpath(path))
    return not real.is_relative_to(os.path.realpath(folder))


def refuse_others(paths: Iterable[Path], folders: Sequence[Path]) -> None:
    """Refuse what is no file of the project, before anything of it is read.

    Parameters
    ----------
    paths : files that a project is described by; one that is not there is somebody else's matter.
    folders : into which a link may lead.

    Raises
    ------
    BadInput
        Of all at once: a pipe, a folder or a device, and a link that leads out of all the folders.
    """
    problems = []
    for path in paths:
        found = kind(path) if path.exists() else None
        if path.is_symlink() and all(outside(path, folder) for folder in folders):
            found = "a link that leads out of the project"
        if found:
            problems.append(
                Problem(
                    file=str(path),
                    found=found,
                    expected="a file of the project",
                    fix="put the file itself there, or write its own path in config/config.yaml",
                    code="outside" if path.is_symlink() else "missing-file",
                )
            )
    if problems:
        raise BadInput(problems)


def link_note(folder: Path) -> str | None:
    """Say where a folder leads that is a link; ``None`` for any other."""
    if not folder.is_symlink():
        return None
    return f"{folder} is a link: its files are read from {os.path.realpath(folder)}"
