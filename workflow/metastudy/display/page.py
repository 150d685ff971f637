"""A page as parts that say the same in HTML and in Markdown: texts, tables, pictures, alerts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from metastudy.display import plain_markdown
from metastudy.display.plots import canvas

__all__ = [
    "Alerts",
    "Links",
    "Page",
    "Parts",
    "Picture",
    "Section",
    "Table",
    "Text",
    "drawn",
    "inline_svg",
    "render",
]

__resources__ = ("../../report/data/*",)
TEMPLATES = Path(__file__).parents[2] / "report" / "data"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Table:
    """A table: its caption, its columns, its rows as texts, and how many columns name the row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    heads: int = 1
    note: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Picture:
    """A drawing: the name of its files, what it shows to who sees it and to who does not."""

    name: str
    caption: str
    alt: str
    svg: str
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Alerts:
    """Things to look at, each with its level and, on the page over all, where it was found."""

    rows: Sequence[tuple[str, str, str]]  # level, text, place
    kind: str = field(default="alerts", init=False)


@dataclass(frozen=True)
class Links:
    """Links to other pages: the stem of the page's file, its title, what it says about it."""

    rows: Sequence[tuple[str, str, str]]
    kind: str = field(default="links", init=False)


@dataclass(frozen=True)
class Section:
    """A heading and what is under it."""

    title: str
    parts: Sequence[Text | Table | Picture | Alerts | Links]

    @property
    def anchor(self) -> str:
        """The heading as the name of a place on the page."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """A page: its file's stem, its titles, the mark of its data, its sections."""

    name: str
    title: str
    subtitle: str
    mark: str
    marked: str  # the sentence after the mark
    sections: Sequence[Section]
    folder: str = ""  # of its pictures, relative to the page
    up: str = ""  # the page above

    @property
    def pictures(self) -> list[Picture]:
        """All pictures in order."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Picture)]


def inline_svg(picture: Picture) -> Markup:
    """Make a drawing part of a page: no prolog, no names but its own, a label for who listens."""
    svg = picture.svg[picture.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    # several drawings share one page, so each needs names of its own
    svg = re.sub(r'\bid="', f'id="{picture.name}-', svg)
    svg = re.sub(r'href="#', f'href="#{picture.name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{picture.name}-", svg)
    label = Markup.escape(picture.alt)
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def _plain(text: object) -> str:
    """A text inside a Markdown table or paragraph: nothing in it is taken for markup."""
    return plain_markdown.escaped(str(text))


def render(page: Page) -> dict[str, str]:
    """Write a page.

    Returns
    -------
    Texts by suffix: ``html``, one file that needs no other; ``md``, with links to the drawings.
    """
    made = {}
    for suffix in ("html", "md"):
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=suffix == "html",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=jinja2.StrictUndefined,
        )
        templates.filters |= {"plain": _plain, "inline_svg": inline_svg}
        style = Markup((TEMPLATES / "page.css").read_text("utf-8"))
        made[suffix] = templates.get_template(f"page.{suffix}").render(page=page, style=style)
    return made


Parts = list[Text | Table | Picture | Alerts | Any]


def drawn(name: str, figure: Figure, caption: str, alt: str) -> Picture:
    """A drawing as a part of a page."""
    svg = BytesIO()
    canvas.save(figure, svg, BytesIO())
    return Picture(name, caption, alt, svg.getvalue().decode("utf-8"))
