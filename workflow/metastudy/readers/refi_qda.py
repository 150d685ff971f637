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

from metastudy.codebook import Codebook
from metastudy.errors import BadInput, Problem
from metastudy.readers.archives import Archive, unpack
from metastudy.readers.raw import UNKNOWN_CODER, RawProject, RawTable, read_bytes, refuse
from metastudy.texts import canonical, shown

__all__ = ["UNKNOWN_CODER", "read"]

NAMESPACE = "urn:QDA-XML:project:1.0"
PROJECT = "project.qde"

SNIPPET = 10  # so many characters at least make the name of a selection a snippet of its text

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
    numbered as they stand in the project. A coding's start and end count the characters of the
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


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(parent: Element | None, *tags: str) -> Iterator[Element]:
    for child in parent if parent is not None else ():
        if not tags or _tag(child) in tags:
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
        pairs = [(None, guid) for guid, source in sources.items() if _tag(source) in _TEXTS]
    problems: list[Problem] = []
    rows: list[dict[str, str]] = []
    positions: dict[str, list[int]] = {}
    for number, (case, guid) in enumerate(pairs, start=1):
        source = sources.get(guid)
        if source is None:
            problems.append(
                _problem(codebook, number, f"the case {number} refers to no source ({guid})")
            )
            continue
        row = {"guid": guid, "name": canonical(source.get("name"))}
        for holder in (source, case):
            for value in _children(holder, "VariableValue"):
                name = names.get(_guid(_child(value, "VariableRef"), "targetGUID"))
                content = next((one for one in value if _tag(one) != "VariableRef"), None)
                if name is None:
                    problems.append(
                        _problem(codebook, number, f"a value of no variable, in case {number}")
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
    coded = [one for one in _selections(source) if _child(one[0], "Coding") is not None]
    if not coded:
        return [], []
    text = _text(archive, source)
    if text is None:
        problem = f"no text of {name}, which has codings"
        return [], [_problem(archive.codebook, None, problem)]
    # Some exporters count two characters for each line end and store one.
    length = max(len(text), len(text.replace("\r\n", "\n").replace("\n", "\r\n")))
    places, problems = _stored_places(archive.codebook, name, text, coded)
    found: list[_Coding] = []
    regions: list[tuple[_Coding, Element]] = []
    for selection, start, end in coded:
        if start is None or end is None:
            start, end = (0, len(text)) if selection is source else (-1, -1)
        inside = 0 <= start <= end <= length
        if not inside and _tag(selection) != "PDFSelection":
            problems.append(_misplaced(archive.codebook, selection, name, length))
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
        _misplaced(archive.codebook, selection, name, length) for selection in dict.fromkeys(lost)
    ]
    return found, problems


def _misplaced(codebook: Codebook, selection: Element, name: str, length: int) -> Problem:
    place = f"{selection.get('startPosition')} to {selection.get('endPosition')}"
    message = f"a {_tag(selection)} from {place} in {name}, {length} characters long"
    return _problem(codebook, None, message)


def _stored_places(
    codebook: Codebook,
    name: str,
    text: str,
    coded: Iterable[tuple[Element, int | None, int | None]],
) -> tuple[dict[tuple[int, int], tuple[int, int]], list[Problem]]:
    """Find out how a program counted, by the snippets with which it names its selections.

    Offsets drift by one a line where line ends are stored as one character and counted as two, or
    the reverse, and by one an emoji where UTF-16 is counted. The way of counting by which all
    snippets stand where they should is taken.

    Returns
    -------
    From places as they are counted to places in the stored text, empty if they are the same or
    nothing tells; and a problem for each selection that fits no way of counting.
    """
    flat = " ".join(text.split())
    told = []
    for selection, start, end in coded:
        snippet = " ".join((selection.get("name") or "").split()).rstrip(".…").rstrip()
        if start is None or end is None or not start < end or len(snippet) < SNIPPET:
            continue
        whole = len(snippet) >= 0.8 * (end - start)
        cut = (selection.get("name") or "").rstrip().endswith(("...", "…"))
        if (whole or cut) and snippet in flat:  # else the name is a title, not a snippet
            told.append((selection, start, end, snippet))
    if not told:
        return {}, []

    def fits(at: list[int], start: int, end: int, snippet: str) -> bool:
        if end >= len(at):
            return False
        return " ".join(text[at[start] : at[end]].split()).startswith(snippet)

    ways = [[*range(len(text) + 1)], *(_ways_to_count(text))]
    wrong = [[one for one in told if not fits(at, *one[1:])] for at in ways]
    best = min(range(len(ways)), key=lambda way: len(wrong[way]))
    at = ways[best]
    problems = [
        _problem(
            codebook,
            None,
            f"a selection from {start} to {end} in {name}, where other words stand than those by "
            "which it is named",
        )
        for _, start, end, _ in wrong[best]
    ]
    if best == 0:
        return {}, problems
    return {
        (start, end): (at[start], at[end])
        for _, start, end in coded
        if start is not None and end is not None and start <= end < len(at)
    }, problems


def _ways_to_count(text: str) -> Iterator[list[int]]:
    """Give for other ways of counting characters the place of each count in the text."""
    for line_end in (1, 2):
        for wide in (1, 2):
            at: list[int] = []
            for place, sign in enumerate(text):
                size = wide if ord(sign) > 0xFFFF else 1
                if sign == "\n":
                    alone = place == 0 or text[place - 1] != "\r"
                    size = line_end if alone else line_end - 1
                at += [place] * size
            yield [*at, len(text)]


def _selections(source: Element) -> Iterator[tuple[Element, int | None, int | None]]:
    """Give the source itself and every selection in it, with its place in the text."""
    yield source, None, None
    for element in source.iter():
        if _tag(element).endswith("Selection"):
            places = [element.get(key, "") for key in ("startPosition", "endPosition")]
            whole = all(place.isdecimal() for place in places)
            start, end = (int(place) for place in places) if whole else (None, None)
            yield element, start, end


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
            _problem(codebook, None, f"codings in source {numbers[guid]}, which has no case")
            for guid in lost
        ),
        *(_problem(codebook, None, f"codings with a code that does not exist ({guid})")
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
        return named, [_problem(codebook, None, message)]
    return named, []


def _problem(codebook: Codebook, row: int | None, found: str) -> Problem:
    return Problem(
        shown(codebook.data_path),
        found,
        "a project in which cases, sources, codes, users and codings refer to each other",
        "correct it in the program that made it, and export it again",
        codebook.study.id,
        row,
        PROJECT,
        "wrong-format",
    )
