"""What a parcel reports of a study: no small count, no name of a column, no long decimal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metastudy.common.disclosure import most_of_none

__all__ = ["as_it_may_go", "public_report"]

CONTROL = "disclosure_control"  # the rule by which people leave here
FEW = "rules_with_few_rows"
_PRIVATE = ("excluded_by_arm", "read_by_arm", "quality")  # counts of few people, arm by arm


def public_report(report: Mapping[str, Any], kept: int, left: int, least: int) -> dict[str, Any]:
    """A study's report with its participant flow in counts that are large enough.

    Rules by which few rows left are one together. Where these are fewer than ``least`` as well they
    are left out of the rows read, so that no difference gives them away.

    Parameters
    ----------
    report : as harmonizing wrote it.
    kept : people who stay.
    left : people who left by disclosure control.
    """
    excluded = {str(rule): int(n) for rule, n in report["excluded"].items()}
    excluded |= {CONTROL: left} if left else {}
    large = {rule: n for rule, n in excluded.items() if n == 0 or n >= least}
    few = sum(n for rule, n in excluded.items() if rule not in large)
    if few >= least:
        large[FEW] = few
    public = {key: value for key, value in report.items() if key not in _PRIVATE}
    return {
        **public,
        "file": "",
        "sha256": "",
        "rows_read": kept + sum(large.values()),
        "rows_kept": kept,
        "excluded": large,
        "few_left": 0 < few < least,
        "unmapped": [],
        "ignored": [],
        "notes": [],
        "missing": {},
    }


def as_it_may_go(inspected: Mapping[str, Any], people: int) -> dict[str, Any]:
    """The numbers of a data report as they go into a parcel.

    What is of people's answers and traits has two decimals: a difference of two shares in four, or
    a correlation, tells the counts behind it, as few pairs of whole numbers give it. Of answers
    that nobody or few gave, or a share that rounds to zero, one thing is said, which holds of all
    of these: else the report would tell which answer is the largest and which the smallest, and
    that somebody gave it.

    Parameters
    ----------
    inspected : of :func:`metastudy.data_report.inspection.study.inspect`, as JSON has it.
    people : of the study; of fewer, with an answer, fewer round to zero.
    """
    found = {k: _rounded(v) if k in _OF_PEOPLE else v for k, v in inspected.items()}
    if answers := found.get("answers"):
        least = inspected["smallest_cell"]
        few, none = f"<{least}", f"<{most_of_none(people, least) + 1}"
        for one in (*answers["items"], *answers["scales"]):
            for key in ("floor", "ceiling"):
                one[key] = none if one[key] in (0, few) else one[key]
            if "shares" in one:
                one["shares"] = [none if part in (0, few) else part for part in one["shares"]]
    return found


_OF_PEOPLE = ("answers", "arms", "coding", "ratings")


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 2) if isinstance(value, float) else value
