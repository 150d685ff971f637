"""Variants of archives, and of the workbooks in them."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl

from helpers.good_studies import Variant, packed, rezipped, workbook
from helpers.variants.registry import ZIPPED, Maker, broken


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
