"""Damage to tables of arms, in each of their shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers.arm_tables import LABELS, SHAPES, a_row_an_arm
from helpers.scored_arms import HEAD, TAIL, TWO

__all__ = ["ALL_SHAPES", "ARM_MAKERS", "ArmCase", "arm_case"]

ANSWERS = (1, 2, 3)
OF_EVENTS = """\
  - {name: n, as: people}
  - {name: k, as: events, construct: threat_job}
outcomes: [threat_job]
"""
OF_COUNTS = "".join(
    f"  - {{name: q{at}, as: count, construct: threat_job, answer: {at}, min: 1, max: 3}}\n"
    for at in ANSWERS
)


def events() -> tuple[pd.DataFrame, str]:
    rows = [(1, "Aa", 1, 31, 9), (2, "Aa", 2, 31, 14), (3, "Bb", 1, 24, 5), (4, "Bb", 2, 24, 12)]
    table = pd.DataFrame(rows, columns=["nr", "home", "arm", "n", "k"])
    return table, HEAD + OF_EVENTS + TAIL


def counts() -> tuple[pd.DataFrame, str]:
    rows = [
        (1, "Aa", 1, 9, 9, 2),
        (2, "Aa", 2, 4, 8, 9),
        (3, "Bb", 1, 7, 6, 1),
        (4, "Bb", 2, 2, 5, 7),
    ]
    table = pd.DataFrame(rows, columns=["nr", "home", "arm", *(f"q{at}" for at in ANSWERS)])
    return table, HEAD + OF_COUNTS + "outcomes: [threat_job]\n" + TAIL


ALL_SHAPES: dict[str, Callable[[], tuple[pd.DataFrame, str]]] = {
    "arms": a_row_an_arm,
    **SHAPES,
    "events": events,
    "counts": counts,
}


@dataclass
class ArmCase:
    """A table of arms and its codebook, which a maker may change."""

    shape: str
    table: pd.DataFrame
    book: str
    clustered: str | None = "false"

    def rows(self, arm: int | None = None, home: str = "Bb", outcome: str = TWO[0]) -> list[Any]:
        """Rows of an arm, of one outcome where outcomes have rows of their own."""
        mine = self.table["home"] == home
        if "arm" in self.table and arm is not None:
            mine &= self.table["arm"] == arm
        if "outcome" in self.table and outcome:
            mine &= self.table["outcome"] == LABELS[outcome]
        return list(self.table.index[mine])

    def column(self, what: str, arm: int = 2) -> str:
        """Column of a number of an arm."""
        if self.shape in ("arms", "wide") and what in ("m", "sd"):
            what = f"{what}_{TWO[0]}"
        return what + {"wide": f"_{arm}", "wide outcomes": f" {arm}"}.get(self.shape, "")

    def put(self, what: str, value: object, every: bool = False) -> None:
        """Put a number into the second arm of the second place; of all outcomes where ``every``."""
        self.table.loc[self.rows(2, outcome="" if every else TWO[0]), self.column(what)] = value

    def say(self, old: str, new: str) -> None:
        """Change a passage of the codebook, which has to be there."""
        assert old in self.book, old
        self.book = self.book.replace(old, new)


def arm_case(shape: str) -> ArmCase:
    """The good table of a shape."""
    table, book = ALL_SHAPES[shape]()
    return ArmCase(shape, table.astype(object), book)


def put(what: str, value: object, every: bool = False) -> Callable[[ArmCase], None]:
    return lambda case: case.put(what, value, every)


def total(more: object) -> Callable[[ArmCase], None]:
    """Add a total of a place, to which the arms of the second do not add up."""

    def change(case: ArmCase) -> None:
        case.say("outcomes:", "  - {name: N, as: total}\noutcomes:")
        people = {"Aa": 62, "Bb": 48}
        if case.shape == "counts":
            people = {"Aa": 41, "Bb": 28}
        case.table["N"] = case.table["home"].map(people).astype(object)
        rows = case.rows(outcome="")
        case.table.loc[rows, "N"] = people["Bb"] + more if isinstance(more, int) else more

    return change


def again(home: str | None = None, arm: int | None = 1) -> Callable[[ArmCase], None]:
    """Add the rows of an arm again, as they are or as those of another place."""

    def change(case: ArmCase) -> None:
        mine = case.rows(arm, "Aa", outcome="")
        rows = case.table.loc[mine].assign(nr=range(91, 91 + len(mine)))
        case.table = pd.concat([case.table, rows.assign(home=home) if home else rows])

    return change


def header(case: ArmCase) -> None:
    names = pd.DataFrame([list(case.table.columns)], columns=case.table.columns)
    case.table = pd.concat([case.table, names])


def id_twice(case: ArmCase) -> None:
    case.table.loc[case.rows(2, outcome=""), "nr"] = case.table["nr"].iloc[0]


def one_arm(case: ArmCase) -> None:
    if case.shape.startswith("wide"):
        lines = case.book.splitlines(keepends=True)
        case.book = "".join(line for line in lines if "{task_type: core}" not in line)
    else:
        case.table = case.table[case.table["arm"] == 1]


def no_arm(case: ArmCase) -> None:
    mark = case.column("")
    columns = [name for name in case.table if str(name).endswith(mark)]
    case.table.loc[case.rows(outcome=""), columns] = ""


def no_outcome(case: ArmCase) -> None:
    case.table = case.table.drop(index=case.rows(2))


def other_outcome(case: ArmCase) -> None:
    case.table.loc[case.rows(2), "outcome"] = "The other"
    case.table = case.table.drop(index=case.rows(2, outcome=TWO[1]))


def other_arm(case: ArmCase) -> None:
    case.table.loc[case.rows(2, outcome=""), "arm"] = 3


def no_column(case: ArmCase) -> None:
    last = {"events": "k", "counts": "q3"}.get(case.shape) or case.column("sd")
    case.table = case.table.drop(columns=last)


def no_sd(case: ArmCase) -> None:
    name = f"name: {case.column('sd')},"
    lines = case.book.splitlines(keepends=True)
    assert any(name in line for line in lines)
    case.book = "".join(line for line in lines if name not in line)


def say(old: str, new: str) -> Callable[[ArmCase], None]:
    return lambda case: case.say(old, new)


def clustered(said: str | None) -> Callable[[ArmCase], None]:
    def change(case: ArmCase) -> None:
        case.clustered = said
        if said:  # arms by group would be as they should
            case.say("  - {name: home, as: site}\n", "  - {name: home, as: cluster}\n")

    return change


def counts_of(value: int) -> Callable[[ArmCase], None]:
    def change(case: ArmCase) -> None:
        for at in ANSWERS:
            case.put(f"q{at}", value)

    return change


def too_few(case: ArmCase) -> None:
    case.say("outcomes:", "  - {name: n, as: people}\noutcomes:")
    case.table["n"] = case.table[[f"q{at}" for at in ANSWERS]].sum(axis=1)
    case.put("n", 13)


ARM_MAKERS: dict[str, Callable[[ArmCase], None]] = {
    "good table": lambda _: None,
    "SD of zero": put("sd", 0),
    "SD below zero": put("sd", -0.8),
    "SD that no scores have": put("sd", 4.5),
    "SD not there": put("sd", ""),
    "SD with a comma": put("sd", "0,9"),
    "mean off the scale": put("m", 7.2),
    "mean not there": put("m", ""),
    "unit in a mean": put("m", "3.4 points"),
    "per cent in a mean": put("m", "45 %"),
    "unit in an SD": put("sd", "1.1 points"),
    "correlation beyond 1": put("r", 1.01),
    "people of one": put("n", 1, every=True),
    "people below zero": put("n", -24, every=True),
    "people not whole": put("n", 24.5, every=True),
    "people with a unit": put("n", "24 people", every=True),
    "people not there": put("n", "", every=True),
    "people of 23 digits": put("n", "1" * 23, every=True),
    "arms that do not add up": total(1),
    "total with a unit": total("48 people"),
    "the same arm again": again(),
    "row of totals": again("Total"),
    "header again": header,
    "column not there": no_column,
    "id twice": id_twice,
    "one arm only": one_arm,
    "arm not there": no_arm,
    "outcome not there": no_outcome,
    "outcome that is not listed": other_outcome,
    "people of one outcome fewer": put("n", 23),
    "arm that is not listed": other_arm,
    "level that is not in the vocabulary": say("{task_type: core}", "{task_type: corre}"),
    "an SD column of one arm only": no_sd,
    "clustered and not said": clustered(None),
    "clustered without an ICC": clustered("true"),
    "events above people": put("k", 25),
    "events below zero": put("k", -1),
    "events not whole": put("k", 11.5),
    "events in per cent": put("k", "50 %"),
    "events not there": put("k", ""),
    "count below zero": put("q2", -1),
    "count not whole": put("q2", 4.5),
    "count in per cent": put("q2", "20 %"),
    "count not there": put("q2", ""),
    "nobody in an arm": counts_of(0),
    "counts above people": too_few,
    "answer off the scale": say("answer: 3,", "answer: 4,"),
    "answer twice": say("answer: 3,", "answer: 2,"),
}
