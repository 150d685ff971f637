"""The mistakes that Quarto would only warn about, or not see: here they stop the manuscript.

The document is read once by pandoc, and its syntax tree is the truth; the lines as they were
written only tell where a thing stands. Each check yields problems and none stops at the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from metastudy.errors import Problem
from metastudy.render.pandoc import bibliography_keys, syntax_tree
from metastudy.render.places import Line, first_line
from metastudy.render.source import MARK, Source, unmarked

__all__ = ["check"]

Node = dict[str, Any]
CALLOUTS = ("note", "tip", "warning", "caution", "important")
KINDS = {"fig": "figure", "tbl": "table", "sec": "section", "eq": "equation"}
CROSSREF = re.compile(r"^(fig|tbl|sec|eq)-", re.IGNORECASE)
EQUATION_ID = re.compile(r"^\{#([\w-]+)\}$")
IMAGE_SUFFIXES = {".svg", ".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp"}
DEFAULT_SUFFIX = "svg"
CELL = re.compile(r"^\s*(`{3,}|~{3,})\s*\{+[A-Za-z]")
INLINE_CELL = re.compile(r"`(\{[A-Za-z]+\}|r) [^`]*`")


def check(source: Source) -> list[Problem]:
    """All problems of a manuscript, those of reading it included.

    Parameters
    ----------
    source : the manuscript as :func:`metastudy.render.source.read_source` gave it.

    Returns
    -------
    list of Problem
        In the order in which they were found; empty for a manuscript that may be rendered.
    """
    problems = list(source.problems)
    if not source.config or not source.body:
        return problems
    tree, warnings = syntax_tree(source)
    document = Document(source, tree)
    problems += warnings
    for rule in (
        _missing_files,
        _affiliations,
        _cells,
        _misplaced_variables,
        _identifiers,
        _headings,
        _divs,
        _images,
        _tables,
        _raw,
        _leftovers,
        _citations,
    ):
        problems += rule(document)
    return list(dict.fromkeys(problems))


@dataclass
class Document:
    """A source with its syntax tree, and the ways to look things up in both."""

    source: Source
    tree: Node

    @cached_property
    def nodes(self) -> list[Node]:
        """Every node of metadata and body, in the order of the document."""
        return [*_walk(self.tree["meta"]), *_walk(self.tree["blocks"])]

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
            if name := _attr(node)[0]:
                found.setdefault(name, []).append(node["t"])
        for name in self.equations:
            found.setdefault(name, []).append("Equation")
        return found

    def problem(self, code: str, pattern: str, found: str, expected: str, mend: str) -> Problem:
        """A problem at the first line that matches a regular expression."""
        line = first_line(self.source.original, pattern)
        where = line or Line(self.source.name(self.source.article), 0, "")
        return Problem(
            where.file,
            unmarked(found),
            expected,
            mend,
            row=where.row or None,
            code=code,
        )


def _walk(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


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


def _attr(node: Node) -> tuple[str, list[str], dict[str, str]]:
    """Id, classes and attributes of a node; empty for one that has none."""
    content: list[Any] = node.get("c") or []
    if node["t"] == "Header":
        content = content[1:]
    if node["t"] in _WITH_ATTR and content:
        name, classes, attributes = content[0]
        return name, classes, dict(attributes)
    return "", [], {}


_WITH_ATTR = {"Header", "Div", "Span", "Figure", "Table", "Image", "Link", "Code", "CodeBlock"}


def _plain(node: Any) -> str:
    """The text of a node without its markup."""
    return "".join(
        part["c"] if part["t"] == "Str" else " " if part["t"] in ("Space", "SoftBreak") else ""
        for part in _walk(node)
    )


def _missing_files(document: Document) -> Iterator[Problem]:
    """Files that the project file names: bibliography, styles, filters, templates."""
    source = document.source
    named = [source.config.get("bibliography"), source.config.get("csl")]
    named += source.config.get("filters", [])
    for options in source.formats.values():
        named += [options.get("reference-doc"), *options.get("template-partials", [])]
    for file in named:
        if isinstance(file, str) and not (source.folder / file).is_file():
            yield Problem(
                source.name("_quarto.yml"),
                f"{file}, which does not exist",
                "a file inside the manuscript's folder",
                "correct the name or add the file",
                code="no-file",
            )


def _affiliations(document: Document) -> Iterator[Problem]:
    """References of authors to affiliations that are not listed."""
    front = document.source.front
    known = [place.get("id") for place in front.get("affiliations", [])]
    for person in front.get("author", []):
        for item in person.get("affiliations", []):
            if item.get("ref") not in known:
                yield document.problem(
                    "affiliation",
                    rf"ref:\s*{re.escape(str(item.get('ref')))}",
                    f"the affiliation {item.get('ref')!r}",
                    f"one of: {', '.join(map(str, known)) or 'an id under affiliations'}",
                    "correct the id or list the affiliation",
                )


def _cells(document: Document) -> Iterator[Problem]:
    """Code that would run: the manuscript's numbers come from files alone."""
    for line in document.source.body:
        if CELL.search(line.text) or INLINE_CELL.search(line.text):
            yield Problem(
                line.file,
                unmarked(line.text.strip()),
                "code that is only shown, such as ```python",
                "let the workflow compute it, and put the result in by a variable",
                row=line.row,
                code="code-cell",
            )


def _misplaced_variables(document: Document) -> Iterator[Problem]:
    """Variables in formulas, code, addresses and raw text, where Quarto leaves them unresolved."""
    for node in document.all("Math", "Code", "CodeBlock", "RawInline", "RawBlock", "Link", "Image"):
        if _is_comment(node):
            continue
        place, inside = _verbatim(node)
        for number in MARK.findall(inside):
            use = document.source.uses[int(number)]
            yield Problem(
                use.file,
                f"{{{{< var {use.name} >}}}} inside {place}",
                "variables in running text only",
                "move the variable out, such as $x =$ {{< var a.b >}}",
                row=use.row,
                code="misplaced-variable",
            )


def _verbatim(node: Node) -> tuple[str, str]:
    """What a node is called, and the part of it that is taken literally."""
    if node["t"] in ("Link", "Image"):
        return "an address", node["c"][2][0]
    names = {"Math": "a formula", "Code": "code", "CodeBlock": "code"}
    return names.get(node["t"], "raw text"), node["c"][-1]


def _identifiers(document: Document) -> Iterator[Problem]:
    """Ids that stand twice, and ids whose prefix promises another kind of thing."""
    carriers = {"fig": "Figure", "tbl": "Table", "sec": "Header", "eq": "Equation"}
    for name, kinds in document.places.items():
        place = rf"\{{[^}}]*#{re.escape(name)}(?![\w-])"
        if len(kinds) > 1:
            yield document.problem(
                "duplicate-id",
                place,
                f"the id {name} {len(kinds)} times",
                "each id once",
                "rename one",
            )
        prefix = CROSSREF.match(name)
        wanted = carriers[prefix[1].lower()] if prefix else None
        for kind in kinds:
            if wanted and kind != wanted:
                yield document.problem(
                    "id-kind",
                    place,
                    f"the id {name} on a {kind.lower()}",
                    f"it on a {wanted.lower()}",
                    "change the prefix of the id, or move it",
                )
    for name in document.equations:
        if not name.startswith("eq-"):
            yield document.problem(
                "id-kind", re.escape(name), f"the equation's id {name}", "eq-...", "rename it"
            )


def _headings(document: Document) -> Iterator[Problem]:
    """Sections begin at ##, no level is left out, and none stands inside a box."""
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
            for inner in (n for n in _walk(node) if n["t"] == "Header"):
                yield _heading_problem(
                    document, inner, "headings outside of boxes and quotes", 'use title="..."'
                )
    for node in document.all("Header"):
        for name in sorted({*node["c"][1][1], *dict(node["c"][1][2])} - {"unnumbered"}):
            yield _heading_problem(document, node, f"no {name}, only .unnumbered", "remove it")


def _heading_problem(document: Document, node: Node, expected: str, mend: str) -> Problem:
    text = _plain(node["c"][2])
    words = r"\W+".join(map(re.escape, re.findall(r"\w+", unmarked(text))))
    found = f"the heading {'#' * node['c'][0]} {text}"
    return document.problem("heading", rf"^#+.*{words}", found, expected, mend)


def _divs(document: Document) -> Iterator[Problem]:
    """Boxes of a class that nothing draws, and attributes that nothing reads."""
    known = {f"callout-{kind}" for kind in CALLOUTS}
    for node in document.all("Div", "Span"):
        name, classes, attributes = _attr(node)
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


def _images(document: Document) -> Iterator[Problem]:
    """Pictures that are no figure, have no alternative text, or whose file is missing."""
    figures = document.all("Figure")
    inside = {id(image) for node in figures for image in _walk(node) if image["t"] == "Image"}
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
        for image in (part for part in _walk(figure) if part["t"] == "Image"):
            yield from _figure(document, figure, image)


def _figure(document: Document, figure: Node, image: Node) -> Iterator[Problem]:
    """What is wrong with one figure."""
    address = unmarked(image["c"][2][0])
    attributes = _attr(image)[2]

    def problem(code: str, found: str, expected: str, mend: str) -> Problem:
        return document.problem(code, re.escape(address), f"{address}: {found}", expected, mend)

    if not _attr(figure)[0].startswith("fig-"):
        yield problem("figure", "no id", "{#fig-... }", "add an id after the picture")
    if not unmarked(attributes.get("fig-alt", "")).strip():
        yield problem("fig-alt", "no fig-alt", 'fig-alt="..."', "say what is to be seen")
    for unknown in sorted(set(attributes) - {"fig-alt", "width"}):
        yield problem("unknown-attribute", unknown, "fig-alt and width only", "remove it")
    if not re.fullmatch(r"(\d+(\.\d+)?%)?", attributes.get("width", "")):
        yield problem("figure", f"width {attributes['width']}", "a per cent, as 80%", "mend it")
    if Path(address).suffix.lower() in IMAGE_SUFFIXES:
        mend = "leave the extension out: each format takes the file that suits it"
        yield problem("figure", "an extension", "a name without one", mend)
    elif Path(address).is_absolute() or ".." in Path(address).parts or ":" in address:
        yield problem("figure", "a place elsewhere", "a file of the manuscript's folder", "mend it")
    else:
        for suffix in sorted(_suffixes(document.source)):
            if not (document.source.folder / f"{address}.{suffix}").is_file():
                yield problem(
                    "no-figure",
                    f"no file {address}.{suffix}",
                    "a picture for each format",
                    "correct the name, or have the workflow draw it",
                )


def _suffixes(source: Source) -> set[str]:
    """The kinds of picture that the declared formats take."""
    return {
        options.get("default-image-extension", DEFAULT_SUFFIX)
        for options in source.formats.values()
        if isinstance(options, dict)
    } or {DEFAULT_SUFFIX}


def _tables(document: Document) -> Iterator[Problem]:
    """Tables without id or caption, and widths that do not fit the columns."""
    for node in document.all("Table"):
        (name, _, attributes), caption, columns = _attr(node), node["c"][1], node["c"][2]
        start = _table_start(node)
        text = _plain(caption).strip()
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
    words = re.findall(r"\w+", unmarked(_plain(table["c"][3])))
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


def _is_comment(node: Node) -> bool:
    return node["t"] in ("RawBlock", "RawInline") and node["c"][1].startswith("<!--")


def _raw(document: Document) -> Iterator[Problem]:
    """Raw HTML and TeX, which all formats but one would lose; comments are fine."""
    for node in document.all("RawBlock", "RawInline"):
        if not _is_comment(node):
            text = unmarked(node["c"][1]).strip().splitlines()[0]
            yield document.problem(
                "raw",
                re.escape(text),
                f"raw {node['c'][0]}: {text}",
                "Markdown",
                "write it in Markdown",
            )


def _leftovers(document: Document) -> Iterator[Problem]:
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


def _citations(document: Document) -> Iterator[Problem]:
    """References to what is not there, in the document or in the bibliography."""
    keys, problems = bibliography_keys(document.source)
    yield from problems
    for citation in (node["c"][0] for node in document.all("Cite")):
        names = [item["citationId"] for item in citation]
        inside = [bool(CROSSREF.match(name)) for name in names]
        if any(inside) and (not all(inside) or any(item["citationPrefix"] for item in citation)):
            yield document.problem(
                "reference",
                _cited(names[0]),
                f"[{'; '.join('@' + name for name in names)}] with a prefix or a citation",
                "cross-references by themselves, such as @fig-a and @fig-b",
                "take them apart",
            )
        for name, crossref in zip(names, inside, strict=True):
            if crossref and name[0].lower() + name[1:] not in document.places:
                yield _unknown_reference(document, name)
            elif not crossref and keys is not None and name not in keys:
                yield document.problem(
                    "unknown-citation",
                    _cited(name),
                    f"@{name}",
                    f"a key of {document.source.name(document.source.config['bibliography'])}",
                    "correct the key, or add the entry to the bibliography",
                )


def _cited(name: str) -> str:
    return rf"@\{{?{re.escape(name)}(?![\w-])"


def _unknown_reference(document: Document, name: str) -> Problem:
    prefix = name.partition("-")[0].lower()
    known = sorted(key for key in document.places if key.startswith(prefix + "-"))
    return document.problem(
        "unknown-reference",
        _cited(name),
        f"@{name}, and no {KINDS[prefix]} of this id",
        f"one of: {', '.join(known) or f'a {KINDS[prefix]} with an id'}",
        "correct the reference or the id",
    )
