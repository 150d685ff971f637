"""REFI-QDA projects (.qdpx): cases with variables, and codings of texts by one or more coders.

A project is a ZIP archive with `project.qde` (QDA-XML, https://www.qdasoftware.org) and the texts.
What exporters do differently and is read alike: `Sources/` or `sources/`; several codings in one
selection or overlapping selections; the coder on the coding or on its selection, as creating or as
modifying user; a text inside the XML; variables on the source instead of its case. An archive comes
from elsewhere, so sizes, names and XML entities are checked before anything is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

import pandas as pd
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical
from metastudy.readers.archives import Archive, unpack
from metastudy.readers.raw import UNKNOWN_CODER, RawProject
from metastudy.readers.refi_cases import units
from metastudy.readers.refi_selections import (
    PROJECT,
    child,
    children,
    guid,
    misplaced,
    project_files,
    project_problem,
    selections,
    stored_places,
    tag,
)
from metastudy.readers.refi_texts import source_text
from metastudy.readers.refusals import read_bytes, refuse

__all__ = ["read"]

NAMESPACE = "urn:QDA-XML:project:1.0"
_CODING = f"{{{NAMESPACE}}}Coding"
_USERS = ("creatingUser", "modifyingUser")


class _Coding(NamedTuple):
    source: str
    start: int
    end: int
    coder: str | None
    code: str


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
        return _project(archive, _main(archive))


def _main(archive: Archive) -> str:
    """Give the member that is the project: project.qde, or the only one of its kind."""
    named = project_files(archive.members)
    if len(named) == 1:
        return named[0]
    inside = [member.filename for member in archive.members.values()][:5]
    raise refuse(
        archive.codebook,
        f"an archive with {len(named)} projects ({', '.join(named)})"
        if named
        else f"an archive without {PROJECT} (it holds {', '.join(inside) or 'nothing'})",
        f"a REFI-QDA project with {PROJECT}",
        "leave one of them in the archive" if named else "export the project as REFI-QDA",
    )


def _root(archive: Archive, member: str) -> Element:
    try:
        root: Element = fromstring(archive.bytes(member), forbid_dtd=True)
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


def _project(archive: Archive, member: str) -> RawProject:
    codebook, root = archive.codebook, _root(archive, member)
    coders = {
        guid(user): canonical(user.get("name") or user.get("guid"))
        for user in children(child(root, "Users"), "User")
    }
    codes = dict(_codes(child(child(root, "CodeBook"), "Codes"), ()))
    sources = {guid(source): source for source in children(child(root, "Sources"))}
    counts = {one: sum(1 for _ in source.iter(_CODING)) for one, source in sources.items()}
    found_units = units(codebook, root, sources, counts)
    positions, notes = found_units.rows, found_units.notes

    problems: list[Problem] = []
    found: list[_Coding] = []
    lengths: dict[str, int] = {}
    folder = member.rpartition("/")[0]
    for number, (one, source) in enumerate(sources.items(), start=1):
        if one not in positions:
            continue  # it is in the notes
        codings, length, said, trouble = _codings(archive, folder, number, one, source)
        found += codings
        lengths[one] = length
        notes += said
        problems += trouble
    problems += _dangling(codebook, found, codes)
    found, trouble = _with_coder(codebook, found, coders)
    problems += trouble
    if problems:
        raise BadInput(problems)

    # Where a row has several sources, their texts follow each other.
    before: dict[tuple[str, int], int] = {}
    ends: dict[int, int] = {}
    for one, places in positions.items():
        for place in places:
            before[one, place] = ends.get(place, 0)
            ends[place] = before[one, place] + lengths.get(one, 0) + 1
    rows = [
        (place, before[one.source, place] + one.start, before[one.source, place] + one.end,
         one.coder, one.code)
        for one in found
        for place in positions[one.source]
    ]  # fmt: skip
    if any(one.coder == UNKNOWN_CODER for one in found):
        coders.setdefault(UNKNOWN_CODER, UNKNOWN_CODER)
    columns = list(zip(*rows, strict=True)) or [()] * 5
    types = {"case": "int64", "start": "int64", "end": "int64", "coder": "str", "code": "str"}
    codings_table = pd.DataFrame(
        {name: pd.Series(columns[k], dtype=types[name]) for k, name in enumerate(types)}
    )
    return RawProject(found_units.table, codings_table, coders, codes, notes=tuple(notes))


def _codes(parent: Element | None, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for code in children(parent, "Code"):
        path = (*above, canonical(code.get("name")))
        yield guid(code), path
        yield from _codes(code, path)


def _codings(
    archive: Archive, folder: str, number: int, one: str, source: Element
) -> tuple[list[_Coding], int, list[str], list[Problem]]:
    """List the codings of a source, within its text if it has one; and how long that is.

    What is coded without a text, such as a picture or a region of a page, is at 0: that the code
    was applied to the source needs no place.
    """
    name = f"source {number}"  # its own name may be a person's, and messages go to logs
    coded = [
        part
        for part in selections(source)
        if any(child(coding, "CodeRef") is not None for coding in children(part[0], "Coding"))
    ]
    if not coded:
        return [], 0, [], []
    text, why = source_text(archive, folder, source)
    needed = [part for part in coded if tag(part[0]) == "PlainTextSelection"]
    notes = []
    if text is None and needed:
        lacks = f"no text: {why}" if why else "rich text only"
        notes.append(f"{name} has {lacks}; the places of its codings are not checked")
    if text is None:
        length = max((end for _, _, end in coded if end is not None), default=0)
        places: dict[tuple[int, int], tuple[int, int]] = {}
        problems: list[Problem] = []
    else:
        # Some exporters count two characters for each line end and store one.
        length = max(len(text), len(text.replace("\r\n", "\n").replace("\n", "\r\n")))
        places, problems = stored_places(archive.codebook, name, text, coded)
    found: list[_Coding] = []
    regions: list[_Coding] = []
    for selection, start, end in coded:
        placed = start is not None and end is not None
        if selection is source:
            start, end, placed = 0, len(text or ""), True
        written = any(selection.get(key) for key in ("startPosition", "endPosition"))
        if start is None or end is None:
            if written or tag(selection) == "PlainTextSelection":
                problems.append(misplaced(archive.codebook, selection, name, length))
                continue
            start = end = 0
        elif not 0 <= start <= end <= length:
            if tag(selection) != "PDFSelection":
                problems.append(misplaced(archive.codebook, selection, name, length))
                continue
            start, end, placed = 0, 0, False
        start, end = places.get((start, end), (start, end)) if placed else (0, 0)
        for coding in children(selection, "Coding"):
            users = [guid(part, key) for part in (coding, selection) for key in _USERS]
            if selection is source:
                users = users[:2]  # who added the text is not who coded it
            coder = next(filter(None, users), None)
            codes = [guid(part, "targetGUID") for part in children(coding, "CodeRef")]
            listed = [_Coding(one, start, end, coder, code) for code in codes]
            found += listed if placed else []
            regions += [] if placed else listed
    # A region of a page has no place in the text; exporters give its coding in the text as well.
    also = {(coding.coder, coding.code) for coding in found}
    apart = [one for one in dict.fromkeys(regions) if (one.coder, one.code) not in also]
    if apart:
        notes.append(
            f"{name} ({tag(source)}) is coded where it has no text: {len(apart)} without a place"
        )
    return [*found, *apart], length, notes, problems


def _dangling(
    codebook: Codebook, found: Iterable[_Coding], codes: dict[str, tuple[str, ...]]
) -> list[Problem]:
    strange = dict.fromkeys(one.code for one in found if one.code not in codes)
    return [
        project_problem(codebook, None, f"codings with a code that does not exist ({one})")
        for one in strange
    ]


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
