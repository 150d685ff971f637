"""Captions of the figures as a page has them: numbers put in, references to tables resolved.

The report of Snakemake shows them beside the figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

from metastudy.manuscript.source import Source

__all__ = ["FigureCaptions", "TableCaptions", "captions", "lines"]

FIGURE = re.compile(r"\]\((?:[\w.-]+/)*(?P<name>[\w-]+)\)\{#(?P<id>fig-[\w-]+)")
TABLE = re.compile(r"\n\n: (?P<caption>.*?)(?: \{#tbl-.*)?\s*\Z", re.S)
ESCAPED = re.compile(r"\\(?=\W)")  # in Markdown
MARKUP = re.compile(r"([\\*`|_])")  # in reStructuredText
BLANKS = re.compile(r"\s+")
UNREAD = ("svg", "math", "script", "style")  # what is inside is no sentence


class _Captions(HTMLParser):
    """The text of the ``figcaption`` of each ``figure`` with an id."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self.figure = ""
        self.inside = False
        self.unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        identifier = dict(attrs).get("id") or ""
        if identifier.startswith("fig-") and not identifier.endswith("-caption"):
            self.figure = identifier  # Quarto gives the id to a division around the figure
        self.inside = self.inside or tag == "figcaption"
        self.unread += tag in UNREAD

    def handle_endtag(self, tag: str) -> None:
        if tag == "figcaption":
            self.inside, self.figure = False, ""
        self.unread -= tag in UNREAD and self.unread > 0

    def handle_data(self, data: str) -> None:
        if self.inside and self.figure and not self.unread:
            self.found[self.figure] = self.found.get(self.figure, "") + data


def captions(sources: Iterable[Source], pages: Mapping[str, str]) -> dict[str, str]:
    """The caption of each figure of the documents, by the name of its file.

    Parameters
    ----------
    sources : the documents.
    pages : HTML by document; figures of a document without a page have no caption here.
    """
    found: dict[str, str] = {}
    for source in sources:
        parser = _Captions()
        parser.feed(pages.get(source.document, ""))
        for figure in FIGURE.finditer(source.text):
            text = BLANKS.sub(" ", parser.found.get(figure["id"], "")).strip()
            if text:
                found.setdefault(figure["name"], text)
    return found


def lines(found: Mapping[str, str]) -> str:
    """A line a figure: its name, a tab, its caption."""
    return "".join(f"{name}\t{text}\n" for name, text in found.items())


class FigureCaptions(str):
    """The path of a file of :func:`lines`, which a template of the report asks for captions.

    A template opens no files; it gets a path as a parameter of the rule. Like any path that is
    one, it is the same whatever the file says.
    """

    __slots__ = ()

    def of(self, name: str) -> str:
        """The caption of a figure, for reStructuredText; that it is in no document without one."""
        path = Path(self)
        rows = path.read_text("utf-8").splitlines() if path.is_file() else []
        found = dict(row.split("\t", 1) for row in rows if "\t" in row)  # one may be cut off
        return MARKUP.sub(r"\\\1", found.get(name, f"{name}: in neither of the documents."))


class TableCaptions(str):
    """The path of the folder of tables, for the same."""

    __slots__ = ()

    def of(self, name: str) -> str:
        """The caption of a table, for reStructuredText; its name where it has none."""
        path = Path(self) / f"_tbl-{name}.md"
        found = TABLE.search(path.read_text("utf-8")) if path.is_file() else None
        text = ESCAPED.sub("", found["caption"]) if found else f"{name}."
        return MARKUP.sub(r"\\\1", text)
