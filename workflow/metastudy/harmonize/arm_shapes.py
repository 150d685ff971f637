"""Shapes of a table of arms: side by side, or an outcome a row; both become a row an arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.checks.terms import IGNORE, OF_OUTCOME
from metastudy.codebook.codebook import Codebook
from metastudy.codebook.parts import Variable
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean, quoted
from metastudy.harmonize.arms import problem_of, told
from metastudy.harmonize.exclusions import exclude
from metastudy.readers.raw import RawTable

__all__ = ["a_row_an_arm"]

ARM = " (arm)"  # after the name of the id: that of the arms of a row
OF_ARM = ("people", "total", "correlation", "icc", "cluster_size")


def a_row_an_arm(codebook: Codebook, table: RawTable) -> tuple[Codebook, RawTable, list[Problem]]:
    """The table with a row an arm, whichever shape it came in.

    Parameters
    ----------
    codebook : whose variables may say of which ``arm`` they are, and of which one may be
        ``outcome``, which says what a row's mean, standard deviation or events are of.
    table : as it was read.

    Returns
    -------
    Codebook and table as they are where nothing is of an arm and no row of an outcome. Else a row
    an arm; :attr:`metastudy.readers.raw.RawTable.origins` has where the cells of the new columns
    come from. A row that a rule of exclusion drops stays one. Beside them what is wrong with rows
    of which no arm can be made, which are not in the table: ``incomplete-arm``, ``unknown-label``,
    ``duplicate-arm``, ``contradiction``.
    """
    problems: list[Problem] = []
    if any(variable.arm for variable in codebook.variables):
        codebook, table, problems = _below_each_other(codebook, table)
    if codebook.only("outcome"):
        codebook, table, more = _beside_each_other(codebook, table)
        problems += more
    return codebook, table, problems


@dataclass
class _Columns:
    """Columns that are made: their texts, and of each text row and column of the file."""

    data: dict[str, np.ndarray] = field(default_factory=dict)
    origins: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)

    def add(
        self, variable: Variable, texts: np.ndarray, rows: np.ndarray, columns: np.ndarray
    ) -> None:
        self.variables.append(variable)
        self.data[variable.name] = texts
        self.origins[variable.name] = rows, columns

    def put(
        self, codebook: Codebook, table: RawTable, at: np.ndarray, gone: set[str]
    ) -> tuple[Codebook, RawTable]:
        """Codebook and table with these columns, and the rows ``at`` of the others."""
        rest = [replace(v, role=IGNORE) if v.name in gone else v for v in codebook.variables]
        data = table.data.take(at).reset_index(drop=True).assign(**self.data)
        before = {name: (r[at], c[at]) for name, (r, c) in table.origins.items()}
        return (
            replace(codebook, variables=(*rest, *self.variables)),
            replace(table, data=data, rows=table.rows[at], origins=before | self.origins),
        )


def _below_each_other(
    codebook: Codebook, table: RawTable
) -> tuple[Codebook, RawTable, list[Problem]]:
    """A row for each arm of a row that has them side by side."""
    of: dict[tuple[Any, ...], dict[str, Variable]] = {}
    arms: dict[str, Mapping[str, str]] = {}
    for v in codebook.variables:
        if v.arm:
            what = (v.role, v.construct or "", *v.constructs, v.answer)
            of.setdefault(what, {})[str(dict(v.arm))] = v
            arms.setdefault(str(dict(v.arm)), v.arm)
    stays = exclude(codebook, table)[0] < 0
    size = np.where(stays, len(arms), 1)
    at = np.repeat(np.arange(len(size)), size)
    arm = np.arange(len(at)) - np.repeat(np.cumsum(size) - size, size)
    made, gone = _Columns(), {v.name for of_arm in of.values() for v in of_arm.values()}
    empty = stays[at]
    for own in of.values():
        there = [own[key] for key in arms]
        texts = np.stack([_texts(table, v.name) for v in there])[arm, at]
        names = np.array([table.place(v.name) for v in there], dtype=object)[arm]
        made.add(replace(there[0], name=_name(there[0]), arm={}), texts, table.rows[at], names)
        empty &= texts == ""
    kinds = {exposure.factor: exposure.type for exposure in codebook.exposures}
    for factor in next(iter(arms.values())):
        levels = np.array([levels[factor] for levels in arms.values()], dtype=object)
        texts = np.where(stays[at], levels[arm], "").astype(object)
        variable = Variable(
            f"({factor})",
            "factor",
            factors={factor: {str(level): str(level) for level in levels}},
            randomised=kinds.get(factor) == "randomised",
        )
        made.add(variable, texts, table.rows[at], np.full(len(at), variable.name, dtype=object))
    problems = list(_lacking(codebook, table, at, arm, empty, list(arms.values()), of))
    identity = codebook.having("id")[0]
    ids = _texts(table, identity.name)[at]
    told_apart = np.array([f":{k + 1}" for k in arm], dtype=object)
    name = f"{identity.name}{ARM}"
    made.add(
        replace(identity, name=name),
        np.where((ids != "") & stays[at], ids + told_apart, ids),
        table.rows[at],
        np.full(len(at), table.place(identity.name), dtype=object),
    )
    codebook, table = made.put(codebook, table, at, {*gone, identity.name})
    return codebook, _rows(table, ~empty), problems


def _lacking(
    codebook: Codebook,
    table: RawTable,
    at: np.ndarray,
    arm: np.ndarray,
    empty: np.ndarray,
    arms: list[Mapping[str, str]],
    of: Mapping[tuple[Any, ...], Mapping[str, Variable]],
) -> Iterator[Problem]:
    """Rows without a number of one of their arms; a row without any arm is told once."""
    some = next(iter(of.values()))
    for row in dict.fromkeys(at[empty]):
        lost = [arms[k] for k in arm[empty & (at == row)]]
        first = some[str(dict(lost[0]))]
        said = "; ".join(" and ".join(f"{k} {v}" for k, v in one.items()) for one in lost)
        yield problem_of(
            *(codebook, table, first, int(row)),
            f"no number of the arm {said}",
            "numbers of each arm in each row",
            "fill the cells, or drop the row by a rule under exclude; where a place had other arms "
            "than the others, give the table a row an arm",
            "incomplete-arm",
        )


def _beside_each_other(
    codebook: Codebook, table: RawTable
) -> tuple[Codebook, RawTable, list[Problem]]:
    """A row for each arm whose outcomes are in rows below each other."""
    outcome = codebook.having("outcome")[0]
    problems: list[Problem] = []
    stays = exclude(codebook, table)[0] < 0
    texts = _texts(table, outcome.name)
    for text in dict.fromkeys(texts[stays & ~np.isin(texts, list(outcome.scales))]):
        hits = np.flatnonzero(stays & (texts == text))
        problems.append(
            problem_of(
                *(codebook, table, outcome, hits),
                f"{quoted(text)}.{did_you_mean(text, outcome.scales)}" if text else "nothing",
                f"an outcome of `scales`: {', '.join(outcome.scales)}",
                "correct the cell, or add the outcome to `scales` in the codebook",
                "unknown-label",
            )
        )
    good = stays & np.isin(texts, list(outcome.scales))
    arm = told(codebook, table)
    places: dict[str, dict[str, int]] = {}
    for row in np.flatnonzero(good):
        mine = places.setdefault(arm[row], {})
        if texts[row] in mine:
            problems.append(
                problem_of(
                    *(codebook, table, outcome, int(row)),
                    f"{quoted(texts[row])} of the arm of row {table.rows[mine[texts[row]]]} a "
                    "second time",
                    "each outcome of an arm of a place once",
                    "take one of the rows out, or declare the column that tells them apart",
                    "duplicate-arm",
                )
            )
        mine.setdefault(texts[row], int(row))
    whole = {}
    for mine in places.values():
        lost = [text for text in outcome.scales if text not in mine]
        first = min(mine.values())
        if lost:
            problems.append(
                problem_of(
                    *(codebook, table, outcome, first),
                    f"no row with {', '.join(map(quoted, lost))} of this arm",
                    "a row for each outcome of each arm",
                    "add the row, drop the arm's rows by a rule under exclude, or leave the "
                    "outcome out of `scales` and its rows by a rule",
                    "incomplete-arm",
                )
            )
        else:
            whole[first] = mine
    kept = np.array(sorted([*np.flatnonzero(~stays), *whole]), dtype=int)
    # Where an arm's cell of an outcome is; a row that leaves has its own.
    at = {
        text: np.array([whole.get(row, {}).get(text, row) for row in kept], dtype=int)
        for text in outcome.scales
    }
    made, gone = _Columns(), {outcome.name}
    for v in codebook.variables:
        if v.role in OF_OUTCOME and v.construct is None:
            gone.add(v.name)
            for text, scale in outcome.scales.items():
                # An SD has no bounds of its own, and neither has a count.
                said = {"construct": scale["construct"], **(scale if v.role == "mean" else {})}
                variable = replace(v, **said)
                found = at[text]
                made.add(
                    replace(variable, name=_name(variable)),
                    _texts(table, v.name)[found],
                    *_origin(table, v.name, found),
                )
        elif v.role in OF_ARM:
            found, more = _same(codebook, table, v, kept, whole)
            problems += more
            made.data[v.name] = _texts(table, v.name)[found]
            made.origins[v.name] = _origin(table, v.name, found)
    return (*made.put(codebook, table, kept, gone), problems)


def _same(
    codebook: Codebook,
    table: RawTable,
    variable: Variable,
    kept: np.ndarray,
    whole: Mapping[int, Mapping[str, int]],
) -> tuple[np.ndarray, list[Problem]]:
    """Rows in which a number of each arm is, which all rows of the arm have or leave out."""
    texts, found, problems = _texts(table, variable.name), kept.copy(), []
    for place, row in enumerate(kept):
        given = [at for at in sorted(whole.get(row, {"": row}).values()) if texts[at]]
        found[place] = given[0] if given else row
        other = next((at for at in given if texts[at] != texts[given[0]]), None)
        if other is not None:
            said = f"'{texts[other]}', and '{texts[given[0]]}' in row {table.rows[given[0]]}"
            problems.append(
                problem_of(
                    *(codebook, table, variable, other),
                    f"{said}, of the same arm",
                    f"the same '{variable.role}' for all outcomes of an arm",
                    "correct the cell; where other people of the arm have another outcome, give it "
                    "in a study of `design: published`",
                    "contradiction",
                )
            )
    return found, problems


def _name(variable: Variable) -> str:
    """The name of a column that is made, which no file has."""
    of = " and ".join(variable.constructs) or variable.construct
    answer = "" if variable.answer is None else f" {variable.answer:g}"
    return f"({variable.role}{answer}{f' of {of}' if of else ''})"


def _texts(table: RawTable, name: str) -> np.ndarray:
    return np.asarray(table.data[name].astype("str"), dtype=object)


def _origin(table: RawTable, name: str, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the file that cells of a column come from."""
    if name in table.origins:
        rows, columns = table.origins[name]
        return rows[at], columns[at]
    return table.rows[at], np.full(len(at), table.place(name), dtype=object)


def _rows(table: RawTable, stays: np.ndarray) -> RawTable:
    data = pd.DataFrame(table.data[stays]).reset_index(drop=True)
    origins = {name: (r[stays], c[stays]) for name, (r, c) in table.origins.items()}
    return replace(table, data=data, rows=table.rows[stays], origins=origins)
