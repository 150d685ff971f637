"""Inspect answers: distributions, missing values, scales and their reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.disclosure import about, share, shares
from metastudy.data_report.inspection.values import (
    Answers,
    Item,
    Scale,
    number_or_none,
    text_or_none,
)
from metastudy.data_report.reliability import OMEGA_ITEMS, item_rest, loadings, reliability
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.shown_answers import BINS, bins
from metastudy.harmonized.study import Study

__all__ = ["MUCH_MISSING", "answers"]

MUCH_MISSING = 20  # per cent of an item's people without an answer


def _categories(values: pd.Series, low: float, high: float) -> tuple[list[str], list[int]]:
    """Count answers over the declared scale: by step, or in bins where the steps are many."""
    edges = bins(low, high, whole=bool((values % 1 == 0).all()))
    if edges is None:
        steps = np.arange(low, high + 1)
        return [f"{step:g}" for step in steps], [int((values == step).sum()) for step in steps]
    labels = [f"{a:g}–{b:g}" for a, b in pairwise(edges)]
    return labels, [int(n) for n in np.histogram(values, bins=edges)[0]]


def answers(study: Study, vocabulary: Vocabulary, least: int) -> Answers:
    """Inspect the items and the scales that they make."""
    measured = study["measurements"]
    scored = scores(measured) if len(measured) else pd.DataFrame()
    reasons = [r for r in vocabulary["missing_reasons"] if r in set(measured["missing_reason"])]
    items: list[Item] = []
    scales: list[Scale] = []
    for (construct, vignette), own in measured.groupby(
        ["construct", "vignette"], dropna=False, sort=False
    ):
        where = str(construct), text_or_none(vignette)
        answers = own.pivot(index="respondent_id", columns="item_id", values="value_aligned")
        rest = item_rest(answers)
        for item, mine in own.groupby("item_id", sort=True):
            items.append(_item(where, str(item), mine, reasons, rest[item], least))
        score = scored[scored["construct"].eq(str(construct))]
        situation = score["vignette"]
        same = situation.eq(vignette) if isinstance(vignette, str) else situation.isna()
        scale = _scale(where, answers, score.loc[same, "score"].dropna(), least)
        if answers.shape[1] == 1:  # the scale is the item: said once, it tells nothing more
            scale = replace(scale, floor=items[-1].floor, ceiling=items[-1].ceiling)
        scales.append(scale)
    order = {name: at for at, name in enumerate(vocabulary["constructs"])}
    situations = {name: at for at, name in enumerate(vocabulary["vignettes"])}

    def place(one: Item | Scale) -> tuple[int, int]:
        return order[one.construct], situations.get(one.vignette or "", -1)

    return Answers(
        tuple(reasons), tuple(sorted(items, key=place)), tuple(sorted(scales, key=place))
    )


def _item(
    where: tuple[str, str | None],
    name: str,
    own: pd.DataFrame,
    reasons: Sequence[str],
    rest: float,
    least: int,
) -> Item:
    low, high = float(own["scale_min"].iloc[0]), float(own["scale_max"].iloc[0])
    values = own["value_aligned"].dropna()
    labels, counts = _categories(values, low, high)
    missing = own["missing_reason"].value_counts()
    parts = shares([len(values), *(int(missing.get(r, 0)) for r in reasons)], least)
    steps = shares(counts, least)
    floor, ceiling = steps[0], steps[-1]
    if len(labels) == BINS and all(isinstance(one, int) for one in steps):
        floor = share(int((values == low).sum()), len(values), least)
        ceiling = share(int((values == high).sum()), len(values), least)
    return Item(
        *where,
        item=name,
        reversed=bool(own["reverse_keyed"].iloc[0]),
        low=low,
        high=high,
        missing=dict(zip(reasons, parts[1:], strict=True)),
        # beside hidden parts their sum would tell too much
        all_missing=share(len(own) - len(values), len(own), least)
        if all(isinstance(one, int) for one in parts[1:])
        else None,
        much_missing=len(values) < (1 - MUCH_MISSING / 100) * len(own),
        labels=tuple(labels),
        shares=tuple(steps),
        floor=floor,
        ceiling=ceiling,
        item_rest=number_or_none(rest),
    )


def _scale(
    where: tuple[str, str | None], answers: pd.DataFrame, score: pd.Series, least: int
) -> Scale:
    found = reliability(answers)
    complete = answers.dropna()
    weights = None
    if found.alpha is not None and found.items >= OMEGA_ITEMS:
        weights = loadings(complete.corr().to_numpy())
    names = tuple(str(name) for name in answers.columns)
    return Scale(
        *where,
        items=found.items,
        rows=about(found.rows, least),
        alpha=number_or_none(found.alpha),
        low=number_or_none(found.low),
        high=number_or_none(found.high),
        omega=number_or_none(found.omega),
        why_alpha=found.why_alpha,
        why_omega=found.why_omega,
        floor=share(int(score.eq(0).sum()), len(score), least) if len(score) else None,
        ceiling=share(int(score.eq(100).sum()), len(score), least) if len(score) else None,
        loadings=None
        if weights is None
        else {name: round(float(one), 4) for name, one in zip(names, weights, strict=True)},
        names=names,
    )
