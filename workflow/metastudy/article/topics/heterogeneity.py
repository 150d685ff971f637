"""Heterogeneity: every between-group standard deviation beside its prior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from metastudy.article.figure_rows import (
    FOREST,
    STAGES,
    is_accuracy,
    mark_of,
    parameter_label,
)
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    columns_of,
    estimate_and_interval,
    metric_label,
    study_marks,
)
from metastudy.article.variable_tree import Tree, shortcode_key
from metastudy.common.tables import join_values, records
from metastudy.display.formatting import (
    count,
    inline,
    interval,
    number,
    percent,
    percents,
    share,
    words,
)
from metastudy.display.pipe_table import Table

__all__ = ["figure", "table", "variables"]


def table(evidence: Results) -> Table:
    """Prior and posterior of each standard deviation between groups and of coders' accuracy."""
    rows, full = [], []
    for found in _found(evidence):
        for row in records(found.table):
            parts = parameter_label(evidence, row["parameter"], list(found.table["parameter"]))
            before = interval(row["prior_lower"], row["prior_upper"])
            estimate, bounds = estimate_and_interval(row)
            decides = row["ratio"] > evidence.prior_decides and not is_accuracy(row["parameter"])
            rows.append(
                {
                    "Model": found.label
                    + (", every coding taken as true" if row["variant"] == "error_free" else ""),
                    "Parameter": ", ".join(part for part in parts if part),
                    "Prior": f"{number(row['prior_mean'])} ({before})",
                    "Posterior": f"{estimate} ({bounds})",
                    "Ratio of SDs": number(row["ratio"]),
                    "I²": _inconsistency(row),
                    "ICC": _icc(row, found.unit),
                    "Remark": "decided by its prior" if decides else "–",
                }
            )
            full.append(row | {"model": found.label})
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    inconsistent = len(shown) > 0 and shown["I²"].ne("–").any()
    if not inconsistent:
        shown = shown.drop(columns="I²", errors="ignore")
    between_sites = len(shown) > 0 and shown["ICC"].ne("–").any()
    if not between_sites:
        shown = shown.drop(columns="ICC", errors="ignore")
    if len(shown) and set(shown["Remark"]) == {"–"}:
        shown = shown.drop(columns="Remark")
    if len(shown):  # one study at one place has no spread at all
        shown["Model"] = shown["Model"].mask(shown["Model"].eq(shown["Model"].shift()), "")
    caption = (
        "Standard deviations between groups and coders' accuracy: mean and "
        f"{share(evidence.interval)} interval before and after the data. The prior of a component "
        "is its own: that of the total times the root of a uniform share. A component is decided "
        f"by its prior where the ratio of the standard deviations is above "
        f"{evidence.prior_decides:g}. The table's file has each prior in words."
    )
    if inconsistent:
        caption += (
            " I²: share of the variance of a typical estimate that lies between the groups, where "
            "each study has one estimate."
        )
    if between_sites:
        caption += (
            " ICC: share of the variance of answers within a setting that lies between its sites, "
            "the square of the standard deviation of their baselines."
        )
    return Table(shown, pd.DataFrame(full), caption, study_marks(evidence))


def _icc(row: Mapping[str, Any], unit: str) -> str:
    """Share of the variance within a setting between sites: mean and interval of a square.

    The unit of the standard deviation is that of all people of a setting, whatever their site, so
    its square is the share. Only baselines have one; what an effect differs by is no part of it.
    """
    if unit != "SD" or not str(row["parameter"]).startswith("site_tau[intercept,"):
        return "–"
    bounds = interval(row["lower"] ** 2, row["upper"] ** 2)
    return f"{number(row['mean'] ** 2 + row['sd'] ** 2)} ({bounds})"


def _inconsistency(row: Mapping[str, Any]) -> str:
    if pd.isna(row.get("i2")):
        return "–"
    return f"{percent(row['i2'])} ({percents(row['i2_lower'], row['i2_upper'])})"


def figure(evidence: Results) -> pd.DataFrame:
    """Every between-group standard deviation and coders' accuracy: prior beside posterior."""
    provenance = {
        name: join_values(table["provenance"]) for name, table in evidence.contrasts.items()
    }
    everything = join_values(study.provenance for study in evidence.studies)
    rows = []
    for found in _found(evidence):
        among = list(found.table["parameter"])
        for row in records(found.table):
            accuracy = is_accuracy(row["parameter"])
            panel, label = parameter_label(evidence, row["parameter"], among)
            spread = f"Standard deviation between groups, {found.unit}"
            what = "coders' accuracy" if accuracy else "standard deviations between groups"
            if panel and row["parameter"].startswith(
                "outcome_tau"
            ):  # its rows are those of no other panel
                panel, what = "", inline(panel)
            place = {
                "block": f"{found.label}: {what}",
                "panel": panel,
                "row": label,
                "axis": "Probability" if accuracy else spread,
                "reference": None if accuracy else 0.0,
                "outcome": row["parameter"],
                "provenance": provenance.get(found.key) or everything,
            }
            if row["variant"] == "error_free":
                series = [("Posterior, every coding taken as true", "pale", "posterior", row)]
            else:
                before = {name: row[f"prior_{name}"] for name in ("mean", "lower", "upper")}
                series = [
                    ("Prior", "prior", "prior", before),
                    ("Posterior", "filled", "posterior", row),
                ]
            for text, style, hue, numbers in series:
                look = {"series": text, "style": style, "hue": hue}
                rows.append(mark_of(numbers) | place | look)
    return pd.DataFrame(rows, columns=FOREST)


def variables(evidence: Results) -> Tree:
    """By model and parameter: estimate, interval, the prior, its mean and the ratio to it.

    Without accuracies of coders, and without the parameters of the error-free variant.
    """
    tree: Tree = {}
    for found in _found(evidence):
        main = [
            r
            for r in records(found.table)
            if r["variant"] != "error_free" and not is_accuracy(r["parameter"])
        ]
        leaves: Tree = {"count": str(len(main)), "count_word": count(len(main))}
        if main:
            prior = [r for r in main if r["ratio"] > evidence.prior_decides]
            leaves |= {
                "ratio_min": number(min(r["ratio"] for r in main)),
                "ratio_max": number(max(r["ratio"] for r in main)),
                "mean_max": number(max(r["mean"] for r in main)),
                "decided": str(len(prior)),
                "sentence": _sentence(len(main), len(prior)),
            }
        for row in main:
            leaves[shortcode_key(row["parameter"])] = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
                "prior": number(row["prior_mean"]),
                "law": row["prior"],
                "ratio": number(row["ratio"]),
            }
            if not pd.isna(row.get("i2")):
                leaves[shortcode_key(row["parameter"])] |= {
                    "i2": percent(row["i2"]),
                    "i2_interval": percents(row["i2_lower"], row["i2_upper"]),
                }
        tree[shortcode_key(found.key)] = leaves
    return tree


def _sentence(total: int, prior: int) -> str:
    if not prior:
        return f"Of {total} standard deviations none is decided by its prior."
    if prior == total > 1:
        which = "Both" if total == 2 else f"All {count(total)}"
        return f"{which} standard deviations are decided by their priors."
    are = "is" if prior == 1 else "are"
    return f"Of {total} standard deviations {count(prior)} {are} decided by the prior."


class _Model(NamedTuple):
    """The standard deviations and accuracies of one model."""

    key: str  # a module, or the variant of a second-stage model
    label: str
    unit: str  # of the standard deviations
    table: pd.DataFrame


def _found(evidence: Results) -> Iterator[_Model]:
    """Every model that has a table of heterogeneity: the modules, then the second stage."""
    for name, table in evidence.heterogeneity.items():
        kind = evidence.kind(name)
        label = evidence.vocabulary.label("modules", name)
        unit = "log-odds" if kind.metric == "log_odds" else "SD"
        yield _Model(name, label, unit, table)
    second = evidence.synthesis.get("heterogeneity", pd.DataFrame())
    for variant, mine in second.groupby("variant", sort=False) if len(second) else ():
        key = str(variant)
        unit = _unit_of(evidence.synthesis.get(key, pd.DataFrame()))
        yield _Model(key, STAGES.get(key, words(key)), unit, mine)


def _unit_of(effects: pd.DataFrame) -> str:
    """Units of the standard deviations of a second-stage model, by the metrics of its effects."""
    metrics = effects["metric"].unique() if len(effects) else ["sd"]
    return " or ".join(dict.fromkeys(metric_label(m) for m in metrics))
