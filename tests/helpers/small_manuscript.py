"""A manuscript of a few lines, staged as the workflow stages it, to be rendered in a test."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from helpers.repository import ROOT

__all__ = ["PNG", "staged"]

# A picture of one point.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


def staged(
    folder: Path, article: str, variables: str = 'n: "1"\n', more: Mapping[str, str] | None = None
) -> Path:
    """Write an article with the shipped style beside it; give its folder.

    Parameters
    ----------
    more : texts of further files, by their path in the folder, such as a table or a drawing.
    """
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "manuscript" / "assets", folder / "assets")
    project = (ROOT / "manuscript" / "_quarto.yml").read_text("utf-8")
    files = {
        "_quarto.yml": re.sub(r"(?m)^  render:.*\n", "", project),
        "references.bib": "",
        "_variables.yml": variables,
        "manuscript.qmd": article,
        **(more or {}),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder
