"""An inequality of p beside numbers that give an effect: can both be true, and what does it add.

It moves no estimate. Beside an estimate without an error it bounds the error. Tests of the same
numbers differ (by z or t, of ratios or exact, with covariates or without), so a p is contradicted
only where it is off by a factor: :data:`FACTOR`, whatever digits were rounded away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from math import isnan, nan
from statistics import NormalDist

from scipy.special import stdtr

from metastudy.harmonize import effect_sizes as sizes
from metastudy.harmonize.effect_rows import Row, Unfit

__all__ = ["FACTOR", "as_rounded", "beside", "bound_of_error"]

FACTOR = 2.0  # between a p that was printed and the p of the numbers beside it
MEASURED = (
    *("estimate", "se", "variance", "ci_lower", "ci_upper", "r", "t", "f", "z", "chi_squared"),
    *(f"{part}_{arm}" for part in ("mean", "sd") for arm in ("treatment", "control")),
)  # what is printed with rounded digits
MOST_ROUNDED = 4  # numbers of a row, of which each has two ends


def beside(row: Row, statistics: Callable[[Row], Iterable[float]], df: float) -> str:
    """What is said of an inequality that agrees with its row.

    Parameters
    ----------
    statistics : the sizes of t or z that a row's numbers give, by the tests that there are.
    df : degrees of freedom of t; NaN where it is z or not known.

    Raises
    ------
    Unfit
        ``impossible-effect`` where no test and no rounding gives such a p.
    """
    sign, value = row.text("p")[0], float(row.text("p")[1:])
    found = [_two_sided(size, df) for one in as_rounded(row) for size in _of(statistics, one)]
    if not found:
        return f"p {sign} {value:g} beside it not used"
    least, most = min(found), max(found)
    if least > FACTOR * value if sign == "<" else most < value / FACTOR:
        p = max(_two_sided(size, df) for size in _of(statistics, row))
        raise Unfit("p", f"p {sign} {value:g}, beside numbers whose p is about {p:.2g}",
                    "a p and numbers that can be true together",
                    "correct the one or the other; empty the cell of p where it is of another "
                    "contrast, or adjusted for several tests")  # fmt: skip
    return f"p {sign} {value:g} beside it agrees and is not used"


def bound_of_error(row: Row, estimate: float, df: float) -> str:
    """What an inequality says of the error of an estimate that has none: a bound, if anything.

    Parameters
    ----------
    estimate : in the metric of the test, such as a logarithm.
    df : as :func:`beside` takes it.
    """
    sign, value = row.text("p")[0], float(row.text("p")[1:])
    if not estimate and sign == "<":
        raise Unfit("p", f"p < {value:g}, beside an estimate of nothing",
                    "an estimate that differs from no effect",
                    "correct the one or the other")  # fmt: skip
    statistic = sizes.statistic_of_p(value, df)
    which = "below" if sign == "<" else "above"
    said = f"p {sign} {value:g} and no error: "
    if not statistic:
        return f"{said}no bound"
    return f"{said}se is {which} {abs(estimate) / statistic:.3g}, a bound that does not pool"


def as_rounded(row: Row) -> Iterator[Row]:
    """The row, and all rows that are printed as it is: each number half a last digit up or down."""
    names = [name for name in MEASURED if row.has(name)][:MOST_ROUNDED]
    for signs in product((-1, 0, 1), repeat=len(names)):
        moved = {
            name: row.number(name) + 0.5 * sign * _last_digit(row.number(name))
            for name, sign in zip(names, signs, strict=True)
        }
        yield replace(row, values={**row.values, **moved})


def _of(statistics: Callable[[Row], Iterable[float]], row: Row) -> list[float]:
    try:
        return [*statistics(row)]
    except (Unfit, ValueError, ZeroDivisionError):  # an end that cannot be true
        return []


def _last_digit(number: float) -> float:
    """A unit of the last digit after the point, of one before it where there is none."""
    digits = repr(float(number)).partition("e")[0].partition(".")[2].rstrip("0")
    return float(10.0 ** -len(digits))


def _two_sided(size: float, df: float = nan) -> float:
    """The two-sided p of a t or, without ``df``, of a z."""
    return float(2 * (NormalDist().cdf(-size) if isnan(df) else stdtr(df, -size)))
