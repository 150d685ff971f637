"""Codes of a list of segments that the codebook does not list."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from metastudy.codebook.checks.terms import IGNORE
from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem, place_of_rows
from metastudy.common.text import canonical, did_you_mean, of_a_person, quoted, shown

__all__ = ["unknown_codes"]

_SEVERAL = re.compile(r"[;,|\n]")  # what programs put between codes in one cell


def unknown_codes(codebook: Codebook, codings: pd.DataFrame) -> list[Problem]:
    """Report the codes that the codebook does not list.

    The column may be the wrong one, or a cell in the wrong place, and so a person's words. A code
    is spelt only where it is near to one that is known; those of one case each are one problem.

    Parameters
    ----------
    codings : those of the cases that stay, with ``name``, ``case`` and ``row``.
    """
    listed, known = list(map(canonical, codebook.codes)), list(codebook.vocabulary["codes"])
    several = codings.groupby("name")["case"].nunique().gt(1)
    variable, book = codebook.having("code")[0], shown(codebook.path)
    mapped = f"map it under 'codes' to a code of the vocabulary, or to {IGNORE}, in {book}"
    problems, joined, others = [], [], []
    for name in codings["name"][~codings["name"].isin(listed)].unique():
        near = did_you_mean(name, [*listed, *known])
        if name in known:
            fix = f"list it under 'codes' in {book}, as {name}: {name}"
            problems.append(_problem(codebook, codings, [name], f"the code '{name}'", fix))
        elif not variable.separator and _any(_SEVERAL.split(name), listed):
            joined.append(name)
        elif near or several[name]:
            said = f"the code {quoted(name) if near else of_a_person(name)}.{near}"
            problems.append(_problem(codebook, codings, [name], said, mapped))
        else:
            others.append(name)
    if joined:
        fix = f"say what is between two codes, with 'separator' at '{variable.name}' in {book}"
        said = "several codes in one cell, of which some are listed"
        problems.append(_problem(codebook, codings, joined, said, fix))
    if others:
        said = f"a code that is not listed: {of_a_person(others[0])}"
        if len(others) > 1:
            said = f"{len(others)} codes that are not listed: {of_a_person(others[0])}, and others"
        fix = f"{mapped}; or correct which column is 'as: code'"
        problems.append(_problem(codebook, codings, others, said, fix))
    return problems


def _problem(
    codebook: Codebook, codings: pd.DataFrame, names: list[str], found: str, fix: str
) -> Problem:
    rows = codings["row"][codings["name"].isin(names)].unique()
    return Problem(
        file=shown(codebook.data_path),
        found=found,
        expected="a code that the codebook lists under 'codes'",
        fix=fix,
        study=codebook.study.id,
        row=place_of_rows(sorted(map(int, rows))),
        column=codebook.having("code")[0].name,
        code="unknown-label",
    )


def _any(parts: Iterable[str], listed: list[str]) -> bool:
    return any(canonical(part) in listed for part in parts)
