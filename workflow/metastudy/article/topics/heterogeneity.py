"""Heterogeneity: every between-group standard deviation beside its prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.figure_rows import (
    FOREST,
    STAGES,
    is_accuracy,
    mark_of,
    parameter_label,
    prior_interval,
)
from metastudy.article.results import Evidence
from metastudy.article.table_rows import columns_of, estimate_and_interval, study_marks
from metastudy.article.variable_tree import Tree, shortcode_key
from metastudy.common.tables import join_values, records
from metastudy.display.formatting import count, interval, number, percent, percents, share, words
from metastudy.display.pipe_table import Table

__all__ = ["figure", "table", "variables"]


def table(evidence: Evidence) -> Table:
    rows, full = [], []
    tables = {
        evidence.vocabulary.label("modules", name): table
        for name, table in evidence.heterogeneity.items()
    }
    second = evidence.synthesis.get("heterogeneity", pd.DataFrame())
    for variant, mine in second.groupby("variant", sort=False) if len(second) else ():
        tables[figure_rows.STAGES.get(str(variant), words(str(variant)))] = mine
    for name, table in tables.items():
        for row in records(table):
            parts = figure_rows.parameter_label(
                evidence, row["parameter"], list(table["parameter"])
            )
            lower, upper = figure_rows.prior_interval(row, evidence.interval)
            estimate, bounds = estimate_and_interval(row)
            rows.append(
                {
                    "Model": name
                    + (", every coding taken as true" if row["variant"] == "error_free" else ""),
                    "Parameter": ", ".join(part for part in parts if part),
                    "Prior": f"{number(row['prior_mean'])} ({interval(lower, upper)})",
                    "Posterior": f"{estimate} ({bounds})",
                    "Ratio of SDs": number(row["ratio"]),
                    "I²": _inconsistency(row),
                }
            )
            full.append(row | {"model": name, "prior_lower": lower, "prior_upper": upper})
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    inconsistent = len(shown) > 0 and shown["I²"].ne("–").any()
    if not inconsistent:
        shown = shown.drop(columns="I²", errors="ignore")
    shown["Model"] = shown["Model"].mask(shown["Model"].eq(shown["Model"].shift()), "")
    caption = (
        "Standard deviations between groups and coders' accuracy: mean and "
        f"{share(evidence.interval)} interval before and after the data. Where the posterior's "
        "standard deviation is near that of the prior (ratio near one), the data say little."
    )
    if inconsistent:
        caption += (
            " I²: share of the variance of a typical estimate that lies between the groups, where "
            "each study has one estimate."
        )
    return Table(shown, pd.DataFrame(full), caption, study_marks(evidence))


def _inconsistency(row: Mapping[str, Any]) -> str:
    if pd.isna(row.get("i2")):
        return "–"
    return f"{percent(row['i2'])} ({percents(row['i2_lower'], row['i2_upper'])})"


def figure(evidence: Evidence) -> pd.DataFrame:
    """Every between-group standard deviation and coders' accuracy: prior beside posterior."""
    tables = {
        evidence.vocabulary.label("modules", name): table
        for name, table in evidence.heterogeneity.items()
    }
    if len(second := evidence.synthesis.get("heterogeneity", pd.DataFrame())):
        for variant, mine in second.groupby("variant", sort=False):
            tables[STAGES.get(str(variant), words(str(variant)))] = mine
    provenance = {
        evidence.vocabulary.label("modules", name): join_values(table["provenance"])
        for name, table in evidence.contrasts.items()
    }
    everything = join_values(study.provenance for study in evidence.studies)
    metrics = {
        evidence.vocabulary.label("modules", name): "log-odds"
        for name in evidence.heterogeneity
        if evidence.metric(name) == "log_odds"
    }
    rows = []
    for name, table in tables.items():
        for row in records(table):
            accuracy = is_accuracy(row["parameter"])
            panel, label = parameter_label(evidence, row["parameter"], list(table["parameter"]))
            spread = f"Standard deviation between groups, {metrics.get(name, 'SD')}"
            what = "coders' accuracy" if accuracy else "standard deviations between groups"
            place = {
                "block": f"{name}: {what}",
                "panel": panel,
                "row": label,
                "axis": "Probability" if accuracy else spread,
                "reference": None if accuracy else 0.0,
                "outcome": row["parameter"],
                "provenance": provenance.get(name) or everything,
            }
            if row["variant"] == "error_free":
                series = [("Posterior, every coding taken as true", "pale", "posterior", row)]
            else:
                lower, upper = prior_interval(row, evidence.interval)
                prior = {"mean": row["prior_mean"], "lower": lower, "upper": upper}
                series = [
                    ("Prior", "prior", "prior", prior),
                    ("Posterior", "filled", "posterior", row),
                ]
            for text, style, hue, numbers in series:
                look = {"series": text, "style": style, "hue": hue}
                rows.append(mark_of(numbers) | place | look)
    return pd.DataFrame(rows, columns=FOREST)


MOSTLY_PRIOR = 0.8  # ratio of standard deviations, posterior to prior, from which the prior decides


def variables(evidence: Evidence) -> Tree:
    tree: Tree = {}
    tables = dict(evidence.heterogeneity)
    second = evidence.synthesis.get("heterogeneity", pd.DataFrame())
    for variant, mine in second.groupby("variant", sort=False) if len(second) else ():
        tables[str(variant)] = mine
    for name, table in tables.items():
        main = [
            r
            for r in records(table)
            if r["variant"] != "error_free" and not figure_rows.is_accuracy(r["parameter"])
        ]
        leaves: Tree = {"count": str(len(main)), "count_word": count(len(main))}
        if main:
            prior = [r for r in main if r["ratio"] >= MOSTLY_PRIOR]
            leaves |= {
                "ratio_min": number(min(r["ratio"] for r in main)),
                "ratio_max": number(max(r["ratio"] for r in main)),
                "mean_max": number(max(r["mean"] for r in main)),
                "mostly_prior": str(len(prior)),
            }
        for row in main:
            leaves[shortcode_key(row["parameter"])] = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
                "prior": number(row["prior_mean"]),
                "ratio": number(row["ratio"]),
            }
            if not pd.isna(row.get("i2")):
                leaves[shortcode_key(row["parameter"])] |= {
                    "i2": percent(row["i2"]),
                    "i2_interval": percents(row["i2_lower"], row["i2_upper"]),
                }
        tree[shortcode_key(name)] = leaves
    return tree
