"""Published effects that come with a standard error, as rows beside the studies' own estimates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.common.unsaid import UNSAID
from metastudy.models.base import NOT_STATED
from metastudy.synthesis.dependence import joint
from metastudy.synthesis.families import family_signs
from metastudy.synthesis.published_standardisers import Difference, error_alone, standardised

__all__ = ["errors_alone", "published"]

KEY = ["citation", "exposure", "exposure_type", "outcome", "role", "response_mode", "metric"]
KEY += ["estimate", "se"]
SIGNS = {"positive": 1, "negative": -1}


def published(
    effects: pd.DataFrame,
    vocabulary: Vocabulary,
    allowed: Collection[str] = (),
    dependence: pd.DataFrame | None = None,
    correlation: float = 0.0,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Effects of publications for the second stage.

    Parameters
    ----------
    effects : the harmonized table, one row a finding; rows without an estimate and its standard
        error are directions and stay out. What is in standard deviations is brought to that of
        the studies' own estimates, or has a metric of its own
        (:mod:`metastudy.synthesis.published_standardisers`).
    vocabulary : of all studies together, for the family of an outcome where the table says none,
        and for the module that a family belongs to.
    allowed : standardisers whose effects may pool with the studies' own as they are.
    dependence : covariances and correlations that are given, by finding.
    correlation : of two effects of one exposure in one place of a publication, on one outcome or
        on two, where none is given.

    Returns
    -------
    table, covariance
        As :func:`metastudy.synthesis.study_estimates.estimates`; a publication is a study, and its
        effects stay apart: each has its name in ``effect``. Estimates of different publications
        are independent, and so are those of different exposures or places of which nothing is said
        (:func:`metastudy.synthesis.dependence.joint`). A
        country or sector that is not known is its study's own, not the same as another unknown one.
        A role that is not known is one of its own, :data:`metastudy.models.base.NOT_STATED`.

    Raises
    ------
    BadInput
        ``zero-error`` for a standard error of zero; ``duplicate-effect`` for an effect twice;
        ``contradiction`` for a family that is not that of its outcome;
        ``dependence`` for effects whose covariance is
        not positive definite; ``sign-against-direction`` for an estimate whose sign is not that of
        its direction; ``standardiser`` for a difference that cannot be recomputed.
    """
    usable = effects["estimate"].notna() & effects["se"].notna() & effects["metric"].notna()
    rows = effects[usable].reset_index(drop=True)
    _check(rows, effects, vocabulary)
    before = rows["se"].to_numpy(dtype=float)
    rows = _standardised(rows, allowed)
    exposure = rows["exposure"].fillna(rows["contrast"])
    family = rows["family"].fillna(rows["outcome"].map(vocabulary.family_of)).fillna("")
    table = pd.DataFrame(
        {
            "id": rows["study_id"] + "|" + rows["finding_id"],
            "module": [_module(name, vocabulary) for name in family],
            "study": rows["citation"],
            "country": _own(rows, "country"),
            "sector": _own(rows, "sector"),
            "role": rows["role"].fillna(NOT_STATED),
            "exposure": exposure + "_" + rows["exposure_type"],
            "exposure_name": exposure,
            "exposure_type": rows["exposure_type"],
            "outcome": rows["outcome"],
            "family": family.where(family != "", rows["outcome"]),
            "vignette": "",
            "response_mode": rows["response_mode"].fillna("published"),
            "metric": rows["metric"],
            "estimate": rows["estimate"].astype(float),
            "n": rows["n"].fillna(rows["n_control"] + rows["n_treatment"]).fillna(0).astype(int),
            "provenance": rows["provenance"],
            "se": rows["se"].astype(float),
            "note": rows["note"],
            "effect": rows["finding_id"],
        }
    )
    return table, joint(table, before, dependence, correlation, family_signs(vocabulary))


def errors_alone(
    effects: pd.DataFrame, table: pd.DataFrame, allowed: Collection[str] = ()
) -> np.ndarray:
    """Standard errors of published effects without what the effects themselves add to them.

    Only standardised differences have such a part; of others it is the standard error.

    Parameters
    ----------
    effects, allowed : as :func:`published` takes them.
    table : as it gives them.

    Returns
    -------
    Shape (rows of ``table``,).
    """
    ids = effects["study_id"] + "|" + effects["finding_id"]
    own = effects.assign(id=ids).set_index("id").loc[table["id"]]
    found = [
        error_alone(Difference.of(row), allowed) if row.metric == "sd" else se
        for row, se in zip(own.itertuples(), table["se"], strict=True)
    ]
    return np.array(found, dtype=float)


def _module(family: str, vocabulary: Vocabulary) -> str:
    return str(vocabulary["families"].get(family, {}).get("module") or "")


def _own(rows: pd.DataFrame, place: str) -> pd.Series:
    return rows[place].fillna(UNSAID + rows["citation"])


def _check(rows: pd.DataFrame, effects: pd.DataFrame, vocabulary: Vocabulary) -> None:
    problems = [
        _problem(row, "se", "a standard error of zero", "a standard error above zero",
                 "correct it, or leave the cell empty: the finding is then a direction",
                 "zero-error")
        for row in rows[rows["se"] <= 0].itertuples()
    ]  # fmt: skip
    against = effects["direction"].map(SIGNS).astype(float) * effects["estimate"] < 0
    for row in effects[against].itertuples():
        problems.append(
            _problem(row, "direction", f"{row.direction}, and an estimate of {row.estimate:g}",
                     "a direction with the sign of the estimate",
                     "correct the one or the other: both are of the same contrast",
                     "sign-against-direction")
        )  # fmt: skip
    # Harmonizing a study sees its own vocabulary; another study's may know the outcome too.
    known = rows["outcome"].map(vocabulary.family_of)
    other = known.notna() & rows["family"].notna() & rows["family"].ne(known)
    for row in rows.assign(known=known)[other].itertuples():
        problems.append(
            _problem(row, "family", f"'{row.family}' for {row.outcome}",
                     f"{row.known}, its family in the vocabulary",
                     "leave the family out, or give the outcome another name: effects on one "
                     "outcome in two families do not pool",
                     "contradiction")
        )  # fmt: skip
    if problems:
        raise BadInput(problems)


def _standardised(rows: pd.DataFrame, allowed: Collection[str]) -> pd.DataFrame:
    """Standardised differences as the second stage takes them, with a note on what was done."""
    found, problems = [], []
    for row in rows.itertuples():
        taken = (row.estimate, row.se, row.metric, "")
        try:
            if row.metric == "sd":
                taken = standardised(Difference.of(row), allowed)
        except ValueError as unfit:
            problems.append(
                _problem(row, "estimate", str(unfit),
                         "numbers of the effect and of its arms that can be true together",
                         "correct estimate, se, standardiser, small_sample or the numbers of the "
                         "arms; where se leaves the error of the standard deviation out, write "
                         "not_included under sd_error",
                         "standardiser")
            )  # fmt: skip
        found.append(taken)
    types: dict[str, Any] = {"estimate": float, "se": float, "metric": "str", "note": "str"}
    made = pd.DataFrame(found, columns=list(types), index=rows.index).astype(types)
    rows = rows.assign(**made)
    again = rows.fillna({"exposure": rows["contrast"], "response_mode": "", "role": ""})
    for row in rows[again.duplicated([*KEY, "country", "sector"])].itertuples():
        problems.append(
            _problem(row, "estimate", f"an effect of {row.citation} a second time: outcome, "
                     "estimate and se are the same",
                     "each effect once", "take one of them out",
                     "duplicate-effect")
        )  # fmt: skip
    if problems:
        raise BadInput(problems)
    return rows


def _problem(row: object, column: str, *said: str) -> Problem:
    found, expected, fix, code = said
    study, finding = str(row.study_id), str(row.finding_id)  # type: ignore[attr-defined]
    return Problem(
        file=f"data/raw/{study}",
        found=found,
        expected=expected,
        fix=fix,
        study=study,
        row=f"finding {finding}",
        column=column,
        code=code,
    )
