"""Totals in a table of arms: rows that are no arm, and numbers that arms have to add up to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from metastudy.codebook.checks.terms import ARM_ROLES
from metastudy.codebook.codebook import Codebook
from metastudy.codebook.parts import Variable
from metastudy.common.problems import Problem
from metastudy.common.text import quoted
from metastudy.harmonize.arms import CORRECT, KEYS, counted, problem_of, told
from metastudy.harmonize.exclusions import exclude
from metastudy.readers.raw import RawTable

__all__ = ["rows_of_totals", "sums_of_others", "sums_up", "unequal_totals"]

# What programs and papers call a row that sums up the others, such as `Total (95% CI)`.
TOTAL = re.compile(
    r"(sub-?|grand )?totals?|overall|pooled|summary|sum|altogether|in all"
    # and no place, such as All Saints
    r"|all( (arms|towns|cities|countries|sites|places|wards|homes|schools|centres|centers|clinics"
    r"|hospitals|organisations|groups|participants|respondents|people|studies|trials|effects))?"
    r"|((whole|full|entire|total|overall|pooled) sample)"
    r"|((random|fixed|common)[- ]effects?( model)?)",
    re.I,
)
ASIDE = re.compile(r"\s*[(:\[].*$")
LEAST_SUMS = 2  # so many numbers agree, or so many others there are
PLACES = ("id", "site", "cluster")  # what has no list of its values in the codebook


def sums_up(text: str) -> bool:
    """Whether a row that is called so is the sum of others, in a table of arms or of findings."""
    return bool(TOTAL.fullmatch(ASIDE.sub("", text.strip("*_ :")).strip("*_ ")))


def rows_of_totals(codebook: Codebook, table: RawTable) -> list[Problem]:
    """Rows that say of themselves that they are the sum of others: no arm is in a place "Total".

    Parameters
    ----------
    codebook : nothing is looked for where no row is an arm.
    table : as it was read, whatever its shape.
    """
    if not any(codebook.having(role) for role in ARM_ROLES):
        return []
    stays, found = exclude(codebook, table)[0] < 0, {}
    for variable in (v for role in PLACES for v in codebook.having(role)):
        texts = table.data[variable.name].astype("str")
        said = texts.map(sums_up).to_numpy(dtype=bool)
        for at in np.flatnonzero(stays & said):
            found[at] = problem_of(
                *(codebook, table, variable, int(at)),
                f"{quoted(str(texts.iloc[at]))}, a row that is the sum of others",
                "a row for each arm, or for each place, and none for all of them",
                "take the row out, or drop it by a rule under exclude: its people would count "
                "twice; where a place is called so, write it in another way",
                "totals-row",
            )
    return list(found.values())


def sums_of_others(codebook: Codebook, table: RawTable) -> Iterator[str]:
    """Say which rows have what the others of their group have together, without being called so.

    A group is of rows that differ in one thing only, such as the condition or the place. People and
    counts are sums; a mean is that of the others by their people, within its last decimal. Such a
    row may be an arm by chance, so it is no error.

    Parameters
    ----------
    codebook : nothing is looked for where no row is an arm.
    table : a row an arm.
    """
    people = codebook.only("people")
    counts = [v.name for own in counted(codebook).values() for v in own]
    means = [v.name for v in codebook.having("mean")]
    if not means and len(counts) + (people is not None) < LEAST_SUMS:
        return
    if people is None and means:
        return
    added = [*([people.name] if people else []), *counts]
    stays = exclude(codebook, table)[0] < 0
    texts = table.data[[*added, *means]].astype("str")
    numbers = texts.apply(lambda c: pd.to_numeric(c.str.replace(",", "."), errors="coerce"))
    stays &= numbers.notna().all(axis=1).to_numpy()
    if people is not None:  # an arm of nobody is refused elsewhere
        stays &= numbers[people.name].gt(0).to_numpy()
    keys = [v for key in KEYS for v in codebook.having(key)]
    found: dict[int, int] = {}
    for one in keys:
        group = told(replace(codebook, variables=tuple(v for v in keys if v is not one)), table)
        for name in dict.fromkeys(group[stays]):
            here = np.flatnonzero(stays & (group == name))
            if len(here) <= LEAST_SUMS:
                continue
            sums = numbers.iloc[here][added].sum()
            for at in map(int, here):
                own, others = numbers.iloc[at], np.setdiff1d(here, [at])
                if (2 * own[added] == sums).all() and (
                    people is None
                    or all(
                        _same_mean(numbers.iloc[others], texts.iloc[at], people, mean)
                        for mean in means
                    )
                ):
                    found.setdefault(at, len(others))
    for at, n in found.items():
        yield (
            f"row {table.rows[at]} has as many people as the {n} other rows of its group together, "
            f"and their {'mean' if means else 'counts'}: if it is their total, its people count "
            "twice; drop it by a rule under exclude"
        )


def _same_mean(others: pd.DataFrame, row: pd.Series, people: Variable, mean: str) -> bool:
    """Whether a mean is that of others, as far as its decimals tell."""
    text = str(row[mean]).replace(",", ".")
    step = 10.0 ** -len(text.partition(".")[2])
    together = float(np.average(others[mean], weights=others[people.name]))
    return abs(float(text) - together) <= step


def unequal_totals(codebook: Codebook, table: RawTable) -> list[Problem]:
    """Places whose arms do not have as many people together as the table says.

    Parameters
    ----------
    codebook : with a variable that is ``total``, or nothing is looked at.
    table : a row an arm. A place with a row that leaves is not added up.
    """
    total, people = codebook.only("total"), codebook.only("people")
    if total is None:
        return []
    stays = exclude(codebook, table)[0] < 0
    texts = table.data[total.name].astype("str")
    said = np.array([float(text) if text.isdecimal() else np.nan for text in texts])
    problems = [
        problem_of(
            *(codebook, table, total, int(at)),
            f"'{texts.iloc[at]}'",
            "a whole number of people, without a unit",
            CORRECT,
            "impossible-count",
        )
        for at in np.flatnonzero(stays & texts.ne("").to_numpy() & np.isnan(said))
    ]
    names = [people.name] if people else [v.name for v in next(iter(counted(codebook).values()))]
    numbers = table.data[names].astype("str").apply(lambda c: c.where(c.str.isdecimal(), "nan"))
    n = numbers.astype(float).sum(axis=1, skipna=False).to_numpy()
    # A place is what is left of what tells arms apart without the conditions that people were in.
    apart = [v for key in KEYS if key != "factor" for v in codebook.having(key)]
    place = told(replace(codebook, variables=tuple(apart)), table)
    for one in dict.fromkeys(place[stays]):
        here = place == one
        given = np.flatnonzero(here & ~np.isnan(said))
        if not stays[here].all() or not len(given) or np.isnan(n[here]).any():
            continue
        wrong = [at for at in given if said[at] != n[here].sum()]
        if wrong:
            problems.append(
                problem_of(
                    *(codebook, table, total, int(wrong[0])),
                    f"{said[wrong[0]]:.0f} people in all, and {n[here].sum():.0f} in the arms of "
                    "the place",
                    "arms that add up to the total",
                    "correct a number of people, or add the arm that is not in the table",
                    "unequal-total",
                )
            )
    return problems
