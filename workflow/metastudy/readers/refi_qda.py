"""REFI-QDA projects (.qdpx): cases with variables, and codings of texts by one or more coders.

A project is a ZIP archive with `project.qde` (QDA-XML, https://www.qdasoftware.org) and the texts.
What exporters do differently and is read alike: `Sources/` or `sources/`; several codings in one
selection or overlapping selections; the coder on the coding or on its selection, as creating or as
modifying user; a text inside the XML; variables on the source instead of its case. An archive comes
from elsewhere, so sizes, names and XML entities are checked before anything is believed.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import pandas as pd
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical
from metastudy.readers.archives import Archive, unpack
from metastudy.readers.raw import UNKNOWN_CODER, RawProject, RawTable
from metastudy.readers.refi_selections import (
    PROJECT,
    misplaced,
    project_problem,
    selections,
    stored_places,
    tag,
)
from metastudy.readers.refusals import read_bytes, refuse

__all__ = ["read"]

NAMESPACE = "urn:QDA-XML:project:1.0"
_TEXTS = ("TextSource", "PDFSource")
_USERS = ("creatingUser", "modifyingUser")


class _Coding(NamedTuple):
    source: str
    start: int
    end: int
    coder: str | None
    code: str


def _member_text(archive: Archive, path: str) -> str | None:
    """Give a source's text with its line ends as they are; ``None`` if it is not inside."""
    name = path.partition("://")[2] if "://" in path else path
    name = name.replace("\\", "/").removeprefix("/").lower()
    for candidate in (f"sources/{name}", name):
        if candidate in archive.members:
            content = archive.bytes(candidate)
            wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            try:
                return content.decode("utf-16" if wide else "utf-8-sig")
            except UnicodeDecodeError:
                raise refuse(
                    archive.codebook,
                    f"the text {archive.members[candidate].filename}, which is not UTF-8",
                    "plain texts in UTF-8",
                    "export the project again",
                    code="encoding",
                ) from None
    return None


def read(codebook: Codebook) -> RawProject:
    """Read a REFI-QDA project.

    Parameters
    ----------
    codebook : names the file and the variables of its cases.

    Returns
    -------
    RawProject with one row for each source of a case (for each text, if there are no cases),
    numbered as they are in the project. A coding's start and end count the characters of the
    text with its line ends as stored, as far as the names of the selections tell how the program
    counted.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no such project: no ZIP, cut off, of a suspicious size or with
        suspicious paths, no well-formed XML, XML with entities, or codings that point nowhere.
    """
    archive = unpack(
        codebook,
        read_bytes(codebook),
        "a REFI-QDA project (.qdpx), which is a ZIP archive",
        "export the project as REFI-QDA, or correct file.format in the codebook",
    )
    with archive.file:
        if PROJECT not in archive.members:
            inside = [member.filename for member in archive.members.values()][:5]
            raise refuse(
                codebook,
                f"an archive without {PROJECT} (it holds {', '.join(inside) or 'nothing'})",
                f"a REFI-QDA project with {PROJECT}",
                "export the project as REFI-QDA",
            )
        return _project(archive)


def _root(archive: Archive) -> Element:
    try:
        root: Element = fromstring(archive.bytes(PROJECT), forbid_dtd=True)
    except DefusedXmlException as error:
        raise refuse(
            archive.codebook,
            f"{PROJECT} defines entities or document types ({type(error).__name__})",
            "XML without entities of its own",
            "take the archive from its source again; this one may be hostile",
            code="hostile-archive",
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise refuse(
            archive.codebook,
            f"{PROJECT} is no well-formed XML: {error}",
            "well-formed QDA-XML",
            "export the project again",
        ) from None
    if root.tag != f"{{{NAMESPACE}}}Project":
        raise refuse(
            archive.codebook,
            f"{PROJECT} begins with {root.tag}",
            f"{{{NAMESPACE}}}Project",
            "export the whole project as REFI-QDA 1.0 or 1.5, not its codebook alone",
        )
    return root


def _children(parent: Element | None, *tags: str) -> Iterator[Element]:
    for child in parent if parent is not None else ():
        if not tags or tag(child) in tags:
            yield child


def _child(parent: Element | None, *tags: str) -> Element | None:
    return next(_children(parent, *tags), None)


def _guid(element: Element | None, key: str = "guid") -> str:
    """Give a GUID in lower case: exporters differ in the case of references."""
    return "" if element is None else element.get(key, "").strip().lower()


def _project(archive: Archive) -> RawProject:
    codebook, root = archive.codebook, _root(archive)
    coders = {
        _guid(user): canonical(user.get("name") or user.get("guid"))
        for user in _children(_child(root, "Users"), "User")
    }
    codes = dict(_codes(_child(_child(root, "CodeBook"), "Codes"), ()))
    sources = {_guid(source): source for source in _children(_child(root, "Sources"))}
    cases, positions = _cases(codebook, root, sources)

    problems: list[Problem] = []
    found: list[_Coding] = []
    for number, (guid, source) in enumerate(sources.items(), start=1):
        codings, trouble = _codings(archive, number, guid, source)
        found += codings
        problems += trouble
    problems += _dangling(codebook, found, positions, sources, codes)
    found, trouble = _with_coder(codebook, found, coders)
    problems += trouble
    if problems:
        raise BadInput(problems)

    rows = [
        (position, one.start, one.end, one.coder, one.code)
        for one in found
        for position in positions[one.source]
    ]
    if any(one.coder == UNKNOWN_CODER for one in found):
        coders.setdefault(UNKNOWN_CODER, UNKNOWN_CODER)
    columns = list(zip(*rows, strict=True)) or [()] * 5
    types = {"case": "int64", "start": "int64", "end": "int64", "coder": "str", "code": "str"}
    codings_table = pd.DataFrame(
        {name: pd.Series(columns[k], dtype=types[name]) for k, name in enumerate(types)}
    )
    return RawProject(cases, codings_table, coders, codes)


def _codes(parent: Element | None, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for code in _children(parent, "Code"):
        path = (*above, canonical(code.get("name")))
        yield _guid(code), path
        yield from _codes(code, path)


def _cases(
    codebook: Codebook, root: Element, sources: dict[str, Element]
) -> tuple[RawTable, dict[str, list[int]]]:
    """Make the table of cases, one row a source, and the rows of each source."""
    names = {
        _guid(variable): canonical(variable.get("name"))
        for variable in _children(_child(root, "Variables"), "Variable")
    }
    pairs: list[tuple[Element | None, str]] = [
        (case, _guid(reference, "targetGUID"))
        for case in _children(_child(root, "Cases"), "Case")
        for reference in _children(case, "SourceRef")
    ]
    if _child(_child(root, "Cases"), "Case") is None:
        pairs = [(None, guid) for guid, source in sources.items() if tag(source) in _TEXTS]
    problems: list[Problem] = []
    rows: list[dict[str, str]] = []
    positions: dict[str, list[int]] = {}
    for number, (case, guid) in enumerate(pairs, start=1):
        source = sources.get(guid)
        if source is None:
            problems.append(
                project_problem(codebook, number, f"the case {number} refers to no source ({guid})")
            )
            continue
        row = {"guid": guid, "name": canonical(source.get("name"))}
        for holder in (source, case):
            for value in _children(holder, "VariableValue"):
                name = names.get(_guid(_child(value, "VariableRef"), "targetGUID"))
                content = next((one for one in value if tag(one) != "VariableRef"), None)
                if name is None:
                    problems.append(
                        project_problem(codebook, number, f"a value of no variable, case {number}")
                    )
                elif content is not None and content.text:
                    row[name] = canonical(content.text)
        positions.setdefault(guid, []).append(len(rows))
        rows.append(row)
    if problems:
        raise BadInput(problems)
    known = ("guid", "name", *names.values())
    data = pd.DataFrame(rows, columns=list(dict.fromkeys(known)), dtype="str").fillna("")
    used = [name for name in codebook.used_names if name in data]
    table = RawTable(
        data=data[used],
        rows=np.arange(1, len(data) + 1),
        names=tuple(data.columns),
    )
    return table, positions


def _codings(
    archive: Archive, number: int, guid: str, source: Element
) -> tuple[list[_Coding], list[Problem]]:
    """List the codings of a source, each within its text; ``number`` is the source's place."""
    name = f"source {number}"  # its own name may be a person's, and messages go to logs
    coded = [one for one in selections(source) if _child(one[0], "Coding") is not None]
    if not coded:
        return [], []
    text = _text(archive, source)
    if text is None:
        problem = f"no text of {name}, which has codings"
        return [], [project_problem(archive.codebook, None, problem)]
    # Some exporters count two characters for each line end and store one.
    length = max(len(text), len(text.replace("\r\n", "\n").replace("\n", "\r\n")))
    places, problems = stored_places(archive.codebook, name, text, coded)
    found: list[_Coding] = []
    regions: list[tuple[_Coding, Element]] = []
    for selection, start, end in coded:
        if start is None or end is None:
            start, end = (0, len(text)) if selection is source else (-1, -1)
        inside = 0 <= start <= end <= length
        if not inside and tag(selection) != "PDFSelection":
            problems.append(misplaced(archive.codebook, selection, name, length))
            continue
        start, end = places.get((start, end), (start, end))
        for coding in _children(selection, "Coding"):
            users = [_guid(one, key) for one in (coding, selection) for key in _USERS]
            if selection is source:
                users = users[:2]  # who added the text is not who coded it
            coder = next(filter(None, users), None)
            codes = [_guid(one, "targetGUID") for one in _children(coding, "CodeRef")]
            listed = [_Coding(guid, start, end, coder, code) for code in codes]
            found += listed if inside else []
            regions += [] if inside else [(one, selection) for one in listed]
    # A region of a page has no place in the text; exporters give its coding in the text as well.
    also = {(one.coder, one.code) for one in found}
    lost = [selection for one, selection in regions if (one.coder, one.code) not in also]
    problems += [
        misplaced(archive.codebook, selection, name, length) for selection in dict.fromkeys(lost)
    ]
    return found, problems


def _text(archive: Archive, source: Element) -> str | None:
    representation = _child(source, "Representation")
    for holder in (source, representation):
        if holder is None:
            continue
        inline = _child(holder, "PlainTextContent")
        if inline is not None:
            return inline.text or ""
        path = holder.get("plainTextPath")
        text = _member_text(archive, path) if path else None
        if text is not None:
            return text
    return None


def _dangling(
    codebook: Codebook,
    found: Iterable[_Coding],
    positions: dict[str, list[int]],
    sources: dict[str, Element],
    codes: dict[str, tuple[str, ...]],
) -> list[Problem]:
    found = list(found)
    numbers = {guid: number for number, guid in enumerate(sources, start=1)}
    lost = dict.fromkeys(one.source for one in found if one.source not in positions)
    strange = dict.fromkeys(one.code for one in found if one.code not in codes)
    return [
        *(
            project_problem(codebook, None, f"codings in source {numbers[guid]}, which has no case")
            for guid in lost
        ),
        *(project_problem(codebook, None, f"codings with a code that does not exist ({guid})")
          for guid in strange),
    ]  # fmt: skip


def _with_coder(
    codebook: Codebook, found: list[_Coding], coders: dict[str, str]
) -> tuple[list[_Coding], list[Problem]]:
    """Give every coding its coder; with one user at most, there is no doubt whose it is."""
    only = next(iter(coders), UNKNOWN_CODER) if len(coders) < 2 else None
    named = [one if one.coder in coders else one._replace(coder=only) for one in found]
    nobody = sum(one.coder is None for one in named)
    if nobody:
        message = f"{nobody} codings by none of the project's {len(coders)} users"
        return named, [project_problem(codebook, None, message)]
    return named, []
