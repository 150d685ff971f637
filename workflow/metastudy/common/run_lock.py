"""A run that was killed leaves Snakemake's lock behind: it goes where no run is alive any more.

Every run holds a shared lock of the operating system on one file for as long as it lives, which
ends with the process, however it ends. Who gets that lock for itself is alone, so whatever
Snakemake's own lock says is of a run that is gone. A run that is alive is never passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import platform
import time
from pathlib import Path

__all__ = ["Refusal", "claim"]

_HELD: dict[Path, int] = {}  # open files of this process, which hold its locks


class Refusal(logging.Filter):
    """Where Snakemake refuses a run as another is at work, it names that one, and no way around.

    Snakemake by itself recommends ``--unlock``, which would let both write the same files.

    Parameters
    ----------
    others : who is at work, of :func:`claim`.
    """

    def __init__(self, others: str) -> None:
        super().__init__()
        self.others = others

    def filter(self, record: logging.LogRecord) -> bool:
        """Put our words in place of those of a ``LockException``; all else passes as it is."""
        if str(record.msg).startswith("LockException"):
            record.msg = f"error: {self.others}; wait until it has ended, and call again"
            record.args = ()
        return True


def claim(folder: Path) -> tuple[str, str]:
    """Take part in the lock of a working directory, until this process ends.

    Parameters
    ----------
    folder : Snakemake's own, ``.snakemake`` of the working directory; made where it is missing.

    Returns
    -------
    What a user should know: that a lock was removed, or that it is of another machine; and who else
    is at work here. Each is empty where there is nothing of the kind.
    """
    folder = folder.absolute()
    if folder in _HELD:
        return "", ""
    try:
        folder.mkdir(exist_ok=True)
        file = os.open(folder / "metastudy.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return "", ""  # nothing can be written here, and Snakemake says so
    _HELD[folder] = file
    locks = sorted(folder.glob("locks/*.lock"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        note, others = "", _others(file)
    else:
        note, others = _alone(file, locks), ""
    with contextlib.suppress(OSError):  # a file system without such locks
        fcntl.flock(file, fcntl.LOCK_SH)  # waits at most for one that is looking just now
    return note, others


def _alone(file: int, locks: list[Path]) -> str:
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
    return "the lock of a run that was killed is removed" if locks else ""


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
