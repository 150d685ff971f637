"""Draft the codebook of a list of coded segments, by the columns that programs export."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from metastudy.codebook.codebook import Codebook, Variable
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.text import canonical
from metastudy.drafting.roles import TODO
from metastudy.drafting.spelling import file_lines, flow, opening
from metastudy.readers import segment_codes
from metastudy.readers.raw import RawTable

__all__ = ["draft", "roles"]

LONGEST_CODE = 80  # characters; what is longer may be a person's words
MARKS = ("\n", ";", ",", "|")  # that programs put between codes in one cell
# How columns are called in English and German by MAXQDA, ATLAS.ti, NVivo, Dedoose, Taguette and
# QualCoder. Names are compared in small letters without accents, with _ for the rest.
_ROLES = {
    "id": r"document(_?(name|title))?|dokument(_?name)?|case|fall|file(_?name)?|datei(name)?|"
    r"source(_?name)?|quelle|media_title|transcript|interview|resource(_title)?",
    "code": r"codes?|code_?names?|kodes?|tags?|nodes?|codes_applied_combined",
    "coder": r"coders?|coder_?name|coded_by|codier(t_von|er|erin)|created_by|erstellt_von|creator|"
    r"(creating_|coding_)?user|owner|author|autor|excerpt_creator|(bearbeitet|geandert)_von|"
    r"modified_by",
    "start": r"begin(ning)?|start(_?pos(ition)?)?|anfang|beginn|pos_?0",
    "end": r"end(_?pos(ition)?)?|ende|pos_?1",
    "text": r"(coded_|codiertes_)?segment|text|content|coded(_text)?|quot(e|ation)(_(content|text|"
    r"name))?|zitat(inhalt|name)?|excerpt(_copy)?|passage|selection|auswahl",
    "group": r"document_?group|dokument_?gruppe|document_set|folder",
    "of_segment": r"(coded_|segment_)?(comment|kommentar|memo)s?|colou?r|farbe|weight(_score)?|"
    r"gewicht(ung)?|area|flache|coverage.*|abdeckung.*|id|reference|referenz|density|category|"
    r"(creation_|modified_|created_|excerpt_|resource_)?(date|datum)|created(_on)?|modified(_on)?|"
    r"(erstellt|bearbeitet|geandert)_am|excerpt_range|preview",
}
_REMARKS = {
    "id": "guess: the name; each value is a case",
    "coder": "guess: the name; it should be who coded the segment",
    "text": "guess: words of a person, which are never read",
    "of_segment": "guess: it belongs to the segment and not to its case",
}


def roles(names: Sequence[str]) -> dict[str, str]:
    """What the columns of a list of segments seem to be, by the column; nothing for other tables.

    Parameters
    ----------
    names : of all columns. A role goes to the first column whose name says so, but a list may have
        several texts, and what else belongs to a segment.
    """
    found: dict[str, str] = {}
    for name in names:
        bare = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
        spelt = re.sub(r"\W+", "_", bare).strip("_")
        own = next((one for one, pattern in _ROLES.items() if re.fullmatch(pattern, spelt)), "")
        if own and (own in ("text", "of_segment") or own not in found.values()):
            found[name] = own
        elif own:
            found[name] = "of_segment"
    known = set(found.values())
    enough = known & {"text", "coder"} or {"start", "end"} <= known
    return found if {"id", "code"} <= known and enough else {}


def draft(
    name: str,
    codebook: Codebook,
    table: RawTable,
    known: Mapping[str, str],
    head: Iterable[str],
    vocabulary: Vocabulary,
) -> str:
    """Draft a codebook with ``format: segments``.

    Parameters
    ----------
    name : of the file.
    codebook : what was found out of the file.
    known : roles by column (:func:`roles`).
    head : the lines of the study as a whole.
    vocabulary : what there is to choose from.

    Returns
    -------
    YAML, as :func:`metastudy.drafting.draft.draft` gives it. Of the cells, the codes are in it.
    """
    code = next(one for one, role in known.items() if role == "code")
    texts = table.data[code].astype("str")
    mark = _mark(texts)
    lines = [
        *opening(
            f"{name}, which seems to be a list of coded segments: {len(table.data)} rows",
            "docs/codebook.md has all keys",
        ),
        *head,
        *file_lines(codebook, "segments"),
        f"  cases: {TODO} # a file in this folder with a row for each document, those without a "
        "segment among",
        "  # them, and what belongs to a document; without one, take these two lines out",
        "",
        "variables: # what belongs to a case may be in the file of cases: add its columns here",
    ]
    for column in dict.fromkeys(table.names):
        lines.append(f"  - name: {flow(column)}")
        lines += (f"    {line}" for line in _entry(column, known, table, mark))
    lines += ["", f"codes: # codes of the vocabulary: {', '.join(vocabulary['codes'])}"]
    lines += (f"  {line}" for line in _codes(codebook, code, texts, mark))
    lines += ["", "# Then, as docs/codebook.md says: outcomes, exposures. For instance",
              "# outcomes: [...]"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _entry(
    column: str, known: Mapping[str, str], table: RawTable, mark: str | None
) -> Iterator[str]:
    role = known.get(column, "")
    if column not in table.data:
        yield "as: ignore # guess: several columns are called so"
    elif role == "group":
        yield f"as: {TODO} # {_of_group(column, known, table)}"
    elif role == "code":
        yield "as: code # guess: the name"
        if mark:
            yield f"separator: {_quoted(mark)} # guess: what is between codes in one cell"
        elif mark is None:
            yield f"separator: {TODO} # what is between codes in one cell; else take the line out"
    elif role in ("start", "end"):
        whole = table.data[column].astype("str").str.fullmatch("[0-9]*").all()
        if whole and (role == "start" or "start" in _places(known, table)):
            yield f"as: {role} # guess: the name, and whole numbers"
        else:
            yield "as: ignore # guess: no place in whole numbers"
    elif role in ("id", "coder"):
        yield f"as: {role} # {_REMARKS[role]}"
    elif role:
        yield f"as: ignore # {_REMARKS[role]}"
    else:
        yield f"as: {TODO} # of the case: site, country or a trait with its values; or ignore"


def _places(known: Mapping[str, str], table: RawTable) -> list[str]:
    """The roles of places whose column has whole numbers alone."""
    return [
        role
        for column, role in known.items()
        if role in ("start", "end")
        and table.data[column].astype("str").str.fullmatch("[0-9]*").all()
    ]


def _of_group(column: str, known: Mapping[str, str], table: RawTable) -> str:
    """Say what to think of where documents are in groups: a name may be in two of them."""
    identity = next(one for one, role in known.items() if role == "id")
    pairs = pd.DataFrame({"id": table.data[identity].astype("str"), "group": table.data[column]})
    twice = pairs.drop_duplicates()["id"].duplicated().sum()
    if twice:
        return (
            f"{twice} names of documents are in several groups: as one id they would be one case, "
            "so rename them; then site, another attribute, or ignore"
        )
    return "the group of the document: site or another attribute; or ignore"


def _mark(texts: pd.Series) -> str | None:
    """Find what is between codes in one cell: ``""`` for nothing, ``None`` where it is doubtful."""
    cells = [text.replace("\r\n", "\n") for text in texts[texts != ""].unique()]
    for mark in MARKS:
        divided = [[canonical(part) for part in cell.split(mark)] for cell in cells]
        several = [parts for parts in divided if len(parts) > 1]
        if not several:
            continue
        counts = pd.Series([part for parts in divided for part in parts]).value_counts()
        again = [all(counts[part] > 1 for part in parts) for parts in several]
        return mark if mark == "\n" or sum(again) > len(again) / 2 else None
    return ""


def _codes(codebook: Codebook, code: str, texts: pd.Series, mark: str | None) -> Iterator[str]:
    """List the codes, each by its end, or by its whole path where two have one end."""
    variable = Variable(code, "code", separator=mark or "")
    book = replace(codebook, variables=(variable,), codes={})
    single = pd.Series([one for cell in segment_codes.parts(book, texts) for one in cell])
    ways = dict.fromkeys(segment_codes.paths(book, single.unique()).values())
    ends = [way[-1] for way in ways]
    spelt = [way[-1] if ends.count(way[-1]) == 1 else "/".join(way) for way in ways]
    short = [one for one in spelt if len(one) <= LONGEST_CODE and "\n" not in one]
    yield from (f"{flow(one)}: {TODO}" for one in sorted(short))
    if len(short) < len(spelt):
        yield f"# {len(spelt) - len(short)} texts are too long for codes: is this the right column?"


def _quoted(mark: str) -> str:
    return '"\\n"' if mark == "\n" else f"'{mark}'"
