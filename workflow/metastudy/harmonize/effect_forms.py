"""From the form in which a publication gives an effect to its estimate and standard error."""

from __future__ import annotations

from dataclasses import replace
from math import atanh, copysign, isnan, log, nan, sqrt, tanh
from typing import Any

from metastudy.harmonize import effect_sizes as sizes
from metastudy.harmonize.effect_inequalities import beside, bound_of_error
from metastudy.harmonize.effect_rows import ARMS, GIVES, RATIOS, Row, Unfit, problems, without
from metastudy.harmonize.effect_sd_of_t import said_of_t
from metastudy.harmonize.effect_sizes import Arm, Effect

__all__ = ["computed"]

OF_T = ("sd", "scale_points", "pomp")  # metrics whose tests are t tests
LEAST_DF = 2  # of a standard deviation that a difference is divided by
LEAST_SD, MOST_SD = 1e-12, 1e12  # of such a one, whose squares are numbers still
WITHIN = "pooled_sd"  # the standard deviation of a difference that a test gives
COCHRANE = "(Cochrane Handbook, chapter 6.3)"
# A difference whose correction and error of the standard deviation are settled.
SETTLED = {"small_sample": "corrected", "sd_error": "included"}


def computed(row: Row) -> tuple[dict[str, Any], list[Unfit]]:
    """What a row gives, as fields of the harmonized table, and what is wrong with it.

    Without an estimate there are no fields but, for an inequality of p, what bounds the size of the
    estimate: ``size_above`` or ``size_below``, in the row's metric.
    """
    if found := list(problems(row)):
        return {}, found
    try:
        return _fields(row), []
    except Unfit as unfit:
        return {}, [unfit]


def _fields(row: Row) -> dict[str, Any]:
    form, wanted, metric = row.form, row.wanted, row.text("metric")
    if form == "test" and row.inequality:
        return _bound(row)
    if form in GIVES and wanted not in GIVES[form]:
        raise _unconverted(row, GIVES[form])
    makers = {
        "means": _of_means, "events": _of_events, "times": _of_times, "r": _of_r,
        "test": _of_test, "estimate": _of_estimate,
    }  # fmt: skip
    found = makers[form](row) if form else None
    more_said = _inequality_beside(row, found) if found and row.text("p")[:1] in ("<", ">") else ""
    _check_signs(row, found)
    if found is None or _as_published(row):
        return {"method": more_said} if more_said else {}
    if more_said:
        found = found.also(more_said) if found.method else replace(found, method=more_said)
    more: dict[str, Any] = {}
    if metric and wanted != metric:
        if (wanted, metric) not in sizes.CONVERSIONS:
            raise _unconverted(row, (wanted,))
        found = sizes.converted(found, metric)
        if metric == "sd":  # the SD of a logistic distribution is known, and needs no correction
            more = {"standardiser": WITHIN} | (SETTLED if wanted == "log_odds" else {})
    elif metric == "sd" and form != "estimate":
        more = SETTLED | {"standardiser": row.text("standardiser") or WITHIN}
    if row.has("icc"):
        found = sizes.clustered(found, row.number("icc"), row.number("cluster_size"))
    if not isnan(row.paired) and form != "estimate":
        n = _pairs(row)
        more |= {"n": n, "n_control": n, "n_treatment": n}
    error = sqrt(found.variance)
    method = "; ".join(filter(None, (found.method, said_of_t(row))))
    return more | {"estimate": found.estimate, "se": error, "method": method or None}


def _check_signs(row: Row, found: Effect | None) -> None:
    """Refuse a t or z of another sign than the effect, whichever of them the effect is from."""
    for name in ("t", "z"):
        if found and row.number(name) * found.estimate < 0:
            raise _against(name, row.number(name), found.estimate)


def _against(name: str, statistic: float, estimate: float) -> Unfit:
    return Unfit(name, f"{statistic:g}, beside an effect of {estimate:.3g}",
                 "a statistic with the sign of its effect",
                 "correct the one or the other: both are of the same contrast, and the treatment "
                 "comes first", "sign-against-direction")  # fmt: skip


def _inequality_beside(row: Row, found: Effect) -> str:
    """What an inequality of p says beside an effect, which it does not move."""
    people = _people_of(row)
    by_t = row.wanted in OF_T and isnan(row.paired) and people > LEAST_DF
    df = people - 2 if by_t else nan
    if isnan(found.variance):
        return bound_of_error(row, found.estimate, df)
    if row.wanted in OF_T and isnan(df) and row.text("p")[0] == ">":
        return f"p > {row.text('p')[1:]} beside it not used: no n"  # of few people z is no t
    return beside(row, _test_sizes, df)


def _test_sizes(row: Row) -> list[float]:
    """The sizes of t or z that the numbers of a row give, without the clusters and with them."""
    if row.form == "test":
        found = [abs(_statistic(row))]
    elif row.form == "means":
        one, other = _arms(row, "n", "sd")
        raw = sizes.difference_of_means(one, other, "", row.paired)
        df = one.n + other.n - 2
        pooled = ((one.n - 1) * one.sd**2 + (other.n - 1) * other.sd**2) / df
        errors = [raw.variance]
        errors += [pooled * (1 / one.n + 1 / other.n)] if isnan(row.paired) else []
        found = [abs(raw.estimate) / sqrt(error) for error in errors]
    else:
        makers = {"events": _of_events, "times": _of_times, "r": _of_r, "estimate": _of_estimate}
        effect = makers[row.form](row)
        found = [abs(effect.estimate) / sqrt(effect.variance)]
    if row.has("icc"):
        wider = 1 + (row.number("cluster_size") - 1) * row.number("icc")
        found += [size / sqrt(wider) for size in found]
    return found


def _as_published(row: Row) -> bool:
    """Whether estimate and standard error are taken over as they are."""
    return row.has("estimate") and row.has("se") and not (row.has("reported_as") or row.has("icc"))


def _unconverted(row: Row, gives: tuple[str, ...]) -> Unfit:
    may = ", ".join(f"{a} to {b}" for a, b in sizes.CONVERSIONS)
    return Unfit(
        row.first,
        f"what gives {' or '.join(gives)}, beside the metric {row.text('metric')}",
        f"such a metric, or one of the conversions, declared: {may}",
        "correct metric, or say under reported_as what is to be converted to it",
        "undeclared-conversion",
    )


def _pairs(row: Row) -> float:
    for name in ("n", "n_treatment", "n_control"):
        if row.has(name):
            return row.number(name)
    raise without("paired_correlation", "the number of pairs", "n")


def _arms(row: Row, *needed: str) -> tuple[Arm, Arm]:
    """Both arms, the treatment first; of pairs each has all of them."""
    found = [row.arm(which) for which, _ in ARMS]
    if not isnan(row.paired):
        found = [replace(arm, n=_pairs(row)) for arm in found]
    for part in needed:
        for arm, (which, _) in zip(found, ARMS, strict=True):
            if isnan(getattr(arm, part)):
                raise without(row.first, f"{part}_{which}", f"{part}_{which}")
    return found[0], found[1]


def _of_means(row: Row) -> Effect:
    one, other = _arms(row, "n", "sd")
    if row.wanted in ("scale_points", "pomp"):
        return sizes.difference_of_means(one, other, row.wanted, row.paired)
    if row.wanted == "sd":
        by = row.text("standardiser")
        if by not in ("control_sd", "pooled_sd"):
            raise Unfit(row.first, "a standardised difference that does not say in which SD",
                        "control_sd or pooled_sd as the standardiser",
                        "fill in standardiser, in its column or under constants in the codebook",
                        "standardiser")  # fmt: skip
        df = one.n + other.n - 2 if by == WITHIN and isnan(row.paired) else other.n - 1
        if df < LEAST_DF:
            raise Unfit(row.first, f"a standard deviation of {df:g} degrees of freedom",
                        f"{LEAST_DF} at least: with fewer, what is divided by it has no mean",
                        "correct the numbers of respondents, or take another metric")  # fmt: skip
        unit = max(one.sd, other.sd) if by == WITHIN else other.sd
        if not LEAST_SD < unit < MOST_SD:
            raise Unfit(row.first, f"a difference in a standard deviation of {unit:g}",
                        "a standard deviation above zero, of a scale that people answer",
                        "correct the standard deviations, or take another metric",
                        "standardiser")  # fmt: skip
        return sizes.standardised_difference(one, other, by, row.paired)
    if min(one.mean, other.mean) <= 0:
        raise Unfit(row.first, "a ratio of means of which one is not above zero",
                    "means above zero",
                    "take another metric, such as scale_points or sd")  # fmt: skip
    return sizes.log_response_ratio(one, other, row.paired)


def _unpaired(row: Row) -> None:
    if not isnan(row.paired):
        raise Unfit("paired_correlation", f"a paired design beside {row.first}",
                    "it beside means and SDs, or a test of a difference in sd",
                    "empty the cell, or enter the estimate and its standard error",
                    "two-forms")  # fmt: skip


def _of_events(row: Row) -> Effect:
    _unpaired(row)
    one, other = _arms(row, "n")
    events = one.events + other.events
    if row.wanted != "percentage_points" and events in (0, one.n + other.n):
        raise Unfit(row.first, "an event that nobody had, or everybody",
                    "one that somebody had and somebody not: else there is no ratio",
                    "take percentage_points as the metric, or empty the cells: the finding is then "
                    "a direction")  # fmt: skip
    makers = {
        "log_odds": sizes.log_odds_ratio,
        "log_risk_ratio": sizes.log_risk_ratio,
        "percentage_points": sizes.risk_difference,
    }
    return makers[row.wanted](one, other)


def _of_times(row: Row) -> Effect:
    _unpaired(row)
    one, other = _arms(row, "events", "time")
    if one.events + other.events == 0:
        raise Unfit(row.first, "no event in either arm", "an event in one arm at least",
                    "empty the cells: the finding is then a direction")  # fmt: skip
    return sizes.log_rate_ratio(one, other)


def _of_r(row: Row) -> Effect:
    _unpaired(row)
    return sizes.fisher_z(row.number("r"), _people(row))


def _people_of(row: Row) -> float:
    """The number of respondents, NaN where it is not said."""
    return row.number("n") if row.has("n") else row.number("n_control") + row.number("n_treatment")


def _people(row: Row) -> float:
    """The number of respondents, of whom Fisher's z needs four at least."""
    n = _people_of(row)
    if isnan(n):
        raise without(row.first, "the number of respondents", "n")
    if n < 4:
        raise Unfit(row.first, f"a correlation of {n:g} people", "four at least", "correct n")
    return n


def _people_of_test(row: Row, r: float) -> float:
    """The number of respondents of whom a correlation has the statistic of its test."""
    name, found = row.test, _statistic(row)
    if not r or not found or (name == "t" and found * r < 0):
        raise Unfit(name, f"{row.number(name):g}, beside a correlation of {r:.3g}",
                    "a statistic with the sign of its correlation, neither of them zero",
                    "correct the one or the other, or fill in n",
                    "sign-against-direction")  # fmt: skip
    n = found**2 / r**2 if name == "chi_squared" else 2 + found**2 * (1 - r**2) / r**2
    if n < 4:
        raise Unfit(name, f"a test that a correlation of {r:.3g} has with {n:.3g} people",
                    "four at least", "correct the one or the other, or fill in n")  # fmt: skip
    return n


def _sizes(row: Row) -> tuple[float, float, str]:
    """Respondents of both arms, the treatment first; halves of all where no more is known."""
    one, other, n = (row.number(name) for name in ("n_treatment", "n_control", "n"))
    assumed = ""
    if not isnan(row.paired):
        one = other = _pairs(row)
    elif isnan(one + other):
        if isnan(n):
            raise without(row.first, "the number of respondents", "n, or n_control and n_treatment")
        if isnan(one) and isnan(other):
            one, assumed = n / 2, "arms of the same size assumed"
        one = n - other if isnan(one) else one
        other = n - one
    if one + other < 5 or min(one, other) < 1:
        raise Unfit(row.first, f"arms of {one:g} and {other:g} respondents",
                    "five respondents at least, of both arms", "correct the numbers")  # fmt: skip
    return one, other, assumed


def _statistic(row: Row) -> float:
    """The statistic of a test as t or z; it has a sign where the test has one."""
    name = row.test
    if name in ("f", "chi_squared"):
        return sqrt(row.number(name))
    if name != "p":
        return row.number(name)
    if row.wanted == "fisher_z":
        df = _people(row) - 2
    elif row.wanted in OF_T:
        one, other, _ = _sizes(row)
        df = one + other - 2 if isnan(row.paired) else one - 1
    else:
        df = nan  # a ratio or a difference of shares is tested by z
    return sizes.statistic_of_p(float(row.text("p").lstrip("<>")), df)


def _signed(row: Row) -> float:
    found, name = _statistic(row), row.test
    if name in ("t", "z"):
        return found
    if found and not row.sign:
        raise without(name, "a direction, positive or negative: it has no sign", "direction")
    return found * row.sign


def _of_test(row: Row) -> Effect:
    name = row.test
    if row.wanted == "fisher_z":
        _unpaired(row)
        n = _people(row)
        if name == "chi_squared" and row.number(name) >= n:
            raise Unfit(name, "a chi-squared of one degree of freedom that is not below n",
                        "one below the number of respondents", "correct it or n")  # fmt: skip
        return sizes.z_of_statistic(_signed(row), n, name == "chi_squared")
    if name == "chi_squared":
        raise _unconverted(row, ("fisher_z",))
    if row.text("standardiser") not in ("", WITHIN):
        raise Unfit(name, f"a test, beside {row.text('standardiser')}",
                    f"{WITHIN} as the standardiser, or an empty cell: that is what a test gives",
                    "correct the standardiser, or enter the means and SDs of both arms",
                    "standardiser")  # fmt: skip
    one, other, assumed = _sizes(row)
    found = sizes.standardised_of_t(_signed(row), one, other, row.paired)
    said = {"f": "t = root(F)", "z": "z taken as t", "p": "t from the two-sided p"}.get(name, "")
    for more in filter(None, (said, assumed)):
        found = found.also(more)
    return found


def _bound(row: Row) -> dict[str, Any]:
    """What an inequality of p says of the size of an estimate: a bound, if anything."""
    sign, value = row.text("p")[0], row.text("p")[1:]
    said = f"p {sign} {value}: no estimate"
    if row.wanted not in GIVES["test"] or row.wanted != row.text("metric"):
        return {"method": f"{said}, and no bound but in {' or '.join(GIVES['test'])}"}
    if row.has("icc"):
        return {"method": f"{said}, and no bound: the p leaves the clusters out"}
    try:
        if row.wanted == "fisher_z":
            found = sizes.z_of_statistic(_statistic(row), _people(row))
        else:
            one, other, _ = _sizes(row)
            found = sizes.standardised_of_t(_statistic(row), one, other, row.paired)
    except Unfit as lacking:
        return {"method": f"{said}, and no bound: {lacking.found}"}
    which = "above" if sign == "<" else "below"
    more = {"standardiser": WITHIN} if row.wanted == "sd" else {}
    method = f"{said}; its size is {which} {found.estimate:.3g} ({found.method})"
    return more | {f"size_{which}": found.estimate, "method": method}


def _of_estimate(row: Row) -> Effect:
    """An estimate with its error, which is NaN where none is given."""
    said, estimate = row.text("reported_as"), row.number("estimate")
    ends = [row.number(name) for name in ("ci_lower", "ci_upper") if row.has(name)]
    lowest = 0.0 if said in RATIOS else -1.0 if said == "correlation" else -float("inf")
    highest = 1.0 if said == "correlation" else float("inf")
    for name, value in (("estimate", estimate), *(("ci_lower", end) for end in ends)):
        if not lowest < value < highest:
            raise Unfit(name, f"{value:g}, reported as {said.replace('_', ' ')}",
                        f"a number above {lowest:g}" + " and below 1" * (highest == 1),
                        "correct it, or reported_as")  # fmt: skip

    def scaled(value: float) -> float:
        return log(value) if said in RATIOS else atanh(value) if said == "correlation" else value

    # The slope of the scale at the estimate takes a standard error there, by the delta method.
    slope = 1 / estimate if said in RATIOS else 1 / (1 - estimate**2) if highest == 1 else 1.0
    taken = "logarithm" if said in RATIOS else "artanh(r)" if said == "correlation" else ""
    middle = scaled(estimate)
    if row.has("se") or row.has("variance"):
        how = "" if row.has("se") else "se = root of the variance"
        error = (row.number("se") if row.has("se") else sqrt(row.number("variance"))) * slope
        how += "; se by the delta method" * bool(taken)
    elif ends:
        level = row.number("ci_level")
        error = (scaled(ends[1]) - scaled(ends[0])) / (2 * sizes.normal_quantile(level))
        how = f"se from the {level:g} % interval by the normal quantile {COCHRANE}"
    elif row.wanted == "fisher_z" and (row.has("n") or row.test in ("t", "f", "chi_squared")):
        # Before its test, which is of r and not of z: where n is not said, the two give it.
        r = estimate if said == "correlation" else tanh(estimate)
        return sizes.fisher_z(r, _people(row) if row.has("n") else _people_of_test(row, r))
    elif row.test and not row.inequality:
        error, how = _error_by_test(row, middle)
    else:
        error, how = nan, ""
    method = "; ".join(part for part in (taken, how.removeprefix("; ")) if part)
    return Effect(middle, error**2, row.wanted, method)


def _error_by_test(row: Row, estimate: float) -> tuple[float, str]:
    """The standard error with which an estimate has the statistic of its test."""
    name, found = row.test, _statistic(row)
    if name in ("t", "z") and copysign(1, found) * estimate < 0:
        raise _against(name, found, estimate)
    if not found or not estimate:
        raise Unfit(name, "a test of an estimate, one of them zero",
                    "a standard error, which a zero does not give",
                    "fill in se, or the interval")  # fmt: skip
    kind = {"f": "root(F)", "chi_squared": "root(chi-squared)", "p": "the quantile of p"}
    return abs(estimate / found), f"se = estimate / {kind.get(name, name)} {COCHRANE}"
