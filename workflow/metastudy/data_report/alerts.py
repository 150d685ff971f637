"""What a reader of the data report should look at first: alarms and alerts, as sentences."""

from __future__ import annotations

from dataclasses import dataclass

from metastudy.data_report.balance import Difference
from metastudy.data_report.inspection.answers import MUCH_MISSING
from metastudy.data_report.inspection.values import Answers, Arms, Inspection, Item, Left
from metastudy.display.formatting import inline, joined, number, words
from metastudy.display.labels import Labels

__all__ = ["ALARM", "LOW_AGREEMENT", "NOTICE", "Alert", "alerts"]

ALARM, NOTICE = "Alarm", "Notice"
# From where on something is said. They decide what is pointed at, never what is analysed.
LOW_RELIABILITY = 0.7  # Nunnally 1978
LOW_AGREEMENT = 0.667  # Krippendorff 2004: below it, not even tentative conclusions
MUCH_AT_AN_END = 15  # per cent of a scale's people, Terwee and others 2007
UNLIKE_ARMS = 0.1  # standard deviations, Austin 2009; beyond chance as well
CHANCE_SURE = 1.31  # 99 instead of 95 per cent of what chance explains


@dataclass(frozen=True)
class Alert:
    """One thing to look at: how much it matters, and a sentence."""

    level: str
    text: str


def _item(row: Item, labels: Labels) -> str:
    return f"{row.item} ({inline(labels.outcome(row.construct))})"


def _factor(row: Difference | Left, labels: Labels) -> str:
    return f"the factor “{inline(labels.of(row.factor, 'factors'))}”"


def _of_answers(found: Answers, labels: Labels) -> list[Alert]:
    listed = []
    negative = [r for r in found.items if (r.item_rest or 0) < 0]
    for row in negative:
        listed.append(
            Alert(
                ALARM,
                f"{_item(row, labels)} correlates negatively with the other items of its scale "
                f"({number(row.item_rest or 0)}): is its keying right?",
            )
        )
    missing = [_item(row, labels) for row in found.items if row.much_missing]
    if missing:
        listed.append(
            Alert(NOTICE, f"More than {MUCH_MISSING}% have no answer to {joined(missing)}.")
        )
    for scale in found.scales:
        name = labels.outcome(scale.construct)
        if scale.alpha is not None and scale.alpha < LOW_RELIABILITY:
            listed.append(
                Alert(
                    NOTICE,
                    f"{name}: Cronbach’s alpha is {number(scale.alpha)}, "
                    f"below {number(LOW_RELIABILITY)}.",
                )
            )
        for end, share in (("floor", scale.floor), ("ceiling", scale.ceiling)):
            if scale.items > 1 and isinstance(share, int) and share > MUCH_AT_AN_END:
                listed.append(Alert(NOTICE, f"{name}: {share}% of the people are at the {end}."))
    return listed


def _of_arms(found: Arms, labels: Labels) -> list[Alert]:
    listed = []
    unlike = [
        row
        for row in found.balance
        if abs(row.difference) > max(UNLIKE_ARMS, CHANCE_SURE * row.chance)
    ]
    for row in unlike:
        trait = words(row.trait) + (f" “{row.category}”" if row.category else "")
        listed.append(
            Alert(
                NOTICE,
                f"{trait} differs between the levels of {_factor(row, labels)} by "
                f"{number(row.difference)} standard deviations, more than chance explains.",
            )
        )
    left = {(row.rule, row.factor): row for row in found.left or [] if row.differs}
    for gone in left.values():
        listed.append(
            Alert(
                ALARM,
                f"Rows that left by the rule “{inline(words(gone.rule))}” differ between the "
                f"levels of {_factor(gone, labels)} by more than chance explains.",
            )
        )
    if found.left is None:
        listed.append(Alert(NOTICE, "Who left from which arm was not recorded."))
    return listed


def alerts(found: Inspection, labels: Labels) -> list[Alert]:
    """List what to look at in a study.

    Parameters
    ----------
    found : what :func:`metastudy.data_report.inspection.study.inspect` gives.
    labels : names for the reader.

    Returns
    -------
    Alarms first.
    """
    listed = []
    unmapped = len(found.reading.unmapped)
    if unmapped:
        some = "1 column or code is" if unmapped == 1 else f"{unmapped} columns or codes are"
        listed.append(Alert(NOTICE, f"{some} not mentioned in the codebook."))
    listed += [Alert(NOTICE, f"Of the file: {note}.") for note in found.reading.notes]
    if found.answers:
        listed += _of_answers(found.answers, labels)
    if found.arms:
        listed += _of_arms(found.arms, labels)
    coding = found.coding
    if coding:
        poor = [
            labels.of(row.code, "codes")
            for row in coding.codes
            if row.alpha is not None and row.alpha < LOW_AGREEMENT
        ]
        if poor:
            listed.append(
                Alert(
                    NOTICE,
                    f"Krippendorff’s alpha is below {LOW_AGREEMENT:g} for {len(poor)} of "
                    f"{len(coding.codes)} codes: {joined([poor[0], *map(inline, poor[1:])])}.",
                )
            )
        if not coding.enough_double:
            listed.append(
                Alert(NOTICE, "Too few sources were coded twice to tell whether coders agree.")
            )
    return sorted(listed, key=lambda one: one.level != ALARM)
