"""What the sensitivity analyses say beside the main one, effect by effect and code by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import outcome_label, role_label
from metastudy.article.topics.predictive_checks import PLACES
from metastudy.common.tables import records, split_values
from metastudy.display.formatting import (
    count,
    inline,
    interval,
    joined,
    number,
    percent,
    percents,
    share,
)
from metastudy.display.pipe_table import Table

__all__ = ["VARIANTS", "compared", "fit_label", "table", "variables"]

VARIANTS = {
    "folded": "parts folded into wholes",
    "ordinal": "item by item",
    "interviews": "with an effect of the interview",
}
KEY = ["module", "estimand", "exposure", "exposure_type", "outcome", "role", "level"]
NUMBERS = ["metric", "mean", "sd", "lower", "upper", "pd"]
DIFFERENCE = ["difference", "difference_lower", "difference_upper"]
COLUMNS = [
    *("variant", *KEY, *NUMBERS),
    *(f"{name}_other" for name in NUMBERS),
    *(*DIFFERENCE, "provenance"),
]
METRICS = ("sd", "log_odds")
LEVELS = ("population", "code")
MOST_MOVED = 4  # effects on single codes, and prevalences, that the printed table has
NAMED = 3  # effects that a sentence names
NOT_MADE = "This analysis was not made: it was not asked for, or the studies do not allow it."


def compared(evidence: Results) -> pd.DataFrame:
    """Each effect of a main analysis beside that of the sensitivity analyses of its module.

    Where the outcomes are codes, their prevalences as well.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``: the numbers of the main analysis, and with ``_other`` those of the variant,
        which are missing where an outcome is folded into another. Of a folded analysis there are
        only the wholes and their parts. ``difference`` is the variant less the main analysis, with
        an interval for which the two are independent; they rest on the same answers, so that it is
        wider than it need be.
    """
    found = []
    for module, contrasts in evidence.contrasts.items():
        for variant in VARIANTS if len(evidence.sensitivity) else ():
            main = _of_interest(contrasts, module, "main")
            other = _of_interest(evidence.sensitivity, module, variant)
            if variant == "folded":
                whole = evidence.vocabulary.folding(list(main["outcome"].unique()))
                moved = {name for pair in whole.items() for name in pair if pair[0] != pair[1]}
                main = main[main["outcome"].isin(moved)]
            if len(other):
                both = main.merge(other[[*KEY, *NUMBERS]], "left", KEY, suffixes=("", "_other"))
                found.append(_with_difference(both, evidence.z).assign(variant=variant))
    return pd.concat(found, ignore_index=True)[COLUMNS] if found else pd.DataFrame(columns=COLUMNS)


def _with_difference(both: pd.DataFrame, z: float) -> pd.DataFrame:
    """What the variant makes of an effect less what the main analysis does, with an interval."""
    apart = both["mean_other"] - both["mean"]
    half = z * np.hypot(both["sd"], both["sd_other"])
    return both.assign(
        difference=apart, difference_lower=apart - half, difference_upper=apart + half
    )


def fit_label(evidence: Results, fit: str) -> str:
    """What the reader calls a fit: its module, and how it is varied."""
    module, _, variant = fit.rpartition("-")
    if module in evidence.vocabulary["modules"] and variant in VARIANTS:
        return f"{evidence.labels.of(module, 'modules')}, {VARIANTS[variant]}"
    return evidence.labels.of(fit, "modules")


def _of_interest(table: pd.DataFrame, module: str, variant: str) -> pd.DataFrame:
    """Population effects and effects on codes; prevalences of codes by role."""
    mine = (table["module"] == module) & (table["variant"] == variant)
    effect = (table["estimand"] == "effect") & table["level"].isin(LEVELS)
    level = (table["estimand"] == "mean") & table["level"].eq("population")
    effect &= table["metric"].isin(METRICS)
    return table[mine & (effect | level & table["metric"].eq("probability"))]


def table(evidence: Results) -> Table:
    """The table ``sensitivity`` of the article; the file in full precision is :func:`compared`.

    Of effects on single codes and of prevalences it has those that move farthest.
    """
    full, labels = compared(evidence), evidence.labels
    within = f"{share(evidence.interval)} interval"
    rows = []
    for row in records(_shown(full)):
        there, level = pd.notna(row["mean_other"]), row["estimand"] == "mean"
        rows.append(
            {
                "Analysis": fit_label(evidence, f"{row['module']}-{row['variant']}"),
                "Exposure": "Prevalence"
                if level
                else labels.exposure_with_type(row["exposure"], row["exposure_type"]),
                "Outcome": _outcome(evidence, row),
                "Main": _number(row, "mean"),
                within: _interval(row, "lower", "upper"),
                "Variant": _number(row, "mean_other") if there else "–",
                f"Its {within}": _interval(row, "lower_other", "upper_other") if there else "–",
                f"Difference, {within}": _difference(row)
                if there and row["variant"] == "ordinal"
                else "–",
            }
        )
    shown = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["Nothing to show"])
    if rows:
        again = shown.duplicated(["Analysis", "Exposure"])
        shown["Analysis"] = shown["Analysis"].mask(shown["Analysis"].duplicated(), "")
        shown["Exposure"] = shown["Exposure"].mask(again, "")
    caption = (
        "Sensitivity analyses: population means of the effects in the main analysis and in a "
        "variant of it. Scores are in standard deviations of people within a setting, and so are "
        "single items, in the same ones: of a person's mean of an outcome's latent answers. Codes "
        "are in log-odds within an organisation and over its interviews. A difference from the "
        "main analysis, item by item, has an interval for which the two are independent; both rest "
        "on the same answers, so it is wider than it need be. Of effects on single codes and of "
        f"prevalences the {count(MOST_MOVED)} that move farthest are shown, as a "
        "share of their interval. A dash: the outcome is folded into its whole, or the analysis "
        "has no differences."
    )
    return Table(shown, full, caption, tuple(full["provenance"]))


def _shown(full: pd.DataFrame) -> pd.DataFrame:
    """All means over codes or outcomes; of single codes those that move farthest, shares last."""
    kept: list[Any] = []
    for _, mine in full.groupby(["module", "variant"], sort=False):
        share, code = mine["estimand"] == "mean", mine["level"] == "code"
        means = list(mine.index[~share & ~code])
        kept += [
            *sorted(means + _farthest(mine[code])[:MOST_MOVED]),
            *_farthest(mine[share])[:MOST_MOVED],
        ]
    return full.loc[kept]


def _farthest(table: pd.DataFrame) -> list[Any]:
    """Index of the rows, that which moves most of its interval's width first."""
    moved = (table["mean_other"] - table["mean"]).abs() / (table["upper"] - table["lower"])
    return list(moved.dropna().sort_values(ascending=False, kind="stable").index)


def _outcome(evidence: Results, row: Mapping[str, Any]) -> str:
    label = outcome_label(evidence, row)
    if row["estimand"] == "mean" and row["role"]:
        label += f", {role_label(evidence, str(row['role']))}"
    return label


def _number(row: Mapping[str, Any], name: str) -> str:
    return percent(row[name]) if row["estimand"] == "mean" else number(row[name])


def _interval(row: Mapping[str, Any], low: str, high: str) -> str:
    write = percents if row["estimand"] == "mean" else interval
    return write(row[low], row[high])


def _difference(row: Mapping[str, Any]) -> str:
    bounds = interval(row["difference_lower"], row["difference_upper"])
    return f"{number(row['difference'])} ({bounds})"


def variables(evidence: Results) -> dict[str, Any]:
    """The variables ``sensitivity``: ``<module>.<variant>.sentence`` for every module and variant.

    A variant that was made has ``<exposure>.<outcome>.{estimate,interval,text}`` as well. That item
    by item has ``difference``, from the main analysis, beside them. That with an effect of the
    interview also has ``prevalence``, a sentence on how far prevalences move, and ``spread``,
    whether the checks of the main analysis give a reason for it.
    """
    found = compared(evidence)
    tree: dict[str, Any] = {}
    for module in evidence.contrasts:
        for variant in VARIANTS:
            mine = found[(found["module"] == module) & (found["variant"] == variant)]
            made = mine.dropna(subset="mean_other")
            effects, levels = (made[made["estimand"] == kind] for kind in ("effect", "mean"))
            say = _differences if variant == "ordinal" else _estimates
            leaves: dict[str, Any] = {"sentence": say(evidence, effects)}
            if variant == "interviews":
                leaves["prevalence"] = _sentence(evidence, levels, "prevalence")
                leaves["spread"] = _spread(evidence, module)
            for row in records(effects):
                effect = leaves.setdefault(str(row["exposure"]), {})
                found_of = effect.setdefault(str(row["outcome"]), {})
                if evidence.several_roles(module):
                    found_of = found_of.setdefault(str(row["role"]), {})
                found_of |= _numbers(evidence, row)
            tree.setdefault(module, {})[variant] = leaves
    return tree


def _numbers(evidence: Results, row: Mapping[str, Any]) -> dict[str, str]:
    estimate = number(row["mean_other"])
    bounds = interval(row["lower_other"], row["upper_other"])
    text = f"{estimate}, {share(evidence.interval)} interval {bounds}"
    found = {"estimate": estimate, "interval": bounds, "text": text}
    return found | ({"difference": _difference(row)} if row["variant"] == "ordinal" else {})


def _estimates(evidence: Results, table: pd.DataFrame) -> str:
    return _sentence(evidence, table, "estimate")


def _differences(evidence: Results, table: pd.DataFrame) -> str:
    """Which effects differ from the main analysis by more than the interval of the difference.

    The three that differ most in the standard deviations of the difference are named.
    """
    if table.empty:
        return NOT_MADE
    within = f"{share(evidence.interval)} interval"

    def told(row: Mapping[str, Any]) -> str:
        exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
        bounds = interval(row["difference_lower"], row["difference_upper"])
        what = f"{inline(exposure)} on {inline(_outcome(evidence, row))}"
        return f"{what} ({number(row['difference'])}, {within} {bounds})"

    apart = table[(table["difference_lower"] > 0) | (table["difference_upper"] < 0)]
    if apart.empty:
        (row,) = records(table.loc[[table["difference"].abs().idxmax()]])
        if len(table) == 1:
            return f"The interval of the difference from the main analysis holds zero: {told(row)}."
        who = "both effects" if len(table) == 2 else f"all {count(len(table))} effects"
        return (
            f"The intervals of the differences from the main analysis hold zero for {who}; the "
            f"largest difference is {told(row)}."
        )
    error = np.hypot(apart["sd"], apart["sd_other"])
    sized = apart.assign(size=(apart["difference"] / error).abs())
    most = sized.sort_values("size", ascending=False, kind="stable").head(NAMED)
    named = joined(told(row) for row in records(most))
    verb = "differs" if len(apart) == 1 else "differ"
    which = ", most of all" if len(apart) > NAMED else ":"
    return (
        f"Of {count(len(table))} effects {count(len(apart))} {verb} from the main analysis{which} "
        f"{named}."
    )


def _sentence(evidence: Results, table: pd.DataFrame, what: str) -> str:
    """How many lie within the main analysis' intervals, and which do not, or moves farthest."""
    if table.empty:
        return NOT_MADE
    rows = records(table)
    apart = [row for row in rows if not row["lower"] <= row["mean_other"] <= row["upper"]]
    if not apart:
        few = {1: f"The {what} lies", 2: f"Both {what}s lie"}
        every = few.get(len(rows), f"All {count(len(rows))} {what}s lie")
        said = f"{every} within the interval of the main analysis"
        if not set(table["level"]) & {"code"} and what == "estimate":
            return f"{said}."
        farthest = records(table.loc[_farthest(table)[:1]])[0]
        return f"{said}; farthest moves {_moved(evidence, farthest)}."
    named = joined(_moved(evidence, row) for row in apart)
    within = len(rows) - len(apart)
    lie, others = "lies" if within == 1 else "lie", "is" if len(apart) == 1 else "are"
    return (
        f"Of {count(len(rows))} {what}s {count(within)} {lie} within the interval of the main "
        f"analysis; outside of it {others} {named}."
    )


def _moved(evidence: Results, row: Mapping[str, Any]) -> str:
    """A row with both of its numbers, inside a sentence."""
    label = inline(_outcome(evidence, row))
    if row["estimand"] == "effect":
        exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
        label = f"{inline(exposure)} on {label}"
    return f"{label} ({_number(row, 'mean_other')} in place of {_number(row, 'mean')})"


def _spread(evidence: Results, module: str) -> str:
    """Where the number of codes per interview is more spread than replicates of it are."""
    checks = evidence.predictive
    if len(checks):
        mine = (checks["module"] == module) & (checks["kind"] == "posterior")
        checks = checks[mine & checks["statistic"].eq("codes_sd") & checks["observed"].notna()]
    if not len(checks):
        return "There is no check of how the number of codes per interview is spread."
    what, more = "the number of codes per interview", "more spread than the model says"
    of = f"the {count(len(checks))} studies, countries and sectors that were checked"
    wide = [
        f"{_place(evidence, row)} (standard deviation {number(row['observed'])} against "
        f"{interval(row['lower'], row['upper'])})"
        for row in records(checks[checks["observed"] > checks["upper"]])
    ]
    if len(checks) == 1:
        found = f"{what} is {more}: {wide[0]}" if wide else f"{what} is not {more}"
        return f"Where it was checked, {found}."
    if not wide:
        return f"In none of {of} is {what} {more}."
    return f"In {count(len(wide))} of {of} {what} is {more}: {joined(wide)}."


def _place(evidence: Results, row: Mapping[str, Any]) -> str:
    labels = evidence.labels
    studies = joined(map(labels.study, split_values(row["study"])))
    places = [labels.of(row[p], section) for p, (_, section) in PLACES.items() if row[p]]
    return ", ".join([studies, *places])
