"""What a row of a table of published findings says of its effect, and what cannot be true of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any

from metastudy.harmonize.effect_sizes import Arm

__all__ = ["ARMS", "GIVES", "METRIC_OF", "RATIOS", "TESTS", "Row", "Unfit", "problems", "without"]

ARMS = (("treatment", "control"), ("control", "treatment"))
TESTS = ("t", "f", "z", "chi_squared", "p")  # the earlier is used where there are several
RATIOS = {  # what may be reported as a ratio, and the metric of its logarithm
    "odds_ratio": "log_odds",
    "risk_ratio": "log_risk_ratio",
    "rate_ratio": "log_rate_ratio",
    "response_ratio": "log_response_ratio",
}
METRIC_OF = {**RATIOS, "correlation": "fisher_z"}
GIVES = {  # the metrics that a form gives without a conversion
    "means": ("sd", "scale_points", "pomp", "log_response_ratio"),
    "events": ("log_odds", "log_risk_ratio", "percentage_points"),
    "times": ("log_rate_ratio",),
    "r": ("fisher_z",),
    "test": ("sd", "fisher_z"),
}
_MARKS = {"means": "mean", "times": "time", "events": "events"}
_TOGETHER = (  # a field, and what it is nothing without
    ("icc", "cluster_size"),
    ("cluster_size", "icc"),
    ("ci_lower", "ci_upper"),
    ("ci_upper", "ci_lower"),
    ("ci_lower", "ci_level"),
    ("se", "estimate"),
    ("variance", "estimate"),
    ("ci_lower", "estimate"),
)


class Unfit(Exception):
    """What is wrong with a row: the field that it is in, and what is said of it."""

    def __init__(
        self, field: str, found: str, expected: str, fix: str, code: str = "impossible-effect"
    ):
        super().__init__(found)
        self.field = field
        self.said = (found, expected, fix, code)

    @property
    def found(self) -> str:
        """What was found."""
        return self.said[0]


def without(name: str, what: str, column: str) -> Unfit:
    """Say that something is lacking beside a field."""
    return Unfit(
        name,
        f"{name} without {what}",
        f"{what} beside it",
        f"fill in {column}, in its column or under constants in the codebook; or empty the cell",
        "incomplete-finding",
    )


@dataclass(frozen=True)
class Row:
    """What a row says of its effect, by the names of fields; ``p`` is a text such as ``<0.001``."""

    values: Mapping[str, Any] = field(repr=False)

    def text(self, name: str) -> str:
        """A field that is a text, empty where it says nothing."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float:
        """A field that is a number, NaN where it says nothing."""
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) else nan

    def has(self, name: str) -> bool:
        """Whether a field says something."""
        return bool(self.text(name)) or not isnan(self.number(name))

    def arm(self, which: str) -> Arm:
        """One arm, ``control`` or ``treatment``."""
        names = ("n", "mean", "sd", "events", "time")
        return Arm(**{name: self.number(f"{name}_{which}") for name in names})

    @property
    def form(self) -> str:
        """The form: ``estimate``, one of :data:`GIVES`, or nothing."""
        if self.has("estimate"):
            return "estimate"
        for form, mark in _MARKS.items():
            if self.has(f"{mark}_treatment") or self.has(f"{mark}_control"):
                return form
        return "r" if self.has("r") else "test" if self.test else ""

    @property
    def test(self) -> str:
        """The statistic of :data:`TESTS` that is used, or nothing."""
        return next((name for name in TESTS if self.has(name)), "")

    @property
    def inequality(self) -> bool:
        """Whether an inequality of p is all that is said of a test."""
        return self.test == "p" and self.text("p")[0] in "<>"

    @property
    def first(self) -> str:
        """A field of the form, at which problems of the whole of it are reported."""
        form = self.form
        if form in _MARKS:
            return f"{_MARKS[form]}_treatment"
        return self.test if form == "test" else form

    @property
    def wanted(self) -> str:
        """The metric before any conversion: that of what is reported, else the row's own."""
        said = self.text("reported_as")
        return METRIC_OF.get(said, said or self.text("metric"))

    @property
    def paired(self) -> float:
        """Correlation of two measurements of the same people; NaN where there are two arms."""
        return self.number("paired_correlation")

    @property
    def sign(self) -> int:
        """The sign that the direction gives; zero where it gives none."""
        return {"positive": 1, "negative": -1}.get(self.text("direction"), 0)


def problems(row: Row) -> Iterator[Unfit]:
    """What is lacking in a row or cannot be true, whatever the effect is."""
    form = row.form
    for name in _MARKS.values():
        for which, other in ARMS:
            one, lacking = f"{name}_{which}", f"{name}_{other}"
            if row.has(one) and not row.has(lacking) and form != "estimate":
                yield Unfit(one, f"one arm alone: no {lacking}", "both arms of a contrast",
                            f"fill in {lacking}, or empty the cell",
                            "incomplete-finding")  # fmt: skip
    several = [name for name in ("estimate", "r") if row.has(name)]
    several += [f"{n}_treatment" for n in ("mean", "events") if row.has(f"{n}_treatment")]
    if len(several) > 1:
        yield Unfit(several[1], f"an effect in two forms: {' and '.join(several)}",
                    "one form of an effect in a row",
                    "leave the one that is nearest to the data, and empty the other",
                    "two-forms")  # fmt: skip
    if form == "estimate" and row.has("paired_correlation"):
        yield Unfit("paired_correlation", "a paired design beside an estimate",
                    "it beside means and SDs, or a test of a difference in sd: the error of an "
                    "estimate has it in already",
                    "empty the cell, or enter the means and SDs in place of the estimate",
                    "two-forms")  # fmt: skip
    for which, _ in ARMS:
        if form == "events" and row.number(f"events_{which}") > row.number(f"n_{which}"):
            yield Unfit(f"events_{which}", "more events than respondents",
                        f"events up to n_{which}",
                        f"correct it or n_{which}; where a person may have several, they are a "
                        f"rate: fill in time_{which}")  # fmt: skip
    for one, lacking in _TOGETHER:
        if row.has(one) and not row.has(lacking):
            yield without(one, lacking, lacking)
    low, high, middle = (row.number(name) for name in ("ci_lower", "ci_upper", "estimate"))
    if low >= high or middle <= low or middle >= high:
        yield Unfit("ci_lower", f"an interval from {low:g} to {high:g} around {middle:g}",
                    "an interval that contains its estimate",
                    "correct the three numbers; all are in one unit")  # fmt: skip
    if row.number("df") > 1:
        yield Unfit("df", f"{row.number('df'):g} degrees of freedom",
                    "one: a test of more is not that of one contrast",
                    "enter the contrast itself, or empty the cells of the test")  # fmt: skip
    if form in GIVES and not row.has("metric") and not (form == "test" and row.inequality):
        yield Unfit(row.first, "an effect without a metric", f"one of {', '.join(GIVES[form])}",
                    "fill in metric, in its column or under constants in the codebook",
                    "incomplete-finding")  # fmt: skip
