"""What a codebook declares for the second stage: moderators, groupings, dependence of findings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Dependence
from metastudy.common.problems import Problem
from metastudy.common.text import canonical, did_you_mean, shown
from metastudy.harmonize import decoders
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema

__all__ = ["attributes", "dependence"]

LEAST = 1e-8  # smallest eigenvalue of a correlation matrix that counts as positive definite


def attributes(study: Study, ids: pd.Series | None = None) -> pd.DataFrame:
    """Moderators and groupings, one row for each that a finding or the study as a whole has.

    Parameters
    ----------
    ids : names of published findings, in the order of the rows; none for other studies.
    """
    book = study.codebook
    rows: list[dict[str, Any]] = []
    for kind, declared in (("moderator", book.moderators), ("nesting", book.nestings)):
        rows += [{"kind": kind, "name": n, "value": canonical(v)} for n, v in declared.items()]
    parts = [pd.DataFrame(rows, columns=["kind", "name", "value"]).assign(finding_id=None)]
    named = _finding_ids(study, ids) if ids is not None else None
    for variable in (*book.having("moderator"), *book.having("nesting")):
        if variable.role == "moderator":
            reader = decoders.moderator(variable, book.vocabulary)
        else:
            reader = decoders.grouping(variable)
        values = study.decode(variable.name, reader).astype("str")
        name = variable.moderator or variable.nesting
        own = pd.DataFrame({"finding_id": named, "value": values}).dropna(subset="value")
        parts.append(own.assign(kind=variable.role, name=name))
    table = pd.concat(parts, ignore_index=True).assign(study_id=book.study.id)
    key = ["kind", "name", "finding_id"]
    return schema.shape("attributes", table.sort_values(key, ignore_index=True))


def _finding_ids(study: Study, ids: pd.Series) -> pd.Series:
    """The names of findings, which are those of a field where there is one."""
    for variable in study.codebook.having("finding"):
        if variable.field == "finding":
            known = len(study.problems)
            reader = decoders.finding(variable, study.codebook.vocabulary)
            names = study.decode(variable.name, reader)
            del study.problems[known:]  # reported with the effects
            return names
    return ids


def dependence(study: Study, effects: pd.DataFrame) -> pd.DataFrame:
    """Covariance or correlation of two findings of one publication, where something is said of it.

    Reports findings and publications that are not there, and what does not fit the errors: a
    covariance beyond their product, and together what is not positive definite.

    Parameters
    ----------
    effects : the harmonized findings.
    """
    table = effects.drop_duplicates("finding_id").set_index("finding_id")
    said: dict[tuple[str, str], Dependence] = {}
    # The narrower entry counts, so it comes last.
    declared = study.codebook.dependence
    for one in sorted(declared, key=lambda d: (bool(d.findings), d.citation is not None)):
        problems = list(_unknown(study, one, table))
        study.problems += problems
        if problems:
            continue
        if one.findings:
            said[_pair(*one.findings)] = one
            continue
        own = table if one.citation is None else table[table["citation"] == one.citation]
        known = own[own["se"].notna() & own["estimate"].notna()]
        for _, mine in known.groupby("citation", sort=False):
            said |= {_pair(a, b): one for a, b in combinations(mine.index, 2)}
    rows = [
        {"finding_id": a, "other_id": b, "covariance": d.covariance, "correlation": d.correlation}
        for (a, b), d in sorted(said.items())
    ]
    columns = ["study_id", "finding_id", "other_id", "covariance", "correlation"]
    found = schema.shape(
        "dependence", pd.DataFrame(rows, columns=columns).assign(study_id=study.codebook.study.id)
    )
    study.problems += _unfit(study, found, table)
    return found


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _problem(study: Study, found: str, expected: str, fix: str) -> Problem:
    return Problem(
        file=shown(study.codebook.path),
        found=found,
        expected=expected,
        fix=fix,
        study=study.codebook.study.id,
        column="dependence",
        code="dependence",
    )


def _unknown(study: Study, one: Dependence, table: pd.DataFrame) -> Iterator[Problem]:
    """What an entry names that is not there, or that has no error."""
    if one.citation is not None and one.citation not in set(table["citation"]):
        near = did_you_mean(one.citation, sorted(set(table["citation"])))
        yield _problem(study, f"the publication '{one.citation}'.{near}",
                       "one that the file has findings of", "correct the citation")  # fmt: skip
    lost = [name for name in one.findings if name not in table.index]
    for name in lost:
        near = did_you_mean(name, list(table.index))
        yield _problem(study, f"the finding '{name}'.{near}", "a finding of the file",
                       "correct its name")  # fmt: skip
    if one.findings and not lost:
        own = table.loc[list(one.findings)]
        if own["citation"].nunique() > 1:
            yield _problem(study, f"'{' and '.join(one.findings)}', of two publications",
                           "two findings of one publication", "correct their names")  # fmt: skip
        elif own["se"].isna().any() or own["estimate"].isna().any():
            yield _problem(study, f"'{' and '.join(one.findings)}', one without an estimate or se",
                           "two findings with an estimate and its standard error",
                           "fill them in, or take the entry out")  # fmt: skip


def _unfit(study: Study, found: pd.DataFrame, table: pd.DataFrame) -> Iterator[Problem]:
    """Covariances that the standard errors do not allow, alone or together."""
    se = table["se"]
    joint: dict[str, dict[tuple[str, str], float]] = {}
    columns = ("finding_id", "other_id", "covariance", "correlation")
    for one, other, covariance, declared in zip(*(found[c] for c in columns), strict=True):
        product = float(se[one] * se[other])
        given = not np.isnan(covariance)
        correlation = covariance / product if given and product > 0 else declared
        if given and product > 0 and abs(correlation) >= 1:
            yield _problem(
                study,
                f"a covariance of {covariance:g} of {one} and {other}, whose "
                f"standard errors are {se[one]:g} and {se[other]:g}",
                f"one between -{product:.3g} and {product:.3g}, a correlation below 1",
                "correct the covariance or the standard errors",
            )
        elif not np.isnan(correlation):
            own = joint.setdefault(str(table["citation"][one]), {})
            own[one, other] = float(correlation)
    for citation, own in joint.items():
        names = sorted({name for pair in own for name in pair})
        matrix = np.eye(len(names))
        for (a, b), value in own.items():
            i, j = names.index(a), names.index(b)
            matrix[i, j] = matrix[j, i] = value
        if np.linalg.eigvalsh(matrix).min() < LEAST:
            yield _problem(
                study,
                f"a covariance of {', '.join(names)} of {citation} that is not positive definite",
                "covariances and correlations that can be true together",
                "correct them: some combination of the estimates would be known exactly",
            )
