"""What the refits say: how far the population effects move, and by what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    VERDICTS,
    columns_of,
    effect_label,
    estimate_and_interval,
    grouped,
    outcome_label,
)
from metastudy.article.variable_tree import Tree, put, shortcode_key, unit
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number, of_all
from metastudy.display.pipe_table import Table
from metastudy.posterior.verdicts import Kind

__all__ = [
    "KEY",
    "KINDS",
    "SUMMARY",
    "apart",
    "counted",
    "figure",
    "kept",
    "robustness",
    "rows_of_module",
    "table",
    "unshrunk",
    "variables",
]


def table(evidence: Results) -> Table:
    """For each module and kind of refit how far an effect moves, and how many verdicts change."""
    found, labels = robustness(evidence), evidence.labels
    rows = [
        {
            "Module": labels.of(row["module"], "modules"),
            "Refits": KINDS[row["kind"]],
            "Number": str(row["refits"]),
            "Gate missed": str(row["missed"]),
            "Effects that rest on one": str(row["rests"]) if row["kind"] in GROUPS else "–",
            "Largest shift, posterior SD": number(row["shift"]) if row["effects"] else "–",
            "Of the effect": effect_label(evidence, row) if row["effects"] else "–",
            "Verdicts changed": f"{row['changed']} of {row['effects']}" if row["effects"] else "–",
        }
        for row in records(found)
    ]
    shown = grouped(rows, "Module", "Refits") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Refits: how far the mean of a population effect moves at most, in its posterior standard "
        "deviations, and how many effects get another verdict in any refit of the kind. A refit "
        "that misses a gate (R-hat, effective sample size, divergences) is not counted. An effect "
        "rests on one study, country, sector or organisation that has all data about it: there is "
        "no refit without it."
    )
    full = evidence.refits
    if any(shown_people.least(evidence, study) > 1 for study in evidence.studies):
        # The share of rows that a refit is without tells how many people an organisation has.
        full = full.drop(columns="left_out", errors="ignore")
    return Table(shown, full, caption, tuple(found["provenance"]))


def variables(evidence: Results) -> Tree:
    """By module and kind of refit: their number, the largest shift and a sentence."""
    tree: Tree = {}
    found = robustness(evidence)
    for row in records(found):
        leaves = {
            "number": str(row["refits"]),
            "shift": number(abs(row["shift"])) if row["effects"] else "–",
            "changed": str(row["changed"]),
            "effects": str(row["effects"]),
            "missed": str(row["missed"]),
            "rests": str(row["rests"]),
            "sentence": _sentence(evidence, row),
        }
        put(tree, [row["module"], row["kind"]], leaves)
    for name in dict.fromkeys(found["module"]):
        mine = tree[shortcode_key(name)]
        mine["fragile"] = _fragile(evidence, name)
        mine["summary"] = " ".join(mine[k]["sentence"] for k in KINDS if k in mine)
        if "outcomes" in mine:
            mine["outcomes"]["named"] = _other_verdicts(evidence, name)
    if len(found):
        made = evidence.refits[evidence.refits["how"] != "not run"]
        each = made.drop_duplicates(["module", "kind", "group"])
        missed = int((each["missed"] != "").sum())
        tree["number"] = str(len(each))
        tree["reweighted"] = str(int((each["how"] == "reweighted").sum()))
        tree["missed"] = str(missed)
        which = f"{count(missed).capitalize()} of {len(each)} refits"
        tree["gates"] = (
            f"{'The one refit' if len(each) == 1 else which} "
            f"{'misses a gate and is' if missed == 1 else 'miss a gate and are'} not counted."
            if missed
            else "Every refit passes its gates."
        )
        tree["rhat_max"] = number(found["rhat"].max(), 3)
        tree["ess_min"] = number(found["ess"].min(), 0)
    return tree


def _sentence(evidence: Results, row: Mapping[str, Any]) -> str:
    """How far the effects move in one kind of refits, and which have none of that kind."""
    kind, rests = row["kind"], row["rests"]
    one = f"one {kind.removeprefix('without_')}"
    if not row["effects"]:
        why = [f"{rests} {'effect rests' if rests == 1 else 'effects rest'} on {one}"] * bool(rests)
        gates = f"{row['missed']} of {row['refits']} miss a gate"
        why += ["the one misses a gate" if row["refits"] == 1 else gates] * bool(row["refits"])
        return f"{KINDS[kind]}: no refit counts, as {' and '.join(why)}."
    moved, changed = number(abs(row["shift"])), row["changed"]
    verdicts = of_all(changed, row["effects"], "verdict", "change", digits=True)
    more = f"; {rests} more {'rests' if rests == 1 else 'rest'} on {one}." if rests else "."
    moves = _large_moves(evidence, row["module"], kind)
    if moves and kind in GROUPS:
        most = f"{'most that' if len(moves) > 1 else 'that'} for {_effect(evidence, row)}"
        return (
            f"{_depend(len(moves))} on {one}, {most}, whose mean moves by {moved} posterior "
            f"standard deviations; in all refits of this kind {verdicts}{more}"
        )
    if moves:
        most = f"most that of {_effect(evidence, row)}, by {moved}"
        return (
            f"{KINDS[kind]}, {of_all(len(moves), row['effects'], 'mean', 'move', digits=True)} by "
            f"more than one posterior standard deviation ({most}), and {verdicts}{more}"
        )
    return (
        f"{KINDS[kind]}, no mean moves by more than {moved} posterior standard deviations "
        f"({_effect(evidence, row)}), and {verdicts}{more}"
    )


def _large_moves(evidence: Results, module: str, kind: str) -> list[dict[str, Any]]:
    """Of each effect that moves by more than ``FRAGILE``, its largest move; the largest first."""
    mine = counted(rows_of_module(evidence.refits, module))
    mine = mine[(mine["kind"] == kind) & (mine["shift"].abs() > FRAGILE)]
    mine = mine.sort_values("shift", key=abs, ascending=False, kind="stable").drop_duplicates(KEY)
    whole = _population(evidence, module)["mean"]
    means = {key: float(mean) for key, mean in whole.items()}
    return [
        row | {"whole": means.get(tuple(row[name] for name in KEY), math.nan)}
        for row in records(mine)
    ]


def _dependent(evidence: Results, kind: str, moves: Sequence[Mapping[str, Any]]) -> str:
    """Which results depend on one group, on which, and how far their means move without it."""
    one = f"one {kind.removeprefix('without_')}"
    each = []
    for row in moves:
        name = "it" if kind == "without_organisation" else inline(_left_out(evidence, row))
        each.append(
            f"{_effect(evidence, row)} (without {name} the mean moves from "
            f"{number(row['whole'])} to {number(row['mean'])} {unit(row['metric'])}, "
            f"{number(abs(row['shift']))} posterior standard deviations)"
        )
    return f"{_depend(len(each))} on {one}: {'; '.join(each)}"


def _depend(results: int) -> str:
    return (
        f"{count(results, capital=True)} {'result depends' if results == 1 else 'results depend'}"
    )


def _fragile(evidence: Results, module: str) -> str:
    """Every result of a module that depends on one study, country, sector or organisation."""
    found = {kind: _large_moves(evidence, module, kind) for kind in GROUPS}
    said = [f"{_dependent(evidence, kind, moves)}." for kind, moves in found.items() if moves]
    return " ".join(said) or (
        "No result depends on one study, country, sector or organisation: without it no mean "
        "moves by more than one posterior standard deviation."
    )


def _left_out(evidence: Results, row: Mapping[str, Any]) -> str:
    group, kind = str(row["group"]), str(row["kind"])
    if kind == "without_study":
        return evidence.labels.study(group)
    return evidence.labels.of(group, "countries" if kind == "without_country" else "sectors")


def _effect(evidence: Results, row: Mapping[str, Any]) -> str:
    exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
    return f"{inline(exposure)} on {inline(outcome_label(evidence, row))}"


KINDS = {
    "without_study": "Without one study",
    "without_country": "Without one country",
    "without_sector": "Without one sector",
    "without_organisation": "Without one organisation",
    "prior": "Prior scales halved and doubled",
    "outcomes": "Without shrinking the outcomes of a family to their mean",
    "correlation": "With another assumed correlation between outcomes of arms",
}
GROUPS = tuple(kind for kind in KINDS if kind.startswith("without_"))
FRAGILE = 1.0  # posterior standard deviations from which a result depends on what was left out
KEPT = 0.95  # a refit keeps a sign that has at least this probability in it
SUMMARY = [
    *("module", "kind", "refits", "missed", "effects", "rests"),
    # Of the largest shift.
    *("shift", "exposure", "exposure_type", "outcome", "group", "left_out"),
    *("mean", "whole", "metric"),
    *("changed", "rhat", "ess", "provenance"),
]
KEY = ["exposure", "outcome", "role"]
WORST = ("shift", *KEY, "exposure_type", "group", "left_out", "mean", "metric")


def figure(evidence: Results) -> pd.DataFrame:
    """Each population effect beside the range of its means over refits, for the forest."""
    rows = [row for name in evidence.contrasts for row in _module(evidence, name)]
    return pd.DataFrame(rows, columns=figure_rows.FOREST)


def _module(evidence: Results, name: str) -> Iterator[dict[str, Any]]:
    mine = counted(rows_of_module(evidence.refits, name))
    module, whole = evidence.vocabulary.label("modules", name), _population(evidence, name)
    for row in records(whole.reset_index().sort_values("exposure_type", kind="stable")):
        kind = str(row["exposure_type"])
        place = {
            "block": f"{module}: {inline(evidence.labels.of(kind, 'exposure_types'))} exposures",
            "panel": evidence.labels.exposure(row["exposure"], kind).label,
            "axis": figure_rows.effect_axis(kind, row["metric"]),
            "row": outcome_label(evidence, row | {"module": name}),
            "reference": 0.0,
            "rope": evidence.rope(row["metric"]),
        }
        about = {c: row[c] for c in (*KEY, "exposure_type", "metric", "provenance")}
        look = {"series": "Posterior with all data", "style": "filled", "hue": kind}
        numbers = {"estimate": row["mean"], "lower": row["lower"], "upper": row["upper"]}
        yield about | numbers | place | look | {"level": "all", "note": ""}
        own = mine[_same(mine, row)]
        for kind, label in KINDS.items():
            means = own.loc[own["kind"] == kind, "mean"]
            if len(means):
                look = {"series": f"{label}: range of the means", "style": "range", "hue": kind}
                numbers = {"estimate": means.median(), "lower": means.min(), "upper": means.max()}
                yield about | numbers | place | look | {"level": kind, "note": ""}


def robustness(evidence: Results) -> pd.DataFrame:
    """One row per module and kind of refit (``SUMMARY``).

    ``refits`` were made, and ``missed`` of them miss a gate; the rest is of the others. ``effects``
    are in them; ``rests`` have none, as one group has all data about them. ``shift`` is the largest
    one, in posterior standard deviations of the fit to all data, with its effect, what was left
    out, and its mean then and with all data (``whole``); ``changed`` is the number of effects
    whose verdict differs in any of the refits; ``rhat`` and ``ess`` are the worst of the effects.
    """
    rows: list[dict[str, Any]] = []
    for name in evidence.contrasts:
        whole = _population(evidence, name)
        verdicts = {key: evidence.verdict(row) for key, row in _by_key(whole)}
        for kind in KINDS:
            every = rows_of_module(evidence.refits, name)
            every = every[every["kind"] == kind]
            if every.empty:
                continue
            mine, made = counted(every), every[every["how"] != "not run"]
            rests = every[every["how"] == "not run"]
            about = {
                "module": name,
                "kind": kind,
                "refits": made["group"].nunique(),
                "missed": made.loc[made["missed"] != "", "group"].nunique(),
                "effects": mine.drop_duplicates(KEY).shape[0],
                "rests": rests.drop_duplicates(KEY).shape[0],
                "provenance": every["provenance"].iloc[0],
            }
            if mine.empty:
                rows.append(about | {"changed": 0})
                continue
            worst = mine.iloc[int(mine["shift"].abs().argmax())]
            means = {key: row["mean"] for key, row in _by_key(whole)}
            about["whole"] = means.get(tuple(worst[name] for name in KEY), math.nan)
            changed = {
                key
                for row in records(mine)
                if (key := tuple(row[name] for name in KEY)) in verdicts
                and evidence.verdict(row) != verdicts[key]
            }
            rows.append(
                about
                | {"changed": len(changed), "rhat": mine["rhat"].max(), "ess": mine["ess"].min()}
                | {c: worst[c] for c in WORST}
            )
    return pd.DataFrame(rows, columns=SUMMARY)


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of refits that were made and pass their gates: the only ones that say something."""
    if "how" not in table:
        return table
    return table[(table["how"] != "not run") & (table["missed"] == "")]


def rows_of_module(table: pd.DataFrame, module: str) -> pd.DataFrame:
    """A module's rows; a table that was not given has no columns."""
    columns = ["module", "kind", "diagnosis", "positive", *KEY]
    return table[table["module"] == module] if len(table) else pd.DataFrame(columns=columns)


def _population(evidence: Results, name: str) -> pd.DataFrame:
    """The population effects of a module, by exposure and outcome."""
    table = evidence.contrasts[name]
    mine = (table["variant"] == "main") & (table["estimand"] == "effect")
    mine &= (table["level"] == "population") & (table["metric"] == evidence.kind(name).metric)
    found = table[mine]
    if not evidence.by_role(name):  # a row's role is then where it is from, and no part of its key
        found = found.assign(role="")
    return found.set_index(KEY)


def _same(table: pd.DataFrame, effect: Mapping[str, Any]) -> pd.Series:
    """Which rows of refits are about an effect."""
    return table[KEY].eq([effect[name] for name in KEY]).all(axis=1)


def _of_effect(evidence: Results, effect: Mapping[str, Any]) -> pd.DataFrame:
    """The refits of a population effect; of a study's own effect where it is the only one."""
    module = str(effect["module"])
    own = effect if evidence.by_role(module) else {**effect, "role": ""}
    table = counted(rows_of_module(evidence.refits, module))
    return table[_same(table, own)]


def kept(evidence: Results, effect: Mapping[str, Any]) -> str:
    """In how many of its refits a claim keeps its sign, such as ``7 of 8``.

    A refit keeps the sign if it has a probability of at least 0.95 there. A refit that
    misses a gate, or is about other effects, is not counted.

    Parameters
    ----------
    effect : a population effect, as a row of contrasts.

    Returns
    -------
    Empty for what is no claim, or was not refitted.
    """
    mine = _of_effect(evidence, effect)
    mine = mine[mine["kind"].isin(list(KINDS))]
    if mine.empty or not evidence.judged(effect).claim:
        return ""
    sign = mine["positive"] if effect["positive"] >= 0.5 else 1 - mine["positive"]
    return f"{int((sign >= KEPT).sum())} of {len(mine)}"


def apart(evidence: Results, effect: Mapping[str, Any]) -> dict[str, Any] | None:
    """A population effect in the refit that does not pool the outcomes of a family, if there is."""
    mine = _of_effect(evidence, effect)
    return next(iter(records(mine[mine["kind"] == "outcomes"])), None)


def unshrunk(evidence: Results, effect: Mapping[str, Any]) -> str:
    """The estimate without shrinkage, and its verdict where that is another one; a dash without."""
    found = apart(evidence, effect)
    if found is None:
        return "–"
    cell = "{} ({})".format(*estimate_and_interval(found))
    own = evidence.judged(found).kind
    return cell if own == evidence.judged(effect).kind else f"{cell}: {VERDICTS[own]}"


def _other_verdicts(evidence: Results, module: str) -> str:
    """Which population effects have another verdict without shrinkage, by name."""
    changes: dict[tuple[Kind, Kind], list[str]] = {}
    for row in records(_population(evidence, module).reset_index()):
        found = apart(evidence, row)
        own = evidence.judged(row).kind
        if found is not None and (other := evidence.judged(found).kind) != own:
            changes.setdefault((own, other), []).append(_effect(evidence, row))
    if not changes:
        return "No verdict is another one without shrinkage."
    parts = [
        f"“{VERDICTS[other]}” in place of “{VERDICTS[own]}” for {joined(effects)}"
        for (own, other), effects in changes.items()
    ]
    return f"Without shrinkage the verdict is {'; '.join(parts)}."


def _by_key(table: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    return zip(table.index, records(table.reset_index()), strict=True)
