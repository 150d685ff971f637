"""The page of the calibration: ranks, coverage and missed gates of every model."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy.stats import binom

from metastudy.calibration.rank_bands import END_TO_END, INTERVALS, POSTERIOR, uniformity
from metastudy.calibration_report.figures import PROBABILITY, kind_of, picture
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.display.formatting import mark, number, percent
from metastudy.display.page import Page, Parts, Section, Table, Text, drawn

__all__ = ["calibration_page"]

MARKED = (
    "All that is ranked on this page was drawn from the models themselves, from their priors or "
    "from their posteriors, as a test of the models: nothing here says anything about people, "
    "organisations or places."
)
PARTS = {
    "pooled": "Second stage, given the covariance: standard deviations",
    "pooled_log_odds": "Second stage, given the covariance: log-odds",
    "pooled_log_risk_ratio": "Second stage, given the covariance: log risk ratios",
    "exploratory": "Exploratory model across families, given the covariance",
    END_TO_END: "From rows to the pooled mean",
}
GATES = {
    "rhat": "Largest R-hat",
    "ess_bulk": "Smallest bulk sample size",
    "ess_tail": "Smallest tail sample size",
    "divergences": "Divergences",
    "ebfmi": "Smallest E-BFMI",
}
PRIOR_SBC, POSTERIOR_SBC = "prior SBC", "posterior SBC"
HOW = (
    "Prior SBC: parameters are drawn from the priors, data from the parameters, with the design, "
    "the numbers of respondents and the exposures that were fitted. The model is fitted to each of "
    "these data sets. If model, likelihood and sampler agree, the rank of a true value among "
    "independent draws of its posterior is uniform, and an interval covers it as often as it says "
    "(simulation-based calibration; Talts et al. 2018; Modrák et al. 2023). Only what the design "
    "lets data speak about is ranked."
)
HOW_POSTERIOR = (
    "Posterior SBC: parameters are drawn from the posterior of the data at hand, data like these "
    "from the parameters, and the model is fitted to both data sets together, with all parameters "
    "in common. Ranks are uniform under the same conditions, now where the data at hand say that "
    "the parameters are, which is a small part of where the priors allow them to be (Säilynoja, "
    "Schmitt, Bürkner and Vehtari 2025)."
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
        :func:`metastudy.calibration.simulation_based.fit_and_rank` gives.
    vocabulary : for the names of modules.
    """
    sections = [Section("How to read this page", [Text(HOW), Text(HOW_POSTERIOR), Text(BANDS)])]
    for module, table in ranked.items():
        for part, own in table.groupby("part", sort=False):
            title = _title(str(part), module, vocabulary)
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


def _title(part: str, module: str, vocabulary: Vocabulary) -> str:
    """What is calibrated, and from where true values are drawn."""
    what = part.removesuffix(POSTERIOR).rstrip("_0123456789")
    if what == END_TO_END:
        return PARTS[what]
    if module in vocabulary["modules"]:
        name = vocabulary.label("modules", module)
    else:
        metric = what.removeprefix("pooled_").replace("_", " ")
        name = PARTS.get(what, f"Second stage, given the covariance: {metric}")
    return f"{name} ({POSTERIOR_SBC if part.endswith(POSTERIOR) else PRIOR_SBC})"


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
            (kind_of(p), q) for p, q in zip(outside["parameter"], outside["quantity"], strict=True)
        ]
        parts.append(Table("Quantities outside the band of all", ["Kind", "Quantity"], rows, 2))
    return parts


def _coverage(ranked: pd.DataFrame, simulations: int) -> Table:
    columns = [f"covered_{share}" for share in INTERVALS]
    rows = []
    for parameter, own in ranked.groupby("parameter", sort=False):
        means = own[columns].mean()
        quantities = str(own["quantity"].nunique())
        rows.append((kind_of(str(parameter)), quantities, *(percent(means[c], 1) for c in columns)))
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
