"""REFI-QDA projects (.qdpx): cases with variables, and codings of texts by one or more coders.

A project is a ZIP archive with `project.qde` (QDA-XML, https://www.qdasoftware.org) and the texts.
What exporters do differently and is read alike: `Sources/` or `sources/`; several codings in one
selection or overlapping selections; the coder on the coding or on its selection, as creating or as
modifying user; a text inside the XML; variables on the source instead of its case. An archive comes
from elsewhere, so sizes, names and XML entities are checked before anything is believed.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import pandas as pd
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from metastudy.codebook import Codebook
from metastudy.errors import BadInput, Problem
from metastudy.readers.raw import RawProject, RawTable, read_bytes, refuse, what_it_is
from metastudy.texts import canonical, shown

__all__ = ["MAX_BYTES", "MAX_MEMBERS", "MAX_RATIO", "UNKNOWN_CODER", "read"]

NAMESPACE = "urn:QDA-XML:project:1.0"
PROJECT = "project.qde"
UNKNOWN_CODER = "unknown"  # the coder of a project that names no user at all

MAX_MEMBERS = 100_000  # files in an archive; a large project has some thousand sources
MAX_BYTES = 512 * 2**20  # of one unpacked file; the transcripts of a project are far smaller
MAX_RATIO = 500  # unpacked to packed size; real texts and XML stay below some dozen
FREE_BYTES = 10 * 2**20  # unpacked size up to which the ratio does not matter

_TEXTS = ("TextSource", "PDFSource")
_USERS = ("creatingUser", "modifyingUser")
# What zipfile raises on damaged bytes; NotImplementedError comes from a broken version number.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)


class _Coding(NamedTuple):
    source: str
    start: int
    end: int
    coder: str | None
    code: str


@dataclass(frozen=True)
class _Archive:
    """A checked archive: only members of a sound name and size can be read from it."""

    codebook: Codebook
    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def text(self, path: str) -> str | None:
        """Give a source's text with its line ends as they are; ``None`` if it is not inside."""
        name = path.partition("://")[2] if "://" in path else path
        name = name.removeprefix("/").lower()
        for candidate in (f"sources/{name}", name):
            if candidate in self.members:
                content = self.bytes(candidate)
                try:
                    return content.decode("utf-8-sig")
                except UnicodeDecodeError:
                    raise refuse(
                        self.codebook,
                        f"the text {self.members[candidate].filename}, which is not UTF-8",
                        "plain texts in UTF-8",
                        "export the project again",
                        code="encoding",
                    ) from None
        return None

    def bytes(self, name: str) -> bytes:
        """Read a member by its lower-case name, after a look at its sizes."""
        member = self.members[name]
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > MAX_BYTES or (member.file_size > FREE_BYTES and ratio > MAX_RATIO):
            raise refuse(
                self.codebook,
                f"{member.filename}: {member.compress_size} bytes unpack to {member.file_size}",
                f"files of at most {MAX_BYTES} bytes, packed at most {MAX_RATIO}-fold",
                "take the archive from its source again; this one may be hostile",
            )
        try:
            return self.file.read(member)
        except RuntimeError as error:  # a password, or a way of packing that is not known
            raise refuse(
                self.codebook,
                f"{member.filename}: {error}",
                "an archive without a password, packed in the usual way",
                "export the project again",
            ) from None
        except _UNREADABLE as error:
            raise _damaged(self.codebook, f"{member.filename}: {error}") from None


def read(codebook: Codebook) -> RawProject:
    """Read a REFI-QDA project.

    Parameters
    ----------
    codebook : names the file and the variables of its cases.

    Returns
    -------
    RawProject with one row for each source of a case (for each text, if there are no cases),
    numbered as they stand in the project. A coding's start and end count the characters of the
    text with its line ends as stored.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no such project: no ZIP, cut off, of a suspicious size or with
        suspicious paths, no well-formed XML, XML with entities, or codings that point nowhere.
    """
    content = read_bytes(codebook)
    try:
        file = zipfile.ZipFile(io.BytesIO(content))
    except _UNREADABLE as error:
        if content[:4] == b"PK\x03\x04":
            raise _damaged(codebook, str(error)) from None
        raise refuse(
            codebook,
            what_it_is(content[:4096]),
            "a REFI-QDA project (.qdpx), which is a ZIP archive",
            "export the project as REFI-QDA, or correct file.format in the codebook",
        ) from None
    with file:
        return _project(_open(codebook, file))


def _damaged(codebook: Codebook, message: str) -> BadInput:
    return refuse(
        codebook,
        f"a damaged archive: {message}",
        "a whole ZIP archive",
        "copy the file again: it may have been cut off",
    )


def _open(codebook: Codebook, file: zipfile.ZipFile) -> _Archive:
    infos = file.infolist()
    names = [info.filename.replace("\\", "/") for info in infos]
    unsafe = [
        name
        for name in names
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in PurePosixPath(name).parts
    ]
    if unsafe or len(infos) > MAX_MEMBERS:
        raise refuse(
            codebook,
            f"the path '{unsafe[0]}' in the archive" if unsafe else f"{len(infos)} files inside",
            f"paths inside the archive, of at most {MAX_MEMBERS} files",
            "take the archive from its source again; this one may be hostile",
        )
    members = {name.lower(): info for name, info in zip(names, infos, strict=True)}
    if PROJECT not in members:
        raise refuse(
            codebook,
            f"an archive without {PROJECT} (it holds {', '.join(names[:5]) or 'nothing'})",
            f"a REFI-QDA project with {PROJECT}",
            "export the project as REFI-QDA",
        )
    return _Archive(codebook, file, members)


def _root(archive: _Archive) -> Element:
    try:
        root: Element = fromstring(archive.bytes(PROJECT), forbid_dtd=True)
    except DefusedXmlException as error:
        raise refuse(
            archive.codebook,
            f"{PROJECT} defines entities or document types ({type(error).__name__})",
            "XML without entities of its own",
            "take the archive from its source again; this one may be hostile",
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


def _project(archive: _Archive) -> RawProject:
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
    for guid, source in sources.items():
        codings, trouble = _codings(archive, guid, source)
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
        label = case.get("name", "") if case is not None else ""
        if source is None:
            problems.append(
                _problem(codebook, number, f"the case '{label}' refers to no source ({guid})")
            )
            continue
        row = {"guid": guid, "name": canonical(source.get("name"))}
        for holder in (source, case):
            for value in _children(holder, "VariableValue"):
                name = names.get(_guid(_child(value, "VariableRef"), "targetGUID"))
                content = next((one for one in value if _tag(one) != "VariableRef"), None)
                if name is None:
                    problems.append(
                        _problem(codebook, number, f"a value of no variable, in case '{label}'")
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


def _codings(archive: _Archive, guid: str, source: Element) -> tuple[list[_Coding], list[Problem]]:
    """List the codings of a source, each within its text."""
    name = source.get("name", guid)
    text = length = None
    found, problems = [], []
    for selection, start, end in _selections(source):
        codings = list(_children(selection, "Coding"))
        if not codings:
            continue
        if length is None:
            text = _text(archive, source)
            if text is None:
                problem = f"no text of the source '{name}', which has codings"
                return [], [_problem(archive.codebook, None, problem)]
            # Some exporters count two characters for each line end and store one.
            length = max(len(text), len(text.replace("\r\n", "\n").replace("\n", "\r\n")))
        if start is None or end is None:
            start, end = (0, len(text or "")) if selection is source else (-1, -1)
        if not 0 <= start <= end <= length:
            place = f"{selection.get('startPosition')} to {selection.get('endPosition')}"
            message = f"a {_tag(selection)} from {place} in '{name}', {length} characters long"
            problems.append(_problem(archive.codebook, None, message))
            continue
        for coding in codings:
            users = [_guid(one, key) for one in (coding, selection) for key in _USERS]
            if selection is source:
                users = users[:2]  # who added the text is not who coded it
            coder = next(filter(None, users), None)
            codes = [_guid(one, "targetGUID") for one in _children(coding, "CodeRef")]
            found += [_Coding(guid, start, end, coder, code) for code in codes]
    return found, problems


def _selections(source: Element) -> Iterator[tuple[Element, int | None, int | None]]:
    """Give the source itself and every selection in it, with its place in the text."""
    yield source, None, None
    for element in source.iter():
        if _tag(element).endswith("Selection"):
            places = [element.get(key, "") for key in ("startPosition", "endPosition")]
            whole = all(place.isdecimal() for place in places)
            start, end = (int(place) for place in places) if whole else (None, None)
            yield element, start, end


def _text(archive: _Archive, source: Element) -> str | None:
    representation = _child(source, "Representation")
    for holder in (source, representation):
        if holder is None:
            continue
        inline = _child(holder, "PlainTextContent")
        if inline is not None:
            return inline.text or ""
        path = holder.get("plainTextPath")
        text = archive.text(path) if path else None
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
    lost = dict.fromkeys(one.source for one in found if one.source not in positions)
    strange = dict.fromkeys(one.code for one in found if one.code not in codes)
    return [
        *(
            _problem(codebook, None, f"codings in '{sources[guid].get('name')}', which has no case")
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
