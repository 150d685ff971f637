"""What figures answer, in a sentence with its numbers: for captions and alternative texts.

Figures whose topic has such a sentence of its own are not here. A sentence is made from the rows
that its figure shows or from the results behind them, never from a reading of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from metastudy.article.effect_sentences import numbers_of
from metastudy.article.figure_rows import is_accuracy
from metastudy.article.results import Results
from metastudy.article.table_rows import outcome_label, place_label, role_label
from metastudy.article.topics import (
    caterpillar,
    effect_directions,
    heterogeneity,
    identification,
    people,
    refits,
    studies,
)
from metastudy.article.variable_tree import Tree, unit
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, joined, number, numbered, percent
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["variables"]

Row = Mapping[str, Any]
MOST_NAMED = 3  # pooled effects in a caption; the others are in the table
# Signs of verdicts, and what is said of the contrasts that have one.
VERDICTS = {
    ("positive", "negative"): "a clear sign",
    ("higher", "lower"): "a sign, their size open",
    ("equivalent",): "an effect too small to matter",
    ("unclear",): "no decided sign",
}


def variables(evidence: Results) -> Tree:
    """``answer`` of each figure that has something to show and no sentence elsewhere."""
    said = {
        "study_grid": _grid(evidence),
        "participant_flow": _flow(evidence),
        "aliases": _aliases(evidence),
        "synthesis": _synthesis(evidence),
        "caterpillar": _caterpillar(evidence),
        "directions": _directions(evidence),
        "heterogeneity": _heterogeneity(evidence),
        "refits": _refits(evidence),
        **{f"module_{name}": _module(evidence, name) for name in evidence.contrasts},
    }
    return {name: {"answer": text} for name, text in said.items() if text}


def _grid(evidence: Results) -> str:
    grid = studies.study_grid(evidence)
    if not len(grid):
        return ""
    _, kept, _ = people.from_the_files(evidence)
    n, called = grid["study"].nunique(), people.called(evidence, kept, evidence.studies)
    rows, studied = f"{kept} {called}", f"{numbered(n, 'study', 'studies')}"
    countries, sectors = (_said(grid[name]) for name in ("country", "sector"))
    places = [
        f"{numbered(countries, 'country', 'countries or regions')}",
        f"{numbered(sectors, 'sector')}",
    ]
    said = joined(text for text, many in zip(places, (countries, sectors), strict=True) if many)
    if not countries + sectors:
        have = "has" if n == 1 else "have"
        return f"{studied.capitalize()} {have} {rows}; where they are is not said."
    partly = ((grid[["country", "sector"]] == "") & [countries > 0, sectors > 0]).any(axis=None)
    known = ", as far as it is said" * bool(partly)
    are = "is" if kept.high == 1 else "are"
    return f"{rows} of {studied} {are} from {said}{known}."


def _said(places: pd.Series) -> int:
    """How many places are said; an empty one is that of a study that does not say it."""
    return places[places.ne("")].nunique()


def _flow(evidence: Results) -> str:
    if not evidence.studies:
        return ""
    read, kept, excluded = people.from_the_files(evidence)
    left = str(excluded) if excluded.high else "none"
    if excluded.exact and read.exact and excluded.high:
        left += f" ({percent(excluded.high / read.high)})"
    are = "was" if excluded.high == 1 else "were"
    return f"Of {read} rows read {left} {are} excluded and {kept} kept."


def _aliases(evidence: Results) -> str:
    """For how many exposures each grouping has a spread that can be told from all others."""
    if "structure" not in evidence.synthesis:
        return ""
    shown = identification.figure(evidence)
    if not len(shown):
        return ""
    exposures = shown[["exposure", "exposure_type"]].drop_duplicates()
    # An exposure that is in several modules is one.
    every = shown.assign(own=shown["direction"].eq("varying"))
    each = every.groupby(["column", "exposure", "exposure_type"], sort=False)["own"].any()
    own = each.groupby("column", sort=False).sum()
    known = [f"{inline(str(name))} for {count(int(n))}" for name, n in own[own > 0].items()]
    n = len(exposures)
    if not known:
        return f"No grouping of {numbered(n, 'exposure')} has a spread of its own."
    many = numbered(n, "exposure")
    return f"Of {many}, these groupings have a spread of their own: {joined(known)}."


def _synthesis(evidence: Results) -> str:
    """The pooled effects with their intervals, and predictions beside the first ones."""
    pooled = evidence.synthesis.get("pooled", pd.DataFrame())
    means = pooled[pooled["level"] == "population"] if len(pooled) else pooled
    if not len(means):
        n = len(evidence.synthesis.get("estimates", ()))
        alone = f"{numbered(n, 'estimate')}"
        return f"Nothing is pooled: {alone} {'is' if n == 1 else 'are'} shown." if n else ""
    said = [_pooled(evidence, row, pooled) for row in records(means.head(MOST_NAMED))]
    more = len(means) - len(said)
    are = "is" if more == 1 else "are"
    rest = f" {count(more, capital=True)} more {'effect' if more == 1 else 'effects'} {are} pooled."
    return f"{' '.join(said)}{rest * bool(more)}"


def _pooled(evidence: Results, row: Row, pooled: pd.DataFrame) -> str:
    same = pooled[ESTIMAND].eq([row[key] for key in ESTIMAND]).all(axis=1)
    new = pooled[same & pooled["level"].str.startswith("new_")]
    several = pooled["role"].nunique() > 1 and bool(row["role"])
    role = f", {role_label(evidence, row['role'])}" * several
    text = f"{_name(evidence, row)}{role}: {numbers_of(evidence, row)}"
    ahead = [
        f"{inline(place_label(evidence, one, vignettes=False))} "
        f"{interval(one['lower'], one['upper'])}"
        for one in records(new)
    ]
    return f"{text}; predicted for {joined(ahead)}." if ahead else f"{text}."


def _name(evidence: Results, row: Row) -> str:
    label = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    own = (
        outcome_label(evidence, row)
        if row.get("module")
        else evidence.labels.outcome(row["outcome"])
    )
    return f"{label} on {inline(own)}"


def _caterpillar(evidence: Results) -> str:
    shown = caterpillar.figure(evidence)
    said = []
    for block, mine in shown.groupby("block", sort=False):
        places = mine[mine["style"] == "filled"]
        most, least = places.iloc[0], places.iloc[-1]
        alone = mine.loc[mine["style"] == "open", "estimate"]
        text = (
            f"{block}: from {number(least['estimate'])} ({least['row']}) to "
            f"{number(most['estimate'])} ({most['row']}) {unit(str(most['metric']))}"
        )
        if len(alone):
            text += f", alone from {number(alone.min())} to {number(alone.max())}"
        said.append(f"{text}.")
    return " ".join(said)


def _directions(evidence: Results) -> str:
    if not evidence.contrasts:
        return ""
    shown = effect_directions.figure(evidence)
    shown = shown[shown["section"].isin(list(evidence.contrasts))]
    parts = [
        f"{count(n)} {'has' if n == 1 else 'have'} {what}"
        for signs, what in VERDICTS.items()
        if (n := int(shown["direction"].isin(signs).sum()))
    ]
    n = len(shown)
    if n == 1 and parts:
        return f"The one contrast{parts[0].removeprefix(count(1))}."
    return f"Of {numbered(n, 'contrast')} {joined(parts)}." if parts else ""


def _heterogeneity(evidence: Results) -> str:
    """The largest standard deviation of each model, and how many the priors decide."""
    shown = heterogeneity.figure(evidence)
    own = shown[shown["style"].eq("filled") & ~shown["outcome"].map(is_accuracy).astype(bool)]
    said = []
    for block, mine in own.groupby("block", sort=False):
        row = records(mine)[int(mine["estimate"].argmax())]
        what = ", ".join(filter(None, (str(row["panel"]), str(row["row"]))))
        which = f"the largest of {count(len(mine))}" if len(mine) > 1 else "the one"
        said.append(
            f"{str(block).replace(': ', ', ')}: {which} is "
            f"{number(row['estimate'])} ({interval(row['lower'], row['upper'])}), {inline(what)}."
        )
    return " ".join(said)


def _refits(evidence: Results) -> str:
    """The largest move of a mean over all refits, and how many effects get another verdict."""
    if not len(evidence.refits):
        return ""
    found = refits.robustness(evidence)
    moved = found[found["effects"] > 0]
    if not len(moved):
        return "No effect has a refit that counts."
    row = records(moved)[int(moved["shift"].abs().argmax())]
    what = inline(_name(evidence, row))
    return (
        f"The mean that moves most is that of {what}: from {number(row['whole'])} to "
        f"{number(row['mean'])} {unit(str(row['metric']))}, {number(abs(row['shift']))} posterior "
        f"standard deviations ({inline(refits.KINDS[row['kind']])})."
    )


def _module(evidence: Results, module: str) -> str:
    """How many effects have a decided sign, and the largest one."""
    rows = list(_effects(evidence, module))
    if not rows:
        return ""
    claims = sum(evidence.judged(row).claim for row in rows)
    most = max(rows, key=lambda row: abs(row["mean"]))
    if len(rows) == 1:
        return (
            f"The one effect, that of {inline(_name(evidence, most))}, has "
            f"{'a' if claims else 'no'} decided sign ({numbers_of(evidence, most)})."
        )
    decided = f"{count(claims) if claims else 'none'} {'has' if claims < 2 else 'have'}"
    return (
        f"Of {numbered(len(rows), 'effect')} {decided} a decided sign; the largest is "
        f"that of {inline(_name(evidence, most))} ({numbers_of(evidence, most)})."
    )


def _effects(evidence: Results, module: str) -> Iterator[Row]:
    """Population effects of a module in its own metric; of codes those of single codes."""
    table = evidence.contrasts[module]
    mine = (table["variant"] == "main") & (table["estimand"] == "effect")
    mine &= table["metric"] == evidence.kind(module).metric
    level = "code" if evidence.model(module) == "codings" else "population"
    yield from records(table[mine & (table["level"] == level)])
