"""Refusals of readers: a problem with its code, and files that cannot be read at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook, no_data_file
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import did_you_mean, private, shown, some_of
from metastudy.readers.raw import RawTable

__all__ = ["CODES", "endless_cells", "problem", "read_bytes", "refuse", "unknown_columns"]

MAX_CELL = 32_767  # characters of a cell that is used
MAX_NAMES = 12  # of the file's variables, where one is not there
# What can be wrong with a data file before its codebook gives the cells a meaning.
CODES: Mapping[str, str] = {
    "missing-file": "there is no file where the codebook says",
    "wrong-format": "the file is not of its format, or is damaged, cut off or out of shape",
    "encoding": "texts are not in the encoding that is declared",
    "unknown-column": "a raw name of the codebook is not in the file",
    "hostile-archive": "sizes, paths or entities that no honest program writes",
    "off-scale": "a cell that has no one meaning in its column: a mark of a matrix, a thousand",
    "missing-id": "a row of a matrix or list without its source, its code or its coder",
    "duplicate-id": "two rows of a matrix for one source and coder, or of a file of cases for one",
    "contradiction": "two rows that say different things of one source",
    "unknown-label": "a segment of a case that the file of cases does not have",
}


def problem(
    codebook: Codebook,
    found: str,
    expected: str,
    fix: str,
    *,
    code: str = "wrong-format",
    row: int | str | None = None,
    column: str | None = None,
) -> Problem:
    """Make one problem of a data file; ``code`` is one of :data:`CODES`."""
    assert code in CODES, code
    path = shown(codebook.data_path)
    return Problem(
        file=path,
        found=found,
        expected=expected,
        fix=fix,
        study=codebook.study.id,
        row=row,
        column=column,
        code=code,
    )


def _given_back[**Said](make: Callable[Said, Problem]) -> Callable[Said, BadInput]:
    def refuse(*said: Said.args, **place: Said.kwargs) -> BadInput:
        """Make the error with which a reader gives a data file back: :func:`problem`, alone."""
        return BadInput(make(*said, **place))

    return refuse


refuse = _given_back(problem)


def read_bytes(codebook: Codebook) -> bytes:
    """Read the data file whole; a missing one is a problem."""
    path: Path = codebook.data_path
    try:
        return path.read_bytes()
    except OSError:
        raise BadInput(no_data_file(codebook)) from None


def unknown_columns(
    codebook: Codebook, names: Iterable[str], titles: Mapping[str, str]
) -> list[Problem]:
    """Find the raw names that the codebook mentions and the file does not have."""
    by_title = {title: name for name, title in titles.items()}
    names = list(names)
    if not set(codebook.named) & {*names, *by_title}:
        # A row of answers may be where the header should be: then its cells are a person's words.
        listed = f"{len(names)} others, none of which the codebook names"
        names = []
    else:
        names = [name for name in names if not private(name)]
        listed = some_of(names, MAX_NAMES)
    problems = []
    for name in codebook.named:
        if name not in names:
            if name in by_title:
                hint = f" '{name}' is a title; the column's name is '{by_title[name]}'."
            else:
                hint = did_you_mean(name, names)
            line = codebook.document.line(codebook.place(name))
            problems.append(
                Problem(
                    file=shown(codebook.data_path),
                    found=f"no variable '{name}'.{hint}",
                    expected=f"a variable of the file: {listed}",
                    fix=f"correct line {line} of {shown(codebook.path)}, or put the variable back",
                    study=codebook.study.id,
                    column=name,
                    code="unknown-column",
                )
            )
    return problems


def endless_cells(codebook: Codebook, table: RawTable) -> Iterator[Problem]:
    """Report cells that no variable of a study can hold, before any message has to show them."""
    for name, column in table.data.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            known = column.cat.categories.str.len().to_numpy()
            sizes = known[column.cat.codes] if (known > MAX_CELL).any() else known[:0]
        else:
            sizes = column.str.len().to_numpy()
        long = np.flatnonzero(sizes > MAX_CELL)
        if len(long):
            yield problem(
                codebook,
                f"a cell of {sizes[long[0]]} characters",
                f"cells of at most {MAX_CELL} characters, which is what Excel holds",
                "correct the cell; a quotation mark may be missing before it",
                row=int(table.rows[long[0]]),
                column=table.place(str(name)),
            )
