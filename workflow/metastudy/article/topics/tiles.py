"""Tiles: all effects on a family of outcomes in one picture, below the levels of these outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import MOST_SETTINGS, type_label, vignette_label
from metastudy.article.results import Results
from metastudy.article.variable_tree import Tree, put, traced
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number, probability

__all__ = ["PRINTED", "TILES", "figure", "variables"]

TILES = [
    "part",  # "level", a mean of an outcome, or "effect", a tile
    *("outcome", "column"),  # key and label
    "group",  # heading over rows of tiles; of a level its setting and vignette
    *("exposure", "row"),  # key and label
    *("exposure_type", "setting", "vignette"),
    *("mean", "lower", "upper"),  # of levels in per cent of the scale, of effects in SD
    "beyond",  # the larger of P(effect > ROPE) and P(effect < -ROPE)
    "printed",  # whether that is enough for the estimate to be printed, or a sign is claimed
    "provenance",
]
FIRST = "randomised"  # exposures of this type come first
PRINTED = 0.8  # the least probability with which a tile is counted


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Levels of the outcomes of the module's largest family, and all effects on them.

    Outcomes are ordered by the mean of their levels, the lowest first. Each vignette of a setting
    has levels and rows of its own. Where there are more settings than a figure can hold, there are
    no levels, and the effects are the means over settings.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`TILES`. Empty where no family has effects on two outcomes.
    """
    return pd.DataFrame(_rows(evidence, module), columns=TILES)


def _rows(evidence: Results, module: str) -> list[dict[str, Any]]:
    table = evidence.contrasts[module]
    main = table[table["variant"].eq("main")]
    effects = main[main["estimand"].eq("effect") & main["metric"].eq("sd")]
    family = effects["outcome"].map(evidence.vocabulary.family)
    sizes = effects.groupby(family, sort=False)["outcome"].nunique()
    if not len(sizes) or sizes.max() < 2:
        return []
    effects = effects[family.eq(str(sizes.idxmax()))]
    own = effects[effects["level"].eq("study")]
    many = own["group"].nunique() > MOST_SETTINGS
    effects = effects[effects["level"].eq("population")] if many else own
    levels = main[main["estimand"].eq("mean") & main["outcome"].isin(effects["outcome"])]
    means = levels.groupby("outcome")["mean"].mean().sort_values(kind="stable")
    order = list(dict.fromkeys([*means.index, *effects["outcome"]]))
    levels = levels.head(0) if many else levels
    rows = [
        _common(evidence, row) | {"part": "level", "group": _place(evidence, row, levels, levels)}
        for row in records(levels)
    ]
    for kind in sorted(dict.fromkeys(effects["exposure_type"]), key=lambda kind: kind != FIRST):
        mine = effects[effects["exposure_type"] == kind]
        for _, group in mine.groupby(["group", "vignette"], sort=False):
            rows += [_tile(evidence, row, mine, effects) for row in records(group)]
    # exposures and places keep their order, the levels theirs
    spots = list(dict.fromkeys((r["part"], r["group"], r["row"]) for r in rows))
    rows.sort(key=lambda r: (spots.index((r["part"], r["group"], r["row"])),
                             order.index(r["outcome"])))  # fmt: skip
    return rows


def _common(evidence: Results, row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("outcome", "exposure", "exposure_type", "vignette", "mean", "lower", "upper")
    found = {name: row[name] for name in (*kept, "provenance", "id")}
    label = evidence.labels.outcome(row["outcome"])
    return found | {"column": label, "row": "", "setting": row["group"]}


def _tile(
    evidence: Results, row: Mapping[str, Any], mine: pd.DataFrame, effects: pd.DataFrame
) -> dict[str, Any]:
    kind = str(row["exposure_type"])
    label = evidence.labels.exposure(row["exposure"], kind).label
    if row["level"] == "population" and evidence.several_roles(str(row["module"])):
        label += f", {inline(evidence.labels.of(row['role'], 'roles'))}"
    place = _place(evidence, row, mine, effects) if row["level"] == "study" else ""
    beyond = max(float(row["above"]), float(row["below"]))
    more = {"part": "effect", "row": label, "beyond": beyond}
    more["printed"] = beyond >= PRINTED or evidence.judged(row).claim
    heading = type_label(evidence, kind) + (f": {inline(place)}" if place else "")
    return _common(evidence, row) | more | {"group": heading, "place": place}


def _place(
    evidence: Results, row: Mapping[str, Any], settings: pd.DataFrame, vignettes: pd.DataFrame
) -> str:
    """Setting and vignette of a row, each where there are several of it in these tables."""
    parts = [evidence.labels.setting(row["group"])] * (settings["group"].nunique() > 1)
    if vignettes["vignette"].nunique() > 1:
        label = vignette_label(evidence, row["vignette"])
        parts.append(inline(label) if parts else label)
    return ", ".join(parts)


def variables(evidence: Results, module: str) -> Tree:
    """What the tiles say: ``tiles.sentence``, ``count`` of ``total``, ``largest`` and ``least``.

    A tile is counted where its effect lies beyond the region of practical equivalence, on one side,
    with a probability of at least ``least``; ``largest`` lists these, the largest first.
    """
    effects = [row for row in _rows(evidence, module) if row["part"] == "effect"]
    if not effects:
        return {}
    seen = sorted((r for r in effects if r["beyond"] >= PRINTED), key=lambda row: -abs(row["mean"]))
    said = [
        f"{inline(evidence.labels.exposure_with_type(row['exposure'], row['exposure_type']))} on "
        f"{inline(row['column'])} ({number(row['mean'])} SD"
        + (f", “{inline(row['place'])}”)" if row["place"] else ")")
        for row in seen
    ]
    least, total = f"{PRINTED:g}", len(effects)
    number_of = f"{count(len(seen))} lie{'s' * (len(seen) == 1)}" if seen else "none lies"
    sentence = (
        f"Of {total} contrasts {number_of} beyond the region of practical equivalence, on one "
        f"side, with a probability of at least {least}"
    )
    leaves: Tree = {
        "count": count(len(seen)),
        "total": str(total),
        "least": least,
        "largest": joined(said, word="and") if len(said) < 2 else "; ".join(said),
        "sentence": f"{sentence}: {'; '.join(said)}." if said else f"{sentence}.",
        "highest": probability(max(row["beyond"] for row in effects)),
    }
    tree: Tree = {}
    put(tree, ["tiles"], traced(leaves, *(seen or effects)))
    return tree
