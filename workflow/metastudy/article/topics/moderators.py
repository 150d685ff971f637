"""Moderators of the second stage: figure, table and sentences, where a codebook declares some."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, estimate_and_interval, metric_label
from metastudy.article.topics.arms import INNER
from metastudy.article.variable_tree import Tree, put, unit
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, joined, number, probability
from metastudy.display.pipe_table import Table

__all__ = ["NOT_DONE", "figure", "place_of", "table", "variables"]

NOT_DONE = "Moderators: not done, because no moderator is declared."
IN_MODULES = "Moderators are with the effects of each module; no pooled effect has one."
BUBBLES = [
    *("panel", "across", "along", "kind", "label", "x", "position"),
    *("estimate", "lower", "upper", "inner_lower", "inner_upper", "weight", "provenance"),
]


def _name(evidence: Results, key: str) -> str:
    return evidence.labels.of(key, "moderators")


def _category(evidence: Results, moderator: str, level: str) -> str:
    entry = evidence.vocabulary["moderators"].get(moderator, {})
    return str(entry.get("levels", {}).get(level, level))


def _estimand(evidence: Results, row: Mapping[str, Any]) -> str:
    label = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    if not row["outcome"]:  # of a module's structure: the same for all outcomes
        return label
    return f"{label}: {inline(evidence.labels.outcome(str(row['outcome'])))}"


def _place(evidence: Results, row: Mapping[str, Any]) -> str:
    """Where the population mean is."""
    if row["category"]:
        return f"at {_category(evidence, str(row['moderator']), str(row['at']))}"
    return f"at the mean, {float(row['at']):.4g} {row['unit']}".rstrip()


def place_of(evidence: Results, row: Mapping[str, Any]) -> str:
    """Where the population mean is, with the name of the moderator.

    Parameters
    ----------
    row : of the table ``moderators``.
    """
    name = inline(_name(evidence, str(row["moderator"])))
    if row["category"]:
        return f"with {_category(evidence, str(row['moderator']), str(row['at']))} ({name})"
    return f"at the mean of {name}, {float(row['at']):.4g} {row['unit']}".rstrip()


def _found(evidence: Results, name: str) -> pd.DataFrame:
    return evidence.synthesis.get(name, pd.DataFrame())


def table(evidence: Results) -> Table:
    """Coefficients: per standard deviation and per unit of a number, or against a reference."""
    found = _found(evidence, "moderators")
    rows = []
    for row in records(found):
        estimate, bounds = estimate_and_interval(row)
        moderator, category = str(row["moderator"]), str(row["category"])
        if category:
            what = f"{_name(evidence, moderator)}: {_category(evidence, moderator, category)}"
            each = "–"
        else:
            what = (
                f"{_name(evidence, moderator)}, per SD ({row['scale']:.3g} {row['unit']}".rstrip()
            )
            what += ")"
            one = [row[name] / row["scale"] for name in ("mean", "lower", "upper")]
            each = f"{number(one[0], 3)} ({interval(one[1], one[2], 3)})"
        remarks = ["a comparison between studies" if row["between"] else "varies within studies"]
        remarks += [str(row["note"])] * bool(row["note"])
        rows.append(
            {
                "Effect": f"{_estimand(evidence, row)}, {metric_label(str(row['metric']))}",
                "Moderator": what,
                "Studies": str(row["studies"]),
                "Change": f"{estimate} ({bounds})",
                "Per unit": each,
                "Direction": probability(row["pd"]),
                "Population mean": _place(evidence, row),
                "Remark": "; ".join(remarks),
            }
        )
    caption = (
        "What the pooled effects differ by: change of the effect per standard deviation of a "
        "number, or of a category against its reference, all moderators of an effect together. The "
        "heterogeneity beside it is what they leave."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def figure(evidence: Results) -> pd.DataFrame:
    """Effects against each moderator, and the mean where the other moderators are at theirs.

    Estimates are normal, so that their inner intervals follow from the others; means have none.
    """
    rows = []
    inner = NormalDist().inv_cdf(0.5 + INNER / 2) / evidence.z
    for row in records(_found(evidence, "moderator_lines")):
        moderator, category = str(row["moderator"]), str(row["category"])
        along = _name(evidence, moderator) + (f" ({row['unit']})" if row["unit"] else "")
        rows.append(
            {
                "panel": _estimand(evidence, row),
                "across": f"Effect, {unit(str(row['metric']))}",
                "along": along,
                "kind": row["kind"],
                "label": evidence.labels.study(str(row["group"])) if row["group"] else "",
                "x": row["x"],
                "position": _category(evidence, moderator, category) if category else "",
                "estimate": row["mean"],
                "lower": row["lower"],
                "upper": row["upper"],
                **(
                    {
                        "inner_lower": row["mean"] - inner * (row["mean"] - row["lower"]),
                        "inner_upper": row["mean"] + inner * (row["upper"] - row["mean"]),
                    }
                    if row["kind"] == "estimate"
                    else {}
                ),
                "weight": row["weight"],
                "provenance": row["provenance"],
            }
        )
    return pd.DataFrame(rows, columns=BUBBLES)


def variables(evidence: Results) -> Tree:
    """Coefficients by effect and moderator, and what is said of them.

    Without a second stage there are none. ``sentence`` says that nothing was done where no
    moderator is declared, and of one that was refused why.
    """
    if "estimates" not in evidence.synthesis:
        return {}
    found = _found(evidence, "moderators")
    structure = evidence.synthesis["structure"]
    mine = structure["grouping"].isin(list(evidence.vocabulary["moderators"]))
    refused = structure[mine & structure["used_as"].eq("refused")]
    said = [_sentence(evidence, row) for row in records(found)]
    said += _left_out(evidence, structure[mine & structure["used_as"].eq("left out")])
    said += [
        f"{_name(evidence, str(r['grouping']))} is refused as a moderator of "
        f"{inline(_estimand(evidence, r | _types(evidence, r)))}: {r['reason']}."
        for r in records(refused)
    ]
    tree: Tree = {
        "count": str(len(found)),
        "sentence": " ".join(said) or (IN_MODULES if mine.any() else NOT_DONE),
    }
    for row in records(found):
        place = ["effects", str(row["exposure"]), str(row["outcome"]), str(row["moderator"])]
        place += [str(row["category"])] if row["category"] else []
        leaves = {
            "change": number(row["mean"]),
            "interval": interval(row["lower"], row["upper"]),
            "pd": probability(row["pd"]),
            "at": _place(evidence, row),
        }
        if not row["category"]:
            leaves["per_unit"] = number(row["mean"] / row["scale"], 3)
        put(tree, place, leaves)
    return tree


def _left_out(evidence: Results, rows: pd.DataFrame) -> list[str]:
    """Moderators that the model of a module has no terms for, a sentence a module and reason."""
    said = []
    for (module, reason), mine in rows.groupby(["module_or_family", "reason"], sort=False):
        every = [_name(evidence, str(name)) for name in dict.fromkeys(mine["grouping"])]
        label = inline(evidence.labels.of(str(module), "modules"))
        names = joined([every[0], *map(inline, every[1:])])
        are = "is no term" if len(every) == 1 else "are no terms"
        said.append(f"{names} {are} of the module {label}: {reason}.")
    return said


def _types(evidence: Results, row: Mapping[str, Any]) -> dict[str, str]:
    """The exposure type of a row of the structure, from the estimates."""
    estimates = evidence.synthesis["estimates"]
    own = estimates.loc[estimates["exposure"] == row["exposure"], "exposure_type"]
    return {"exposure_type": str(own.iloc[0]) if len(own) else ""}


def _sentence(evidence: Results, row: Mapping[str, Any]) -> str:
    """One coefficient in words; what the data do not decide is undecided."""
    moderator, category = str(row["moderator"]), str(row["category"])
    name = inline(_name(evidence, moderator))
    sure = row["pd"] >= evidence.cuts["direction"]
    # Not larger or smaller: of an effect below zero that would be the other way round.
    word = ("higher" if row["mean"] > 0 else "lower") if sure else ""
    against = _category(evidence, moderator, str(row["at"]))
    more = f"with {_category(evidence, moderator, category)} rather than {against}"
    if not category:
        size = f"{row['scale']:.3g} {row['unit']}".rstrip()
        more = f"with a higher {name} (one standard deviation, {size})"
    estimate, bounds = estimate_and_interval(row)
    effect = f"the effect on {inline(evidence.labels.outcome(str(row['outcome'])))}"
    if word:
        text = f"{effect[0].upper()}{effect[1:]} is {word} {more}: {estimate} ({bounds})"
    else:
        text = f"Whether {effect} differs {more} is undecided: {estimate} ({bounds})"
    studies = f"{count(int(row['studies']))} studies"
    said = [f"a comparison between {studies}" if row["between"] else f"of {studies}, within them"]
    said += [str(row["note"])] * bool(row["note"])
    return f"{text}, {joined(said)}; the population mean is {_place(evidence, row)}."
