"""Checks of figures and tables: each has a file, a caption and an alternative text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from metastudy.common.problems import Problem
from metastudy.manuscript.checks.document import Document, Node, attr, plain, walk
from metastudy.manuscript.source import Source, unmarked
from metastudy.manuscript.web_page import NARROW

__all__ = ["images", "tables"]

IMAGE_SUFFIXES = {".svg", ".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp"}
DEFAULT_SUFFIX = "svg"
# How a PNG begins, and its last chunk (PNG specification, 5.2 and 11.2.5).
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"


def images(document: Document) -> Iterator[Problem]:
    """Pictures that are no figure, have no alternative text, or whose file is missing."""
    figures = document.all("Figure")
    inside = {id(image) for node in figures for image in walk(node) if image["t"] == "Image"}
    for node in document.all("Image"):
        if id(node) not in inside:
            address = unmarked(node["c"][2][0])
            yield document.problem(
                "figure",
                re.escape(address),
                f"the picture {address} in running text or without a caption",
                '![Caption](figures/x){#fig-x fig-alt="..."} as a paragraph of its own',
                "give it a caption, and blank lines around it",
            )
    for figure in figures:
        for image in (part for part in walk(figure) if part["t"] == "Image"):
            yield from _figure(document, figure, image)


def _figure(document: Document, figure: Node, image: Node) -> Iterator[Problem]:
    """What is wrong with one figure."""
    address = unmarked(image["c"][2][0])
    attributes = attr(image)[2]

    def problem(code: str, found: str, expected: str, fix: str) -> Problem:
        return document.problem(code, re.escape(address), f"{address}: {found}", expected, fix)

    if not attr(figure)[0].startswith("fig-"):
        yield problem("figure", "no id", "{#fig-... }", "add an id after the picture")
    if not unmarked(attributes.get("fig-alt", "")).strip():
        yield problem("fig-alt", "no fig-alt", 'fig-alt="..."', "say what is to be seen")
    for unknown in sorted(set(attributes) - {"fig-alt", "width"}):
        yield problem("unknown-attribute", unknown, "fig-alt and width only", "remove it")
    if not re.fullmatch(r"(\d+(\.\d+)?%)?", attributes.get("width", "")):
        yield problem("figure", f"width {attributes['width']}", "a per cent, as 80%", "fix it")
    if Path(address).suffix.lower() in IMAGE_SUFFIXES:
        fix = "leave the extension out: each format takes the file that suits it"
        yield problem("figure", "an extension", "a name without one", fix)
    elif Path(address).is_absolute() or ".." in Path(address).parts or ":" in address:
        yield problem("figure", "a place elsewhere", "a file of the manuscript's folder", "fix it")
    else:
        for suffix in sorted(_suffixes(document.source)):
            file = document.source.folder / f"{address}.{suffix}"
            if not file.is_file():
                yield problem(
                    "no-figure",
                    f"no file {address}.{suffix}",
                    "a picture for each format",
                    "correct the name, or have the workflow draw it",
                )
            for found in (file, file.with_name(NARROW + file.name)):
                if why := _damage(found):
                    name = found.relative_to(document.source.folder).as_posix()
                    yield problem(
                        "half-figure",
                        f"{document.source.name(name)}: {why}",
                        "a whole picture",
                        "delete the file and run the workflow again",
                    )


def _damage(file: Path) -> str:
    """Why a picture cannot be shown, as far as it is seen in its form; empty where it can.

    Web pages and Word take a drawing that was cut off, and show nothing or a part.
    """
    if not file.is_file():
        return ""
    content = file.read_bytes()
    if file.suffix == ".svg":
        try:
            ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            return f"no whole SVG ({error})"
    elif file.suffix == ".png" and not (content.startswith(PNG) and content.endswith(PNG_END)):
        return f"no whole PNG ({len(content)} bytes)"
    return ""


def _suffixes(source: Source) -> set[str]:
    """The kinds of picture that the declared formats take."""
    return {
        options.get("default-image-extension", DEFAULT_SUFFIX)
        for options in source.formats.values()
        if isinstance(options, dict)
    } or {DEFAULT_SUFFIX}


def tables(document: Document) -> Iterator[Problem]:
    """Tables without id or caption, and widths that do not fit the columns."""
    for node in document.all("Table"):
        (name, _, attributes), caption, columns = attr(node), node["c"][1], node["c"][2]
        start = _table_start(node)
        text = plain(caption).strip()
        place = rf"#{re.escape(name)}(?![\w-])" if name else start
        if not name.startswith("tbl-") or not text:
            yield document.problem(
                "table",
                place,
                f"a table with the id {name!r} and the caption {text!r}",
                ": Caption text {#tbl-x} below it",
                "add the caption after a blank line",
            )
        for unknown in sorted(set(attributes) - {"tbl-colwidths"}):
            yield document.problem(
                "unknown-attribute",
                place,
                f"{unknown} on {name}",
                "tbl-colwidths only",
                "remove it",
            )
        widths = attributes.get("tbl-colwidths")
        if widths is not None and not _fit(widths, len(columns)):
            yield document.problem(
                "table",
                place,
                f'{name}: tbl-colwidths="{widths}"',
                f"{len(columns)} numbers above zero, such as [40, 30, 30]",
                "give one number for each column",
            )


def _table_start(table: Node) -> str:
    """A pattern for the header line of a table."""
    words = re.findall(r"\w+", unmarked(plain(table["c"][3])))
    return r"^\s*\|.*" + ".*".join(map(re.escape, words[:3]))


def _fit(widths: str, columns: int) -> bool:
    try:
        numbers = json.loads(widths)
    except ValueError:
        return False
    return (
        isinstance(numbers, list)
        and len(numbers) == columns
        and all(isinstance(number, int | float) and number > 0 for number in numbers)
    )
