"""Snakemake's own records of what it made: the only place that says what came from what."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Record", "records"]


@dataclass(frozen=True)
class Record:
    """What Snakemake noted of one output; ``said`` is empty where it cannot be read."""

    path: Path
    output: Path
    said: Mapping[str, Any]

    @property
    def inputs(self) -> list[str]:
        """Paths of what it was made from, as they are written in the workflow."""
        found = self.said.get("input")
        return [str(name) for name in found] if isinstance(found, list) else []


def records(project: Path) -> list[Record]:
    """Read the records of a working directory, in the order of their files' names.

    Parameters
    ----------
    project : the working directory, which holds ``.snakemake``. The name of a record is the path
        of its output, relative to this folder, in base64; a long one is cut into folders whose
        names begin with ``@``.
    """
    metadata = project / ".snakemake" / "metadata"
    found = []
    for path in sorted(p for p in metadata.rglob("*") if p.is_file() or p.is_symlink()):
        name = "".join(part.removeprefix("@") for part in path.relative_to(metadata).parts)
        try:
            output = base64.b64decode(name, altchars=b"-_").decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        found.append(Record(path, project / output, _said(path)))
    return found


def _said(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
