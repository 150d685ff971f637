"""Design-based estimates: weighted for how people were sampled, uncertain by how they clustered.

A sensitivity analysis beside the models. A model takes the respondents as they are and describes
their sites; here the sampling weights say whom a respondent represents, and the errors rest on
nothing but the sampled clusters being independent.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import result_tables
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows, rows_of

__all__ = ["COLUMNS", "clusters", "design_based", "regression"]

COLUMNS = result_tables.columns("design_based")
_NUMBERS = ("estimate", "se", "low", "high")
ANSWERS = "answers"  # the kind of model whose outcomes are scores


def design_based(
    studies: Sequence[Study], vocabulary: Vocabulary, interval: float = 0.95
) -> pd.DataFrame:
    """Estimate every contrast of the studies that have sampling weights, with and without them.

    Scores are in the units of the models (:func:`metastudy.models.answers.rows.rows_of`), and each
    outcome is regressed on all exposures of its study together, as there.

    Parameters
    ----------
    studies : any studies; those without weights have no rows.
    vocabulary : with the studies' additions.
    interval : probability of the interval from ``low`` to ``high``.

    Returns
    -------
    One row a study, exposure, outcome, vignette and ``weighted`` (true, false), the columns
    :data:`COLUMNS`. Both rows rest on the same respondents, those with a weight; ``n`` counts
    them and ``clusters`` what they were sampled in. What the design does not identify has no row.

    Raises
    ------
    BadInput
        ``one-cluster`` where the respondents are all from one cluster.
    """
    found = [
        row
        for study in sorted(studies, key=lambda one: one.id)
        if _weights(study).notna().any()
        for module, entry in vocabulary["modules"].items()
        if entry["model"] == ANSWERS and _has_outcomes(study, module, vocabulary)
        for row in _contrasts(study, rows_of(study, module, vocabulary), interval)
    ]
    types = dict.fromkeys(_NUMBERS, float) | {"weighted": bool, "n": int, "clusters": int}
    texts = {name: "str" for name in COLUMNS if name not in types}
    table = pd.DataFrame(found, columns=COLUMNS).astype({**texts, **types})
    order = ["study", "exposure", "outcome", "vignette", "weighted"]
    return table.sort_values(order, ignore_index=True)


def regression(
    y: np.ndarray, x: np.ndarray, weights: np.ndarray, groups: np.ndarray, interval: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regress by weighted least squares, with errors that are robust to clusters.

    The covariance is that of Liang and Zeger (1986) with the usual correction for few clusters,
    G / (G - 1) * (n - 1) / (n - k); intervals use the t distribution with G - 1 degrees of freedom.

    Parameters
    ----------
    y : outcome, shape (n,).
    x : predictors, shape (n, k), the first being the intercept.
    weights : above zero, shape (n,); only their ratios matter.
    groups : the cluster of each row, shape (n,); at least two different ones.
    interval : probability of the intervals.

    Returns
    -------
    estimates, standard errors, intervals : shapes (k,), (k,), (k, 2). NaN for a coefficient that
        the predictors do not identify.
    """
    # The predictors are looked at in units of their own size, so that no unit looks like rank.
    size = np.sqrt((x**2).mean(axis=0))
    scaled = x / np.where(size > 0, size, 1.0)
    known = np.isclose(np.diag(np.linalg.pinv(scaled, rcond=1e-9) @ scaled), 1.0)
    codes = pd.factorize(groups)[0]
    with warnings.catch_warnings():  # what is not identified is known, and left out below
        warnings.simplefilter("ignore", SingularMatrixWarning)
        fit = sm.WLS(y, x, weights=weights).fit(
            cov_type="cluster", cov_kwds={"groups": codes}, use_t=True
        )
    nothing = np.full(x.shape[1], np.nan)
    estimate = np.where(known, fit.params, nothing)
    error = np.where(known, fit.bse, nothing)
    limits = np.where(known[:, None], fit.conf_int(alpha=1 - interval), np.nan)
    return estimate, error, limits


def clusters(respondents: pd.DataFrame) -> pd.Series:
    """Give each respondent's sampling cluster: the declared one, else the site, else themselves.

    Parameters
    ----------
    respondents : the harmonized table.

    Returns
    -------
    Texts, on the index of the table. Who has no cluster where others have one is alone in one.
    """
    own = respondents["respondent_id"].astype(str)
    for name in ("cluster_id", "org_id"):
        if name in respondents and respondents[name].notna().any():
            return respondents[name].astype(object).where(respondents[name].notna(), own)
    return own


def _weights(study: Study) -> pd.Series:
    people = study.respondents
    none = pd.Series(np.nan, index=people.index)
    return people["weight"].astype(float) if "weight" in people else none


def _has_outcomes(study: Study, module: str, vocabulary: Vocabulary) -> bool:
    constructs = vocabulary["constructs"]
    return any(
        name in constructs and vocabulary.module(name) == module
        for name in study.report["outcomes"]
    )


def _contrasts(study: Study, rows: Rows, interval: float) -> Iterator[dict[str, Any]]:
    ids = study.respondents["respondent_id"]
    weight = _weights(study).set_axis(ids).reindex(rows.y.index)
    cluster = clusters(study.respondents).set_axis(ids).reindex(rows.y.index)
    for column in rows.y.columns:
        y = rows.y[column]
        construct, vignette = map(str, column)
        use = y.notna() & weight.notna()
        groups = cluster[use].to_numpy()
        several = len(set(groups))
        if several < 2:
            raise _one_cluster(study, construct)
        x = np.column_stack([np.ones(int(use.sum())), rows.x[use].to_numpy(dtype=float)])
        for weighted in (False, True):
            w = weight[use].to_numpy() if weighted else np.ones(len(x))
            estimate, error, limits = regression(y[use].to_numpy(), x, w, groups, interval)
            for at, exposure in enumerate(rows.exposures, start=1):
                if np.isnan(estimate[at]):
                    continue
                yield {
                    "study": study.id,
                    "exposure": exposure["id"],
                    "exposure_name": exposure["name"],
                    "exposure_type": exposure["type"],
                    "outcome": construct,
                    "vignette": vignette,
                    "weighted": weighted,
                    "estimate": estimate[at],
                    "se": error[at],
                    "low": limits[at, 0],
                    "high": limits[at, 1],
                    "n": len(x),
                    "clusters": several,
                    "provenance": study.report["codebook"]["provenance"],
                }


def _one_cluster(study: Study, construct: str) -> BadInput:
    return BadInput(
        Problem(
            study=study.id,
            file=f"results/harmonized/{study.id}/respondents.parquet",
            column=construct,
            found="respondents of fewer than two clusters with a weight and an answer",
            expected="at least two clusters: within one, nothing tells how clusters differ",
            fix="declare the true sampling cluster with 'as: cluster' in the study's codebook, or "
            "take the weights and 'sensitivity' out",
            code="one-cluster",
        )
    )
