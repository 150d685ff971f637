"""Variants of delimited text: marks, quotes, encodings, headers, rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

from helpers.good_studies import DELIMITED, Variant, delimited
from helpers.variants.registry import broken


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
    if v.kind in ("qualtrics", "qualtrics_tsv", "legacy"):  # nothing is there in any header
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
    v.encoding = "utf-16"
    return content.encode("utf-16")


@text("declared Latin-1")
def _(v: Variant, content: str) -> bytes:
    v.say("format: ", "encoding: latin-1, format: ")
    v.encoding = "latin-1"
    return content.encode("latin-1")


@text("NUL in a cell")
def _(v: Variant, content: str) -> str:
    if v.kind == "segments":
        return content.replace("wørds", "wø\0rds", 1)
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
