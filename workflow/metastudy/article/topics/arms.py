"""Arms of experiments: mean of each outcome by arm, and where effects differ between outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.figure_rows import MOST_SETTINGS, vignette_label
from metastudy.article.results import Results, drawn
from metastudy.article.table_rows import outcome_label
from metastudy.article.variable_tree import GENERAL, Tree, put
from metastudy.common.tables import records
from metastudy.display.formatting import inline, interval, number
from metastudy.models.answers.arms import arms
from metastudy.models.answers.differences import OTHER_STUDIES

__all__ = ["ARMS", "INNER", "add_means", "figure"]

ARMS = [
    *("exposure", "exposure_type", "outcome", "group", "vignette"),  # keys of the row's effect
    *("factor", "reference", "treatment"),  # labels: of the exposure and of its two arms
    *("family", "row"),  # labels: of the outcome's family and of the outcome, with its place
    *("low", "low_lower", "low_upper"),  # the reference arm, % of the scale
    *("high", "high_lower", "high_upper"),  # the other arm
    "points",  # their difference
    # the effect against the mean of those on the others of the family, in standard deviations
    *("difference", "lower", "upper", "inner_lower", "inner_upper", "positive", "rope"),
    "provenance",
]
INNER = 0.66  # probability of the thick part of an interval
MOST_ROWS = 24  # of a figure
KIND = "randomised"


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Means by arm and differences between effects, of the randomised exposures of a module.

    Outcomes of a family are together, the family with most outcomes first, and the highest mean
    first in each. Intervals come from the draws, and are missing without them.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`ARMS`: a row for each outcome in a setting and vignette, and exposure. Empty
        where nothing was randomised, or more than a figure can hold.
    """
    rows = _rows(evidence, module)
    places = {(row["group"], row["vignette"]) for row in rows}
    spots = {(row["outcome"], row["group"], row["vignette"]) for row in rows}
    if len(rows) > MOST_ROWS or len(places) > MOST_SETTINGS:
        return pd.DataFrame(columns=ARMS)
    sizes = Counter(_family(evidence, outcome) for outcome, _, _ in sorted(spots))
    order = [family for family, _ in sizes.most_common()]
    exposures = list(dict.fromkeys(row["exposure"] for row in rows))
    rows.sort(
        key=lambda row: (
            order.index(_family(evidence, row["outcome"])),
            -row["mean"],
            exposures.index(row["exposure"]),
        )
    )
    for row in rows:
        row["row"] = row["label"] + _place(evidence, row, places)
    return pd.DataFrame(rows, columns=ARMS)


def _family(evidence: Results, outcome: str) -> str:
    return str(evidence.vocabulary.family(outcome))


def _place(evidence: Results, row: Mapping[str, Any], places: set[tuple[str, str]]) -> str:
    """Setting and vignette of a row, as far as they differ within the figure."""
    settings, vignettes = ({place[i] for place in places} for i in (0, 1))
    parts = [evidence.labels.setting(row["group"])] * (len(settings) > 1)
    parts += [inline(vignette_label(evidence, row["vignette"]))] * (len(vignettes) > 1)
    return "".join(f", {part}" for part in parts)


def _rows(evidence: Results, module: str) -> list[dict[str, Any]]:
    """A row for each outcome, setting, vignette and exposure, in the order of the contrasts."""
    table = evidence.contrasts[module]
    main = table[table["variant"].eq("main") & table["level"].isin(["study", "outcome"])]
    keys = ["outcome", "group", "vignette"]
    means = {tuple(r[k] for k in keys): r for r in records(main[main["estimand"].eq("mean")])}
    scaled = main[main["estimand"].eq("effect") & main["metric"].eq("pomp")]
    scaled = scaled[scaled["exposure_type"].eq(KIND)]
    apart = main[main["estimand"].eq("difference") & main["note"].ne(OTHER_STUDIES)]
    of_effect = ["exposure", "outcome", "role"]
    between = {tuple(r[k] for k in of_effect): r for r in records(apart)}
    found = [
        (row, means[at], between.get(tuple(row[k] for k in of_effect)))
        for row in records(scaled)
        if (at := tuple(row[k] for k in keys)) in means
    ]
    ids = [r["id"] for three in found for r in three if r is not None]
    draws = drawn(evidence, module, ids)
    return [_row(evidence, *three, draws) for three in found]


def _row(
    evidence: Results,
    effect: Mapping[str, Any],
    mean: Mapping[str, Any],
    difference: Mapping[str, Any] | None,
    draws: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    said = evidence.labels.exposure(effect["exposure"], effect["exposure_type"])
    low, high = arms(np.array(mean["mean"]), np.array(effect["mean"]), said.level)
    row: dict[str, Any] = {
        **{k: effect[k] for k in ("exposure", "exposure_type", "outcome", "group", "vignette")},
        "factor": said.label,
        "reference": said.arms[0],
        "treatment": said.arms[1],
        "family": evidence.labels.of(_family(evidence, effect["outcome"]), "families"),
        "label": outcome_label(evidence, effect),
        "mean": mean["mean"],
        "low": float(low),
        "high": float(high),
        "points": effect["mean"],
        "rope": evidence.rope("sd"),
        "provenance": effect["provenance"],
        "ids": [mean["id"], effect["id"]],
    }
    if mean["id"] in draws and effect["id"] in draws:
        both = arms(draws[mean["id"]], draws[effect["id"]], said.level)
        for name, values in zip(("low", "high"), both, strict=True):
            row[f"{name}_lower"], row[f"{name}_upper"] = _ends(values, evidence.interval)
    if difference is not None:
        row |= {"difference": difference["mean"]}
        row |= {k: difference[k] for k in ("lower", "upper", "positive")}
        if (drawn_of := draws.get(str(difference["id"]))) is not None:
            row["inner_lower"], row["inner_upper"] = _ends(drawn_of, INNER)
    return row


def _ends(values: np.ndarray, probability: float) -> tuple[float, float]:
    """Ends of an equal-tailed interval."""
    tail = (1 - probability) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def add_means(tree: Tree, evidence: Results, module: str) -> None:
    """Add the means of the arms in per cent of the scale to a module's variables, in place.

    ``<exposure>.<outcome>.arms`` has ``reference`` and ``treatment``, with ``_interval`` where
    there are draws; of an outcome that was asked in several places each is under its setting and
    vignette.
    """
    rows = _rows(evidence, module)
    seen = Counter((row["exposure"], row["outcome"]) for row in rows)
    for row in rows:
        leaves: Tree = {}
        for name, arm in (("reference", "low"), ("treatment", "high")):
            leaves[name] = number(row[arm], 1)
            if f"{arm}_lower" in row:
                bounds = interval(row[f"{arm}_lower"], row[f"{arm}_upper"], 1)
                leaves[f"{name}_interval"] = bounds
        path = [row["exposure"], row["outcome"]]
        if seen[row["exposure"], row["outcome"]] > 1:
            path += [row["group"], row["vignette"] or GENERAL]
        put(tree, [*path, "arms"], leaves, *({"id": i} for i in row["ids"]))
