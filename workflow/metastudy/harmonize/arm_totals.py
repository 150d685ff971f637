"""Totals in a table of arms: rows that are no arm, and numbers that arms have to add up to."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from metastudy.codebook.checks.terms import ARM_ROLES
from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem
from metastudy.common.text import quoted
from metastudy.harmonize.arms import CORRECT, KEYS, counted, problem_of, told
from metastudy.harmonize.exclusions import exclude
from metastudy.readers.raw import RawTable

__all__ = ["rows_of_totals", "sums_up", "unequal_totals"]

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
