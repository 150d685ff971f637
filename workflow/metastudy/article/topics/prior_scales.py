"""Pooled means with the scales of the second stage's priors halved and doubled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import (
    VERDICTS,
    columns_of,
    estimate_and_interval,
    metric_label,
)
from metastudy.article.topics.power_scaling import KEYS
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import inline, number, of_all, share
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import power_scaled
from metastudy.models.prior_widths import ALL, VARIANTS
from metastudy.posterior.power import SENSITIVE
from metastudy.synthesis.families import FAMILY

__all__ = ["FEW", "table", "variables"]

FEW = "Priors of the second stage: not varied, because nothing is pooled."
WORDS = dict(zip(VARIANTS.values(), ("halved", "doubled"), strict=True))
MISSING = "are of refits that miss a gate and are"


def table(evidence: Results) -> Table:
    """Each pooled mean with each prior halved and doubled, and its verdict where it is another."""
    found, before = _found(evidence), _whole(evidence)
    rows = []
    for row in records(found):
        whole, own = before[row["id"]], evidence.verdict(row)
        rows.append(
            {
                "Mean": _effect(evidence, row),
                "Pooled": _cell(whole),
                "Priors": _varied(row),
                "Pooled with it": _cell(row),
                "Shift, posterior SD": number(row["shift"]),
                "Other verdict": VERDICTS[own] if own != evidence.verdict(whole) else "–",
                "Gate missed": row["missed"] or "–",
            }
        )
    caption = (
        "Pooled means, the posterior mean with its "
        f"{share(evidence.interval)} interval, with the scale of each prior of the second stage "
        "halved and doubled, and with all of them at once; of an LKJ prior the shape is doubled "
        "and halved. A refit that misses a gate is not counted."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    if len(shown):  # a mean is named once for all of its priors
        again = shown["Mean"].eq(shown["Mean"].shift())
        shown[["Mean", "Pooled"]] = shown[["Mean", "Pooled"]].mask(again, "")
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """The largest shift and the changed verdicts in a sentence; none without a second stage."""
    if "estimates" not in evidence.synthesis:
        return {}
    found = _found(evidence)
    if not len(found):
        return {"sentence": FEW}
    counted = found[found["missed"] == ""]
    missed = len(found) - len(counted)
    are = "is of a refit that misses a gate and is" if missed == 1 else MISSING
    which = "the one mean" if len(found) == 1 else f"{missed} of {len(found)} means"
    of = f"{which} {are} not counted"
    if counted.empty:
        return {"sentence": f"Priors of the second stage halved and doubled: {of}."}
    worst = records(counted)[int(counted["shift"].abs().argmax())]
    before = _whole(evidence)
    changed = {
        row["id"]
        for row in records(counted)
        if evidence.verdict(row) != evidence.verdict(before[row["id"]])
    }
    n = len(changed)
    each = [row["upper"] - row["lower"] for row in records(counted)]
    whole = [before[row["id"]] for row in records(counted)]
    widths = [one / (w["upper"] - w["lower"]) for one, w in zip(each, whole, strict=True)]
    said = (
        "With each prior scale of the second stage halved and doubled, and all at once, no pooled "
        f"mean moves by more than {number(abs(worst['shift']))} posterior standard deviations "
        f"({_effect(evidence, worst)}; {inline(_varied(worst))}), intervals are "
        f"{number(min(widths))} to {number(max(widths))} times as wide, and "
        f"{of_all(n, counted['id'].nunique(), 'verdict', 'change')}"
    )
    return {"sentence": f"{said}{f'; {of}' if missed else ''}. {_power(found)}"}


def _power(found: pd.DataFrame) -> str:
    """How many means move with a power of all priors, and how many with one of the data as well."""
    means = found.drop_duplicates(["id", "kind"])
    prior = means[means["scaled_prior"] > SENSITIVE]
    both = int((prior["scaled_likelihood"] > SENSITIVE).sum())
    return power_scaled(len(prior), both, len(means), "pooled mean")


def _found(evidence: Results) -> pd.DataFrame:
    return evidence.synthesis.get("prior_scales", pd.DataFrame())


def _whole(evidence: Results) -> dict[str, dict[str, Any]]:
    """The pooled means with the priors of the configuration, by their ids."""
    pooled = evidence.synthesis.get("pooled", pd.DataFrame())
    if not len(pooled):
        return {}
    means = pooled[pooled["level"].isin(["population", FAMILY])]
    return {row["id"]: row for row in records(means)}


def _cell(row: Mapping[str, Any]) -> str:
    return "{} ({})".format(*estimate_and_interval(row))


def _varied(row: Mapping[str, Any]) -> str:
    """Which prior was varied and how, such as ``Effects halved``."""
    key = str(row["prior_key"])
    what = "all" if key == ALL else KEYS.get(key, key)
    return f"{what[0].upper()}{what[1:]} {WORDS[float(row['factor'])]}"


def _effect(evidence: Results, row: Mapping[str, Any]) -> str:
    exposure = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    outcome = inline(evidence.labels.outcome(str(row["outcome"])))
    of_family = "mean of " if row["kind"] == FAMILY else ""
    return f"{exposure}: {of_family}{outcome}, {metric_label(str(row['metric']))}"
