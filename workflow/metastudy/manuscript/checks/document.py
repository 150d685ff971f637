"""The syntax tree of the article with what the checks ask of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from metastudy.common.problems import Problem
from metastudy.manuscript.source import Source, unmarked
from metastudy.manuscript.yaml_rows import Line, first_line

__all__ = ["CROSSREF", "KINDS", "Document", "Node", "attr", "is_comment", "plain", "walk"]

Node = dict[str, Any]
KINDS = {"fig": "figure", "tbl": "table", "sec": "section", "eq": "equation"}
CROSSREF = re.compile(r"^(fig|tbl|sec|eq)-", re.IGNORECASE)
EQUATION_ID = re.compile(r"^\{#([\w-]+)\}$")


@dataclass
class Document:
    """A source with its syntax tree, and the ways to look things up in both."""

    source: Source
    tree: Node

    @cached_property
    def nodes(self) -> list[Node]:
        """Every node of metadata and body, in the order of the document."""
        return [*walk(self.tree["meta"]), *walk(self.tree["blocks"])]

    def all(self, *kinds: str) -> list[Node]:
        """The nodes of some kinds."""
        return [node for node in self.nodes if node["t"] in kinds]

    @cached_property
    def equations(self) -> list[str]:
        """The ids that follow displayed formulas."""
        return [tag for inlines in _inline_lists(self.tree) for tag in _equation_ids(inlines)]

    @cached_property
    def places(self) -> dict[str, list[str]]:
        """Every id with the kinds of node that carry it, in order."""
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            if name := attr(node)[0]:
                found.setdefault(name, []).append(node["t"])
        for name in self.equations:
            found.setdefault(name, []).append("Equation")
        return found

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Every id that can be referred to, with the number that is printed (see ``qmd.lua``)."""
        prefix = self.source.prefix
        ids = (
            [attr(node)[0] for node in self.all("Figure")],
            [attr(t)[0] for t in self.all("Table")],
        )
        found = {
            name: f"{prefix}{number}"
            for names in (*ids, self.equations)
            for number, name in enumerate(names, 1)
        }
        level: list[int] = []
        for header in self.all("Header"):
            name, classes, _ = attr(header)
            if "unnumbered" not in classes:
                depth = max(header["c"][0] - 1, 1)
                level = [*level, *[0] * depth][:depth]
                level[-1] += 1
                found[name] = prefix + ".".join(map(str, level))
        return {name: number for name, number in found.items() if CROSSREF.match(name)}

    def problem(self, code: str, pattern: str, found: str, expected: str, fix: str) -> Problem:
        """A problem at the first line that matches a regular expression."""
        line = first_line(self.source.original, pattern)
        where = line or Line(self.source.name(self.source.article), 0, "")
        return Problem(
            file=where.file,
            found=unmarked(found),
            expected=expected,
            fix=fix,
            row=where.row or None,
            code=code,
        )


def walk(node: Any) -> Iterator[Node]:
    """Every node in a tree of pandoc, from the top down."""
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def _inline_lists(node: Any) -> Iterator[list[Node]]:
    """Every list in the tree whose items are nodes."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _inline_lists(value)
    elif isinstance(node, list):
        if node and all(isinstance(item, dict) and "t" in item for item in node):
            yield node
        for value in node:
            yield from _inline_lists(value)


def _equation_ids(inlines: list[Node]) -> Iterator[str]:
    """The ids in ``$$...$$ {#eq-x}``."""
    for math, space, tag in zip(inlines, inlines[1:], inlines[2:], strict=False):
        if (
            math["t"] == "Math"
            and math["c"][0]["t"] == "DisplayMath"
            and space["t"] in ("Space", "SoftBreak")
            and tag["t"] == "Str"
            and (name := EQUATION_ID.match(tag["c"]))
        ):
            yield name[1]


def attr(node: Node) -> tuple[str, list[str], dict[str, str]]:
    """Id, classes and attributes of a node; empty for one that has none."""
    content: list[Any] = node.get("c") or []
    if node["t"] == "Header":
        content = content[1:]
    if node["t"] in _WITH_ATTR and content:
        name, classes, attributes = content[0]
        return name, classes, dict(attributes)
    return "", [], {}


_WITH_ATTR = {"Header", "Div", "Span", "Figure", "Table", "Image", "Link", "Code", "CodeBlock"}


def plain(node: Any) -> str:
    """The text of a node without its markup."""
    return "".join(
        part["c"] if part["t"] == "Str" else " " if part["t"] in ("Space", "SoftBreak") else ""
        for part in walk(node)
    )


def is_comment(node: Node) -> bool:
    """Whether a node is an HTML comment."""
    return node["t"] in ("RawBlock", "RawInline") and node["c"][1].startswith("<!--")
