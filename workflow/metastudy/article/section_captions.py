"""Captions and alternative texts in an article that grows with what there is.

``{label}`` is the label of the module that a figure is about, ``{module}`` its key.
"""

from __future__ import annotations

__all__ = ["CAPTIONS", "FIGURES"]

# Where the reader may look for what a figure shows: its caption and its alternative text.
FIGURES = {
    "study_grid": (
        "Where the studies are, and what they cover.",
        "Grid of the studies by country, sector, role, kind of exposure and response mode.",
    ),
    "participant_flow": (
        "Participant flow of each study.",
        "For each study the rows read, those that each rule excluded, and those in a model.",
    ),
    "aliases": (
        "What the design identifies around each exposure.",
        "Grid of exposures by study, country, sector, setting and role, with what each grouping is "
        "in the model.",
    ),
    "places": (
        "{label}: codes by place.",
        "Share of sources with each code of the module {label}, by place.",
    ),
    "contrasts": (
        "{label}: contrasts of codes in log-odds, by family and by size.",
        "Contrasts of the codes of the module {label} with their intervals, a panel for each "
        "exposure, and the probability that each lies beyond the region of practical equivalence.",
    ),
    "unlock": (
        "What one more study would unlock, computed from the design alone.",
        "Matrix of candidate studies by groups of effects that are not pooled today: a sign says "
        "whether these would be pooled, told apart from a place or a role, or stay alone.",
    ),
    "synthesis": (
        "Estimates of studies (open) and what pools them, with "
        "{{< var settings.report.interval_percent >}} intervals. The percentage beside a study is "
        "its weight in the pooled mean, given the spreads.",
        "Forest plot of the estimate of each study, the pooled effects and their predictions.",
    ),
    "caterpillar": (
        "Places in order of their pooled effects (filled), beside the mean of their own estimates "
        "alone (open), with {{< var settings.report.interval_percent >}} intervals.",
        "For each place the pooled effect and the mean of its own estimates, sorted by size.",
    ),
    "moderators": (
        "Effects of studies by their moderators.",
        "Estimates against each moderator, with the line of the model.",
    ),
    "directions": (
        "Directions of the contrasts, by their verdicts.",
        "For each module a grid of exposures by outcomes with a sign for each contrast.",
    ),
    "record": (
        "Published directions beside the contrasts of this article.",
        "List of published findings by exposure and outcome, each with an arrow for its direction, "
        "the number of people, and hollow arrows for the contrasts about the same.",
    ),
    "heterogeneity": (
        "Between-group standard deviations: prior (grey) and posterior.",
        "Intervals of prior and posterior of each between-group standard deviation.",
    ),
    "refits": (
        "Population effects with all data, and the range of their means over refits.",
        "Forest plot of each population effect, and below it the range of its means over refits.",
    ),
    "comparison": (
        "Expected log predictive density of left-out rows, as difference from the best way of "
        "pooling.",
        "For each module complete, partial and no pooling, each at its difference from the best.",
    ),
    "arms": (
        "{label}: means of the arms of the experiments, and each effect against those on the other "
        "outcomes of its family, with {{< var settings.report.interval_percent >}} intervals; the "
        "band is too small to matter.",
        "Dot plot of the mean of each outcome of the module {label} by arm, beside the differences "
        "between effects.",
    ),
    "tiles": (
        "{label}: means of the outcomes, and a tile for each effect on them, as large as it is "
        "sure to lie beyond the region of practical equivalence.",
        "Heat map of the effects of each exposure on each outcome of the module {label}.",
    ),
    "module": (
        "{label}: effects with {{< var settings.report.interval_percent >}} intervals.",
        "Effects of each exposure on each outcome of the module {label}.",
    ),
    "moderated": (
        "{label}: do effects differ by what studies differ in? "
        "{{< var {module}.moderated.sentence >}} Points are the effects in single settings, as the "
        "model has them, which draws them towards its mean; the larger, the surer. Thick intervals "
        "hold two thirds, thin ones are {{< var settings.report.interval_percent >}} intervals; a "
        "line or a diamond is the mean, with the same two intervals.",
        "Effects in settings against each moderator, with the mean of the model of {label}. "
        "{{< var {module}.moderated.alt >}}",
    ),
    "predictive": (
        "{label}: observed statistics (points) and intervals of their replicates.",
        "Observed statistics of the module {label} on the intervals of replicates.",
    ),
}
# Where a table's own caption speaks of how the shipped findings were seen.
CAPTIONS = {
    "findings": "Published findings. Those of a study whose data are here as well never enter a "
    "pool beside them.",
    "appraisal": "Risk of bias and certainty of the published studies.",
}
