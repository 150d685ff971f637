"""A temporary folder beside the one that is made in it, without those that killed runs left.

A folder that is whole is moved by one rename, so it is made on the same file system. A process that
is killed cannot remove what it had begun, and that may be rows of people: the next one does, if it
has the mark that only these have. A name alone may be that of a folder of the user's.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metastudy.common.own_folder import SCRATCH, is_own, mark

__all__ = ["beside", "made_for"]

_LEFT = re.compile(r"\.(.+)-[a-z0-9_]{8}")  # as `tempfile` calls it, which draws eight letters


@contextmanager
def beside(folder: Path, within: Path | None = None) -> Iterator[Path]:
    """A new folder that is gone at the end; those of the same name that were left are removed.

    No other process may be at work on the same folder, as no two runs are in one project.

    Parameters
    ----------
    folder : what is made.
    within : where the new folder is, in place of beside it; made if it is not there.
    """
    within = folder.parent if within is None else within
    within.mkdir(parents=True, exist_ok=True)
    for left in within.glob(".*"):
        if made_for(left.name) == folder.name and is_own(left, SCRATCH):
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=within) as temporary:
        mark(Path(temporary), SCRATCH)
        new = Path(temporary, "new")  # beside the mark, so that all that is in it may be moved
        new.mkdir()
        yield new


def made_for(name: str) -> str:
    """The name of the folder that a temporary one of this name is for; empty for any other."""
    found = _LEFT.fullmatch(name)
    return found[1] if found else ""
