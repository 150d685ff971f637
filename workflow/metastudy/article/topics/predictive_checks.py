"""Predictive checks: where the data lie among replicated data, as figure and variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results, of_modules
from metastudy.common.tables import JOINT, records
from metastudy.display.formatting import count, inline, interval, joined, number, percent, percents

__all__ = [
    "INNER",
    "MAX_IN_FIGURE",
    "NOMINAL",
    "NUMBER",
    "OF_CODES",
    "OF_EVENTS",
    "PLACES",
    "SHAPE",
    "SPREAD",
    "STATISTICS",
    "between_clusters",
    "farthest",
    "farthest_blocks",
    "figure",
    "marks",
    "not_from",
    "of_how_many",
    "outcome_label",
    "outside",
    "panels",
    "variables",
    "whole_studies",
    "without",
]


Rows = Callable[[Results, pd.DataFrame], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class _Statistic:
    """How a statistic of the rows is called."""

    panel: str
    axis: str
    one: str  # inside a sentence
    several: str
    percent: bool = False
    prior: bool = False  # whether the figure shows what the prior gives
    reference: float | None = None


STATISTICS = {
    "mean": _Statistic("Mean", "Mean, % of the scale", "mean", "means", prior=True),
    "sd": _Statistic(
        "Between persons", "Standard deviation, % of the scale",
        "standard deviation", "standard deviations", prior=True,
    ),
    "site_sd": _Statistic(
        "Between means of sites", "Standard deviation, % of the scale",
        "standard deviation between sites", "standard deviations between sites", prior=True,
    ),
    "skewness": _Statistic(
        "Skewness", "Skewness", "skewness", "values of skewness", reference=0.0
    ),
    "floor": _Statistic(
        "Lowest value", "Scores at or beyond, %",
        "share at the lowest value", "shares at the lowest value", True,
    ),
    "ceiling": _Statistic(
        "Highest value", "Scores at or beyond, %",
        "share at the highest value", "shares at the highest value", True,
    ),
    "correlation": _Statistic("", "Correlation", "correlation", "correlations"),
    "prevalence": _Statistic(
        "With the code", "Interviews, %", "prevalence", "prevalences", True, True
    ),
    "share": _Statistic(
        "With the outcome", "People, %",
        "share with the outcome", "shares with the outcome", True, True,
    ),
    "organisation_sd": _Statistic(
        "Between organisations", "SD of the prevalences, %",
        "spread between organisations", "spreads between organisations", True,
    ),
    "agreement": _Statistic(
        "Two coders agree", "Interviews with two coders, %",
        "agreement of two coders", "agreements of two coders", True,
    ),
    "codes_mean": _Statistic(
        "Mean", "Codes per interview",
        "number of codes per interview", "numbers of codes per interview", prior=True,
    ),
    "codes_sd": _Statistic(
        "Standard deviation", "Standard deviation of the codes per interview",
        "spread of the number of codes", "spreads of the number of codes", prior=True,
    ),
}  # fmt: skip
SHAPE = ("mean", "skewness", "floor", "ceiling")
SPREAD = ("sd", "site_sd")
OF_EVENTS = ("share", "site_sd")
OF_CODES = ("prevalence", "organisation_sd", "agreement")
NUMBER = ("codes_mean", "codes_sd")
MAX_IN_FIGURE = 6  # correlations, and codes of a study, in the figure: those farthest out
MAX_ALL_SHOWN, SHOWN_OF_MORE = (
    3,
    2,
)  # so many studies or vignettes are all in the figure; of more, these
MOST_NAMED = 3  # statistics that the text names as the worst
PLACES = {"country": ("by country", "countries"), "sector": ("by sector", "sectors")}
NOT_FROM_A_PARCEL = "not from a parcel"
NOT_FROM_MEANS = "not without rows of people"
LEAVES = (
    *("count", "outside", "outside_word", "percent", "sentence", "worst", "prior", "prior_percent"),
    *("off_scale_prior", "off_scale_posterior"),
)
NOMINAL, INNER = 0.95, 0.5  # probability of the intervals of replicates


def outside(table: pd.DataFrame) -> pd.Series:
    """Whether an observed value lies outside the 95% interval of its replicates."""
    return (table["observed"] < table["lower"]) | (table["observed"] > table["upper"])


def farness(table: pd.DataFrame) -> pd.Series:
    """How far out an observed value lies, in half-widths of the interval of its replicates."""
    half = (table["upper"] - table["lower"]) / 2
    return (table["observed"] - table["mean"]).abs() / half.where(half > 0)


def figure(evidence: Results, module: str, rows: Rows) -> pd.DataFrame:
    """Observed statistics against their replicates from prior and posterior, for the forest.

    A mark is the observed value; its thin line is the 95% interval of the replicates and its thick
    line the 50% interval. What would tell of few people has no mark and is left out.

    Parameters
    ----------
    rows : which statistics of the module's table are shown, and where: that of its kind of model.
    """
    table = evidence.predictive[evidence.predictive["module"] == module]
    table = table.sort_values(
        ["country", "sector"], kind="stable", key=lambda of: of.map(evidence.labels.position)
    )
    return pd.DataFrame(list(rows(evidence, table)), columns=figure_rows.FOREST)


def whole_studies(table: pd.DataFrame) -> pd.DataFrame:
    """What is about studies rather than about countries and sectors."""
    return table[(table["country"] == "") & (table["sector"] == "")]


def farthest_blocks(
    table: pd.DataFrame, keys: list[str]
) -> tuple[list[tuple[tuple[str, ...], pd.DataFrame]], str]:
    """The parts of a table that a figure has room for, and the remark that there are more."""
    groups = table.groupby(keys, sort=False)
    parts = [(tuple(map(str, key)), mine) for key, mine in groups]
    if len(parts) <= MAX_ALL_SHOWN:
        return parts, ""

    def worst(part: tuple[tuple[str, ...], pd.DataFrame]) -> float:
        return float(farness(part[1][part[1]["kind"] == "posterior"]).max())

    kept = sorted(parts, key=worst, reverse=True)[:SHOWN_OF_MORE]
    return kept, f" (of the {count(SHOWN_OF_MORE)} farthest out of {len(parts)})"


def farthest(table: pd.DataFrame, most: int = MAX_IN_FIGURE) -> list[Any]:
    """Index of the rows whose observed value lies farthest out."""
    return list(farness(table).dropna().sort_values(ascending=False, kind="stable").index[:most])


def of_how_many(shown: int, everything: int) -> str:
    """A note for a heading that only the farthest are shown; empty if all are."""
    return f": the {count(shown)} farthest out of {everything}" if shown < everything else ""


def panels(
    evidence: Results,
    table: pd.DataFrame,
    names: tuple[str, ...],
    block: str,
    vignettes: bool = False,
) -> Iterator[dict[str, Any]]:
    """A panel for each statistic, a row for each outcome."""
    for name in names:
        for row in records(table[table["statistic"] == name]):
            what = {"block": block, "panel": STATISTICS[name].panel}
            yield from marks(evidence, row, what | {"row": outcome_label(evidence, row, vignettes)})


def outcome_label(evidence: Results, row: Mapping[str, Any], vignettes: bool) -> str:
    """Outcome, or both of a correlation; with the vignette where it must be said."""
    label = evidence.labels.outcome(row["outcome"])
    if row["other"]:
        label += f" and {inline(evidence.labels.outcome(row['other']))}"
        if row["vignette"] != row["other_vignette"]:
            return f"{label}, across vignettes"
    if vignettes:
        label += f", {inline(figure_rows.vignette_label(evidence, row['vignette']))}"
    return label


def marks(
    evidence: Results, row: Mapping[str, Any], what: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The observed value on the interval of the replicates; from the prior only the interval."""
    said = STATISTICS[row["statistic"]]
    if pd.isna(row["observed"]) or (row["kind"] == "prior" and not said.prior):
        return
    scale = 100 if said.percent else 1
    # A share or a mean of observed people in full is a fraction whose denominator can be read off.
    digits = 1 if said.percent else 2
    inside = row["lower"] <= row["observed"] <= row["upper"]
    series, style, hue = {
        (True, True): ("Replicates from the prior", "line", "prior"),
        (True, False): ("Replicates from the prior", "line", "prior"),
        (False, True): ("Observed, inside 95% of the replicates", "filled", "posterior"),
        (False, False): ("Observed, outside 95% of the replicates", "filled", "outside"),
    }[row["kind"] == "prior", inside]
    about = {name: row[name] for name in ("outcome", "vignette", "study", "provenance")}
    about |= {"exposure": "", "exposure_type": "", "level": row["kind"], "group": ""}
    about |= {"metric": row["statistic"], "note": "", "axis": said.axis, "series": series, **what}
    about |= {"reference": said.reference}
    estimate = scale * row["observed" if row["kind"] == "posterior" else "mean"]
    for look, lower, upper in ((style, "lower", "upper"), ("thick", "lower50", "upper50")):
        ends = {"lower": scale * row[lower], "upper": scale * row[upper], "estimate": estimate}
        if "observed" in row["provenance"]:
            ends = {name: round(float(end), digits) for name, end in ends.items()}
        yield about | ends | {"style": look, "hue": hue}


def variables(evidence: Results) -> dict[str, Any]:
    """For each module how many statistics lie outside their replicates, and sentences."""
    tree: dict[str, Any] = {
        module: _module_variables(evidence, mine)
        for module, mine in of_modules(evidence, evidence.predictive)
    }
    for module in evidence.contrasts:
        if absent := evidence.without_rows(module):
            if module not in tree:
                tree[module] = dict.fromkeys(LEAVES, not_from(evidence, module))
            said = without(tree[module]["sentence"], absent, "are no predictive checks")
            tree[module]["sentence"] = said
    if tree:
        tree |= {"interval": percent(NOMINAL), "inner": percent(INNER)}
    return tree


def not_from(evidence: Results, module: str) -> str:
    """What stands in place of a number that needs rows, of a module without any."""
    only = evidence.parcels(module) == evidence.without_rows(module)
    return NOT_FROM_A_PARCEL if only else NOT_FROM_MEANS


def without(sentence: str, absent: Sequence[str], none: str) -> str:
    """What is said of rows, with the studies that have none.

    Parameters
    ----------
    none : what there is not if no study has rows, such as "are no predictive checks".
    """
    if sentence in (NOT_FROM_A_PARCEL, NOT_FROM_MEANS):
        return f"Of {joined(map(inline, absent))} there {none}: {sentence}."
    return f"{sentence} This is without {joined(absent)}, of which there are no rows."


def between_clusters(evidence: Results, table: pd.DataFrame) -> pd.DataFrame:
    """One module's statistics, the spread between its clusters called after what they are."""
    cluster = evidence.kind(str(table["module"].iloc[0])).cluster if len(table) else "site"
    return table.assign(statistic=table["statistic"].replace("site_sd", f"{cluster}_sd"))


def _module_variables(evidence: Results, table: pd.DataFrame) -> dict[str, str]:
    table = between_clusters(evidence, table)
    table = table.reset_index(drop=True)
    listed = table[table["observed"].notna()]
    prior, after = (listed[listed["kind"] == kind] for kind in ("prior", "posterior"))
    out = after[outside(after)]
    totals = after["statistic"].value_counts()
    kinds = [
        f"the one {STATISTICS[str(name)].one}"
        if totals[name] == 1
        else f"{count(len(mine))} of the {count(int(totals[name]))} {STATISTICS[str(name)].several}"
        for name, mine in sorted(
            out.groupby("statistic"), key=lambda found: (-len(found[1]), str(found[0]))
        )
    ]
    expected = round((1 - NOMINAL) * len(after))
    chance = f"about {count(expected)}" if expected else "hardly any"
    outlying = f"outside the {percent(NOMINAL)} interval of"
    said = (
        f"Of {len(after)} observed statistics, {count(len(out)) if len(out) else 'none'} "
        f"{'lie' if len(out) > 1 else 'lies'} {outlying} "
        f"{'their' if len(out) > 1 else 'its'} replicates, where {chance} would if the model "
        "were true"
    )
    if len(after) == 1:
        lies = "lies" if len(out) else "does not lie"
        said = f"The one observed statistic {lies} {outlying} its replicates"
    worst = out.loc[farthest(out, MOST_NAMED)]
    within = ~outside(prior)
    leaves = {
        "count": str(len(after)),
        "outside": str(len(out)),
        "outside_word": count(len(out)),
        "percent": percent(len(out) / len(after)),
        "sentence": said + (f": {joined(kinds)}." if kinds else "."),
        "worst": joined(_said_of(evidence, row) for row in records(worst)),
        "prior": f"{within.sum()} of {len(prior)}",
        "prior_percent": percent(within.mean()),
    }
    ends = table[table["statistic"].isin(["floor", "ceiling"])]
    if len(ends):
        key = ["kind", "study", "country", "sector", "outcome", "vignette"]
        beyond = ends.groupby(key)["mean"].sum().groupby("kind").max()
        leaves |= {f"off_scale_{kind}": percent(value) for kind, value in beyond.items()}
    return leaves


def _said_of(evidence: Results, row: Mapping[str, Any]) -> str:
    """One statistic with its numbers, inside a sentence."""
    said = STATISTICS[str(row["statistic"])]
    what = [inline(evidence.labels.outcome(row["outcome"]))] if row["outcome"] else []
    if row["other"]:
        what.append(f"and {inline(evidence.labels.outcome(row['other']))}")
    places = [evidence.labels.of(row[p], section) for p, (_, section) in PLACES.items() if row[p]]
    if row["vignette"]:
        places = [inline(figure_rows.vignette_label(evidence, row["vignette"])), *places]
    studies = joined(map(evidence.labels.study, row["study"].split(JOINT)))
    place = ", ".join([studies, *places])
    if said.percent:
        numbers = percent(row["observed"], 1)
        numbers += f" against {percents(row['lower'], row['upper'], 1)}"
    else:
        numbers = f"{number(row['observed'])} against {interval(row['lower'], row['upper'])}"
    return f"the {said.one}{' of ' * bool(what)}{' '.join(what)} ({place}: {numbers})"
