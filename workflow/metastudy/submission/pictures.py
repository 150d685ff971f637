"""The figures of both documents for print: 600 dots an inch, and as vectors."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import typst
from PIL import Image

from metastudy.common.problems import MetastudyError
from metastudy.manuscript.checks.document import Document, attr, walk

__all__ = ["DOTS", "figures_of", "written"]

DOTS = 600  # an inch
PAGE = "#set page(width: auto, height: auto, margin: 0pt)\n#image({file:?})\n"


def figures_of(documents: Mapping[str, Document]) -> Iterator[tuple[str, str, str]]:
    """Number as it is printed, id, and path in the staged folder, of each figure in order."""
    for document in documents.values():
        for figure in document.all("Figure"):
            name = attr(figure)[0]
            for node in walk(figure):
                if node["t"] == "Image":
                    yield document.numbers[name], name, node["c"][2][0]


def written(svg: Path, target: Path, stem: str) -> list[Path]:
    """Write a drawing as SVG, as PDF, and as PNG at 600 dots an inch.

    Parameters
    ----------
    svg : the drawing; its letters are paths, so no font is needed.
    target : folder for the files, which are called ``stem`` with their endings.
    """
    made = [target / f"{stem}{suffix}" for suffix in (".svg", ".pdf", ".png")]
    shutil.copy(svg, made[0])
    text = PAGE.replace("{file:?}", f'"{svg.name}"').encode()
    folder = str(svg.parent.resolve())
    pdf = typst.compile(text, root=folder, ignore_system_fonts=True)  # type: ignore[type-var]
    png = typst.compile(  # type: ignore[call-overload]
        text, root=folder, ignore_system_fonts=True, format="png", ppi=float(DOTS)
    )
    made[1].write_bytes(_bytes(pdf))
    with Image.open(io.BytesIO(_bytes(png))) as picture:
        picture.convert("RGB").save(made[2], dpi=(DOTS, DOTS), optimize=True)
    return made


def _bytes(made: object) -> bytes:
    """One page as Typst gives it."""
    if not isinstance(made, bytes):
        raise MetastudyError("Typst gave no picture of one page.")
    return made
