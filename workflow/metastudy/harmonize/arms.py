"""Arms: rows that stand for several people, of whom it is known how many gave which answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from metastudy.codebook.checks.terms import ARM_ROLES, IGNORE
from metastudy.codebook.codebook import Codebook
from metastudy.codebook.parts import Variable
from metastudy.common.problems import Problem, place_of_rows
from metastudy.common.text import shown
from metastudy.harmonize.exclusions import exclude
from metastudy.readers.raw import RawTable

__all__ = ["KEYS", "counted", "ids_once", "note_on", "problem_of", "told", "twice", "written_out"]

PERSON = " (person)"  # after the name of the id: that of the people of an arm
MOST_PEOPLE = 5_000_000  # written out they are rows in memory
# What tells arms apart: two rows that agree in all of these are one arm twice.
KEYS = ("site", "cluster", "factor", "trait", "country", "sector", "arrangement", "role")
CORRECT = "correct the cell, or drop the row by a rule under exclude"


def counted(codebook: Codebook) -> dict[str, list[Variable]]:
    """By construct the columns that say how many people of an arm gave which answer."""
    found: dict[str, list[Variable]] = {}
    for variable in codebook.variables:
        if variable.role in ("events", "count"):
            found.setdefault(str(variable.construct), []).append(variable)
    return found


def note_on(outcomes: Sequence[str]) -> str:
    """What a reader has to know of several outcomes of which arms are counted."""
    return (
        f"counts by arm of {len(outcomes)} outcomes ({', '.join(outcomes)}): nobody knows which of "
        "them one person has together, so they are modelled apart, and no difference between "
        "effects on them is made"
    )


def written_out(codebook: Codebook, table: RawTable) -> tuple[Codebook, RawTable, list[Problem]]:
    """The people of each arm one by one, each with the answer that so many of them gave.

    Of one outcome people of an arm are exchangeable, so the counts say all that their rows would,
    and whatever reads rows reads these. Of several outcomes nobody knows which answers one person
    gave together: each is written out from the arm's first person on, and whoever counts answers
    of two outcomes together has to ask :func:`counted` whether that means anything.

    Parameters
    ----------
    codebook : with a variable that is ``events`` and one that is ``people``, with variables that
        are ``count``, or with none of them.
    table : a row an arm.

    Returns
    -------
    Codebook and table as they are without such variables. Else a row a person, with the number of
    the arm's row in the file, an id that the arm's begins, and an item in place of the counts of
    an outcome. A row that a rule of exclusion drops stays one, and is counted as one, and so does
    one with a problem. Beside them the problems of the rows that stay: ``impossible-count`` for
    what is no whole number from zero on and for events above people, ``unequal-total`` for counts
    that do not add up to the people, ``duplicate-arm``, and ``too-large`` for more people than
    :data:`MOST_PEOPLE`.
    """
    outcomes, people = counted(codebook), codebook.only("people")
    if not outcomes or (people is None and not codebook.having("count")):
        return codebook, table, []
    stays = exclude(codebook, table)[0] < 0
    problems: list[Problem] = []
    n = np.full(len(stays), np.nan)
    if people is not None:
        n = _counts(table, people.name)
        problems += _no_counts(codebook, table, people, stays & ~(n > 0), "1")
    answers: dict[str, tuple[list[str], np.ndarray]] = {}
    for construct, own in outcomes.items():
        k = np.stack([_counts(table, variable.name) for variable in own], axis=1)
        for at, variable in enumerate(own):
            problems += _no_counts(codebook, table, variable, stays & np.isnan(k[:, at]), "0")
        if own[0].role == "events":
            problems += _too_many(codebook, table, own[0], stays & (k[:, 0] > n), n)
            answers[construct] = ["1", "0"], np.column_stack([k, n - k[:, 0]])
            continue
        total = k.sum(axis=1)
        of = people or next(iter(outcomes.values()))[0]
        n = np.where(np.isnan(n), total, n)
        known = stays & ~np.isnan(total) & (n > 0)
        problems += _unequal(codebook, table, own[0], of, known & (total != n), total, n)
        problems += _nobody(codebook, table, own[0], stays & (total == 0))
        answers[construct] = [f"{variable.answer:g}" for variable in own], k
    problems += twice(codebook, table, stays)
    bad = {str(row) for problem in problems for row in str(problem.row).split(", ")}
    good = stays & (n > 0) & ~np.isin(table.rows.astype(str), sorted(bad))
    if (all_of_them := np.nansum(n[stays])) > MOST_PEOPLE:
        found = f"{all_of_them:,.0f} people in all rows"
        expected = f"at most {MOST_PEOPLE:,}, as each becomes a row"
        fix = "leave rows out, or give the study as published effects"
        of = people or next(iter(outcomes.values()))[0]
        problems.append(problem_of(codebook, table, of, None, found, expected, fix, "too-large"))
        good[:] = False
    return (*_one_by_one(codebook, table, np.where(good, n, 1).astype(int), answers), problems)


def _one_by_one(
    codebook: Codebook,
    table: RawTable,
    size: np.ndarray,
    answers: Mapping[str, tuple[list[str], np.ndarray]],
) -> tuple[Codebook, RawTable]:
    """A row a person, ``size`` of an arm; the answers to an outcome in the order of its counts."""
    arm = np.repeat(np.arange(len(size)), size)
    at = np.arange(len(arm)) - np.repeat(np.cumsum(size) - size, size)
    data = table.data.take(arm).reset_index(drop=True)
    identity = codebook.having("id")[0]
    # Beside the column of arms, which a rule may look at. A row without an id stays one.
    person, spelt = f"{identity.name}{PERSON}", data[identity.name].astype("str")
    ids = (spelt + ":" + (at + 1).astype(str)).where(spelt.ne(""), "")
    data = data.assign(**{person: ids})
    of: dict[str, Variable] = {identity.name: replace(identity, name=person)}
    for construct, own in counted(codebook).items():
        said, numbers = answers[construct]
        upto = np.nan_to_num(np.cumsum(numbers, axis=1), nan=0.0)
        place = np.minimum((at[:, None] >= upto[arm]).sum(axis=1), len(said) - 1)
        first = own[0]
        if first.role == "events":
            item = Variable(first.name, "item", construct=construct, min=0, max=1)
        else:
            name = f"(answer to {construct})"
            item = replace(first, name=name, role="item", item=first.item or construct, answer=None)
            of |= {variable.name: replace(variable, role=IGNORE) for variable in own}
        data[item.name] = np.array(said, dtype=object)[place]
        of[f"+{item.name}" if first.role == "count" else first.name] = item
    variables = [of.get(v.name, v) for v in codebook.variables if v.role != "people"]
    variables += [variable for name, variable in of.items() if name.startswith("+")]
    origins = {name: (rows[arm], columns[arm]) for name, (rows, columns) in table.origins.items()}
    return (
        replace(codebook, variables=tuple(variables)),
        replace(table, data=data, rows=table.rows[arm], origins=origins),
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
        problem_of(
            *(codebook, table, variable, int(at)),
            f"'{texts.iloc[at]}'" if texts.iloc[at] else "nothing",
            f"a whole number from {least} to 999,999,999, without a unit",
            CORRECT,
            "impossible-count",
        )
        for at in np.flatnonzero(hits)
    ]


def _too_many(
    codebook: Codebook, table: RawTable, variable: Variable, hits: np.ndarray, n: np.ndarray
) -> list[Problem]:
    texts = table.data[variable.name].astype("str")
    return [
        problem_of(
            *(codebook, table, variable, int(at)),
            f"{texts.iloc[at]} events of {n[at]:.0f} people",
            "no more events than people",
            "correct one of the two cells",
            "impossible-count",
        )
        for at in np.flatnonzero(hits)
    ]


def _unequal(
    codebook: Codebook,
    table: RawTable,
    variable: Variable,
    of: Variable,
    hits: np.ndarray,
    total: np.ndarray,
    n: np.ndarray,
) -> list[Problem]:
    """Counts of answers that are of more or fewer people than the arm has."""
    return [
        problem_of(
            *(codebook, table, variable, int(at)),
            f"answers to '{variable.construct}' of {total[at]:.0f} people, of {n[at]:.0f} in the "
            f"arm ('{table.place(of.name)}')",
            "counts of all answers that add up to the people of the arm",
            "correct the counts; who gave no answer is not among the people of an arm",
            "unequal-total",
        )
        for at in np.flatnonzero(hits)
    ]


def _nobody(
    codebook: Codebook, table: RawTable, variable: Variable, hits: np.ndarray
) -> list[Problem]:
    return [
        problem_of(
            *(codebook, table, variable, int(at)),
            f"nobody with any answer to '{variable.construct}'",
            "at least one person in an arm",
            CORRECT,
            "impossible-count",
        )
        for at in np.flatnonzero(hits)
    ]


def ids_once(codebook: Codebook, table: RawTable) -> tuple[RawTable, list[Problem]]:
    """The table with each id of an arm once, and the ids of the file that several arms have.

    Parameters
    ----------
    table : a row an arm, of which none is written out yet: the ids of people begin with these.
    """
    identity = codebook.having("id")[0]
    if not any(codebook.having(role) for role in ARM_ROLES):
        return table, []
    texts = np.asarray(table.data[identity.name].astype("str"), dtype=object)
    stays, problems = exclude(codebook, table)[0] < 0, {}
    first: dict[str, int] = {}
    again: dict[str, list[int]] = {}
    for at in np.flatnonzero(stays & (texts != "")):
        if (before := first.setdefault(texts[at], int(at))) != at:
            again.setdefault(texts[at], [before]).append(int(at))
    for text, places in again.items():
        # Arms that a row has side by side are told once, as they have the row's id.
        problem = problem_of(
            *(codebook, table, identity, np.array(places)),
            f"one id {len(places)} times",
            "each id once among the rows that stay",
            "correct the ids, or add 'ids: row_numbers' under 'file' in the codebook",
            "duplicate-id",
        )
        problems[problem.row] = problem
        texts[places] = [f"{text}#{place}" for place in places]
    if not problems:
        return table, []
    data = table.data.assign(**{identity.name: texts})
    return replace(table, data=data), list(problems.values())


def told(codebook: Codebook, table: RawTable) -> np.ndarray:
    """What tells the arm of each row from others, one text each; alike where nothing does."""
    names = [variable.name for key in KEYS for variable in codebook.having(key)]
    found = np.full(len(table.data), "", dtype=object)
    for name in names:
        found = found + np.asarray(table.data[name].astype("str"), dtype=object) + "\x1f"
    return found


def twice(codebook: Codebook, table: RawTable, stays: np.ndarray) -> list[Problem]:
    """The problems of rows that are about the same arm, among those that stay."""
    columns = [v for key in KEYS for v in codebook.having(key)]
    if not columns:
        return []
    arm = told(codebook, table)
    first: dict[str, int] = {}
    problems: dict[int, Problem] = {}
    for at in np.flatnonzero(stays):
        before = first.setdefault(arm[at], int(at))
        # A row with several arms side by side has all of them a second time: it is told once.
        if before != at and table.rows[at] not in problems:
            problems[table.rows[at]] = problem_of(
                *(codebook, table, columns[0], int(at)),
                f"the arm of row {table.rows[before]} a second time",
                "each arm of a place once",
                "add the two rows up, or declare the column that tells them apart",
                "duplicate-arm",
            )
    return list(problems.values())


def problem_of(
    codebook: Codebook,
    table: RawTable,
    variable: Variable,
    at: int | np.ndarray | None,
    found: str,
    expected: str,
    fix: str,
    code: str,
) -> Problem:
    """A problem of an arm, or of several for the same reason, where the user finds it."""
    column, row = table.place(variable.name), None
    if at is not None:
        ((column, rows), *_) = table.where(variable.name, np.atleast_1d(at))
        row = str(place_of_rows(rows))
    return Problem(
        file=shown(codebook.data_path),
        found=found,
        expected=expected,
        fix=fix,
        study=codebook.study.id,
        row=row,
        column=column,
        code=code,
    )
