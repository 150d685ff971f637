"""A run that was killed leaves Snakemake's lock behind: it goes where no run is alive any more.

Every run holds a shared lock of the operating system on one file for as long as it lives, which
ends with the process, however it ends. Who gets that lock for itself is alone, so whatever
Snakemake's own lock says is of a run that is gone. A run that is alive is never passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
from pathlib import Path

__all__ = ["claim"]

_HELD: dict[Path, int] = {}  # open files of this process, which hold its locks


def claim(folder: Path) -> str | None:
    """Take part in the lock of a working directory, until this process ends.

    Parameters
    ----------
    folder : Snakemake's own, ``.snakemake`` of the working directory; made where it is missing.

    Returns
    -------
    What a user should know: that a lock was removed, or who is at work; ``None`` for nothing.
    """
    folder = folder.absolute()
    if folder in _HELD:
        return None
    try:
        folder.mkdir(exist_ok=True)
        file = os.open(folder / "metastudy.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None  # nothing can be written here, and Snakemake says so
    _HELD[folder] = file
    locks = sorted(folder.glob("locks/*.lock"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        note = _others(file) if locks else None
    else:
        note = _alone(file, locks)
    with contextlib.suppress(OSError):  # a file system without such locks
        fcntl.flock(file, fcntl.LOCK_SH)  # waits at most for one that is looking just now
    return note


def _alone(file: int, locks: list[Path]) -> str | None:
    """Remove the locks of a run that is gone, if it was of this machine."""
    here, begun = platform.node().encode(), os.pread(file, 1000, 0)
    if locks and begun not in (b"", here):
        # Not every file system shares the system's locks between machines.
        there = begun.decode("utf-8", "replace")
        return f"the lock is of a run on {there}; where that is gone, give --unlock"
    os.ftruncate(file, 0)
    os.pwrite(file, here, 0)
    for lock in locks:
        lock.unlink(missing_ok=True)
    return "the lock of a run that was killed is removed" if locks else None


def _others(file: int) -> str:
    """Name the other processes that hold the lock, as far as this machine knows them."""
    inode, found = os.fstat(file).st_ino, []
    try:
        held = Path("/proc/locks").read_text("utf-8").splitlines()
    except OSError:
        held = []
    for words in map(str.split, held):
        if "FLOCK" in words and words[-3].endswith(f":{inode}") and words[-4].isdecimal():
            number = int(words[-4])
            if number != os.getpid() and Path(f"/proc/{number}").exists():
                begun = Path(f"/proc/{number}").stat().st_mtime
                found.append(
                    f"process {number}, since {time.strftime('%H:%M:%S', time.localtime(begun))}"
                )
    return f"another run is at work in this folder: {'; '.join(found) or 'on another machine'}"
