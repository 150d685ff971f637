"""Folders that runs make and remove: a mark in each says which it is, so that no other one goes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from metastudy.common.user_files import NotReadable, read_whole

__all__ = ["MARK", "SCRATCH", "is_own", "mark"]

MARK = ".metastudy-verify"  # in a folder that `snakemake verify` made and may empty
SCRATCH = ".metastudy-scratch"  # in a temporary folder, which the next run may remove
MAKERS = {MARK: "snakemake verify", SCRATCH: "snakemake"}
MOST_BYTES = 2**16


def mark(folder: Path, name: str = MARK) -> None:
    """Mark a folder as one that was made here; the mark holds for this path alone."""
    said = {"made_by": MAKERS[name], "which_empties": os.path.realpath(folder)}
    (folder / name).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", "utf-8")


def is_own(folder: Path, name: str = MARK) -> bool:
    """Whether a folder has the mark of :func:`mark`, and no copy of that of another folder.

    Parameters
    ----------
    folder : a link is none of our own, and neither is one whose mark is a link.
    """
    path = folder / name
    if folder.is_symlink() or path.is_symlink():
        return False
    try:
        said = json.loads(read_whole(path, MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, NotReadable, RecursionError):
        return False
    return bool(said == {"made_by": MAKERS[name], "which_empties": os.path.realpath(folder)})
