"""In which standard deviation a t value is, beside those of the arms that it is of."""

from __future__ import annotations

from math import isnan, sqrt

from metastudy.harmonize.effect_rows import Row
from metastudy.harmonize.effect_sizes import Arm

__all__ = ["OTHER_SD", "TAKEN_SD", "said_of_t"]

APART = 0.1  # of the SD within the arms, beyond what rounding does: more than Welch's t usually is
OTHER_SD = "its t is in another SD than that within the arms"
TAKEN_SD = "the SD of its t is taken for that within the arms"


def said_of_t(row: Row) -> str:
    """What is to be said of a t beside the SDs of both arms; nothing where they agree.

    The difference of two means over its t, and over the root of 1 / n + 1 / n, is the SD that the
    test used: that within both arms, unless it is of an adjusted model, of other people, or Welch's
    (Borenstein et al. 2009, chapter 4). Where there is no difference beside the t, none can be
    computed.
    """
    t, one, other = abs(row.number("t")), row.arm("treatment"), row.arm("control")
    known = t > 0 and not isnan(one.sd + other.sd + one.n + other.n) and one.n + other.n > 2
    if not known or not isnan(row.paired) or row.has("icc"):
        return ""
    if row.form == "test":
        return TAKEN_SD if row.wanted == "sd" else ""
    if row.form == "means":
        size, off = abs(one.mean - other.mean), _half(one.mean) + _half(other.mean)
    elif row.form == "estimate" and row.text("metric") == "scale_points" == row.wanted:
        size, off = abs(row.number("estimate")), _half(row.number("estimate"))
    else:
        return ""
    if not size:
        return ""
    used, own = size / (t * sqrt(1 / one.n + 1 / other.n)), _pooled(one, other)
    rounded = off / size + _half(t) / t
    if abs(used / own - 1) <= APART + rounded:
        return ""
    return f"{OTHER_SD}: {used:.3g} against {own:.3g}"


def _pooled(one: Arm, other: Arm) -> float:
    squares = (one.n - 1) * one.sd**2 + (other.n - 1) * other.sd**2
    return sqrt(squares / (one.n + other.n - 2))


def _half(number: float) -> float:
    """Half a unit of the last decimal that a number is given with."""
    return 0.5 * 10.0 ** -len(f"{number:.10g}".partition(".")[2])
