"""Variants of what is in cells and rows: a value, an id, a row too many."""

from __future__ import annotations

import random
import re
import unicodedata

from helpers.good_studies import TABLES, Grid, Variant, delimited, spelt
from helpers.variants.registry import ANSWERED, CELLS, GRIDS, broken, cell

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
cell("weight of zero", "w", 0)
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


@broken("numbers with point zero", GRIDS)
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


@broken("copies of a question that nobody named", TABLES)
def _(v: Variant) -> None:
    for row in range(len(v.grid.rows)):
        for place, name in enumerate(("q1", "q2", "q3")):
            if row % 3 != place:
                v.grid.put(row, name, None)


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


@broken("an organisation in two countries", ("matrix", "qdpx"))
def _(v: Variant) -> None:
    if v.kind == "matrix":
        v.grid.put(len(v.grid.rows) - 3, "land", "Finland")
    else:
        v.project.cases[9]["values"]["V2"] = "Finland"
