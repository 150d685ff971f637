"""Variants of a list of coded segments and of the file of its cases."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.good_studies import Variant, spelt
from helpers.segment_lists import CASES_NAME
from helpers.variants.registry import broken

ROW = 5  # a segment


def of_list(name: str, change: Callable[[Variant], Any]) -> None:
    """Register a class of lists of segments."""
    broken(name, ("segments",))(change)


def put(name: str, column: str, value: Any) -> None:
    """Register a class in which one cell of the list has another value."""
    of_list(name, lambda v: v.grid.put(ROW, column, value))


def case(name: str, column: str, value: Any) -> None:
    """Register a class in which one cell of the cases has another value."""
    of_list(name, lambda v: v.cases.put(4, column, value))


# --- cells ---------------------------------------------------------------------------------------
put("no id", "nr", None)
put("no coder", "reader", None)
put("segment without its code", "code", None)
put("segment of a case that is not declared", "nr", 99)
put("place that is a time", "start", "0:01:12")
put("negative place", "start", -3)
put("place beyond all numbers", "end", "9" * 400)
put("end before the start", "start", 99)
put("code in another case", "code", "not sure")
put("code with a letter too few", "code", "Not sur")
put("unknown code, used", "code", "Novel")
put("mark of nothing as a code", "code", "-")
case("unknown label", "land", "Atlantis")
case("other case of a label", "land", "scotland")
case("no id of a case", "nr", None)
of_list("same id twice", lambda v: v.cases.rows.append(list(v.cases.rows[0])))
case("unknown coder", "readers", "Ann;Cleo")
case("an organisation in two countries", "land", "Scotland")


@broken("row with a comment alone", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows.insert(ROW, [None, None, None, None, None, "a remark on the row above"])


@broken("cells of a row moved to the right", ("segments",))
def _(v: Variant) -> None:
    row = v.grid.rows[ROW]
    row.insert(0, None)
    row.pop()


@broken("headers of two columns swapped", ("segments",))
def _(v: Variant) -> None:
    swap = {"code": "passage", "passage": "code"}
    v.grid.names = [swap.get(name, name) for name in v.grid.names]


@broken("rows of a source disagree", ("segments",))
def _(v: Variant) -> None:
    lands = dict(zip(v.cases.column("nr"), v.cases.column("land"), strict=True))
    v.grid.add("land", [lands[one] for one in v.grid.column("nr")])
    v.grid.put(ROW, "land", "Wales")


@broken("what belongs to a case beside its segments", ("segments",))
def _(v: Variant) -> None:
    for name in ("place", "land"):
        known = dict(zip(v.cases.column("nr"), v.cases.column(name), strict=True))
        v.grid.add(name, [known[one] for one in v.grid.column("nr")])


# --- rows and columns ----------------------------------------------------------------------------
@broken("whole file twice", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows += [list(row) for row in v.grid.rows]


@broken("header again as a row", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows.insert(ROW, list(v.grid.names))


@broken("title above the header", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows.insert(0, list(v.grid.names))
    v.grid.names = ["Retrieved segments", *("" for _ in v.grid.names[1:])]


@broken("rows in another order", ("segments",))
def _(v: Variant) -> None:
    random.Random(6).shuffle(v.grid.rows)


@broken("columns in another order", ("segments",))
def _(v: Variant) -> None:
    v.grid.names.reverse()
    for row in v.grid.rows:
        row.reverse()


of_list("headers only", lambda v: v.grid.rows.clear())
of_list("column missing", lambda v: v.grid.drop("reader"))
of_list("column twice", lambda v: v.grid.add("code", v.grid.column("code")))
of_list("column of a case missing", lambda v: v.cases.drop("land"))
of_list("id of the cases missing", lambda v: v.cases.drop("nr"))
of_list("cases without a row", lambda v: v.cases.rows.clear())


def renamed(name: str, old: str, new: str) -> None:
    """Register a class in which a column of the list has another name."""

    def maker(v: Variant) -> None:
        v.grid.names = [new if one == old else one for one in v.grid.names]

    of_list(name, maker)


renamed("column renamed", "code", "codes")
renamed("other case of a header", "code", "Code")


@broken("unknown column besides", ("segments",))
def _(v: Variant) -> None:
    v.grid.add("extra", [f"x{i}" for i in range(len(v.grid.rows))], at=2)


# --- what means the same -------------------------------------------------------------------------
def of_cells(name: str, change: Callable[[Any], Any]) -> None:
    """Register a class in which every cell of both tables is written in another way."""

    def maker(v: Variant) -> None:
        for grid in (v.grid, v.cases):
            for row in grid.rows:
                row[:] = map(change, row)

    of_list(name, maker)


of_cells("numbers as texts", spelt)
of_cells("numbers with point zero", lambda one: f"{one}.0" if isinstance(one, int) else one)
of_cells("blanks around", lambda one: f"  {spelt(one)} " if one else one)
of_cells("non-breaking blanks around", lambda one: f"\u00a0{one}\u00a0" if one else one)
of_cells("decomposed letters", lambda one: unicodedata.normalize("NFD", spelt(one)))


@broken("header in decomposed letters", ("segments",))
def _(v: Variant) -> None:
    swap = {"reader": unicodedata.normalize("NFD", "Codé par")}
    v.grid.names = [swap.get(name, name) for name in v.grid.names]
    v.say("name: reader,", "name: Codé par,")


def of_codes(name: str, spelling: Callable[[str], str]) -> None:
    """Register a class in which every code is spelt in another way."""
    of_list(name, lambda v: v.grid.fill("code", spelling))


of_codes("codes with their family", lambda code: f"Strain\\\\{code}")
of_codes("codes as a path with signs", lambda code: f"Work > Strain > {code}")
of_codes("codes under the root of the tree", lambda code: f"Nodes\\\\{code}")


def joined(v: Variant, mark: str) -> None:
    """Put the codes of a case and coder into one cell, as lists of quotations have them."""
    rows: dict[tuple[Any, Any], list[Any]] = {}
    for row in v.grid.rows:
        mine = rows.setdefault((row[0], row[2]), list(row))
        mine[1] = mine[1] if mine[1] == row[1] else f"{mine[1]}{mark}{row[1]}"
    v.grid.rows = list(rows.values())


of_list("several codes in a cell", lambda v: joined(v, "; "))


@broken("mark of several codes after one", ("segments",))
def _(v: Variant) -> None:
    v.grid.fill("code", lambda code: f"{code} ;")
    v.say("as: code}", "as: code, separator: ;}")


# --- what a list does not tell -------------------------------------------------------------------
@broken("case without a segment", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows = [row for row in v.grid.rows if row[0] != 7]


@broken("code gone", ("segments",))
def _(v: Variant) -> None:
    v.grid.rows = [row for row in v.grid.rows if row[1] != "No tools"]


@broken("no file of cases", ("segments",))
def _(v: Variant) -> None:
    v.say(f", cases: {CASES_NAME}", "")


# --- the file of cases ---------------------------------------------------------------------------
def second(name: str, change: Callable[[Path], Any]) -> None:
    """Register a class in which something is wrong with the file of cases."""
    of_list(name, lambda v: v.steps.append(lambda folder: change(folder / CASES_NAME)))


def _linked(path: Path) -> None:
    path.rename(path.parent.parent / path.name)
    path.symlink_to(path.parent.parent / path.name)


second("file of cases missing", lambda path: path.unlink())
second("folder instead of the file of cases", lambda path: (path.unlink(), path.mkdir()))
second("link to the file of cases", _linked)
second("file of cases cut off", lambda path: path.write_bytes(path.read_bytes()[:-20]))
second("PDF instead of the file of cases", lambda path: path.write_bytes(b"%PDF-1.7\n" * 90))
second("file of cases not UTF-8", lambda path: path.write_bytes(path.read_text().encode("latin-1")))
of_list(
    "file of cases outside the folder",
    lambda v: v.say(f"cases: {CASES_NAME}", f"cases: ../{CASES_NAME}"),
)
of_list(
    "list and cases of one name", lambda v: v.say(f"cases: {CASES_NAME}", "cases: segments.csv")
)
of_list(
    "row numbers of segments as ids",
    lambda v: v.say("format: segments", "ids: row_numbers, format: segments"),
)
of_list("list without a variable of codes", lambda v: v.say("  - {name: code, as: code}\n", ""))
