"""Arms with scores: how many people of a row, and mean, SD and correlations of their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from metastudy.codebook.parts import Variable
from metastudy.common.text import numeral
from metastudy.harmonize.decoders import InvalidValue
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema

__all__ = ["notes_on", "scored_arms", "within"]

# Where outcomes stand in rows of their own, cells of several outcomes cannot be made of them.
OTHERS = (
    "; a row has all outcomes of an arm, of the same people: where other numbers of people have "
    "another outcome, give it in a study of `design: published`"
)
MOST_PEOPLE = 999_999_999  # of an arm; its number has nine digits at most, as in arms of counts
LEAST_SD = np.nextafter(0, 1)  # above zero: nobody's scores say how those of an arm spread
SLACK = 1e-6  # of what arithmetic alone may move a bound or an eigenvalue by


def scored_arms(study: Study, ids: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""The tables ``arms`` and ``arm_correlations`` of a study whose rows are arms with means.

    Means and SDs are in per cent of the scale, as scores of people are. ``effective`` is the number
    of people divided by the design effect of clusters, 1 + (m - 1) ICC for m people in a cluster
    (Kish 1965, Survey sampling, section 5.4; Cochrane Handbook, section 23.1.4, which likewise
    leaves means and SDs as they are); without clusters it is the number of people.

    Parameters
    ----------
    study : with the rows that are kept; problems are noted in it: ``impossible-count``,
        ``off-scale``, ``impossible-arm``, ``clustered-arms``.
    ids : of the arms, shape (rows,).

    Returns
    -------
    A row per arm and construct, and one per arm and pair of constructs; none where there are
    problems or no means.
    """
    codebook = study.codebook
    people = codebook.only("people")
    means = {str(v.construct): v for v in codebook.having("mean")}
    none = schema.empty("arms"), schema.empty("arm_correlations")
    if people is None or not means:
        return none
    before = len(study.problems)
    n = _read(study, people, 2, MOST_PEOPLE, "impossible-count", whole=True)
    effective = n / _design_effect(study, n)
    tables = []
    for variable in codebook.having("sd"):
        if (mean := means.get(str(variable.construct))) is None:
            continue  # its column is not in the file, which is told elsewhere
        low, high = float(mean.min or 0), float(mean.max or 0)
        m, sd = _read(study, mean, low, high, "off-scale"), _read(study, variable, LEAST_SD, np.inf)
        steps = [within(study.texts(v.name)) for v in (mean, variable)]
        _possible(study, variable, n, m, sd, (low, high), steps)
        unit = 100 / (high - low)
        columns = {
            "study_id": codebook.study.id,
            "respondent_id": ids,
            "construct": variable.construct,
            "people": n,
            "effective": effective,
            "mean": unit * ((low + high - m if mean.keying == "reverse" else m) - low),
            "sd": unit * sd,
            "mean_within": unit * steps[0],
            "sd_within": unit * steps[1],
        }
        tables.append(pd.DataFrame(columns))
    correlations = [*_correlations(study, ids, means)]
    if len(study.problems) > before or not tables:
        return none
    order = ["respondent_id", "construct"]
    arms = pd.concat(tables, ignore_index=True).astype({"people": "int64"}).sort_values(order)
    pairs = pd.concat(correlations, ignore_index=True) if correlations else none[1]
    return schema.shape("arms", arms.reset_index(drop=True)), schema.shape(
        "arm_correlations", pairs
    )


def within(texts: pd.Series) -> float:
    """How far rounding may have moved numbers of a column: half of its last decimal.

    The number with the most decimals says how many the column has, as zeros at the end get lost.
    """
    decimals = 0
    for text in texts.astype("str").unique():
        digits, _, power = text.lower().partition("e")
        decimals = max(decimals, len(digits.partition(".")[2]) - int(power or 0))
    return float(0.5 * 10.0**-decimals)


def notes_on(arms: pd.DataFrame, correlations: pd.DataFrame) -> Iterator[str]:
    """What a reader has to know of arms: the bound that rounding sets, clusters, correlations.

    The bound is on a difference d of two arms in standard deviations s: the means are wrong by h at
    most, and s by g, so d is wrong by at most (2 h + |d| g) / (s - g), s being the smallest.
    """
    if arms.empty:
        return
    first = arms.drop_duplicates("respondent_id")
    people = int(first["people"].sum())
    yield f"the rows are arms with means: {len(first)} arms stand for {people} people"
    for construct, own in arms.groupby("construct", observed=True):
        h, g = own["mean_within"].max(), own["sd_within"].max()
        s = own["sd"].min() - g
        if s > 0:
            yield (
                f"{construct}: rounding of the arms moves a difference of two of them by at most "
                f"{2 * h / s:.2g} SD and {100 * g / s:.2g} % of itself"
            )
        else:
            yield f"{construct}: the SDs are rounded so coarsely that no bound can be given"
    if (total := first["effective"].sum()) < people:
        yield f"people came in clusters: by their design effects they count as {total:.1f}"
    if arms["construct"].nunique() > 1 and correlations.empty:
        yield (
            "no correlations between outcomes: they are modelled apart, and no difference between "
            "effects on them is made, unless the configuration assumes one for outcomes of a "
            "family (`pooling.correlation_of_arms`)"
        )


def _read(
    study: Study,
    variable: Variable,
    low: float,
    high: float,
    code: str = "impossible-arm",
    *,
    whole: bool = False,
) -> np.ndarray:
    """A column of numbers between bounds; NaN where there is a problem."""
    bounds = f"from {low:g} to {high:,.9g}" if np.isfinite(high) else f"of at least {low:g}"
    bounds = "above 0" if low == LEAST_SD else bounds

    def meaning(text: str) -> float:
        value = numeral(text)
        if value is None or not low <= value <= high or (whole and not value.is_integer()):
            raise InvalidValue(
                code,
                f"a {'whole ' * whole}number {bounds}",
                "correct the cell, or drop the row by a rule under exclude" + OTHERS * (not text),
                found=f"'{text}'" if text else "nothing",
            )
        return value

    return _floats(study, variable.name, meaning)


def _floats(study: Study, name: str, meaning: Callable[[str], float]) -> np.ndarray:
    return pd.to_numeric(study.decode(name, meaning)).to_numpy(dtype=float)


def _design_effect(study: Study, n: np.ndarray) -> np.ndarray:
    icc, size = study.codebook.only("icc"), study.codebook.only("cluster_size")
    if icc is None or size is None:
        return np.ones(len(n))
    rho = _read(study, icc, 0, 1, "clustered-arms")
    m = _read(study, size, 1, np.inf, "clustered-arms")
    if (more := m > n).any():
        study.report(
            more,
            size.name,
            "a cluster of more people than the arm has",
            "the mean number of the arm's people in a cluster",
            "correct one of the two cells",
            "clustered-arms",
        )
    return np.asarray(1 + (m - 1) * rho)


def _possible(
    study: Study,
    variable: Variable,
    n: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    bounds: tuple[float, float],
    steps: list[float],
) -> None:
    """Report an SD that no scores between the bounds with that mean have.

    Squared it is at most n / (n - 1) (high - mean) (mean - low), when everybody is at an end of the
    scale (Bhatia and Davis 2000), as far as rounding lets one tell.
    """
    low, high = bounds
    nearest = np.clip((low + high) / 2, mean - steps[0], mean + steps[0])
    most = n / (n - 1) * np.maximum((high - nearest) * (nearest - low), 0.0)
    least = np.maximum(sd - steps[1], 0.0) ** 2
    for at in np.flatnonzero(least > most * (1 + SLACK) + SLACK * (high - low) ** 2):
        study.report(
            np.arange(len(n)) == at,
            variable.name,
            f"a standard deviation of {sd[at]:g} around a mean of {mean[at]:g}",
            f"at most {np.sqrt(most[at]):.4g}, for scores from {low:g} to {high:g}",
            "correct the cell; a standard error, or an SD of another scale, is no SD of the scores",
            "impossible-arm",
        )


def _correlations(
    study: Study, ids: pd.Series, means: dict[str, Variable]
) -> Iterator[pd.DataFrame]:
    """A table per pair of constructs; what no scores can have together is reported."""
    names = list(means)
    given = [v for v in study.codebook.having("correlation") if {*v.constructs} <= {*names}]
    matrix = np.tile(np.eye(len(names)), (len(ids), 1, 1))
    for variable in given:
        one, other = variable.constructs
        value = _read(study, variable, -1, 1)
        i, j = names.index(one), names.index(other)
        matrix[:, i, j] = matrix[:, j, i] = value
        # A correlation with what is keyed the other way has the other sign.
        turned = means[one].keying != means[other].keying
        columns = {
            "study_id": study.codebook.study.id,
            "respondent_id": ids,
            "construct": one,
            "other": other,
            "correlation": -value if turned else value,
        }
        yield pd.DataFrame(columns)
    known = np.isfinite(matrix).all(axis=(1, 2))
    smallest = np.linalg.eigvalsh(np.where(np.isfinite(matrix), matrix, 0.0)).min(axis=1)
    for at in np.flatnonzero(known & (smallest < -SLACK)):
        study.report(
            np.arange(len(ids)) == at,
            given[0].name,
            "correlations that no scores have together",
            "a positive semidefinite correlation matrix",
            "correct the correlations of the row",
            "impossible-arm",
        )
