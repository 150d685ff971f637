"""What the refits say: how far the population effects move, and by what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, effect_label, grouped, outcome_label
from metastudy.article.variable_tree import Tree, put, shortcode_key
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, number
from metastudy.display.pipe_table import Table

__all__ = [
    "KEY",
    "KINDS",
    "SUMMARY",
    "apart",
    "figure",
    "kept",
    "robustness",
    "rows_of_module",
    "table",
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
            "Largest shift, posterior SD": number(row["shift"]),
            "Of the effect": effect_label(evidence, row),
            "Verdicts changed": f"{row['changed']} of {row['effects']}",
        }
        for row in records(found)
    ]
    shown = grouped(rows, "Module", "Refits") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Refits: how far the mean of a population effect moves at most, in its posterior standard "
        "deviations, and how many effects get another verdict in any refit of the kind."
    )
    return Table(shown, evidence.refits, caption, tuple(found["provenance"]))


def variables(evidence: Results) -> Tree:
    """By module and kind of refit: their number, the largest shift and a sentence."""
    tree: Tree = {}
    found = robustness(evidence)
    for row in records(found):
        effect = _effect(evidence, row)
        leaves = {
            "number": str(row["refits"]),
            "shift": number(abs(row["shift"])),
            "changed": str(row["changed"]),
            "effects": str(row["effects"]),
            "sentence": f"{KINDS[row['kind']]}, no mean moves by more than "
            f"{number(abs(row['shift']))} posterior standard deviations ({effect}), and "
            f"{count(row['changed']) if row['changed'] else 'none'} of {row['effects']} verdicts "
            f"{'changes' if row['changed'] == 1 else 'change'}.",
        }
        put(tree, [row["module"], row["kind"]], leaves)
    for name in dict.fromkeys(found["module"]):
        mine = tree[shortcode_key(name)]
        mine["summary"] = " ".join(mine[k]["sentence"] for k in KINDS if k in mine)
    if len(found):
        tree["number"] = str(
            evidence.refits[["module", "kind", "group"]].drop_duplicates().shape[0]
        )
        tree["rhat_max"] = number(found["rhat"].max(), 3)
        tree["ess_min"] = number(found["ess"].min(), 0)
    return tree


def _effect(evidence: Results, row: Mapping[str, Any]) -> str:
    exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
    return f"{inline(exposure)} on {inline(outcome_label(evidence, row))}"


KINDS = {
    "without_study": "Without one study",
    "without_country": "Without one country",
    "without_sector": "Without one sector",
    "without_organisation": "Without one organisation",
    "prior": "Prior scales halved and doubled",
    "outcomes": "With the outcomes of a family not pooled",
}
KEPT = 0.95  # a refit keeps a sign that has at least this probability in it
SUMMARY = [
    *("module", "kind", "refits", "effects"),
    *("shift", "exposure", "exposure_type", "outcome", "group", "left_out"),  # of the largest shift
    *("changed", "rhat", "ess", "provenance"),
]
KEY = ["exposure", "outcome", "role"]
WORST = ("module", "shift", *KEY, "exposure_type", "group", "left_out", "provenance")


def figure(evidence: Results) -> pd.DataFrame:
    """Each population effect beside the range of its means over refits, for the forest."""
    rows = [row for name in evidence.contrasts for row in _module(evidence, name)]
    return pd.DataFrame(rows, columns=figure_rows.FOREST)


def _module(evidence: Results, name: str) -> Iterator[dict[str, Any]]:
    mine = rows_of_module(evidence.refits, name)
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

    ``shift`` is the largest one, in posterior standard deviations of the fit to all data, with its
    effect and what was left out; ``changed`` is the number of effects whose verdict differs in any
    of the refits; ``rhat`` and ``ess`` are the worst of the effects.
    """
    rows: list[dict[str, Any]] = []
    for name in evidence.contrasts:
        whole = _population(evidence, name)
        verdicts = {key: evidence.verdict(row) for key, row in _by_key(whole)}
        for kind in KINDS:
            mine = rows_of_module(evidence.refits, name)
            mine = mine[mine["kind"] == kind]
            if mine.empty:
                continue
            worst = mine.iloc[int(mine["shift"].abs().argmax())]
            changed = {
                key
                for row in records(mine)
                if (key := tuple(row[name] for name in KEY)) in verdicts
                and evidence.verdict(row) != verdicts[key]
            }
            rows.append(
                {
                    "kind": kind,
                    "refits": mine["group"].nunique(),
                    "effects": mine.drop_duplicates(KEY).shape[0],
                    "changed": len(changed),
                    "rhat": mine["rhat"].max(),
                    "ess": mine["ess"].min(),
                    **{c: worst[c] for c in WORST},
                }
            )
    return pd.DataFrame(rows, columns=SUMMARY)


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
    table = rows_of_module(evidence.refits, module)
    return table[_same(table, own)]


def kept(evidence: Results, effect: Mapping[str, Any]) -> str:
    """In how many of its refits a claim keeps its sign, such as ``7 of 8``.

    A refit keeps the sign if it has a probability of at least 0.95 there. A refit without data on
    the effect has no row for it and is not counted.

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


def _by_key(table: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    return zip(table.index, records(table.reset_index()), strict=True)
