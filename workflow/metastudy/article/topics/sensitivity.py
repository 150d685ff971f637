"""What the sensitivity analyses say beside the main one, effect by effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Evidence
from metastudy.article.table_rows import outcome_label
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, joined, number, share
from metastudy.display.pipe_table import Table

__all__ = ["VARIANTS", "compared", "fit_label", "table", "variables"]

VARIANTS = {"folded": "parts folded into wholes", "ordinal": "item by item"}
KEY = ["module", "exposure", "exposure_type", "outcome", "role", "level"]
NUMBERS = ["metric", "mean", "lower", "upper", "pd"]
COLUMNS = ["variant", *KEY, *NUMBERS, *(f"{name}_other" for name in NUMBERS), "provenance"]
METRICS = ("sd", "latent_sd", "log_odds")
LEVELS = ("population", "code")


def compared(evidence: Evidence) -> pd.DataFrame:
    """Each effect of a main analysis beside that of the sensitivity analyses of its module.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``: the numbers of the main analysis, and with ``_other`` those of the variant,
        which are missing where an outcome is folded into another. Of a folded analysis there are
        only the wholes and their parts.
    """
    found = []
    for module, contrasts in evidence.contrasts.items():
        for variant in VARIANTS if len(evidence.sensitivity) else ():
            main = _effects(contrasts, module, "main")
            other = _effects(evidence.sensitivity, module, variant)
            if variant == "folded":
                whole = evidence.vocabulary.folding(list(main["outcome"].unique()))
                moved = {name for pair in whole.items() for name in pair if pair[0] != pair[1]}
                main = main[main["outcome"].isin(moved)]
            if len(other):
                both = main.merge(other[[*KEY, *NUMBERS]], "left", KEY, suffixes=("", "_other"))
                found.append(both.assign(variant=variant)[COLUMNS])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def fit_label(evidence: Evidence, fit: str) -> str:
    """What the reader calls a fit: its module, and how it is varied."""
    module, _, variant = fit.rpartition("-")
    if module in evidence.vocabulary["modules"] and variant in VARIANTS:
        return f"{evidence.labels.of(module, 'modules')}, {VARIANTS[variant]}"
    return evidence.labels.of(fit, "modules")


def _effects(table: pd.DataFrame, module: str, variant: str) -> pd.DataFrame:
    mine = (table["module"] == module) & (table["variant"] == variant)
    mine &= (table["estimand"] == "effect") & table["level"].isin(LEVELS)
    return table[mine & table["metric"].isin(METRICS)]


def table(evidence: Evidence) -> Table:
    """The table ``sensitivity`` of the article; the file in full precision is :func:`compared`."""
    full, labels = compared(evidence), evidence.labels
    within = f"{share(evidence.interval)} interval"
    rows = []
    for row in records(full):
        there = pd.notna(row["mean_other"])
        rows.append(
            {
                "Analysis": fit_label(evidence, f"{row['module']}-{row['variant']}"),
                "Exposure": labels.exposure_with_type(row["exposure"], row["exposure_type"]),
                "Outcome": outcome_label(evidence, row),
                "Main": number(row["mean"]),
                within: interval(row["lower"], row["upper"]),
                "Variant": number(row["mean_other"]) if there else "–",
                f"Its {within}": interval(row["lower_other"], row["upper_other"]) if there else "–",
            }
        )
    shown = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["Nothing to show"])
    if rows:
        again = shown.duplicated(["Analysis", "Exposure"])
        shown["Analysis"] = shown["Analysis"].mask(shown["Analysis"].duplicated(), "")
        shown["Exposure"] = shown["Exposure"].mask(again, "")
    caption = (
        "Sensitivity analyses: population means of the effects in the main analysis and in a "
        "variant of it. Scores are in standard deviations of people within a setting, single items "
        "in those of the latent answer, which varies more than a mean of several; codes are in "
        "log-odds. Item by item a person's answers are taken as independent, so those intervals "
        "are too narrow. A dash: the outcome is folded into its whole."
    )
    return Table(shown, full, caption, tuple(full["provenance"]))


def variables(evidence: Evidence) -> dict[str, Any]:
    """The variables ``sensitivity``: ``<module>.<variant>.sentence`` for every module and variant.

    A variant that was made has ``<exposure>.<outcome>.{estimate,interval,text}`` as well.
    """
    found = compared(evidence)
    tree: dict[str, Any] = {}
    for module in evidence.contrasts:
        for variant in VARIANTS:
            mine = found[(found["module"] == module) & (found["variant"] == variant)]
            rows = records(mine.dropna(subset="mean_other"))
            leaves: dict[str, Any] = {"sentence": _sentence(evidence, rows)}
            for row in rows:
                effect = leaves.setdefault(str(row["exposure"]), {})
                found_of = effect.setdefault(str(row["outcome"]), {})
                if evidence.several_roles(module):
                    found_of = found_of.setdefault(str(row["role"]), {})
                found_of |= _numbers(evidence, row)
            tree.setdefault(module, {})[variant] = leaves
    return tree


def _numbers(evidence: Evidence, row: Mapping[str, Any]) -> dict[str, str]:
    estimate = number(row["mean_other"])
    bounds = interval(row["lower_other"], row["upper_other"])
    text = f"{estimate}, {share(evidence.interval)} interval {bounds}"
    return {"estimate": estimate, "interval": bounds, "text": text}


def _sentence(evidence: Evidence, rows: list[dict[str, Any]]) -> str:
    """How many of the estimates lie within the main analysis' intervals, and which do not."""
    if not rows:
        return "This analysis was not made: it was not asked for, or the studies do not allow it."
    apart = [row for row in rows if not row["lower"] <= row["mean_other"] <= row["upper"]]
    if not apart:
        few = {1: "The estimate lies", 2: "Both estimates lie"}
        every = few.get(len(rows), f"All {count(len(rows))} estimates lie")
        return f"{every} within the interval of the main analysis."
    labels = evidence.labels
    named = joined(
        f"{inline(labels.exposure(row['exposure'], row['exposure_type']).label)} on "
        f"{inline(outcome_label(evidence, row))} ({number(row['mean_other'])} in place of "
        f"{number(row['mean'])})"
        for row in apart
    )
    within = len(rows) - len(apart)
    lie, others = "lies" if within == 1 else "lie", "is" if len(apart) == 1 else "are"
    return (
        f"Of {count(len(rows))} estimates {count(within)} {lie} within the interval of the main "
        f"analysis; outside of it {others} {named}."
    )
