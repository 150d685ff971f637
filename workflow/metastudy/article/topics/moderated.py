"""Effects of a module's settings against what they may differ by: figure and its sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.results import Results, drawn
from metastudy.article.table_rows import estimate_and_interval, outcome_label
from metastudy.article.topics.arms import INNER
from metastudy.article.topics.moderators import BUBBLES
from metastudy.article.variable_tree import Tree, traced
from metastudy.codebook.interactions import INTERACTION
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number
from metastudy.models.answers.moderated import Moderated

__all__ = ["MOST_PANELS", "figure", "variables"]

MOST_PANELS = 8  # of a figure
POINTS = 41  # of a line
Row = dict[str, Any]


def figure(evidence: Results, module: str) -> pd.DataFrame:
    """Effects in the settings against each moderator, with the mean that the model has there.

    Of many effects those are shown whose change is the surest. The mean is where the other
    moderators are at their places; an effect has all that these make of it.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`metastudy.article.topics.moderators.BUBBLES`; empty without moderators, or
        without draws, which bands and inner intervals come from.
    """
    found = [row for one in _shown(evidence, module) for row in _panel(evidence, module, one)]
    return pd.DataFrame(found, columns=BUBBLES)


def variables(evidence: Results, module: str) -> Tree:
    """``sentence``, what the effects differ by, and ``alt``, the numbers of the figure's panels.

    Empty where no effect of the module has a moderator.
    """
    every = _all(evidence, module)
    if not every:
        return {}
    changes = [row for one in every for row in _changes(evidence, module, one)]
    sure = [row for row in changes if row["pd"] >= evidence.cuts["direction"]]
    shown = _shown(evidence, module)
    said = [_number_of_changes(len(changes), len(sure))]
    for row in sure if len(sure) <= MOST_PANELS else ():
        way = "higher" if row["mean"] > 0 else "lower"
        said.append(f"{_what(evidence, row, row['one'])} is {way} {_with(evidence, row)}.")
    if shown and len(shown) < len(every):
        said.append(
            f"Of {len(every)} pairs of an effect and a moderator the {count(len(shown))} are shown "
            "whose change is the surest."
        )
    alt = [_in_words(evidence, module, one) for one in shown]
    return {
        "moderated": traced(
            {"sentence": " ".join(said), "alt": " ".join(filter(None, alt)) or "Nothing is drawn."},
            *changes,
        )
    }


def _all(evidence: Results, module: str) -> list[Moderated]:
    """The moderators of effects that have contrasts of the main analysis."""
    known = evidence.cells[module].moderated if module in evidence.cells else ()
    return [one for one in known if len(_changes(evidence, module, one))]


def _shown(evidence: Results, module: str) -> list[Moderated]:
    """Those of the figure, in the order of the contrasts."""
    found = _all(evidence, module)
    sure = [max(row["pd"] for row in _changes(evidence, module, one)) for one in found]
    kept = sorted(np.argsort(-np.array(sure), kind="stable")[:MOST_PANELS])
    return [found[at] for at in kept if _draws(evidence, module, found[at])]


def _rows(evidence: Results, module: str, one: Moderated, level: str) -> list[Row]:
    """The main contrasts of one effect at a level, in standard deviations."""
    table = evidence.contrasts[module]
    mine = table["variant"].eq("main") & table["level"].eq(level)
    for column in ("exposure", "outcome", "role"):
        mine &= table[column].eq(getattr(one, column))
    return records(table[mine & table["metric"].isin(["sd", "latent_sd"])])


def _changes(evidence: Results, module: str, one: Moderated) -> list[Row]:
    """The coefficients of one moderator of an effect: rows of contrasts, each with its ``one``."""
    levels = {c.level for c in one.coefficients}
    found = _rows(evidence, module, one, "moderator")
    mine = [r for r in found if r["group"] == one.name and r["against"] in levels]
    return [row | {"one": one} for row in mine]


def _draws(evidence: Results, module: str, one: Moderated) -> Mapping[str, np.ndarray]:
    """Draws of the mean and of its changes by level; empty where they are not given."""
    mean = _rows(evidence, module, one, "population")
    rows = [*mean, *_changes(evidence, module, one)]
    found = drawn(evidence, module, [str(row["id"]) for row in rows])
    if not mean or len(found) < len(rows):
        return {}
    named = {str(row["against"]): found[str(row["id"])] for row in rows[1:]}
    return {"mean": found[str(mean[0]["id"])]} | {f"change {k}": v for k, v in named.items()}


def _means(evidence: Results, module: str, one: Moderated) -> list[Row]:
    """The mean along a number, or in each category, with both of its intervals."""
    draws = _draws(evidence, module, one)
    first = one.coefficients[0]
    places: list[tuple[float, str, np.ndarray]] = []
    if not isinstance(first.at, str):
        known = [float(v) for v in one.values.values()]
        for x in np.linspace(min(known), max(known), POINTS):
            step = (x - first.at) / first.scale
            places.append((float(x), "", draws["mean"] + step * draws["change "]))
    else:
        places.append((np.nan, first.at, draws["mean"]))
        for c in one.coefficients:
            places.append((np.nan, c.level, draws["mean"] + draws[f"change {c.level}"]))
    return [
        {"x": x, "position": _level(evidence, one, level), "estimate": float(values.mean())}
        | _ends(values, evidence.interval)
        for x, level, values in places
    ]


def _panel(evidence: Results, module: str, one: Moderated) -> list[Row]:
    """The rows of one effect and moderator: settings, then the mean."""
    effects = [r for r in _rows(evidence, module, one, "study") if r["group"] in one.values]
    draws = drawn(evidence, module, [str(row["id"]) for row in effects])
    unit = one.coefficients[0].unit
    marks = [str(row["provenance"]) for row in effects]
    base = {
        "panel": _effect(evidence, module, effects[0]),
        "across": "Effect, SD",
        "along": evidence.labels.of(one.name, "moderators") + f" ({unit})" * bool(unit),
    }
    rows = []
    for row in effects:
        value = one.values[str(row["group"])]
        values = draws.get(str(row["id"]))
        rows.append(
            base
            | {
                "kind": "estimate",
                "label": evidence.labels.setting(str(row["group"])),
                "x": float(value) if one.numeric else np.nan,
                "position": "" if one.numeric else _level(evidence, one, str(value)),
                "estimate": row["mean"],
                **(_ends(values, evidence.interval) if values is not None else {}),
                "lower": row["lower"],
                "upper": row["upper"],
                "weight": 1 / row["sd"] ** 2,
                "provenance": row["provenance"],
            }
        )
    more = {"kind": "mean", "label": "", "weight": np.nan, "provenance": marks[0]}
    return [*rows, *(base | more | row for row in _means(evidence, module, one))]


def _ends(values: np.ndarray, probability: float) -> dict[str, float]:
    """Ends of the equal-tailed interval of this probability, and of the inner one."""
    found: dict[str, float] = {}
    for name, share in (("", probability), ("inner_", INNER)):
        tail = (1 - share) / 2
        low, high = np.quantile(values, [tail, 1 - tail])
        found |= {f"{name}lower": float(low), f"{name}upper": float(high)}
    return found


def _level(evidence: Results, one: Moderated, level: str) -> str:
    entry = evidence.vocabulary["moderators"].get(one.name, {})
    return str(entry.get("levels", {}).get(level, level))


def _effect(evidence: Results, module: str, row: Mapping[str, Any]) -> str:
    """What a panel is about; the role is said where a module has several."""
    label = evidence.labels.exposure(str(row["exposure"]), str(row["exposure_type"])).label
    role = f", {inline(evidence.labels.of(str(row['role']), 'roles'))}"
    outcome = inline(evidence.labels.outcome(str(row["outcome"])))
    return f"{label}: {outcome}" + role * evidence.several_roles(module)


def _number_of_changes(number_of: int, sure: int) -> str:
    """How many changes there are, and of how many the direction is clear."""
    if number_of == 1:
        return f"The direction of the one change by a moderator is {'un' * (not sure)}decided."
    clear = "none is" if not sure else f"{count(sure)} {'is' if sure == 1 else 'are'}"
    return f"Of {count(number_of)} changes of effects by moderators, {clear} decided in direction."


def _what(evidence: Results, row: Mapping[str, Any], one: Moderated) -> str:
    kind = str(row["exposure_type"])
    exposure = evidence.labels.exposure(one.exposure, kind)
    of = {
        "randomised": f"effect of {exposure.change}",
        INTERACTION: f"interaction {exposure.label}",
    }
    noun = of.get(kind, f"association with {exposure.change}")
    return f"The {noun} on {inline(outcome_label(evidence, row))}"


def _with(evidence: Results, row: Row) -> str:
    """By what an effect changes, and how much."""
    one: Moderated = row["one"]
    name = inline(evidence.labels.of(one.name, "moderators"))
    estimate, bounds = estimate_and_interval(row)
    numbers = f"({estimate}, interval {bounds})"
    first = one.coefficients[0]
    if isinstance(first.at, str):
        level, reference = (_level(evidence, one, k) for k in (str(row["against"]), first.at))
        return f"where {name} is {inline(level)} rather than {inline(reference)} {numbers}"
    size = f"{first.scale:.3g} {first.unit}".rstrip()
    return f"with a higher {name} (one standard deviation, {size}: {numbers[1:]}"


def _in_words(evidence: Results, module: str, one: Moderated) -> str:
    """The numbers of a panel in one sentence."""
    changes, means = _changes(evidence, module, one), _means(evidence, module, one)
    ends: Sequence[Row] = (means[0], means[-1]) if one.numeric else means
    unit = one.coefficients[0].unit
    name = inline(evidence.labels.of(one.name, "moderators"))
    places = joined(
        f"{number(row['estimate'])} at "
        + (f"{row['x']:.4g} {unit}".rstrip() if one.numeric else inline(row["position"]))
        for row in ends
    )
    by = joined("{} ({})".format(*estimate_and_interval(row)) for row in changes)
    per = "per standard deviation" if one.numeric else "against the reference"
    return (
        f"{_effect(evidence, module, changes[0])}, by {name}: {len(one.values)} settings; the mean "
        f"is {places}; its change is {by} {per}."
    )
