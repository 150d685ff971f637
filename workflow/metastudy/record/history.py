"""What changed since the record, and the history of the primary contrasts over accepted records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.display.formatting import interval, number
from metastudy.display.pipe_table import Table
from metastudy.record.comparison import compared
from metastudy.record.steps import Chain, Moved
from metastudy.record.verdict import cut_of

__all__ = [
    *("CHANGES", "COLUMNS", "NUMBERS", "changes", "changes_table", "dump", "entries"),
    *("history_table", "read", "steps_table", "with_new"),
]

COLUMNS = ("record", "commit", "seed", "name", "mean", "lower", "upper", "verdict")
NUMBERS = ("mean", "lower", "upper")
CHANGES = ("number", "kind", "before", "after", "errors", "primary")
MOST, RECORDS = 30, 4  # printed rows of changes; printed records; the files have all
Row = dict[str, Any]


def entries(
    record: Mapping[str, Any], made_of: Mapping[str, Any], names: Iterable[str]
) -> list[Row]:
    """The primary contrasts of a record, a row each.

    Parameters
    ----------
    record : of a finished build.
    made_of : ``variables`` of what each variable is made of (rule ``variables``); it says which row
        of which table a contrast is.
    names : of the primary contrasts. Without any, the primary rows of the record by their keys.

    Raises
    ------
    MetastudyError
        If a name is no row of the record.
    """
    places = {}
    for name in dict.fromkeys(names):
        of = made_of.get(f"{name}.estimate", {"estimands": []})
        if not of["estimands"]:
            raise MetastudyError(f"the primary contrast {name} is no row of this build")
        places[name] = (of["tables"][0].removesuffix(".parquet"), of["estimands"][0])
    if not places:
        places = {
            f"{table}: {key}": (table, key)
            for table, found in record["tables"].items()
            for key in found["primary"]
        }
    rows = []
    for name, (table, key) in places.items():
        found = record["tables"][table]
        values = dict(zip(found["columns"], found["rows"][key][0], strict=True))
        about = {"record": record["checksum"][:12], "commit": record["commit"][:12]}
        numbers = {column: values.get(column) for column in (*NUMBERS, "verdict")}
        rows.append(about | {"seed": record["seed"], "name": name} | numbers)
    return rows


def read(path: Path) -> list[Row]:
    """The history so far; none where there is no file.

    Raises
    ------
    BadInput
        If the file is half-written or was edited into another form.
    """
    if not path.is_file():
        return []
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise _wrong(path, 1, "no header of a history", ",".join(COLUMNS))
    found: list[Row] = []
    for at, cells in enumerate(rows[1:], 2):
        if len(cells) != len(COLUMNS):
            raise _wrong(path, at, f"{len(cells)} cells", f"{len(COLUMNS)} cells")
        row: Row = dict(zip(COLUMNS, cells, strict=True))
        try:
            row |= {n: float(row[n]) if row[n] else None for n in NUMBERS}
        except ValueError as error:
            raise _wrong(path, at, str(error), "a number") from None
        found.append(row)
    return found


def _wrong(path: Path, row: int, found: str, expected: str) -> BadInput:
    fix = "git checkout of the file; `snakemake accept` adds to it"
    return BadInput(
        Problem(file=str(path), row=row, found=found, expected=expected, fix=fix, code="record")
    )


def with_new(before: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The history with the rows of one more record; of the same record once."""
    ids = {row["record"] for row in new}
    return [*(row for row in before if row["record"] not in ids), *new]


def dump(rows: Sequence[Row]) -> str:
    """The history as CSV, numbers in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [row[column] for column in COLUMNS]
        writer.writerow(
            [repr(c) if isinstance(c, float) else "" if c is None else c for c in cells]
        )
    return out.getvalue()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[pd.DataFrame, float, int]:
    """Numbers of record that moved beyond Monte Carlo error, and words that changed.

    Parameters
    ----------
    old, new : ``tables`` of the record and of this build.

    Returns
    -------
    table, cut, compared
        A row a number with :data:`CHANGES`, the primary ones and the farthest first; the cut in
        Monte Carlo errors, that of the verdict; and how many numbers were compared.
    """
    pairs = list(compared(old, new))
    cut = cut_of(sum(1 for pair in pairs if pair.error))
    rows = [
        {
            "number": f"{pair.table}, {pair.row}, {pair.column}",
            "kind": pair.kind,
            "before": pair.before,
            "after": "not there" if pair.gone else pair.after,
            "errors": pair.distance,
            "primary": pair.row in old[pair.table]["primary"],
        }
        for pair in pairs
        if pair.differs(cut)
    ]
    table = pd.DataFrame(rows, columns=list(CHANGES))
    table = table.sort_values(["primary", "errors"], ascending=False, kind="stable")
    return table.reset_index(drop=True), cut, len(pairs)


def changes_table(found: pd.DataFrame, cut: float, n: int, why: str = "") -> Table:
    """What changed as a table of the supplement; ``why`` says why there is nothing to compare."""
    words = int((found["kind"] == "word").sum())
    said = (
        f"Of {n} numbers of record, {len(found) - words} moved beyond {number(cut, 1)} Monte Carlo "
        f"errors, which the largest of all stays within in 95 of 100 rebuilds; {words} conclusions "
        "or other words changed."
    )
    shown = pd.DataFrame(
        {
            "Number": list(found["number"]),
            "Record": [_text(value) for value in found["before"]],
            "This build": [_text(value) for value in found["after"]],
            "Errors": [_text(value) for value in found["errors"]],
        }
    ).head(MOST)
    more = f" The first {MOST} are shown." if len(found) > MOST else ""
    return Table(shown, found, f"What changed since the record. {why or said}{more}", ())


def steps_table(chain: Chain) -> Table:
    """What changed since the record, each move by the steps of a chain of builds."""
    columns = [f"By {name}" for name in chain.steps]
    rows = [
        {
            "Number": f"{one.table}, {one.row}, {one.column}",
            "Record": _text(one.values[0]),
            **{column: _step(one, at) for at, column in enumerate(columns)},
            "This build": "not there" if one.values[-1] is None else _text(one.values[-1]),
        }
        for one in chain.numbers[:MOST]
    ]
    full = pd.DataFrame(
        [
            {"number": f"{one.table}, {one.row}, {one.column}", "kind": one.kind}
            | {"record": one.values[0], "primary": one.primary}
            | {f"after {name}": one.values[i] for i, name in enumerate(chain.steps, 1)}
            | {f"error of {name}": one.errors[i] for i, name in enumerate(chain.steps)}
            for one in chain.numbers
        ]
    )
    counts = [f"{name} {count}" for name, count in zip(chain.steps, chain.moved, strict=True)]
    said = (
        f"Of {chain.compared} numbers of record, {len(chain.numbers)} moved beyond "
        f"{number(chain.cut, 1)} Monte Carlo errors, in all or in a step. "
    )
    said += (
        f"Moved by each step, in this order: {'; '.join(counts)}. Each step is the difference of "
        "two builds that differ in nothing else, so the steps sum to the move; one within two of "
        "its Monte Carlo errors is called that."
        if counts
        else "Nothing that a number may depend on differs from the record."
    )
    why = f" Why steps are not separated: {chain.why}." if chain.why else ""
    more = f" The first {MOST} are shown." if len(chain.numbers) > MOST else ""
    shown = pd.DataFrame(rows, columns=["Number", "Record", *columns, "This build"])
    return Table(shown, full, f"What changed since the record. {said}{why}{more}", ())


def _step(one: Moved, at: int) -> str:
    """What a step did to a number, beside its Monte Carlo error."""
    before, after, error = one.values[at], one.values[at + 1], one.errors[at]
    if before == after:
        return "0" if isinstance(after, float) else "the same"
    if not (isinstance(before, float) and isinstance(after, float)):
        return "not there" if after is None else f"now {_text(after)}"
    if one.by_chance[at]:
        return "Monte Carlo"
    move = "+" * (after > before) + number(after - before, 3)
    return f"{move} ({number(error, 3)})" if error else move


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value, 3) if abs(value) < float("inf") else "no error"
    return str(value).replace("_", " ") if value not in (None, "") else "–"


def history_table(
    history: Sequence[Row], now: Sequence[Row], labels: Mapping[str, str], why: str = ""
) -> Table:
    """Each primary contrast over the accepted records, and in this build.

    Parameters
    ----------
    now : rows of this build, whose ``commit`` says so.
    labels : of the contrasts, by name.
    """
    records = list(dict.fromkeys(row["record"] for row in history))[-RECORDS:]
    rows = []
    for name, label in labels.items():
        mine = [r for r in history if r["name"] == name and r["record"] in records]
        for at, row in enumerate([*mine, *(r for r in now if r["name"] == name)]):
            accepted = row["commit"] if not row["record"] else f"{row['record']} ({row['commit']})"
            rows.append(
                {
                    "Contrast": "" if at else label,
                    "Record (commit)": accepted,
                    "Estimate": "–" if row["mean"] is None else number(row["mean"]),
                    "Interval": "–"
                    if None in (row["lower"], row["upper"])
                    else interval(row["lower"], row["upper"]),
                    "Verdict": _text(row["verdict"]),
                }
            )
    columns = ("Contrast", "Record (commit)", "Estimate", "Interval", "Verdict")
    caption = "The primary contrasts over accepted records." + f" {why}" * bool(why)
    full = pd.DataFrame([*history, *now], columns=list(COLUMNS))
    return Table(pd.DataFrame(rows, columns=list(columns)), full, caption, ())
