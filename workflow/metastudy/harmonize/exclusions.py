"""Exclusions: rules, quality flags, and how many rows each leaves in each arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook, Quality, Rule, Variable
from metastudy.harmonize import decoders
from metastudy.harmonize.study_state import Study, different
from metastudy.harmonized import crossed, schema
from metastudy.readers.raw import RawTable

__all__ = ["by_arm", "exclude", "marks", "status"]


def _answered(codebook: Codebook, table: RawTable) -> pd.DataFrame:
    """Tell for each row and outcome whether any of its items has an answer."""
    marks: dict[str, np.ndarray] = {}
    for item in codebook.having("item"):
        if item.construct in codebook.outcomes:
            positions, texts = different(table.data[item.name])
            nothing = {*item.missing} | ({""} - {*item.values})
            given = np.array([text not in nothing for text in texts], bool)
            given = given[positions]
            marks[item.construct] = marks.get(item.construct, False) | given
    return pd.DataFrame(marks, index=table.data.index)


def _leaves(rule: Rule, stays: np.ndarray, table: RawTable, answered: pd.DataFrame) -> np.ndarray:
    """Tell which of the rows that are still in leave by a rule."""
    if rule.unanswered:
        return stays & ~answered.any(axis=1).to_numpy()
    texts = table.data[str(rule.variable)]
    if rule.duplicates:
        later = ~answered.all(axis=1) & (rule.duplicates == "keep_first_complete")
        order = pd.DataFrame({"text": texts, "later": later})[stays & texts.ne("").to_numpy()]
        order = order.sort_values("later", kind="stable")
        return texts.index.isin(order.index[order.duplicated("text")])
    hit = texts.isin(rule.drop).to_numpy() if rule.drop else ~texts.isin(rule.keep).to_numpy()
    return stays & hit


def exclude(codebook: Codebook, table: RawTable) -> tuple[np.ndarray, list[Rule]]:
    """Give each row the position of the first rule by which it leaves, -1 if it stays."""
    rules, answered = list(codebook.rules), _answered(codebook, table)
    left = np.full(len(table.data), -1)
    for position, rule in enumerate(rules):
        left[_leaves(rule, left < 0, table, answered)] = position
    return left, rules


def marks(study: Study, measurements: crossed.Crossed) -> dict[str, np.ndarray]:
    """Tell for each rule of quality which of the kept rows it marks."""
    return {
        rule.rule: _constant(rule, measurements) if rule.constant_over else _beside(study, rule)
        for rule in study.codebook.quality
    }


def _constant(rule: Quality, measurements: crossed.Crossed) -> np.ndarray:
    """Mark who gave one answer throughout, to items of both keyings."""
    kinds = measurements.kinds
    asked = kinds["construct"].isin(rule.constant_over).to_numpy()
    given = asked & kinds["value_raw"].notna().to_numpy()
    _, rank = np.unique(kinds["value_raw"].to_numpy(), return_inverse=True)
    # One number tells all: zero where no answer is given, else 4 times its rank, and 1 or 2.
    small = np.min_scalar_type(4 * len(rank) + 4)
    listed = np.where(given, 4 * rank + 1 + kinds["reverse_keyed"], 0).astype(small)
    high = np.zeros(len(measurements.persons), dtype=small)
    low, keyings = ~high >> 2, high.copy()
    for codes in measurements.codes.T:
        of = listed[codes]
        high, low = np.maximum(high, of >> 2), np.minimum(low, (of - 1) >> 2)  # 0 - 1 is the most
        keyings |= of & 3
    return (low == high) & (keyings == 3)


def _beside(study: Study, rule: Quality) -> np.ndarray:
    """Mark who was too fast, or gave another answer than the right one."""
    name = str(rule.variable)
    if rule.below_share_of_median is None:
        return ~study.texts(name).isin(rule.keep).to_numpy()
    variable = next((one for one in study.codebook.variables if one.name == name), Variable(name))
    number = pd.to_numeric(study.decode(name, decoders.amount(variable)))
    return (number < rule.below_share_of_median * number.median()).to_numpy()


def status(marks: Mapping[str, np.ndarray], count: int) -> pd.Series:
    """Join the names of the rules that mark a row; ``ok`` where none does."""
    marked = np.zeros(count, dtype=np.int64)
    for place, hits in enumerate(marks.values()):
        marked += hits.astype(np.int64) << place
    positions, patterns = pd.factorize(marked)
    names = [
        "+".join(rule for place, rule in enumerate(marks) if pattern >> place & 1)
        for pattern in patterns.tolist()
    ]
    return schema.coded(positions, [name or "ok" for name in names])


def by_arm(
    study: Study, left: np.ndarray, rules: list[Rule]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, dict[str, int]]]]:
    """Count the rows of each arm of the randomised factors: all, and those each rule took."""
    arms: dict[str, np.ndarray] = {}  # position of each row's level, -1 if no column tells it
    names = study.codebook.vocabulary.levels
    for variable in study.codebook.having("factor"):
        positions, texts = different(study.table.data[variable.name])
        for factor, levels in variable.factors.items() if variable.randomised else ():
            place = {name: at for at, name in enumerate(names(factor))}
            listed = np.array([place.get(levels.get(text, ""), -1) for text in texts], dtype=int)
            known = arms.get(factor, np.full(len(positions), -1))
            arms[factor] = np.where(known < 0, listed[positions], known)

    def counts(rows: np.ndarray) -> dict[str, dict[str, int]]:
        return {
            factor: {name: int((rows & (arm == at)).sum()) for at, name in enumerate(names(factor))}
            for factor, arm in arms.items()
        }

    by_rule = {rule.rule: counts(left == position) for position, rule in enumerate(rules)}
    return counts(left >= -1), by_rule if arms else {}
