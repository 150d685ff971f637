"""Which files in a study's folder are data, and which only say something of them."""

from __future__ import annotations

from pathlib import Path

import yaml

__all__ = ["is_data"]

CODEBOOK, README = "codebook.yaml", "README.md"


def is_data(path: Path) -> bool:
    """Whether a file in a study's folder holds data.

    All do but the codebook and the README; and this one does where its codebook names it as the
    data file, as one with a table of arms or effects.
    """
    if path.name != README:
        return path.name != CODEBOOK
    try:
        said = yaml.safe_load((path.parent / CODEBOOK).read_text("utf-8-sig"))
        return str(said["file"]["name"]) == README
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return False  # a parcel's folder has no codebook, and a broken one ends elsewhere
