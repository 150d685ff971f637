"""Checks of references: citations, cross-references, variables and files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metastudy.common.problems import Problem
from metastudy.manuscript.checks.document import CROSSREF, KINDS, Document, Node, is_comment
from metastudy.manuscript.pandoc import bibliography_keys
from metastudy.manuscript.source import MARK, Source

__all__ = [
    *("affiliations", "citations", "cited_by_variables", "identifiers", "misplaced_variables"),
    "missing_files",
]

# As pandoc reads it: not after a letter, as in an address, and not where it is escaped.
CITED = re.compile(r"(?<![\w@\\])@\{?(\w(?:[\w:.#$%&+?<>~/-]*\w)?)")


def missing_files(document: Document) -> Iterator[Problem]:
    """Files that the project file names: bibliography, styles, filters, templates."""
    source = document.source
    named = [source.config.get("bibliography"), source.config.get("csl")]
    named += [file for file in source.config.get("filters", []) if file != "quarto"]
    for options in source.formats.values():
        named += [options.get("reference-doc"), *options.get("template-partials", [])]
    for file in named:
        if isinstance(file, str) and not (source.folder / file).is_file():
            yield Problem(
                file=source.name("_quarto.yml"),
                found=f"{file}, which does not exist",
                expected="a file inside the manuscript's folder",
                fix="correct the name or add the file",
                code="no-file",
            )


def affiliations(document: Document) -> Iterator[Problem]:
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


def misplaced_variables(document: Document) -> Iterator[Problem]:
    """Variables in formulas, code, addresses and raw text, where Quarto leaves them unresolved."""
    for node in document.all("Math", "Code", "CodeBlock", "RawInline", "RawBlock", "Link", "Image"):
        if is_comment(node):
            continue
        place, inside = _verbatim(node)
        for number in MARK.findall(inside):
            use = document.source.uses[int(number)]
            yield Problem(
                file=use.file,
                found=f"{{{{< var {use.name} >}}}} inside {place}",
                expected="variables in running text only",
                fix="move the variable out, such as $x =$ {{< var a.b >}}",
                row=use.row,
                code="misplaced-variable",
            )


def _verbatim(node: Node) -> tuple[str, str]:
    """What a node is called, and the part of it that is taken literally."""
    if node["t"] in ("Link", "Image"):
        return "an address", node["c"][2][0]
    names = {"Math": "a formula", "Code": "code", "CodeBlock": "code"}
    return names.get(node["t"], "raw text"), node["c"][-1]


def identifiers(document: Document) -> Iterator[Problem]:
    """Ids that are there twice, and ids whose prefix promises another kind of thing."""
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
        if name in document.source.elsewhere:
            yield document.problem(
                "duplicate-id",
                place,
                f"the id {name}, which is in the {document.source.elsewhere[name].document} too",
                "each id once in all documents",
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


def citations(document: Document) -> Iterator[Problem]:
    """References to what is not there, in the document or in the bibliography."""
    keys, problems = bibliography_keys(document.source)
    known = {*document.places, *document.source.elsewhere}
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
            if crossref and name[0].lower() + name[1:] not in known:
                yield _unknown_reference(document, name)
            elif not crossref and keys is not None and name not in keys:
                yield document.problem(
                    "unknown-citation",
                    _cited(name),
                    f"@{name}",
                    f"a key of {document.source.name(document.source.config['bibliography'])}",
                    "correct the key, or add the entry to the bibliography",
                )


def cited_by_variables(source: Source) -> Iterator[Problem]:
    """Citations in variables that no text uses: Quarto reads all variables, and fails at them."""
    keys, _ = bibliography_keys(source)
    if keys is None:
        return
    used = {use.name for use in source.uses}
    for variable, text in source.variables.items():
        for name in CITED.findall(text) if variable not in used else ():
            if name not in keys and not CROSSREF.match(name):
                yield Problem(
                    file=source.name("_variables.yml"),
                    found=f"{variable}, which cites @{name}",
                    expected=f"a key of {source.name(source.config['bibliography'])}",
                    fix="correct the key, or add the entry to the bibliography",
                    code="unknown-citation",
                )


def _cited(name: str) -> str:
    return rf"@\{{?{re.escape(name)}(?![\w-])"


def _unknown_reference(document: Document, name: str) -> Problem:
    prefix = name.partition("-")[0].lower()
    everywhere = {*document.places, *document.source.elsewhere}
    known = sorted(key for key in everywhere if key.startswith(prefix + "-"))
    return document.problem(
        "unknown-reference",
        _cited(name),
        f"@{name}, and no {KINDS[prefix]} of this id",
        f"one of: {', '.join(known) or f'a {KINDS[prefix]} with an id'}",
        "correct the reference or the id",
    )
