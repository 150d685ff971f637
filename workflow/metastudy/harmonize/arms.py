"""Arms: rows that stand for several people, of whom it is known how many have an outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from metastudy.codebook.codebook import Codebook
from metastudy.codebook.parts import Variable
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown
from metastudy.harmonize.exclusions import exclude
from metastudy.readers.raw import RawTable

__all__ = ["twice", "written_out"]

PERSON = " (person)"  # after the name of the id: that of the people of an arm
MOST_PEOPLE = 5_000_000  # written out they are rows in memory
# What tells arms apart: two rows that agree in all of these are one arm twice.
KEYS = ("site", "cluster", "factor", "trait", "country", "sector", "arrangement", "role")


def written_out(codebook: Codebook, table: RawTable) -> tuple[Codebook, RawTable]:
    """The people of each arm one by one: so many with the outcome, the others without.

    Of one 0/1 outcome people of an arm are exchangeable, so the counts say all that their rows
    would, and whatever reads rows reads these.

    Parameters
    ----------
    codebook : with a variable that is ``events`` and one that is ``people``, or with none.
    table : a row an arm.

    Returns
    -------
    Codebook and table as they are without such variables. Else a row a person, with the number of
    the arm's row in the file, an id that the arm's begins, and an item from 0 to 1 in place of the
    events. A row that a rule of exclusion drops stays one, and is counted as one.

    Raises
    ------
    BadInput
        Of the rows that stay: ``impossible-count`` for what is no whole number from zero on and for
        events above people, ``duplicate-arm``; ``too-large`` for more people than
        :data:`MOST_PEOPLE`.
    """
    events, people = codebook.only("events"), codebook.only("people")
    if events is None or people is None:
        return codebook, table
    stays = exclude(codebook, table)[0] < 0
    n, k = (_counts(table, variable.name) for variable in (people, events))
    problems = [
        *_no_counts(codebook, table, people, stays & ~(n > 0), "1"),
        *_no_counts(codebook, table, events, stays & np.isnan(k), "0"),
        *_too_many(codebook, table, events, stays & (k > n), n),
        *twice(codebook, table, stays),
    ]
    if n[stays].sum() > MOST_PEOPLE:
        found = f"{n[stays].sum():,.0f} people in all rows"
        expected = f"at most {MOST_PEOPLE:,}, as each becomes a row"
        fix = "leave rows out, or give the study as published effects"
        problems.append(_problem(codebook, table, people, None, found, expected, fix, "too-large"))
    if problems:
        raise BadInput(problems)
    size = np.where(stays, np.nan_to_num(n, nan=1.0), 1).astype(int)
    there = np.fmin(np.nan_to_num(k), size).astype(int)
    arm = np.repeat(np.arange(len(size)), size)
    at = np.arange(len(arm)) - np.repeat(np.cumsum(size) - size, size)
    data = table.data.take(arm).reset_index(drop=True)
    identity = codebook.having("id")[0]
    # Beside the column of arms, which a rule may look at. A row without an id stays one.
    person, spelt = f"{identity.name}{PERSON}", data[identity.name].astype("str")
    ids = (spelt + ":" + (at + 1).astype(str)).where(spelt.ne(""), "")
    data = data.assign(**{events.name: np.where(at < there[arm], "1", "0"), person: ids})
    of = {
        identity.name: replace(identity, name=person),
        events.name: Variable(events.name, "item", construct=events.construct, min=0, max=1),
    }
    return (
        replace(
            codebook, variables=tuple(of.get(v.name, v) for v in codebook.variables if v != people)
        ),
        replace(table, data=data, rows=table.rows[arm]),
    )


def _counts(table: RawTable, name: str) -> np.ndarray:
    """The whole numbers from zero on of a column, NaN for what is none."""
    texts = table.data[name].astype("str")
    whole = texts.str.fullmatch(r"\d{1,9}")
    return np.asarray(texts.where(whole, "nan").astype(float), dtype=float)


def _no_counts(
    codebook: Codebook, table: RawTable, variable: Variable, hits: np.ndarray, least: str
) -> list[Problem]:
    texts = table.data[variable.name].astype("str")
    return [
        _problem(
            *(codebook, table, variable, int(at)),
            f"'{texts.iloc[at]}'" if texts.iloc[at] else "nothing",
            f"a whole number from {least} on",
            "correct the cell, or drop the row by a rule under exclude",
            "impossible-count",
        )
        for at in np.flatnonzero(hits)
    ]


def _too_many(
    codebook: Codebook, table: RawTable, variable: Variable, hits: np.ndarray, n: np.ndarray
) -> list[Problem]:
    texts = table.data[variable.name].astype("str")
    return [
        _problem(
            *(codebook, table, variable, int(at)),
            f"{texts.iloc[at]} events of {n[at]:.0f} people",
            "no more events than people",
            "correct one of the two cells",
            "impossible-count",
        )
        for at in np.flatnonzero(hits)
    ]


def twice(codebook: Codebook, table: RawTable, stays: np.ndarray) -> list[Problem]:
    """The problems of rows that are about the same arm, among those that stay."""
    columns = [v for key in KEYS for v in codebook.having(key)]
    if not columns:
        return []
    told = table.data[[v.name for v in columns]].astype("str").apply("\x1f".join, axis=1)
    mine = told[stays]
    first = {text: at for at, text in reversed(list(zip(mine.index, mine, strict=True)))}
    return [
        _problem(
            *(codebook, table, columns[0], int(at)),
            f"the arm of row {table.rows[first[told[at]]]} a second time",
            "each arm of a place once",
            "add the two rows up, or declare the column that tells them apart",
            "duplicate-arm",
        )
        for at in mine.index
        if first[told[at]] != at
    ]


def _problem(
    codebook: Codebook,
    table: RawTable,
    variable: Variable,
    at: int | None,
    found: str,
    expected: str,
    fix: str,
    code: str,
) -> Problem:
    return Problem(
        file=shown(codebook.data_path),
        found=found,
        expected=expected,
        fix=fix,
        study=codebook.study.id,
        row=None if at is None else str(table.rows[at]),
        column=table.place(variable.name),
        code=code,
    )
