"""Checks of structure: headings, divs, cells, raw blocks and what is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metastudy.common.problems import Problem
from metastudy.manuscript.checks.document import Document, Node, attr, is_comment, plain, walk
from metastudy.manuscript.source import unmarked

__all__ = ["cells", "divs", "headings", "leftovers", "raw"]

CALLOUTS = ("note", "tip", "warning", "caution", "important")
CELL = re.compile(r"^\s*(`{3,}|~{3,})\s*\{+[A-Za-z]")
INLINE_CELL = re.compile(r"`(\{[A-Za-z]+\}|r) [^`]*`")


def cells(document: Document) -> Iterator[Problem]:
    """Code that would run: the manuscript's numbers come from files alone."""
    for line in document.source.body:
        if CELL.search(line.text) or INLINE_CELL.search(line.text):
            yield Problem(
                file=line.file,
                found=unmarked(line.text.strip()),
                expected="code that is only shown, such as ```python",
                fix="let the workflow compute it, and put the result in by a variable",
                row=line.row,
                code="code-cell",
            )


def headings(document: Document) -> Iterator[Problem]:
    """Sections begin at ##, no level is left out, and none is inside a box."""
    level = 1
    for node in document.tree["blocks"]:
        if node["t"] == "Header":
            depth = node["c"][0]
            if depth < 2 or depth > level + 1:
                yield _heading_problem(
                    document, node, f"a level from 2 to {level + 1} here", "change the number of #"
                )
            level = max(depth, 1)
        else:
            for inner in (n for n in walk(node) if n["t"] == "Header"):
                yield _heading_problem(
                    document, inner, "headings outside of boxes and quotes", 'use title="..."'
                )
    for node in document.all("Header"):
        for name in sorted({*node["c"][1][1], *dict(node["c"][1][2])} - {"unnumbered"}):
            yield _heading_problem(document, node, f"no {name}, only .unnumbered", "remove it")


def _heading_problem(document: Document, node: Node, expected: str, fix: str) -> Problem:
    text = plain(node["c"][2])
    words = r"\W+".join(map(re.escape, re.findall(r"\w+", unmarked(text))))
    found = f"the heading {'#' * node['c'][0]} {text}"
    return document.problem("heading", rf"^#+.*{words}", found, expected, fix)


def divs(document: Document) -> Iterator[Problem]:
    """Boxes of a class that nothing draws, and attributes that nothing reads."""
    known = {f"callout-{kind}" for kind in CALLOUTS}
    for node in document.all("Div", "Span"):
        name, classes, attributes = attr(node)
        allowed = known if node["t"] == "Div" else set()
        for unknown in sorted(set(classes) - allowed):
            yield document.problem(
                "unknown-class",
                rf"\.?{re.escape(unknown)}(?![\w-])",
                f"the class .{unknown}",
                f"one of: {', '.join(sorted(allowed)) or 'no class on a span'}",
                "correct the spelling or remove it",
            )
        for unknown in sorted(set(attributes) - ({"title"} if classes else set())):
            yield document.problem(
                "unknown-attribute",
                rf"{re.escape(unknown)}=",
                f"the attribute {unknown} on a {node['t'].lower()}",
                "title on a callout, nothing else",
                "remove it",
            )
        if node["t"] == "Div" and not classes and name != "refs":
            yield document.problem(
                "unknown-class",
                r"^:::",
                f"a div of no class {name}",
                "a callout, or #refs",
                "remove it",
            )


def raw(document: Document) -> Iterator[Problem]:
    """Raw HTML and TeX, which all formats but one would lose; comments are fine."""
    for node in document.all("RawBlock", "RawInline"):
        if not is_comment(node):
            text = unmarked(node["c"][1]).strip().splitlines()[0]
            yield document.problem(
                "raw",
                re.escape(text),
                f"raw {node['c'][0]}: {text}",
                "Markdown",
                "write it in Markdown",
            )


def leftovers(document: Document) -> Iterator[Problem]:
    """Text that was meant as markup: a table, a div or an id that pandoc did not recognise."""
    used = {f"{{#{name}}}" for name in document.equations}
    table = "a table with a blank line before it, and as many cells in each row"
    expected = {
        "{#": "an id right after a heading, picture, caption or displayed formula",
        ":::": "::: at the start of a line, with a blank line before it",
        **dict.fromkeys(("|-", "|:", "|–", "|—"), table),
        "![": "a picture whose brackets and quotes are closed",
        "{.": "attributes right after what they belong to",
    }
    for node in document.all("Str"):
        text = unmarked(node["c"])
        start = next((start for start in expected if text.startswith(start)), None)
        if start and text not in used:
            yield document.problem(
                "markup",
                re.escape(text),
                f"{text!r} as text",
                expected[start],
                "move it to where it belongs",
            )
