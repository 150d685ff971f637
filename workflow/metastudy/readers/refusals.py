"""Refusals of readers: a problem with its code, and files that cannot be read at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from metastudy.codebook.codebook import Codebook, no_data_file
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import did_you_mean, private, shown, some_of

__all__ = ["CODES", "problem", "read_bytes", "refuse", "unknown_columns"]

MAX_NAMES = 12  # of the file's variables, where one is not there
# What can be wrong with a data file before its codebook gives the cells a meaning.
CODES: Mapping[str, str] = {
    "missing-file": "there is no file where the codebook says",
    "wrong-format": "the file is not of its format, or is damaged, cut off or out of shape",
    "encoding": "texts are not in the encoding that is declared",
    "unknown-column": "a raw name of the codebook is not in the file",
    "hostile-archive": "sizes, paths or entities that no honest program writes",
    "off-scale": "a cell that has no one meaning in its column: a mark of a matrix, a thousand",
    "missing-id": "a row of a matrix without its source or its coder",
    "duplicate-id": "two rows of a matrix for one source and coder",
    "contradiction": "two rows of a matrix that say different things of one source",
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
