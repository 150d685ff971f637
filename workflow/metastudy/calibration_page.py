"""The page of the calibration: ranks, coverage and missed gates of every model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import binom

from metastudy import look
from metastudy import vocabulary as vocabularies
from metastudy.documents import Page, Section, Table, Text
from metastudy.errors import run
from metastudy.look import GREY, HUES, MARGIN, MEDIUM, PALE, SMALL, WIDTH
from metastudy.pages import write
from metastudy.ranks import (
    END_TO_END,
    INTERVALS,
    Band,
    band,
    bins_for,
    by_quantity,
    counts,
    uniformity,
)
from metastudy.study_page import Parts, drawn
from metastudy.vocabulary import Vocabulary
from metastudy.wording import mark, number, percent

__all__ = ["calibration_page", "picture"]

BINS = 20  # of a histogram, at most: ten simulations in each of them with 200
PROBABILITY = 0.95  # of the bands
MARKED = (
    "All data behind this page were drawn from the models' own priors, as a test of the models: "
    "nothing here says anything about people, organisations or places."
)
PARTS = {
    "pooled": "Second stage, given the covariance: standard deviations",
    "pooled_log_odds": "Second stage, given the covariance: log-odds",
    "pooled_log_risk_ratio": "Second stage, given the covariance: log risk ratios",
    "exploratory": "Exploratory model across families, given the covariance",
    END_TO_END: "From rows to the pooled mean",
}
KINDS = {
    "mu": "Population means",
    "contrast": "Contrasts of families",
    "difference": "Differences of two groups",
    "beta": "Effects in settings",
    "gamma": "Contrasts of codes",
    "baseline": "Intercepts",
    "prevalence": "Prevalences of families",
    "alpha": "Prevalences of codes",
    "level": "Levels of groups",
    "theta": "Effects behind estimates",
    "tau": "Heterogeneity (tau)",
    "site_tau": "Spread between sites",
    "prevalence_tau": "Spread of prevalences",
    "code_tau": "Spread between codes",
    "study_code_tau": "Spread of codes in studies",
    "organisation_tau": "Spread of organisations",
    "organisation_code_tau": "Spread of codes in them",
    "sigma": "Residual deviations",
    "construct_correlation": "Correlations of outcomes",
    "vignette_correlation": "Correlations of vignettes",
    "sensitivity": "Sensitivity of coders",
    "specificity": "Specificity of coders",
    "log_likelihood": "Joint log-likelihood",
}
GATES = {
    "rhat": "Largest R-hat",
    "ess_bulk": "Smallest bulk sample size",
    "ess_tail": "Smallest tail sample size",
    "divergences": "Divergences",
    "ebfmi": "Smallest E-BFMI",
}
HOW = (
    "Parameters are drawn from the priors, data from the parameters, with the design, the numbers "
    "of respondents and the exposures that were fitted. The model is fitted to each of these data "
    "sets. If model, likelihood and sampler agree, the rank of a true value among independent "
    "draws of its posterior is uniform, and an interval covers it as often as it says (Talts et "
    "al. 2018; Modrák et al. 2023). Only what the design lets data speak about is ranked."
)
BANDS = (
    "Left, the ranks in bins; right, how far their cumulated share is above what is expected. "
    "A line is a quantity. Uniform ranks of one quantity stay inside the dark band with a "
    "probability of 95% over its whole length, and those of all quantities of the model together "
    "inside the light one (Säilynoja, Bürkner and Vehtari 2022)."
)
WHOLE_WAY = (
    "Effects are drawn from the priors, rows from the effects; they are aggregated, estimated from "
    "and pooled as data are. Estimated covariances and standard deviations are taken for known on "
    "the way, so that coverage is expected near what the intervals say and not quite there: this "
    "is a measurement, and its bands are a yardstick."
)


def calibration_page(
    ranked: Mapping[str, pd.DataFrame], checks: Mapping[str, pd.DataFrame], vocabulary: Vocabulary
) -> Page:
    """Write the page.

    Parameters
    ----------
    ranked, checks : by module, ``synthesis`` among them, what
        :func:`metastudy.calibrate.fit_and_rank` gives.
    vocabulary : for the names of modules.
    """
    sections = [Section("How to read this page", [Text(HOW), Text(BANDS)])]
    for module, table in ranked.items():
        for part, own in table.groupby("part", sort=False):
            title = PARTS.get(str(part)) or vocabulary.label("modules", module)
            missed = checks[module][checks[module]["part"] == part]
            sections.append(Section(title, _part(f"{module}-{part}", str(part), own, missed)))
    return Page(
        name="index",
        title="Calibration",
        subtitle="Whether each model finds again what was simulated from it",
        mark=mark([p for table in ranked.values() for p in table["provenance"].unique()]),
        marked=MARKED,
        sections=sections,
        folder="figures/",
    )


def _part(name: str, part: str, ranked: pd.DataFrame, checks: pd.DataFrame) -> Parts:
    verdicts = uniformity(ranked, PROBABILITY)
    simulations, quantities = ranked["simulation"].nunique(), len(verdicts)
    alone, together = (int((~verdicts[column]).sum()) for column in ("alone", "together"))
    expected = number((1 - PROBABILITY) * quantities, 1)
    said = (
        f"{simulations} simulations, {quantities} quantities. Of these {alone} leave the band of "
        f"one quantity, where {expected} are expected by chance, and {together} that of all."
    )
    missed = ~checks.groupby("simulation")["passed"].all()
    stays = "stays" if missed.sum() == 1 else "stay"
    said += f" Of the simulations {missed.sum()} missed a gate; each {stays} among the ranks."
    said = said.replace("each stay ", "all stay ").replace("each stays", "it stays")
    alt = f"Ranks of {quantities} quantities in {simulations} simulations, by kind of quantity."
    parts: Parts = [Text(WHOLE_WAY)] if part == END_TO_END else []
    parts += [
        Text(said),
        drawn(name, picture(ranked), "Ranks of true values and their bands.", alt),
        _coverage(ranked, simulations),
        _gates(checks),
    ]
    if together:
        outside = verdicts[~verdicts["together"]]
        rows = [
            (_kind(p), q) for p, q in zip(outside["parameter"], outside["quantity"], strict=True)
        ]
        parts.append(Table("Quantities outside the band of all", ["Kind", "Quantity"], rows, 2))
    return parts


def _kind(parameter: str) -> str:
    return KINDS.get(parameter, parameter)


def _coverage(ranked: pd.DataFrame, simulations: int) -> Table:
    columns = [f"covered_{share}" for share in INTERVALS]
    rows = []
    for parameter, own in ranked.groupby("parameter", sort=False):
        means = own[columns].mean()
        quantities = str(own["quantity"].nunique())
        rows.append((_kind(str(parameter)), quantities, *(percent(means[c], 1) for c in columns)))
    ranges = [
        "{} to {}".format(
            *(percent(binom.ppf(q, simulations, s / 100) / simulations) for q in TAILS)
        )
        for s in INTERVALS
    ]
    note = (
        "Share of simulations and quantities in which the interval covers what is true. The "
        f"coverage of one quantity is within {', '.join(ranges[:-1])} and {ranges[-1]} with a "
        "probability of 95%, if the intervals are right."
    )
    heads = [
        "Quantities of this kind",
        "Quantities",
        *(f"{share}% interval" for share in INTERVALS),
    ]
    return Table("Coverage of equal-tailed intervals", heads, rows, note=note)


TAILS = (0.025, 0.975)


def _gates(checks: pd.DataFrame) -> Table:
    rows = []
    for gate, own in checks.groupby("gate", sort=False):
        largest = gate in ("rhat", "divergences")
        worst = own.iloc[int(own["value"].argmax() if largest else own["value"].argmin())]
        digits = 0 if gate == "divergences" or str(gate).startswith("ess") else 2
        rows.append(
            (
                GATES.get(str(gate), str(gate)),
                str(worst["quantity"]),
                number(worst["threshold"], digits),
                str(int((~own["passed"]).sum())),
                number(worst["value"], digits),
            )
        )
    note = (
        "Gates are those of the article's fits; those of R-hat and of sample sizes are moved by "
        "the ratio of the numbers of draws, and hold for the quantities that are ranked."
    )
    heads = ["Gate", "Worst for", "Threshold", "Simulations that missed it", "Worst value"]
    return Table("Gates of the simulations", heads, rows, heads=2, note=note)


# --- the picture ---------------------------------------------------------------------------------


@look.drawn
def picture(ranked: pd.DataFrame) -> Figure:
    """Ranks of one part: a row per kind of quantity, with histograms and cumulated differences.

    Parameters
    ----------
    ranked : see :func:`metastudy.calibrate.fit_and_rank`.
    """
    found, kept = by_quantity(ranked)
    kinds = list(dict.fromkeys(found.index.get_level_values("parameter")))
    simulations, bins = found.shape[1], bins_for(kept, BINS)
    each = 1 - (1 - PROBABILITY) / len(found)
    limits = {
        cumulative: [
            band(simulations, kept + 1 if cumulative else bins, wanted, cumulative)
            for wanted in (each, PROBABILITY)
        ]
        for cumulative in (False, True)
    }
    label, tall, gap, row = 1.55, 0.62, 0.35, 0.86
    wide = (WIDTH - 2 * MARGIN - label - gap - 0.1) / 2
    page = look.Page(0.2 + row * len(kinds) + 0.3, list(ranked["provenance"].unique()))
    left = MARGIN + label
    for x, heading in ((left, "Ranks"), (left + wide + gap, "Cumulated, above what is expected")):
        page.text(x, page.y + 0.1, heading, SMALL, weight="bold")
    for at, kind in enumerate(kinds):
        top = page.y + 0.2 + row * at
        own = found.xs(kind, level="parameter").to_numpy()
        title = look.wrapped(_kind(kind), label - 0.35, MEDIUM)
        page.text(MARGIN, top + 0.2, title, MEDIUM)
        below = top + 0.2 + look.LINE * look.lines(title)
        several = f"{len(own)} quantities" if len(own) > 1 else "1 quantity"
        page.text(MARGIN, below, several, SMALL, colour=GREY)
        last = at == len(kinds) - 1
        axes = page.axes(left, top, wide, tall)
        _histogram(axes, counts(own, kept, bins), limits[False], kept, last)
        axes = page.axes(left + wide + gap, top, wide, tall)
        _difference(axes, counts(own, kept, kept + 1), limits[True], kept, last)
    return page.figure


def _histogram(
    axes: Axes, of_bins: np.ndarray, limits: list[Band], kept: int, labelled: bool
) -> None:
    bins = of_bins.shape[1]
    edges = np.linspace(0, kept + 1, bins + 1)
    for limit, hue in zip(limits, (PALE, "#c4c4c4"), strict=True):
        axes.stairs(limit.upper, edges, baseline=limit.lower, fill=True, color=hue, lw=0)
    for values in of_bins:
        axes.stairs(values, edges, color=HUES["posterior"], lw=0.7, alpha=_light(len(of_bins)))
    axes.set_xlim(0, kept + 1)
    axes.set_ylim(0, 1.1 * max(of_bins.max(), limits[0].upper.max()))
    _finish(axes, kept, labelled)


def _difference(
    axes: Axes, of_bins: np.ndarray, limits: list[Band], kept: int, labelled: bool
) -> None:
    number_of = of_bins[0].sum()
    x = np.arange(1, kept + 2)
    expected = x / (kept + 1)
    for limit, hue in zip(limits, (PALE, "#c4c4c4"), strict=True):
        lower, upper = (bound / number_of - expected for bound in (limit.lower, limit.upper))
        axes.fill_between(x, lower, upper, color=hue, lw=0)
    for values in np.cumsum(of_bins, axis=1):
        light = _light(len(of_bins))
        axes.plot(x, values / number_of - expected, color=HUES["posterior"], lw=0.7, alpha=light)
    axes.axhline(0, color=GREY, lw=0.5)
    axes.set_xlim(0, kept + 1)
    _finish(axes, kept, labelled)


def _light(lines: int) -> float:
    return float(np.clip(4 / lines, 0.25, 1))


def _finish(axes: Axes, kept: int, labelled: bool) -> None:
    look.clean(axes, left=True)
    ticks = [0, (kept + 1) // 2, kept + 1]
    axes.set_xticks(ticks, [str(t) for t in ticks] if labelled else [""] * 3)
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.tick_params(axis="y", labelsize=SMALL - 1)


def main() -> None:
    """Entry point of the rule ``report_calibration``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=Path, nargs="+", required=True, help="one a module")
    parser.add_argument("--gates", type=Path, nargs="+", required=True, help="in the same order")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    args = parser.parse_args()
    ranked = {path.stem: pd.read_parquet(path) for path in args.ranks}
    checks = dict(zip(ranked, map(pd.read_parquet, args.gates), strict=True))
    made = calibration_page(ranked, checks, vocabularies.load(args.vocabulary))
    print(f"{len(write([made], args.out))} files in {args.out}")


if __name__ == "__main__":
    run(main)
