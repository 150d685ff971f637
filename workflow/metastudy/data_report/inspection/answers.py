"""Inspect answers: distributions, missing values, scales and their reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.disclosure import about, share, shares
from metastudy.data_report.inspection.values import Rows, number_or_none, text_or_none
from metastudy.data_report.reliability import OMEGA_ITEMS, item_rest, loadings, reliability
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import Study

__all__ = ["MUCH_MISSING", "answers"]

MOST_CATEGORIES = 11  # a scale with more steps is shown in bins
BINS = 10
MUCH_MISSING = 20  # per cent of an item's people without an answer


def _categories(values: pd.Series, low: float, high: float) -> tuple[list[str], list[int]]:
    """Count answers over the declared scale: by step, or in bins where the steps are many."""
    whole = low.is_integer() and high.is_integer() and bool((values % 1 == 0).all())
    if whole and high - low < MOST_CATEGORIES:
        steps = np.arange(low, high + 1)
        return [f"{step:g}" for step in steps], [int((values == step).sum()) for step in steps]
    edges = np.linspace(low, high, BINS + 1)
    labels = [f"{a:g}–{b:g}" for a, b in pairwise(edges)]
    return labels, [int(n) for n in np.histogram(values, bins=edges)[0]]


def answers(study: Study, vocabulary: Vocabulary, least: int) -> dict[str, Any]:
    """Inspect the items and the scales that they make."""
    measured = study["measurements"]
    scored = scores(measured) if len(measured) else pd.DataFrame()
    reasons = [r for r in vocabulary["missing_reasons"] if r in set(measured["missing_reason"])]
    items: Rows = []
    scales: Rows = []
    for (construct, vignette), own in measured.groupby(
        ["construct", "vignette"], dropna=False, sort=False
    ):
        where = {"construct": str(construct), "vignette": text_or_none(vignette)}
        answers = own.pivot(index="respondent_id", columns="item_id", values="value_aligned")
        rest = item_rest(answers)
        for item, mine in own.groupby("item_id", sort=True):
            items.append(where | _item(str(item), mine, reasons, rest[item], least))
        score = scored[scored["construct"].eq(str(construct))]
        situation = score["vignette"]
        same = situation.eq(vignette) if isinstance(vignette, str) else situation.isna()
        scale = _scale(answers, score.loc[same, "score"].dropna(), least)
        if answers.shape[1] == 1:  # the scale is the item: said once, it tells nothing more
            scale |= {end: items[-1][end] for end in ("floor", "ceiling")}
        scales.append(where | scale)
    order = {name: at for at, name in enumerate(vocabulary["constructs"])}
    situations = {name: at for at, name in enumerate(vocabulary["vignettes"])}
    for found in (items, scales):
        found.sort(key=lambda r: (order[r["construct"]], situations.get(r["vignette"], -1)))
    return {"reasons": reasons, "items": items, "scales": scales}


def _item(
    name: str, own: pd.DataFrame, reasons: Sequence[str], rest: float, least: int
) -> dict[str, Any]:
    low, high = float(own["scale_min"].iloc[0]), float(own["scale_max"].iloc[0])
    values = own["value_aligned"].dropna()
    labels, counts = _categories(values, low, high)
    missing = own["missing_reason"].value_counts()
    parts = shares([len(values), *(int(missing.get(r, 0)) for r in reasons)], least)
    steps = shares(counts, least)
    floor, ceiling = steps[0], steps[-1]
    if len(labels) == BINS and not any(isinstance(one, str) for one in steps):
        floor = share(int((values == low).sum()), len(values), least)
        ceiling = share(int((values == high).sum()), len(values), least)
    return {
        "item": name,
        "reversed": bool(own["reverse_keyed"].iloc[0]),
        "low": low,
        "high": high,
        "missing": dict(zip(reasons, parts[1:], strict=True)),
        # beside hidden parts their sum would tell too much
        "all_missing": None
        if any(isinstance(one, str) for one in parts[1:])
        else share(len(own) - len(values), len(own), least),
        "much_missing": len(values) < (1 - MUCH_MISSING / 100) * len(own),
        "labels": labels,
        "shares": steps,
        "floor": floor,
        "ceiling": ceiling,
        "item_rest": number_or_none(rest),
    }


def _scale(answers: pd.DataFrame, score: pd.Series, least: int) -> dict[str, Any]:
    found = reliability(answers)
    numbers = {
        name: number_or_none(value) if isinstance(value, float) else value
        for name, value in asdict(found).items()
    }
    complete = answers.dropna()
    weights = None
    if found.alpha is not None and found.items >= OMEGA_ITEMS:
        weights = loadings(complete.corr().to_numpy())
    return numbers | {
        "rows": about(found.rows, least),
        "floor": share(int(score.eq(0).sum()), len(score), least) if len(score) else None,
        "ceiling": share(int(score.eq(100).sum()), len(score), least) if len(score) else None,
        "loadings": None
        if weights is None
        else dict(zip(map(str, answers.columns), map(number_or_none, weights), strict=True)),
        "names": [str(name) for name in answers.columns],
    }
