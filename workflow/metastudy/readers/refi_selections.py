"""Selections of a REFI-QDA project: what is coded, and where it is in the text that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem
from metastudy.common.text import shown

__all__ = [
    "PROJECT",
    "child",
    "children",
    "guid",
    "misplaced",
    "project_files",
    "project_problem",
    "selections",
    "stored_places",
    "tag",
]

PROJECT = "project.qde"
_WHOLE = "a project in which cases, sources, codes, users and codings refer to each other"
_POINTS = ("SyncPoint",)
_ENDS = ("fromSyncPoint", "toSyncPoint")
SNIPPET = 10  # so many characters at least make the name of a selection a snippet of its text


def tag(element: Element) -> str:
    """Name of an element without its namespace; empty for what is no element, as a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(parent: Element | None, *tags: str) -> Iterator[Element]:
    """Give the elements right below one, of some names or all."""
    for child in parent if parent is not None else ():
        if not tags or tag(child) in tags:
            yield child


def child(parent: Element | None, *tags: str) -> Element | None:
    """Give the first element right below one, of some names or any."""
    return next(children(parent, *tags), None)


def guid(element: Element | None, key: str = "guid") -> str:
    """Give a GUID in lower case: exporters differ in the case of references."""
    return "" if element is None else element.get(key, "").strip().lower()


def project_files(names: Iterable[str]) -> list[str]:
    """List the members of an archive that may be its project; the one of the standard's name first.

    Some programs call it after the project, and some people pack the folder once more.
    """
    found = [
        name
        for name in names
        if name.endswith(".qde") and not name.startswith("__macosx/") and "/._" not in f"/{name}"
    ]
    standard = [name for name in found if name.rpartition("/")[2] == PROJECT]
    own = [name for name in standard if name == PROJECT]
    return own or standard or found


def selections(source: Element) -> Iterator[tuple[Element, int | None, int | None]]:
    """Give the source itself and every selection in it, with its place in the text."""
    yield source, None, None
    points = {guid(one): one.get("position", "") for one in source.iter() if tag(one) in _POINTS}
    apart = len(list(children(source, "Transcript"))) > 1  # places are in one text of several
    for element in source.iter():
        if tag(element).endswith("Selection"):
            places = [element.get(key, "") for key in ("startPosition", "endPosition")]
            if not any(places) and tag(element) == "TranscriptSelection":
                places = [points.get(guid(element, key), "") for key in _ENDS]
            whole = all(place.isdecimal() for place in places)
            if apart and tag(element) == "TranscriptSelection":
                whole = False
            start, end = (int(place) for place in places) if whole else (None, None)
            yield element, start, end


def stored_places(
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
    listed = []
    for selection, start, end in coded:
        snippet = " ".join((selection.get("name") or "").split()).rstrip(".…").rstrip()
        if start is None or end is None or not start < end or len(snippet) < SNIPPET:
            continue
        whole = len(snippet) >= 0.8 * (end - start)
        cut = (selection.get("name") or "").rstrip().endswith(("...", "…"))
        if (whole or cut) and snippet in flat:  # else the name is a title, not a snippet
            listed.append((selection, start, end, snippet))
    if not listed:
        return {}, []

    def fits(at: list[int], start: int, end: int, snippet: str) -> bool:
        if end >= len(at):
            return False
        return " ".join(text[at[start] : at[end]].split()).startswith(snippet)

    ways = [[*range(len(text) + 1)], *(_ways_to_count(text))]
    wrong = [[one for one in listed if not fits(at, *one[1:])] for at in ways]
    best = min(range(len(ways)), key=lambda way: len(wrong[way]))
    at = ways[best]
    problems = [
        project_problem(
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


def misplaced(codebook: Codebook, selection: Element, name: str, length: int) -> Problem:
    """The problem that a selection is outside its text of ``length`` characters."""
    place = f"{selection.get('startPosition')} to {selection.get('endPosition')}"
    message = f"a {tag(selection)} from {place} in {name}, {length} characters long"
    return project_problem(codebook, None, message)


def project_problem(
    codebook: Codebook,
    row: int | None,
    found: str,
    expected: str = _WHOLE,
    fix: str = "correct it in the program that made it, and export it again",
) -> Problem:
    """The problem that a project contradicts itself, at a row if it is known."""
    return Problem(
        file=shown(codebook.data_path),
        found=found,
        expected=expected,
        fix=fix,
        study=codebook.study.id,
        row=row,
        column=PROJECT,
        code="wrong-format",
    )
