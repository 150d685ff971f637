"""The cases of a list of segments: those of its rows, or those that a file of cases declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem
from metastudy.common.text import of_a_person, shown
from metastudy.readers.raw import RawTable
from metastudy.readers.sources import disagreements, row_problem, texts_of

__all__ = ["Cases", "cases_of"]

OF_ROWS = ("code", "coder", "start", "end")  # what belongs to a segment and not to its case


@dataclass(frozen=True)
class Cases:
    """One row a case, the place of each id among them, and what is wrong with them."""

    table: RawTable
    place: Mapping[str, int]
    problems: list[Problem]

    def without(self, places: pd.Series) -> np.ndarray:
        """Tell which cases are not at any of some places, those of segments."""
        return ~np.isin(np.arange(len(self.table.data)), places.to_numpy())


def cases_of(
    codebook: Codebook, listed: RawTable, ids: pd.Series, declared: RawTable | None
) -> Cases:
    """Make the table of cases.

    Parameters
    ----------
    listed, ids : the list of segments, and the case of each row, ``""`` where it has none.
    declared : the file of cases, if there is one. A column that both have is taken from it, and
        may say nothing else in the list.
    """
    identity = codebook.having("id")[0].name
    away = {variable.name for role in OF_ROWS for variable in codebook.having(role)}
    own = [name for name in codebook.used_names if name not in away]
    given = ids.ne("")
    rows, known = pd.Series(listed.rows)[given], ids[given]
    case, spelt = pd.factorize(known)
    first = np.unique(case, return_index=True)[1]
    problems: list[Problem] = []
    attributes = {}
    for name in own:
        if name in listed.data:
            column = listed.data[name][given]
            problems += disagreements(codebook, rows, known, column, case, first)
            attributes[name] = column.astype("str").iloc[first].set_axis(spelt)
    if declared is None:
        data = pd.DataFrame({name: texts.array for name, texts in attributes.items()}, dtype="str")
        table = RawTable(data, rows.to_numpy()[first], listed.names)
        return Cases(table, {text: place for place, text in enumerate(spelt)}, problems)

    about, numbers = codebook.of_cases, pd.Series(declared.rows)
    names = texts_of(declared, identity)
    problems += _unfit(about, names, numbers)
    stay = names.ne("") & ~names.duplicated()
    names = names[stay].reset_index(drop=True)
    columns = {}
    for name in own:
        listed_too = names.map(attributes[name]) if name in attributes else None
        if name in declared.data:
            columns[name] = texts_of(declared, name)[stay].reset_index(drop=True)
            differs = pd.Series(False, index=names.index)
            if listed_too is not None:
                differs = listed_too.notna() & listed_too.ne(columns[name])
            if differs.any():
                rows_of = numbers[stay].reset_index(drop=True)
                problems.append(_other(codebook, rows_of[differs], name))
        elif listed_too is not None:
            columns[name] = listed_too.fillna("")
    table = RawTable(
        data=pd.DataFrame(columns, dtype="str"),
        rows=declared.rows[stay.to_numpy()],
        names=tuple(dict.fromkeys([*listed.names, *declared.names])),
    )
    return Cases(table, {text: place for place, text in enumerate(names)}, problems)


def _unfit(about: Codebook, names: pd.Series, numbers: pd.Series) -> list[Problem]:
    """Report declared cases without an id, and ids of several of them."""
    identity = about.having("id")[0].name
    problems = []
    if names.eq("").any():
        problems.append(
            row_problem(
                about,
                numbers[names.eq("")],
                "a case without its id",
                f"'{identity}' in every row",
                "fill the cell, or take the row out",
                "missing-id",
                identity,
            )
        )
    again = names[names.ne("") & names.duplicated(keep=False)]
    for text, group in again.groupby(again, sort=False):
        problems.append(
            row_problem(
                about,
                numbers[group.index],
                f"one case ({of_a_person(str(text))}) {len(group)} times",
                "one row for each case",
                "take one of them out, or correct the ids",
                "duplicate-id",
                identity,
            )
        )
    return problems


def _other(codebook: Codebook, numbers: pd.Series, name: str) -> Problem:
    return row_problem(
        codebook.of_cases,
        numbers,
        "another value for the case than in the list of segments",
        f"the same as in {shown(codebook.data_path)}",
        "correct one of the two",
        "contradiction",
        name,
    )
