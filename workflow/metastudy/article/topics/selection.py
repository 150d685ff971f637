"""Selection of published effects: funnel, table and sentences of the sensitivity analyses.

The whole topic is one part of the article, empty where no published effects are pooled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.effect_sentences import numbers_of
from metastudy.article.figure_rows import effect_axis
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    VERDICTS,
    columns_of,
    estimate_and_interval,
    grouped,
    metric_label,
    role_label,
)
from metastudy.article.variable_tree import Tree, put
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, number, share
from metastudy.display.pipe_table import Table, markdown
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["FUNNEL", "figure", "part", "table", "variables"]

FUNNEL = [
    *("panel", "axis", "kind", "series", "label"),  # kind: an effect, or the mean of an analysis
    *("study", "estimate", "se", "affirmative", "provenance"),
]
LABELS = {
    "plain": "No selection",
    "step_function": "Step-function selection",
    "pet": "PET",
    "peese": "PEESE",
    "worst_case": "Worst case",
}


def _analyses(evidence: Results) -> pd.DataFrame:
    return evidence.selection.get("analyses", pd.DataFrame())


def _estimands(evidence: Results) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and analyses of each pooled estimand, in the order of the results."""
    found = _analyses(evidence)
    for _, mine in found.groupby(ESTIMAND, sort=False) if len(found) else ():
        rows = records(mine)
        yield _name(evidence, rows[0]), rows


def _name(evidence: Results, row: Mapping[str, Any]) -> str:
    """Exposure and outcome, with what else tells the estimands apart."""
    head = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    name = f"{head}: {inline(evidence.labels.outcome(str(row['outcome'])))}"
    found = _analyses(evidence)
    alike = found[found["exposure"].eq(row["exposure"]) & found["outcome"].eq(row["outcome"])]
    if alike["role"].nunique() > 1:
        name += f", {role_label(evidence, str(row['role']))}"
    if alike["response_mode"].nunique() > 1:
        name += f", {inline(evidence.labels.of(str(row['response_mode']), 'response_modes'))}"
    if alike["metric"].nunique() > 1:
        name += f", {metric_label(str(row['metric']))}"
    return name


def _verdict(evidence: Results, row: Mapping[str, Any]) -> str:
    return VERDICTS[evidence.verdict({**row, "ess": np.nan})]


def table(evidence: Results) -> Table:
    """Every analysis of every pooled estimand, or why it was not done."""
    rows = []
    # The unit is in the head of the column where all have the same one, else beside each name.
    one_unit = len({mine[0]["metric"] for _, mine in _estimands(evidence)}) == 1
    for name, mine in _estimands(evidence):
        metric = f", {metric_label(str(mine[0]['metric']))}"
        head = f"Mean{metric if one_unit else ''} ({share(evidence.interval)} interval)"
        for row in mine:
            done = not row["reason"]
            estimate, bounds = estimate_and_interval(row) if done else ("–", "–")
            rows.append(
                {
                    "Effects": name if one_unit else name.removesuffix(metric) + metric,
                    "Analysis": LABELS[row["analysis"]],
                    head: f"{estimate} ({bounds})" if done else "–",
                    "Heterogeneity": number(row["tau"]) if done else "–",
                    "Verdict": _verdict(evidence, row) if done else "–",
                    "Remark": _remark(row),
                }
            )
    shown = grouped(rows, "Effects", "Analysis") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Sensitivity of pooled published effects to selection, beside the main analysis and never "
        "in its place: published effects alone, one of each study (the declared primary one, else "
        "the mean), random effects with one heterogeneity (its posterior mean is shown) and the "
        "priors of the main analysis. Step-function selection: effects with a one-sided p below "
        "0.025 on the favoured side are published, others with a relative probability that is at "
        "most one (uniform prior). PET and PEESE: the mean at a standard error of zero, by "
        "regression on the error or on its square; both are shown, and none is chosen by a test. "
        "The error of a ratio of events or rates grows with the ratio, so that PET and PEESE can "
        "show a slope of it without selection. "
        "Worst case: the effects that are not significant on the favoured side, alone; the "
        "selection ratio says how many times likelier the publication of the others would have to "
        "be."
    )
    full = _analyses(evidence)
    marks = tuple(full["provenance"]) if len(full) else ()
    if evidence.vocabulary["moderators"]:
        caption += " Declared moderators are in none of these analyses."
    return Table(shown, full, caption, marks)


def _remark(row: Mapping[str, Any]) -> str:
    """What an analysis found beside its mean, or why it was not done."""
    if row["reason"]:
        return f"not done, because {row['reason']}"
    said = []
    if row["analysis"] == "plain":
        side = f"{row['side']} side{'' if row['declared'] else ' (not declared)'}"
        if row["effects"] == 1:
            said.append(f"{'' if row['affirmative'] else 'not '}significant on the {side}")
        else:
            said.append(f"{row['affirmative']} of {row['effects']} significant on the {side}")
    if row["analysis"] == "step_function":
        bounds = interval(row["weight_lower"], row["weight_upper"])
        said.append(f"others published {number(row['weight'])} times as often ({bounds})")
    if row["analysis"] in ("pet", "peese"):
        said.append(f"slope {number(row['slope'])} (SD {number(row['slope_sd'])})")
    if row["analysis"] == "worst_case" and not pd.isna(row["ratio_mean"]):
        found = row["ratio_mean"], row["ratio_interval"]
        mean, ends = (_ratio(one) for one in found)
        if np.isinf(found).all():
            said.append("no selection brings the mean or its interval to zero")
        else:
            said.append(
                f"selection ratio to a mean of zero: {mean}, to an interval with it: {ends}"
            )
    return "; ".join(said) or "–"


def _affirmative(n: int, total: int) -> str:
    """How many of all effects are, or that the one is or is not, up to what they are."""
    if total == 1:
        return f"the one published effect is{'' if n else ' not'}"
    among = f"of {count(total)} published effects {count(n) if n else 'none'}"
    return f"{among} {'are' if n > 1 else 'is'}"


def _ratio(value: float) -> str:
    if np.isinf(value):
        return "none is enough"
    return "none is needed" if value <= 1 else number(value, 1)


def figure(evidence: Results) -> pd.DataFrame:
    """Published effects and what each analysis makes of them; columns :data:`FUNNEL`."""
    seen = evidence.selection.get("effects", pd.DataFrame())
    rows: list[dict[str, Any]] = []
    for name, mine in _estimands(evidence):
        first = mine[0]
        axis = effect_axis(first["exposure_type"], first["metric"])
        base = {"panel": name, "axis": axis, "series": "", "label": "", "study": ""}
        own = seen[seen[ESTIMAND].eq([first[c] for c in ESTIMAND]).all(axis=1)]
        for row in records(own):
            taken = ("study", "estimate", "se", "affirmative", "provenance")
            rows.append(base | {"kind": "effect"} | {c: row[c] for c in taken})
        for row in mine:
            if not row["reason"]:
                of = {"kind": "mean", "series": row["analysis"], "label": LABELS[row["analysis"]]}
                of |= {"estimate": row["mean"], "se": 0.0, "affirmative": False}
                rows.append(base | of | {"provenance": row["provenance"]})
    return pd.DataFrame(rows, columns=FUNNEL)


def variables(evidence: Results) -> Tree:
    """Sentences and numbers by exposure and outcome; empty where nothing published is pooled."""
    tree: Tree = {}
    for name, mine in _estimands(evidence):
        first = mine[0]
        path = [first["exposure"], first["outcome"], first["role"]]
        path += [first["response_mode"], first["metric"]]
        put(tree, path, {"sentence": _sentence(evidence, name, mine)})
        for row in mine:
            if not row["reason"]:
                leaves = {
                    "estimate": number(row["mean"]),
                    "interval": interval(row["lower"], row["upper"]),
                    "verdict": _verdict(evidence, row),
                }
                put(tree, [*path, row["analysis"]], leaves)
    if tree:
        tree["sentence"] = " ".join(_sentence(evidence, *one) for one in _estimands(evidence))
    return tree


def _sentence(evidence: Results, name: str, mine: list[dict[str, Any]]) -> str:
    """What selection could have made of one estimand."""
    by = {row["analysis"]: row for row in mine}
    plain = by["plain"]
    said = [
        f"{name}: {_affirmative(plain['affirmative'], plain['effects'])} significant on the "
        f"{plain['side']} side, which selection "
        f"{'is declared' if plain['declared'] else 'is taken'} to favour"
        f"{'' if plain['declared'] else ' as it is that of their mean'}. Without selection the "
        f"mean is {_in_words(evidence, plain)}."
    ]
    step = by["step_function"]
    if not step["reason"]:
        bounds = interval(step["weight_lower"], step["weight_upper"])
        said.append(
            f"With step-function selection it is {_in_words(evidence, step)}; other effects are "
            f"published {number(step['weight'])} times as often ({bounds})."
        )
    for row in (by["pet"], by["peese"]):
        if not row["reason"]:
            said.append(f"By {LABELS[row['analysis']]} it is {_in_words(evidence, row)}.")
    refused: dict[str, list[str]] = {}
    for row in (step, by["pet"], by["peese"], by["worst_case"]):
        if row["reason"]:
            refused.setdefault(row["reason"], []).append(LABELS[row["analysis"]])
    for reason, names in refused.items():
        these = [names[0], *(inline(one) for one in names[1:])]
        listed = ", ".join(these[:-1]) + " and " * (len(these) > 1) + these[-1]
        said.append(f"{listed} {'are' if len(names) > 1 else 'is'} not done, because {reason}.")
    worst = by["worst_case"]
    if not worst["reason"]:
        said.append(f"In the worst case it is {_in_words(evidence, worst)}.")
        said += [_needed(worst)] * (not pd.isna(worst["ratio_mean"]))
    return " ".join(said)


def _in_words(evidence: Results, row: Mapping[str, Any]) -> str:
    return f"{numbers_of(evidence, row)} ({_verdict(evidence, row)})"


def _needed(worst: Mapping[str, Any]) -> str:
    """How much selection it would take."""
    mean, ends = worst["ratio_mean"], worst["ratio_interval"]
    if mean <= 1:
        return "No selection is needed to explain the mean: without it, it is on the other side."
    known = "significant effects would have to be published"
    if np.isinf(mean):
        first = "No selection of significant effects, however strong, would bring the mean to zero"
        more = f"{known} {number(ends, 1)} times as often as others"
    else:
        first = f"For a mean of zero {known} {number(mean, 1)} times as often as others"
        more = f"{number(ends, 1)} times as often"
    if ends <= 1:
        return f"{first}; the interval holds zero without selection."
    if np.isinf(ends):
        return f"{first}, nor its interval."
    return f"{first}; for an interval that reaches zero, {more}."


def part(evidence: Results) -> str:
    """The whole topic in Markdown; empty where no published effects are pooled."""
    said = [_sentence(evidence, *one) for one in _estimands(evidence)]
    if not said:
        return ""
    sentences = "\n\n".join(said)
    return (
        "*Selection of published effects.* @fig-selection shows the published effects that are "
        "pooled, and @tbl-selection what selection by significance could have made of them; these "
        f"are sensitivity analyses beside the main result. {sentences}\n\n"
        "![Published effects by their standard errors, with what they pool to. Shades are two-"
        'sided p-values against zero.](figures/selection){#fig-selection fig-alt="Contour-'
        "enhanced funnel for each pooled published effect: estimates against standard errors, "
        "significant ones filled, with lines or points for the mean without selection and for "
        'each sensitivity analysis." width=100%}\n\n' + markdown("selection", table(evidence))
    )
