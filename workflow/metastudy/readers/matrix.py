"""A source x code matrix: delimited text or Excel, one row a source or a source and coder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook, Variable
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical, did_you_mean, of_a_person, quoted, shown
from metastudy.readers import delimited, xlsx
from metastudy.readers.raw import UNKNOWN_CODER, RawProject, RawTable
from metastudy.readers.refusals import problem
from metastudy.readers.sources import disagreements, row_problem, texts_of

__all__ = ["read"]

MOST_CODES = 1000  # rows that are looked at for codes
ABOVE_0 = "above_0"  # among the marks: a count of coded segments


def read(codebook: Codebook) -> RawProject:
    """Read a matrix of codes.

    Columns that the codebook lists under ``codes`` hold 1 (or what ``file.present`` says) where the
    code was applied and 0 or nothing where it was not; the other columns are variables of the case.

    Parameters
    ----------
    codebook : names the file, the columns of codes, the id, and the coder if there is one.

    Returns
    -------
    RawProject with one row a source, numbered by its first row in the file. A matrix does not say
    where in the text a code is, so all codings start and end at 0. A coder who applied no code
    to a source is in ``readings``.

    Raises
    ------
    BadInput
        ``off-scale`` for a cell of a code that is neither 1 nor 0; ``contradiction`` where rows of
        one source disagree on a variable of its case; ``missing-id`` and ``duplicate-id``;
        ``unknown-column`` for a code without a column; and as
        :func:`metastudy.readers.csv.read`.
    """
    book = _is_workbook(codebook)
    names = _header(codebook, book)
    spelt = {canonical(name): name for name in names}
    codes = {canonical(code): spelt.get(canonical(code), "") for code in codebook.codes}
    problems = list(_lost(codebook, names, codes, book))
    columns = [name for name in codes.values() if name]
    used = list(dict.fromkeys([*codebook.used_names, *columns]))
    whole = replace(codebook, variables=tuple(Variable(name, "trait") for name in used))
    raw = xlsx.read(whole) if book else delimited.table(codebook, 1, names, {}, used)

    identity, coder = codebook.only("id"), codebook.only("coder")
    rows = pd.Series(raw.rows)
    ids = texts_of(raw, identity.name if identity else "")
    coders = texts_of(raw, coder.name) if coder else pd.Series(UNKNOWN_CODER, index=ids.index)
    for variable, texts in ((identity, ids), (coder, coders)):
        if variable and variable.name in raw.names and texts.eq("").any():
            problems.append(
                row_problem(
                    codebook,
                    rows[texts.eq("")],
                    f"no {variable.role}",
                    f"'{variable.name}' in every row",
                    "fill the cell, or take the row out",
                    "missing-id",
                    variable.name,
                )
            )
    problems += _again(codebook, rows, ids, coders)
    case, _ = pd.factorize(ids)
    first = np.unique(case, return_index=True)[1]
    own = [name for name in codebook.used_names if name in raw.data and name not in columns]
    own = [name for name in own if coder is None or name != coder.name]
    for name in own:
        problems += disagreements(codebook, rows, ids, raw.data[name], case, first)
    marks = {}
    for code, name in codes.items():
        if name:
            texts = raw.data[name].astype("str")
            applied = _applied(codebook, texts)
            problems += _no_marks(codebook, rows, texts[~applied], name)
            marks[code] = applied.to_numpy()
    if problems:
        raise BadInput(problems)

    parts = [
        pd.DataFrame({"case": case[mark], "coder": coders[mark], "code": code})
        for code, mark in marks.items()
    ]
    types = {"case": "int64", "start": "int64", "end": "int64", "coder": "str", "code": "str"}
    codings = pd.concat(parts, ignore_index=True).assign(start=0, end=0)[list(types)].astype(types)
    return RawProject(
        cases=RawTable(
            data=raw.data[own].iloc[first].reset_index(drop=True),
            rows=raw.rows[first],
            names=tuple(name for name in raw.names if name not in columns),
        ),
        codings=codings,
        coders={name: name for name in coders.unique()},
        codes={code: (code,) for code in marks},
        readings=pd.DataFrame({"case": case, "coder": coders.to_numpy()}),
    )


def _is_workbook(codebook: Codebook) -> bool:
    try:
        with codebook.data_path.open("rb") as file:
            return file.read(4).startswith((b"PK", xlsx.OLD_OFFICE))
    except OSError:
        return False  # its reader says so


def _header(codebook: Codebook, book: bool) -> list[str]:
    if book:
        return list(xlsx.read(replace(codebook, variables=(), codes={})).names)
    return [name_of(name) for name in delimited.head(codebook, 1)[0]]


def _rows_are_codes(codebook: Codebook, codes: Iterable[str], book: bool) -> bool:
    """Tell whether what should be columns is in the first column: a matrix on its side."""
    if book:
        return False
    cells = {canonical(row[0]) for row in delimited.head(codebook, MOST_CODES) if row}
    return len(cells & set(codes)) > 1


def _lost(codebook: Codebook, names: list[str], codes: dict[str, str], book: bool) -> list[Problem]:
    found = []
    turned = _rows_are_codes(codebook, [code for code, name in codes.items() if not name], book)
    for code, name in codes.items():
        if name and names.count(name) == 1:
            continue
        line = codebook.document.line(("codes",))
        found.append(
            problem(
                codebook,
                f"no column '{code}'.{did_you_mean(code, names)}"
                if not name
                else f"{names.count(name)} columns called '{name}'",
                "one column for each code that the codebook lists",
                "exchange rows and columns: here each row is a code, and a row has to be a source"
                if turned and not name
                else f"correct 'codes' from line {line} of {shown(codebook.path)}, or the header",
                code="unknown-column" if not name else "wrong-format",
                row=1,
                column=code,
            )
        )
    return found


def _again(codebook: Codebook, rows: pd.Series, ids: pd.Series, coders: pd.Series) -> list[Problem]:
    both = pd.DataFrame({"id": ids, "coder": coders})
    again = both[ids.ne("") & both.duplicated(keep=False)]
    variable = codebook.only("coder")
    return [
        row_problem(
            codebook,
            rows[group.index],
            f"one source ({of_a_person(str(one))}) {len(group)} times"
            + ", by one coder" * bool(variable),
            "one row for each source and coder"
            if variable
            else "one row for each source, or a variable 'as: coder' that tells its rows apart",
            "correct the ids or the coders",
            "duplicate-id",
            None,
        )
        for (one, _), group in again.groupby(["id", "coder"], sort=False)
    ]


def _applied(codebook: Codebook, texts: pd.Series) -> pd.Series:
    """Tell in which cells a code was applied."""
    applied = texts.isin(codebook.file.present)
    if ABOVE_0 in codebook.file.present:
        applied |= texts.str.fullmatch("[0-9]+") & texts.str.contains("[1-9]")
    return applied


def _no_marks(codebook: Codebook, rows: pd.Series, texts: pd.Series, name: str) -> list[Problem]:
    wrong = texts[~texts.isin(["0", ""])]
    present = codebook.file.present
    marks = ["a count" if one == ABOVE_0 else quoted(one) for one in present]
    marks = ["1"] if present == ("1",) else marks
    expected = f"{' or '.join(marks)} where the code was applied, 0 or nothing where it was not"
    fix = "correct the cell, or take the column out of 'codes' in the codebook"
    if present == ("1",):
        fix += f"; set file.present to [{ABOVE_0}] for counts, or to a list of the marks"
    return [
        row_problem(
            codebook,
            rows[wrong.index[wrong.eq(text)]],
            of_a_person(text),
            expected,
            fix,
            "off-scale",
            name,
        )
        for text in wrong.unique()
    ]
