"""A folder as one zip file, with the same bytes whenever and wherever it is packed."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["packed"]

EARLIEST = 315_532_800.0  # 1980-01-01, where the times of a zip file begin
LEVEL = 6
PLAIN, PROGRAM = 0o100644, 0o100755
ON_UNIX = 3  # so that permissions are read as such


def packed(folder: Path, target: Path, when: float) -> None:
    """Write a zip file of all files in a folder, in the order of their names.

    Parameters
    ----------
    folder : what is packed; names in the file are below it.
    target : the zip file.
    when : seconds UTC that all files in it bear, such as those of the build.
    """
    date = datetime.fromtimestamp(max(when, EARLIEST), UTC).timetuple()[:6]
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:
        for path in sorted(paths, key=lambda path: path.relative_to(folder).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), date)
            entry.create_system = ON_UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (PROGRAM if path.stat().st_mode & 0o100 else PLAIN) << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as content, file.open(entry, "w") as inside:
                while block := content.read(2**20):
                    inside.write(block)
