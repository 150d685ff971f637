"""How each variant of the corpus is made: one maker a class, for the formats to which it applies.

What a variant has to lead to is not said here but in `expected.csv`, which was fixed from what the
documentation promises.
"""

from __future__ import annotations

import datetime
import io
import os
import random
import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openpyxl

from helpers.good_studies import (
    CODED,
    DELIMITED,
    FORM,
    FORMATS,
    TABLES,
    Grid,
    Variant,
    delimited,
    dta,
    packed,
    rezipped,
    sav,
    spelt,
    workbook,
)

__all__ = ["MAKERS"]

Maker = Callable[[Variant], Any]
MAKERS: dict[tuple[str, str], Maker] = {}

GRIDS = (*TABLES, "matrix")
# What is in a cell does not depend on the mark between cells or on the header rows above.
CELLS = tuple(one for one in TABLES if one not in ("tsv", "qualtrics_tsv", "legacy"))
ZIPPED = ("xlsx", "qdpx")
BOOK = ("codebook",)  # tried on plain text; what is wrong has nothing to do with the format
ANSWERED = 5  # a row that stays and has answers to all items


def broken(name: str, formats: Iterable[str]) -> Callable[[Maker], Maker]:
    """Register the maker of a class."""

    def register(maker: Maker) -> Maker:
        for form in formats:
            assert (name, form) not in MAKERS, (name, form)
            MAKERS[name, form] = maker
        return maker

    return register


def cell(name: str, column: str, value: Any, formats: Iterable[str] = CELLS) -> None:
    """Register a class in which one cell of one column has another value."""
    broken(name, formats)(lambda v: v.grid.put(ANSWERED, column, value))


def book(name: str, old: str, new: str) -> None:
    """Register a class in which one passage of the codebook is another."""
    broken(name, BOOK)(lambda v: v.say(old, new))


# --- cells ---------------------------------------------------------------------------------------

cell("off scale, above", "q1", 8)
cell("off scale, below", "q1", 0)
cell("off scale, negative", "q2", -1)
cell("between two steps", "q1", 3.5)
cell("nearly a step", "q1", 3.0000001)
cell("no number", "q1", "seven")
cell("two answers in a cell", "q1", "3;4")
cell("infinity", "q1", "inf")
cell("not a number as a text", "q1", "NaN")
cell("power of ten", "q1", "3e0x")
cell("truth value as an answer", "q1", "TRUE")
cell("fullwidth digit", "q1", "４")
cell("zero-width blank", "q1", "4\u200b")
cell("hexadecimal number", "q1", "0x4")
cell("number with underscore", "w", "1_0")
cell("undeclared missing code", "q1", 97)
cell("date as an answer", "q1", "2020-03-02")
cell("date as an answer", "Not sure", "2020-03-02", ("matrix",))
cell("unknown label", "sex", "q")
broken("unknown label", ("matrix",))(lambda v: v.grid.put(-1, "land", "Atlantis"))
cell("other case of a label", "sex", "F")
cell("unknown level of a factor", "arm", 3)
cell("negative weight", "w", -1.5)
cell("weight of nought", "w", 0)
cell("infinite weight", "w", "inf")
cell("negative years", "years", -4.5)
cell("thousands with a comma", "years", "1,200", [one for one in CELLS if one != "semicolon"])
cell("thousands with a point", "years", "1.200", ("semicolon",))
cell("thousands with a blank", "years", "1 200")
cell("other decimal mark", "years", "4,5", [one for one in CELLS if one != "semicolon"])
cell("unknown answer to consent", "agree", 5)
cell("no answer to consent", "agree", None)
cell("mark of a matrix above one", "Not sure", 2, ("matrix",))
cell("mark of a matrix as a text", "Not sure", "yes", ("matrix",))
cell("no id", "nr", None)
cell("no id", "nr", None, ("matrix",))
cell("no coder", "reader", None, ("matrix",))


@broken("same id twice", GRIDS)
def _(v: Variant) -> None:
    v.grid.put(ANSWERED + 1, "nr", v.grid.at(ANSWERED, "nr"))
    if v.kind == "matrix":
        v.grid.put(ANSWERED + 1, "reader", v.grid.at(ANSWERED, "reader"))
        for name in ("place", "land"):
            v.grid.put(ANSWERED + 1, name, v.grid.at(ANSWERED, name))


@broken("whole file twice", GRIDS)
def _(v: Variant) -> None:
    v.grid.rows += [list(row) for row in v.grid.rows]


def fails_as_text(grid: Grid) -> None:
    """Make texts of all numbers."""
    for row in grid.rows:
        row[:] = [spelt(value) for value in row]


@broken("header again as a row", GRIDS)
def _(v: Variant) -> None:
    fails_as_text(v.grid)
    at = 0 if v.kind != "matrix" else len(v.grid.rows)
    v.grid.rows.insert(at, list(v.grid.names))


@broken("title above the header", ("csv", "tsv", "semicolon", "xlsx", "matrix"))
def _(v: Variant) -> None:
    v.grid.rows.insert(0, list(v.grid.names))
    v.grid.names = ["Export of 2020", *("" for _ in v.grid.names[1:])]


@broken("cells of a row moved to the right", GRIDS)
def _(v: Variant) -> None:
    row = v.grid.rows[ANSWERED]
    at = v.grid.names.index("w" if v.kind != "matrix" else "reader")
    row.insert(at, None)
    row.pop()


@broken("cells of all rows moved to the right", GRIDS)
def _(v: Variant) -> None:
    for row in v.grid.rows:
        row.insert(0, row.pop())


@broken("headers of two columns swapped", GRIDS)
def _(v: Variant) -> None:
    one, other = ("arm", "q2") if v.kind != "matrix" else ("place", "Not sure")
    swap = {one: other, other: one}
    v.grid.names = [swap.get(name, name) for name in v.grid.names]


@broken("column renamed", GRIDS)
def _(v: Variant) -> None:
    swap = {"q1": "q1_a", "Not sure": "Not_sure"}
    v.grid.names = [swap.get(name, name) for name in v.grid.names]


@broken("other case of a header", GRIDS)
def _(v: Variant) -> None:
    swap = {"q1": "Q1", "Not sure": "not sure"}
    v.grid.names = [swap.get(name, name) for name in v.grid.names]


@broken("column missing", GRIDS)
def _(v: Variant) -> None:
    v.grid.drop("q3" if v.kind != "matrix" else "Not sure")


@broken("column of the rule missing", TABLES)
def _(v: Variant) -> None:
    v.grid.drop("status")


@broken("column twice", [one for one in GRIDS if one not in ("sav", "dta")])
def _(v: Variant) -> None:
    name = "q1" if v.kind != "matrix" else "Not sure"
    v.grid.add(name, v.grid.column(name))


@broken("columns in another order", GRIDS)
def _(v: Variant) -> None:
    order = list(range(len(v.grid.names)))
    random.Random(5).shuffle(order)
    v.grid.names = [v.grid.names[at] for at in order]
    v.grid.rows = [[row[at] for at in order] for row in v.grid.rows]


@broken("rows in another order", GRIDS)
def _(v: Variant) -> None:
    # Rows that leave keep their places: the table of exclusions names them.
    free = list(range(31, len(v.grid.rows))) if v.kind != "matrix" else range(17)
    rows = [v.grid.rows[at] for at in free]
    random.Random(6).shuffle(rows)
    for at, row in zip(free, rows, strict=True):
        v.grid.rows[at] = row


@broken("unknown column besides", GRIDS)
def _(v: Variant) -> None:
    v.grid.add("extra", [f"x{i}" for i in range(len(v.grid.rows))], at=2)


@broken("numbers as texts", GRIDS)
def _(v: Variant) -> None:
    fails_as_text(v.grid)


@broken("numbers with point nought", GRIDS)
def _(v: Variant) -> None:
    for row in v.grid.rows:
        row[:] = [f"{value}.0" if isinstance(value, int) else value for value in row]
    if v.kind == "semicolon":
        v.content = delimited(v.grid, v.kind).replace(".0", ",0").encode()


@broken("plus signs and zeros in front", TABLES)
def _(v: Variant) -> None:
    for name in ("years", "w"):
        v.grid.fill(name, lambda x: f"0{x}" if isinstance(x, float) and x > 0 else spelt(x))
    v.content = v.bytes()


@broken("blanks around", GRIDS)
def _(v: Variant) -> None:
    for row in v.grid.rows:
        row[:] = [f"  {spelt(value)} " if value not in (None, "") else value for value in row]
    if v.kind == "semicolon":
        v.content = re.sub(r"(\d)\.(\d)", r"\1,\2", delimited(v.grid, v.kind)).encode()


@broken("non-breaking blanks around", GRIDS)
def _(v: Variant) -> None:
    name = "home" if v.kind != "matrix" else "place"
    v.grid.fill(name, lambda value: f"\u00a0{value}\u00a0" if value else value)


@broken("decomposed letters", GRIDS)
def _(v: Variant) -> None:
    name = "home" if v.kind != "matrix" else "place"
    v.grid.fill(name, lambda value: unicodedata.normalize("NFD", value))


@broken("one arm only", TABLES)
def _(v: Variant) -> None:
    v.grid.fill("arm", lambda _: 1)


@broken("constant outcome", TABLES)
def _(v: Variant) -> None:
    for name in ("q1", "q2", "q3"):
        v.grid.fill(name, lambda value: value and 4)


@broken("no answer at all", TABLES)
def _(v: Variant) -> None:
    for name in ("q1", "q2", "q3"):
        v.grid.fill(name, lambda _: None)


@broken("nobody consents", TABLES)
def _(v: Variant) -> None:
    v.grid.fill("agree", lambda _: 2)


@broken("everything missing by code", TABLES)
def _(v: Variant) -> None:
    for name in ("q1", "q2", "q3"):
        v.grid.fill(name, lambda _: 98)


@broken("headers only", GRIDS)
def _(v: Variant) -> None:
    v.grid.rows = []


@broken("keying reversed in the codebook", TABLES)
def _(v: Variant) -> None:
    v.say("99: tired}, keying: reverse}", "99: tired}}")
    v.say("{name: q1, ", "{name: q1, keying: reverse, ")


@broken("rows of a source disagree", ("matrix",))
def _(v: Variant) -> None:
    v.grid.put(1, "land", "Finland")


@broken("an organisation in two countries", CODED)
def _(v: Variant) -> None:
    if v.kind == "matrix":
        v.grid.put(len(v.grid.rows) - 3, "land", "Finland")
    else:
        v.project.cases[9]["values"]["V2"] = "Finland"


# --- texts ---------------------------------------------------------------------------------------


def text(name: str, formats: Iterable[str] = DELIMITED) -> Callable[[Any], Any]:
    """Register a class that changes the text of a delimited file."""

    def register(change: Callable[[Variant, str], str | bytes]) -> Any:
        def maker(v: Variant) -> None:
            changed = change(v, v.text())
            v.content = changed if isinstance(changed, bytes) else changed.encode()

        broken(name, formats)(maker)
        return change

    return register


@text("byte order mark")
def _(v: Variant, content: str) -> str:
    return "\ufeff" + content


@text("line ends of Windows")
def _(v: Variant, content: str) -> str:
    return delimited(v.grid, v.kind, end="\r\n")


@text("line ends of old Macs")
def _(v: Variant, content: str) -> str:
    return delimited(v.grid, v.kind, end="\r")


@text("no line end after the last row")
def _(v: Variant, content: str) -> str:
    return content.rstrip("\n")


@text("blank lines at the end")
def _(v: Variant, content: str) -> str:
    mark = ";" if v.kind == "semicolon" else "\t" if "tsv" in v.kind else ","
    width = len(v.grid.names) + 3 * (v.kind == "legacy")
    return content + (mark * (width - 1) + "\n") * 3


@text("all cells quoted")
def _(v: Variant, content: str) -> str:
    import csv as csv_module

    mark = ";" if v.kind == "semicolon" else "\t" if "tsv" in v.kind else ","
    stream = io.StringIO()
    writer = csv_module.writer(
        stream, delimiter=mark, quoting=csv_module.QUOTE_ALL, lineterminator="\n"
    )
    writer.writerows(csv_module.reader(io.StringIO(content, newline=""), delimiter=mark))
    return stream.getvalue()


def rows_of(content: str) -> list[str]:
    return content.removesuffix("\n").split("\n")


def mark_of(v: Variant) -> str:
    return ";" if v.kind == "semicolon" else "\t" if "tsv" in v.kind else ","


@text("delimiter after every row")
def _(v: Variant, content: str) -> str:
    v.grid.add("", [None] * len(v.grid.rows))
    made = delimited(v.grid, v.kind)
    if v.kind in ("qualtrics", "qualtrics_tsv", "legacy"):  # nothing stands there in any header
        made = made.replace("Tag \n", "\n").replace("What is ?", "")
        made = made.replace('"What, please, is\nthe ?"', "")
    return made


@text("delimiter after the rows, not the header")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    return "\n".join([*rows[:-9], *(row + mark_of(v) for row in rows[-9:])]) + "\n"


@text("row too short")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    rows[-3] = mark_of(v).join(rows[-3].split(mark_of(v))[:4])
    return "\n".join(rows) + "\n"


@text("row too long")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    rows[-3] += mark_of(v) + "more"
    return "\n".join(rows) + "\n"


@text("row broken in two")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    half = rows[-3].split(mark_of(v))
    rows[-3] = mark_of(v).join(half[:4]) + "\n" + mark_of(v).join(half[4:])
    return "\n".join(rows) + "\n"


@text("quotation mark not closed, last row")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    place = rows[-1].split(mark_of(v))
    place[2] = '"' + place[2]
    rows[-1] = mark_of(v).join(place)
    return "\n".join(rows) + "\n"


@text("quotation mark not closed, in the middle")
def _(v: Variant, content: str) -> str:
    rows = rows_of(content)
    place = rows[-9].split(mark_of(v))
    place[2] = '"' + place[2]
    rows[-9] = mark_of(v).join(place)
    return "\n".join(rows) + "\n"


@text("quotation mark not closed in the header")
def _(v: Variant, content: str) -> str:
    return '"' + content


@text("another delimiter")
def _(v: Variant, content: str) -> str:
    return delimited(v.grid, v.kind, delimiter=";" if mark_of(v) != ";" else "\t")


@text("bars as delimiter")
def _(v: Variant, content: str) -> str:
    return delimited(v.grid, v.kind, delimiter="|")


@text("Latin-1 under UTF-8")
def _(v: Variant, content: str) -> bytes:
    return content.encode("latin-1")


@text("UTF-8 under another flag")
def _(v: Variant, content: str) -> str:
    v.say("format: ", "encoding: cp1252, format: ")
    return content


@text("UTF-16 under UTF-8")
def _(v: Variant, content: str) -> bytes:
    return content.encode("utf-16")


@text("UTF-16 without a mark under UTF-8")
def _(v: Variant, content: str) -> bytes:
    return content.encode("utf-16-le")


@text("declared UTF-16")
def _(v: Variant, content: str) -> bytes:
    v.say("format: ", "encoding: utf-16, format: ")
    return content.encode("utf-16")


@text("declared Latin-1")
def _(v: Variant, content: str) -> bytes:
    v.say("format: ", "encoding: latin-1, format: ")
    return content.encode("latin-1")


@text("NUL in a cell")
def _(v: Variant, content: str) -> str:
    return content.replace("Bornholm", "Born\0holm", 1).replace("Leith", "Le\0ith", 1)


@text("NULs at the end")
def _(v: Variant, content: str) -> str:
    return content + "\0" * 512


@text("file of the same text twice, header and all", ("csv", "tsv", "semicolon", "matrix"))
def _(v: Variant, content: str) -> str:
    return content + content


@text("HTML page instead")
def _(v: Variant, content: str) -> str:
    return "<!DOCTYPE html>\n<html><body>Please log in, again</body></html>\n"


@text("JSON instead")
def _(v: Variant, content: str) -> str:
    return '{"error": "quota", "code": 7}\n'


@broken("encoding that does not exist", (*DELIMITED, "sav", "dta"))
def _(v: Variant) -> None:
    v.say("format: ", "encoding: klingon, format: ")


@broken("encoding that is none of texts", DELIMITED)
def _(v: Variant) -> None:
    v.say("format: ", "encoding: rot13, format: ")


# --- bytes ---------------------------------------------------------------------------------------


@broken("empty file", FORMATS)
def _(v: Variant) -> None:
    v.content = b""


@broken("one byte", FORMATS)
def _(v: Variant) -> None:
    v.content = b"\n"


def cut(share: float) -> Maker:
    def maker(v: Variant) -> None:
        whole = v.bytes()
        keep = int(len(whole) * share)
        while v.kind in DELIMITED and whole[keep - 1 : keep] in b"\n\r":
            keep -= 1
        if v.kind in DELIMITED:  # within a row, so that the row has too few cells
            keep = whole.rindex(mark_of(v).encode(), 0, keep)
        v.content = whole[:keep]

    return maker


broken("cut off at a third", FORMATS)(cut(1 / 3))
broken("cut off at nine tenths", FORMATS)(cut(0.9))
broken("cut off near the end", FORMATS)(cut(0.99))
broken("cut off in the head", ("xlsx", "parquet", "sav", "dta", "qdpx"))(cut(0.02))


@broken("random bytes", FORMATS)
def _(v: Variant) -> None:
    v.content = random.Random(8).randbytes(5000)


@broken("right start, random rest", ("xlsx", "parquet", "sav", "dta", "qdpx"))
def _(v: Variant) -> None:
    v.content = v.bytes()[:200] + random.Random(9).randbytes(5000)


@broken("zeros in the middle", ("xlsx", "parquet", "sav", "dta", "qdpx"))
def _(v: Variant) -> None:
    whole = v.bytes()
    fifth = len(whole) // 5  # the fourth of five, where the data are
    v.content = whole[: 3 * fifth] + bytes(fifth) + whole[4 * fifth :]


@broken("PDF instead", FORMATS)
def _(v: Variant) -> None:
    v.content = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + random.Random(3).randbytes(900)


@broken("gzip instead", FORMATS)
def _(v: Variant) -> None:
    import gzip

    v.content = gzip.compress(v.bytes())


HUGE = "x" * 10_000_000


@broken("cell of 10 MB", [one for one in GRIDS if one not in ("sav", "xlsx", "dta")])
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "home" if v.kind != "matrix" else "place", HUGE)


@broken("cell of 10 MB in a column that is not used", ("csv", "semicolon", "qualtrics", "parquet"))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "remark", HUGE)


@broken("cell of 10 MB", ("xlsx",))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "home", "MARK-OF-A-CELL")
    v.content = rezipped(workbook(v.grid), _stuff)


def _stuff(members: dict[str, bytes]) -> None:
    for name, content in members.items():
        # Repeated words pack too well for an honest file; these do not.
        long = " ".join(f"{i:x}" for i in range(1_600_000)).encode()
        members[name] = content.replace(b"MARK-OF-A-CELL", long)


@broken("cell of 10 MB", ("qdpx",))
def _(v: Variant) -> None:
    v.project.cases[3]["values"]["V1"] = HUGE


@broken("text of 10 MB that is a transcript", ("qdpx",))
def _(v: Variant) -> None:
    long = " ".join(f"{i:x}" for i in range(1_600_000))
    v.project.members["Sources/S2.txt"] = str(v.project.members["Sources/S2.txt"]) + long


@broken("column of numbers with 30000 digits", ("csv", "parquet", "xlsx"))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "q1", "4" * 30_000)


# --- archives ------------------------------------------------------------------------------------


@broken("zip bomb", ZIPPED)
def _(v: Variant) -> None:
    bomb = bytes(600 * 2**20)
    stream = io.BytesIO(v.bytes())
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as file:
        name = "xl/media/a.xml" if v.kind == "xlsx" else "Sources/S1.txt"
        if v.kind == "xlsx":
            file.writestr(name, bomb)
    if v.kind == "xlsx":
        v.content = stream.getvalue()
    else:
        v.project.members["Sources/S1.txt"] = bomb
        v.content = packed(v.project)


@broken("zip bomb that lies about its size", ZIPPED)
def _(v: Variant) -> None:
    name = b"xl/worksheets/sheet1.xml" if v.kind == "xlsx" else b"Sources/S1.txt"
    if v.kind == "qdpx":
        v.project.members["Sources/S1.txt"] = bytes(200 * 2**20)
        whole = packed(v.project)
    else:
        whole = rezipped(
            v.bytes(), lambda m: m.__setitem__("xl/worksheets/sheet1.xml", bytes(200 * 2**20))
        )
    v.content = _claimed(whole, name, 2000)


def _claimed(content: bytes, name: bytes, size: int) -> bytes:
    """Change what the directory of an archive says of the size of a member."""
    at = content.rindex(name)
    place = at - 46 + 24  # of the size in the central directory's entry
    return content[:place] + struct.pack("<I", size) + content[place + 4 :]


@broken("path out of the archive", ZIPPED)
def _(v: Variant) -> None:
    v.content = rezipped(v.bytes(), lambda m: m.__setitem__("../../evil.txt", b"x"))


@broken("absolute path in the archive", ZIPPED)
def _(v: Variant) -> None:
    v.content = rezipped(v.bytes(), lambda m: m.__setitem__("/tmp/evil.txt", b"x"))


@broken("path of Windows in the archive", ZIPPED)
def _(v: Variant) -> None:
    v.content = rezipped(v.bytes(), lambda m: m.__setitem__("C:\\evil.txt", b"x"))


@broken("same path twice in the archive", ZIPPED)
def _(v: Variant) -> None:
    main = "xl/workbook.xml" if v.kind == "xlsx" else "project.qde"
    whole = v.bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        content = file.read(main)
    stream = io.BytesIO(whole)
    with zipfile.ZipFile(stream, "a") as file:
        file.writestr(main.upper(), content)
    v.content = stream.getvalue()


@broken("archive with a password", ZIPPED)
def _(v: Variant) -> None:
    whole = bytearray(v.bytes())
    for start, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = whole.find(start)
        while at >= 0:
            whole[at + place] |= 1
            at = whole.find(start, at + 4)
    v.content = bytes(whole)


@broken("archive with a wrong checksum", ZIPPED)
def _(v: Variant) -> None:
    name = b"xl/worksheets/sheet1.xml" if v.kind == "xlsx" else b"project.qde"
    whole = v.bytes()
    place = whole.rindex(name) - 46 + 16
    v.content = whole[:place] + b"\1\2\3\4" + whole[place + 4 :]


@broken("archive of something else", ZIPPED)
def _(v: Variant) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("readme.txt", "nothing of it")
    v.content = stream.getvalue()


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
BILLION = f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/hostname">]>'


def entities(doctype: str, use: str) -> Maker:
    def maker(v: Variant) -> None:
        def change(members: dict[str, bytes]) -> None:
            name = "xl/worksheets/sheet1.xml" if v.kind == "xlsx" else "project.qde"
            xml = members[name].decode()
            head, rest = ("", xml) if "?>" not in xml else xml.split("?>", 1)
            head = head + "?>" if head else '<?xml version="1.0"?>'
            rest = rest.replace("Bornholm", use, 1).replace("Leith", use, 1)
            members[name] = (head + doctype + rest).encode()

        v.content = rezipped(v.bytes(), change)

    return maker


broken("billion laughs", ZIPPED)(entities(BILLION, "&l9;"))
broken("external entity", ZIPPED)(entities(OUTSIDE, "&out;"))


@broken("billion laughs in UTF-16", ZIPPED)
def _(v: Variant) -> None:
    entities(BILLION, "&l9;")(v)
    name = "xl/worksheets/sheet1.xml" if v.kind == "xlsx" else "project.qde"

    def change(members: dict[str, bytes]) -> None:
        xml = members[name].decode().replace('encoding="utf-8"', 'encoding="utf-16"')
        members[name] = xml.encode("utf-16")

    v.content = rezipped(v.bytes(), change)


@broken("XML that is not well-formed", ZIPPED)
def _(v: Variant) -> None:
    name = "xl/worksheets/sheet1.xml" if v.kind == "xlsx" else "project.qde"
    v.content = rezipped(v.bytes(), lambda m: m.__setitem__(name, m[name][:-20]))


@broken("XML nested very deeply", ZIPPED)
def _(v: Variant) -> None:
    name = "xl/worksheets/sheet1.xml" if v.kind == "xlsx" else "project.qde"
    deep = b"<a>" * 200_000 + b"</a>" * 200_000
    end = b"</worksheet>" if v.kind == "xlsx" else b"</Project>"
    v.content = rezipped(v.bytes(), lambda m: m.__setitem__(name, m[name].replace(end, deep + end)))


# --- a project -----------------------------------------------------------------------------------


def of_project(name: str, change: Callable[[Any], Any]) -> None:
    """Register a class that changes a project in its parts."""
    broken(name, ("qdpx",))(lambda v: change(v.project))


def of_xml(name: str, old: str, new: str, count: int = -1) -> None:
    """Register a class that changes the XML of a project."""

    def maker(v: Variant) -> None:
        xml = v.project.xml()
        assert old in xml, old
        v.content = packed(v.project, xml.replace(old, new, count).encode())

    broken(name, ("qdpx",))(maker)


def coding(made: Any, place: int = 0) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for source in made.sources for one in source["codings"]]
    return found[place]


of_project("offsets beyond the text", lambda p: coding(p).update(start=9000, end=9010))
of_project("end before the start", lambda p: coding(p).update(start=30, end=20))
of_project("offset that is no number", lambda p: coding(p).update(start="two"))
of_project("negative offset", lambda p: coding(p).update(start=-3))
of_project("coding with a code that is not there", lambda p: coding(p).update(code="C99"))
of_project("coding by a user who is not there", lambda p: coding(p).update(user="U99"))
of_project("case of a source that is not there", lambda p: p.cases[2].update(source="S99"))
of_project("source without a case", lambda p: p.cases.pop(2))
of_project("text of a source missing", lambda p: p.members.pop("Sources/S1.txt"))
of_project("text of a source cut off", lambda p: p.members.update({"Sources/S1.txt": "Short."}))
of_project(
    "text of a source not UTF-8",
    lambda p: p.members.update({"Sources/S1.txt": ("Ærø " * 90).encode("latin-1")}),
)
of_project(
    "text of a source outside the archive",
    lambda p: p.sources[0].update(path="internal://../../../../etc/passwd"),
)
of_project(
    "text of a source at an absolute path",
    lambda p: p.sources[0].update(path="absolute:///etc/passwd"),
)
of_project(
    "unknown code, used", lambda p: (p.codes.update(C9="Novel"), coding(p).update(code="C9"))
)
of_project("unknown code, not used", lambda p: p.codes.update(C9="Novel"))
of_project("code renamed", lambda p: p.codes.update(C1="Unsure"))
of_project("code gone", lambda p: _without_code(p, "C3"))
of_project("two codes of one name", lambda p: p.codes.update(C9="Not sure"))
of_project("unknown coder", lambda p: p.cases[0]["values"].update(V3="Ann;Cleo"))
of_project("unknown label", lambda p: p.cases[0]["values"].update(V2="Atlantis"))
of_project("other case of a label", lambda p: p.cases[0]["values"].update(V2="scotland"))
of_project("same id twice", lambda p: p.cases[1]["values"].update(V0="1"))
of_project("no id", lambda p: p.cases[1]["values"].pop("V0"))
of_project("column renamed", lambda p: p.variables.update(V2="country"))
of_project("column missing", lambda p: _without_variable(p, "V2"))
of_project("columns in another order", lambda p: _reversed(p, "variables"))
of_project("unknown column besides", lambda p: p.variables.update(V9="extra"))
of_project("value of a variable that is not there", lambda p: p.cases[0]["values"].update(V99="x"))
of_project("codes in another order", lambda p: _reversed(p, "codes"))
of_project("blanks around", lambda p: p.cases[0]["values"].update(V1="  Leith ", V2=" Scotland "))
of_project(
    "decomposed letters",
    lambda p: [
        case["values"].update(V1=unicodedata.normalize("NFD", case["values"]["V1"]))
        for case in p.cases
    ],
)
of_project("folder of sources in lower case", lambda p: _renamed(p, "Sources/", "sources/"))
of_project("headers only", lambda p: (p.cases.clear(), p.sources.clear()))
of_xml("another namespace", "urn:QDA-XML:project:1.0", "urn:QDA-XML:codebook:1.0")
of_xml("references in another case", 'targetGUID="C', 'targetGUID="c')
of_xml("line ends of Windows", "\n", "\r\n")
of_xml("byte order mark", "<?xml", "\ufeff<?xml")
of_xml("NUL in a cell", "Leith", "Le\0ith")
of_xml("unknown encoding in the XML", 'encoding="utf-8"', 'encoding="klingon"')
of_project("no users at all, two readers", lambda p: p.users.clear())


def _without_code(made: Any, code: str) -> None:
    del made.codes[code]
    for source in made.sources:
        source["codings"] = [one for one in source["codings"] if one["code"] != code]


def _without_variable(made: Any, guid: str) -> None:
    del made.variables[guid]
    for case in made.cases:
        del case["values"][guid]


def _reversed(made: Any, part: str) -> None:
    setattr(made, part, dict(reversed(list(getattr(made, part).items()))))


def _renamed(made: Any, old: str, new: str) -> None:
    made.members = {name.replace(old, new): text for name, text in made.members.items()}


@broken("project file not UTF-8", ("qdpx",))
def _(v: Variant) -> None:
    v.content = packed(v.project, v.project.xml().encode("latin-1"))


@broken("project file in declared Latin-1", ("qdpx",))
def _(v: Variant) -> None:
    v.project.encoding = "iso-8859-1"
    v.content = packed(v.project, v.project.xml().encode("latin-1"))


@broken("project file missing", ("qdpx",))
def _(v: Variant) -> None:
    v.content = rezipped(v.bytes(), lambda m: m.pop("project.qde"))


# --- workbooks -----------------------------------------------------------------------------------


def sheet(name: str) -> Callable[[Callable[[Any, Any], Any]], Any]:
    """Register a class that changes a workbook."""

    def register(change: Callable[[Any, Any], Any]) -> Any:
        def maker(v: Variant) -> None:
            v.content = workbook(v.grid, change)

        broken(name, ("xlsx",))(maker)
        return change

    return register


@sheet("formula without its value")
def _(book: Any, sheet: Any) -> None:
    sheet["H7"] = "=1+2"


@sheet("merged cells in a used column")
def _(book: Any, sheet: Any) -> None:
    sheet.merge_cells("H7:H9")


@sheet("merged cells in the header")
def _(book: Any, sheet: Any) -> None:
    sheet.merge_cells("H1:I1")


@sheet("two sheets with cells")
def _(book: Any, sheet: Any) -> None:
    book.create_sheet("Notes")["A1"] = "something"


@sheet("empty sheet besides")
def _(book: Any, sheet: Any) -> None:
    book.create_sheet("Empty")


@sheet("date of Excel as an answer")
def _(book: Any, sheet: Any) -> None:
    sheet["H7"] = datetime.date(2020, 3, 4)


@sheet("error value in a cell")
def _(book: Any, sheet: Any) -> None:
    sheet["H7"] = "#N/A"


@sheet("truth value of Excel as an answer")
def _(book: Any, sheet: Any) -> None:
    sheet["H7"] = True


@sheet("column without a header")
def _(book: Any, sheet: Any) -> None:
    sheet["N7"] = "lost"


@sheet("comments, colours and widths")
def _(book: Any, sheet: Any) -> None:
    sheet["H7"].comment = openpyxl.comments.Comment("who is this", "somebody")
    sheet["H7"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFCC00")
    sheet.column_dimensions["C"].width = 50
    sheet.row_dimensions[9].hidden = True


@sheet("blank rows and columns at the end")
def _(book: Any, sheet: Any) -> None:
    sheet["Z99"].number_format = "0.00"
    sheet["C99"] = ""


@broken("sheet that is not there", ("xlsx",))
def _(v: Variant) -> None:
    v.say("format: xlsx", "format: xlsx, sheet: Answer")


@broken("old kind of workbook", ("xlsx",))
def _(v: Variant) -> None:
    v.content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)


@broken("workbook with a password", ("xlsx",))
def _(v: Variant) -> None:
    v.content = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + bytes(3000)
    )


# --- SPSS and Stata ------------------------------------------------------------------------------


@broken("value labels swapped", ("sav", "dta"))
def _(v: Variant) -> None:
    labels = {"q1": {1.0: "Agree fully", 7.0: "Do not agree at all"}}
    v.content = {"sav": sav, "dta": dta}[v.kind](v.grid, variable_value_labels=labels)


@broken("declared missing without a reason", ("sav",))
def _(v: Variant) -> None:
    v.content = sav(v.grid, missing_ranges={"q1": [{"lo": 96, "hi": 96}, 98.0, 99.0]})


@broken("declared missing with a reason", ("sav",))
def _(v: Variant) -> None:
    v.content = sav(v.grid, missing_ranges={"q1": [{"lo": 98, "hi": 99}]})


@broken("declared missing without a reason", ("dta",))
def _(v: Variant) -> None:
    data = v.grid
    data.put(ANSWERED, "q1", "a")

    from good_studies import frame, written
    from pyreadstat import write_dta

    table = frame(data)
    table["q1"] = [None if one == "" else one if one == "a" else float(one) for one in table["q1"]]
    table["q1"] = table["q1"].astype(object)
    v.content = written(
        lambda made, path: write_dta(made, path, missing_user_values={"q1": ["a"]}), table
    )


# --- formats -------------------------------------------------------------------------------------


def declared_as(form: str) -> Maker:
    def maker(v: Variant) -> None:
        other = Variant(v.kind)
        coded = form in CODED
        if coded != (v.kind in CODED):  # the codebook must fit the format that it declares
            v.codebook = Variant(
                "matrix" if form == "matrix" else "qdpx" if coded else "csv"
            ).codebook
            v.say(re.search(r"file: .*\n", str(v.codebook)).group(), _file_of(other))  # type: ignore[union-attr]
        if v.kind in CODED and coded:
            v.codebook = Variant(form).codebook
            v.say(re.search(r"file: .*\n", str(v.codebook)).group(), _file_of(other))  # type: ignore[union-attr]
        v.say(f"format: {FORM[v.kind]}", f"format: {form}")
        if form not in ("csv", "qualtrics", "matrix"):
            v.codebook = re.sub(r", (delimiter|decimal): ('.'|\"..\")", "", str(v.codebook))

    return maker


def _file_of(v: Variant) -> str:
    found = re.search(r"file: .*\n", str(v.codebook))
    assert found
    return found.group()


for form in dict.fromkeys(FORM.values()):
    others = [one for one in FORMATS if FORM[one] != form]
    broken(f"declared as {form}", others)(declared_as(form))

broken("no format declared", [one for one in FORMATS if one not in ("matrix", "legacy")])(
    lambda v: v.say(f", format: {FORM[v.kind]}", "")
)
broken("no format declared where two are plausible", ("matrix", "legacy"))(
    lambda v: v.say(f", format: {FORM[v.kind]}", "")
)


# --- places --------------------------------------------------------------------------------------


@broken("data file missing", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: (folder / v.name).unlink())


@broken("folder instead of the data file", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: ((folder / v.name).unlink(), (folder / v.name).mkdir()))


def _linked(folder: Path, name: str) -> None:
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)


@broken("link to the data file", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _linked(folder, v.name))


def _looped(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(folder / name)


@broken("link to itself", BOOK)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _looped(folder, v.name))


def _piped(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)


@broken("pipe instead of the data file", BOOK)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _piped(folder, v.name))


@broken("data file may not be read", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: (folder / v.name).chmod(0))


@broken("simulated flag, real file", FORMATS)
def _(v: Variant) -> None:
    v.say("provenance: observed", "provenance: simulated")


@broken("simulated flag, other file in the manifest", BOOK)
def _(v: Variant) -> None:
    v.say("provenance: observed", "provenance: simulated")
    v.manifest = f"small: {{answers.csv: {'0' * 64}}}\n"


@broken("observed flag, simulated file", FORMATS)
def _(v: Variant) -> None:
    v.manifest = f"small: {{{v.name}: DIGEST}}\n"


@broken("observed flag, simulated file of another study", BOOK)
def _(v: Variant) -> None:
    v.manifest = "another: {its.csv: DIGEST}\n"


broken("manifest missing", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder.parent / "manifest.yaml").unlink())
)


@broken("manifest no YAML", BOOK)
def _(v: Variant) -> None:
    v.manifest = "small: {answers.csv: [\n"


broken("codebook missing", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder / "codebook.yaml").unlink())
)
broken("codebook is a folder", BOOK)(
    lambda v: v.steps.append(
        lambda folder: (
            (folder / "codebook.yaml").unlink(),
            (folder / "codebook.yaml").mkdir(),
        )
    )
)
broken("codebook may not be read", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder / "codebook.yaml").chmod(0))
)


# --- the codebook --------------------------------------------------------------------------------


def whole(name: str, content: str | bytes) -> None:
    """Register a class in which the codebook is something else altogether."""

    def maker(v: Variant) -> None:
        v.codebook = content

    broken(name, BOOK)(maker)


def more(name: str, lines: str) -> None:
    """Register a class in which something stands after the codebook."""

    def maker(v: Variant) -> None:
        v.codebook = str(v.codebook) + lines

    broken(name, BOOK)(maker)


whole("codebook empty", "")
whole("codebook is a list", "- study\n- file\n")
whole("codebook is a text", "study\n")
whole("codebook is a number", "7\n")
whole("codebook cut off", Variant("csv").codebook[:300])
whole(
    "codebook not UTF-8",
    str(Variant("csv").codebook).replace("small st", "små st").encode("cp1252"),
)
whole("codebook in UTF-16", str(Variant("csv").codebook).encode("utf-16"))
whole("codebook with a byte order mark", "\ufeff" + str(Variant("csv").codebook))
whole("codebook with line ends of Windows", str(Variant("csv").codebook).replace("\n", "\r\n"))
whole("codebook of bytes", random.Random(1).randbytes(2000))
whole("codebook with a NUL", str(Variant("csv").codebook).replace("A small", "A\0small"))
whole("codebook nested very deeply", "a: " + "[" * 50_000)
whole("codebook of a Python object", "!!python/object/apply:os.system ['true']\n")
whole("codebook with a tabulator", str(Variant("csv").codebook).replace("  title", "\ttitle"))
whole("two documents", str(Variant("csv").codebook) + "---\nstudy: {}\n")

BOMB = "".join(
    f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" if i else "l0: &l0 [a, a]\n"
    for i in range(12)
)
more("YAML bomb", BOMB)
more("YAML bomb in a place that is allowed", "x: 1\n" + BOMB.replace("l11:", "exclude_:"))
more(
    "YAML bomb of merges",
    "".join(
        f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}\n" if i else "m0: &m0 {a: 1}\n"
        for i in range(9)
    ),
)
more("anchor that holds itself", "quality_: &self [*self]\n")
more("mapping that merges itself", "quality_: &self {<<: *self}\n")
more("alias without an anchor", "label: *nowhere\n")
more("key twice at the top", "outcomes: [threat_job]\n")
book("anchor that holds itself, in a list", "outcomes: [threat_job]", "outcomes: &o [*o]")
book("key twice in the study", "  design:", "  id: small\n  design:")
book("key twice in a variable", "{name: nr, as: id}", "{name: nr, as: id, as: item}")
book("study of another name", "id: small", "id: other")
book("study without a name", "  id: small\n", "")
book("misspelt key of the study", "  citation:", "  citaton:")
book("misspelt key of the file", "format: csv", "formt: csv")
book("misspelt key of a variable", "keying:", "keyign:")
book("misspelt section", "outcomes:", "outcome:")
book("misspelt key of a rule", "drop: [test]", "drops: [test]")
book("misspelt key of a quality rule", "constant_over:", "constant:")
book("misspelt key of an exposure", "{factor: task_type, type", "{facter: task_type, type")
book("misspelt section of the vocabulary", "missing_reasons:", "missing_reason:")
book("misspelt sensitivity", "[design_based]", "[design_base]")
book("misspelt outcome", "outcomes: [threat_job]", "outcomes: [threat_jobs]")
book(
    "misspelt construct",
    "q3, as: item, construct: threat_job",
    "q3, as: item, construct: treat_job",
)
book("misspelt factor", "factors: {task_type:", "factors: {task_typ:")
book("misspelt level", "2: core}}", "2: cor}}")
book("misspelt reason", "99: tired}, keying", "99: tierd}, keying")
book("misspelt country", "country: DK", "country: DX")
book("misspelt sector", "sector: elderly_care", "sector: elderly")
book("misspelt role", "role: professional", "role: profesional")
book("misspelt kind of variable", "{name: w, as: weight}", "{name: w, as: wieght}")
book("misspelt design", "design: experiment", "design: experimental")
book("misspelt provenance", "provenance: observed", "provenance: real")
book("misspelt variable", "{name: q3,", "{name: q33,")
book("misspelt variable of a rule", "variable: status", "variable: statos")
book("misspelt name of the file", "name: answers.csv", "name: answer.csv")
book("file outside the folder", "name: answers.csv", "name: ../answers.csv")
book("file is the folder above", "name: answers.csv", "name: '..'")
book("file with an absolute path", "name: answers.csv", "name: /etc/passwd")
book("variable twice", "{name: q3,", "{name: q1,")
book("two ids", "{name: home, as: site}", "{name: home, as: id}")
book("no id variable", "{name: nr, as: id}", "{name: nr, as: ignore}")
book("no variables", "variables:\n", "variables: []\nfirst:\n")
book("consent without accept", ", accept: [1]}", "}")
Q1 = "q1, as: item, construct: threat_job, min: 1, max: 7"
book("bounds swapped", Q1, Q1.replace("min: 1, max: 7", "min: 7, max: 1"))
book("bounds equal", Q1, Q1.replace("min: 1", "min: 7"))
book("bound that is a text", Q1, Q1.replace("min: 1", "min: one"))
book("bound that is not finite", Q1, Q1.replace("max: 7", "max: 1.0e999"))
book(
    "missing code inside the scale",
    "{98: dont_know, 99: tired}, keying",
    "{7: dont_know, 99: tired}, keying",
)
book(
    "same missing code twice",
    "{98: dont_know, 99: tired}, keying",
    "{98: dont_know, 98.0: tired}, keying",
)
book("value that is missing too", "missing: {x: refused}}", "missing: {f: refused}}")
book(
    "values outside the bounds",
    "{98: dont_know, 99: tired}, keying: reverse}",
    "{99: tired}, values: {1: 1, 2: 9}}",
)
book("trait without values", "trait: gender, values: {f: woman, m: man}", "trait: gender")
book("weight without an analysis", "sensitivity: [design_based]\n", "")
book("analysis without a weight", "{name: w, as: weight}", "{name: w, as: ignore}")
book("same answer over items of one keying", ", keying: reverse}", "}")
book("rule with two actions", "drop: [test]}", "drop: [test], keep: [real]}")
book("rule without an action", ", drop: [test]}", "}")
book("rule twice", "{rule: broke_off", "{rule: test_row")
book("randomised factor that is not", "type: randomised}", "type: organisational}")
book("factor without randomised", ", randomised: true", "")
book(
    "exposure that is no variable", "{factor: task_type, type", "{factor: involvement_degree, type"
)
book(
    "exposure of two kinds",
    "{factor: task_type, type",
    "{factor: task_type, construct: threat_job, type",
)
book("key of another kind of variable", "{name: nr, as: id}", "{name: nr, as: id, min: 1}")
book("field outside published", "{name: home, as: site}", "{name: home, as: finding, field: n}")
book("code of interviews in an experiment", "outcomes: [", "codes: {A: uncertainty}\noutcomes: [")
book("sheet of a text file", "format: csv", "format: csv, sheet: A")
book("delimiter of two signs", "format: csv", "format: csv, delimiter: ';;'")
book("delimiter that is a quotation mark", "format: csv", "format: csv, delimiter: '\"'")
book("delimiter beyond ASCII", "format: csv", "format: csv, delimiter: '§'")
book("vocabulary redefines an entry", "{tired: {label", "{refused: {label: Else}, tired: {label")
book("vocabulary without a label", "{tired: {label: Too tired}}", "{tired: {}}")
book(
    "vocabulary of a family that is not there",
    "vocabulary:\n",
    "vocabulary:\n  constructs:\n"
    "    envy: {label: Envy, definition: A wish., direction: more, family: sins}\n",
)
book("list where a mapping belongs", "  missing_reasons: {tired: {label: Too tired}}", "  - tired")
book("mapping where a list belongs", "outcomes: [threat_job]", "outcomes: {threat_job: 1}")
book("text where a list belongs", "outcomes: [threat_job]", "outcomes: threat_job")
book("nothing where a list belongs", "outcomes: [threat_job]", "outcomes:")
book("key that is no text", "outcomes: [threat_job]", "outcomes: [threat_job]\n? [a, b]\n: c")
book("number that is very long", Q1, Q1.replace("max: 7", f"max: {'9' * 5000}"))


# --- codebooks of coded sources ------------------------------------------------------------------

for _name, _old, _new in (
    ("misspelt code", "Not sure: uncertainty", "Not sure: uncertanty"),
    ("misspelt name of a code", "  Not sure: unc", "  Not sur: unc"),
    ("code that is not in the file", "codes:\n", "codes:\n  Novel: morale\n"),
):
    broken(_name, CODED)(lambda v, old=_old, new=_new: v.say(old, new))  # type: ignore[misc]


@broken("code left out of the codebook", ("qdpx",))
def _(v: Variant) -> None:
    v.say("  Not sure: uncertainty\n", "")
    v.say("uncertainty, ", "")


@broken("coded sources without codes", CODED)
def _(v: Variant) -> None:
    v.codebook = re.sub(r"codes:\n(  .*\n)+outcomes: .*\n", "", str(v.codebook))


@broken("coded sources in an experiment", CODED)
def _(v: Variant) -> None:
    v.say("design: interviews", "design: experiment")


@broken("study of another name", CODED)
def _(v: Variant) -> None:
    v.say("id: small", "id: other")
