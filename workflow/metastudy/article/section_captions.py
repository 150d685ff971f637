"""Captions and alternative texts in an article that grows with what there is.

A caption asks what its figure is for, answers from variables, and says what a mark is; an
alternative text says what kind of picture it is, in which order, and what it reads as in numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from metastudy.common.tables import JOINT

__all__ = ["CAPTIONS", "FIGURES", "Caption", "as_drawn"]

MEANS_ABOVE = "Above: means of the outcomes. Below:"
PLACED = "in one country and sector"
SPAN = "{{< var settings.report.interval_percent >}}"


@dataclass(frozen=True)
class Caption:
    """What is said of a figure; of an answer only the variables that are there.

    In each text ``{label}`` is the label of the module that the figure is about and ``{module}``
    its key; in a path, ``*`` is any key.
    """

    question: str
    answers: tuple[str, ...]  # paths of variables, each a sentence with its numbers
    marks: str  # what a mark is, and its intervals
    picture: str  # of the alternative text: kind of picture, axes, order
    read: tuple[str, ...] = ()  # paths for the alternative text, where not those of the answer


def _own(name: str) -> tuple[str, ...]:
    return (f"figures.{name}.answer",)


def as_drawn(marks: str, table: pd.DataFrame) -> str:
    """What is said of the marks of a figure, of this table: no means, or countries in one row."""
    if "part" in table and not table["part"].eq("level").any():
        marks = marks.replace(f"{MEANS_ABOVE} the", "The")
    if "country" in table and table["country"].str.contains(JOINT, regex=False).any():
        marks = marks.replace(PLACED, "in one sector")
    return marks


# By the name of the figure, of a module's without the module.
FIGURES = {
    "study_grid": Caption(
        "Who was asked what, and where?",
        _own("study_grid"),
        f"A row is a study {PLACED} with people of one role, a mark what it covers.",
        "Grid of the studies by country, sector, role, kind of exposure and response mode.",
    ),
    "participant_flow": Caption(
        "Who left, and why?",
        _own("participant_flow"),
        "A bar is the rows of a study after a step.",
        "Bars of each study: the rows read, those that each rule excluded, and those in a model.",
    ),
    "aliases": Caption(
        "Which groupings can be told apart around each exposure?",
        _own("aliases"),
        "A sign is what a grouping is in the model, by the design alone.",
        "Grid of exposures by study, country, sector, setting and role, with what each grouping is "
        "in the model.",
    ),
    "places": Caption(
        "{label}: which codes, where?",
        ("{module}.level.places.sentence",),
        f"Points are shares of sources, lines {SPAN} intervals; an empty place was not asked.",
        "Dot plot of the codes of the module {label} by place, in per cent of sources.",
    ),
    "contrasts": Caption(
        "{label}: which codes differ?",
        ("{module}.*.largest.sentence",),
        f"Log-odds by family and by size; thick lines hold two thirds, thin ones {SPAN}. At the "
        "right is the probability of lying beyond the band that is too small to matter.",
        "Dot plot in log-odds of the codes of the module {label}, a panel for each exposure, by "
        "family and by size.",
    ),
    "unlock": Caption(
        "What would one more study unlock?",
        ("unlock.sentence",),
        "A sign is what would become of the effects of a column, computed from the design alone.",
        "Matrix of candidate studies by groups of effects that are not pooled today.",
    ),
    "synthesis": Caption(
        "What do the studies say together?",
        _own("synthesis"),
        f"Open marks are estimates of studies, diamonds what pools them, with {SPAN} intervals. "
        "The percentage beside a study is its weight in the pooled mean, given the spreads.",
        "Forest plot of the estimate of each study, the pooled effects and their predictions.",
    ),
    "caterpillar": Caption(
        "By how much do places differ?",
        (*_own("caterpillar"), "caterpillar.sentence"),
        f"Filled marks are pooled effects in order, open ones the mean of a place's own estimates "
        f"alone, with {SPAN} intervals.",
        "For each place, sorted by size, the pooled effect and the mean of its own estimates.",
        _own("caterpillar"),
    ),
    "left_out": Caption(
        "Do the others predict a place that is left out?",
        ("left_out.sentence",),
        "Points are the estimates of places, lines the intervals predicted for them from all "
        "others, the error of the estimate included; filled points lie outside.",
        "For each place, sorted by its estimate, the interval predicted from all others and the "
        "estimate.",
    ),
    "moderators": Caption(
        "Do effects differ by what studies differ in?",
        ("moderators.sentence",),
        "Points are estimates of studies, the larger, the surer; the line is that of the model.",
        "Estimates against each moderator, with the line of the model.",
    ),
    "directions": Caption(
        "Which contrasts have a sign?",
        _own("directions"),
        "A sign is the verdict on a contrast.",
        "For each module a grid of exposures by outcomes with a sign for each contrast.",
    ),
    "record": Caption(
        "What was published, and in which direction?",
        ("record.sentence",),
        "Filled arrows are directions of published findings whatever their significance, hollow "
        "ones the signs of posterior means about the same.",
        "List of published findings by exposure and outcome, each with an arrow for its direction "
        "and the number of people.",
    ),
    "heterogeneity": Caption(
        "How far do effects differ between groups?",
        _own("heterogeneity"),
        f"Grey are priors, coloured posteriors of standard deviations, with {SPAN} intervals.",
        "Intervals of prior and posterior of each between-group standard deviation.",
    ),
    "refits": Caption(
        "What moves the results?",
        _own("refits"),
        f"Points are means with all data and their {SPAN} intervals, bars below them the range of "
        "the means over refits.",
        "Forest plot of each population effect, and below it the range of its means over refits.",
    ),
    "comparison": Caption(
        "How far should groups be pooled?",
        ("comparison.*.sentence",),
        "Points are expected log predictive densities of left-out rows, as difference from the "
        f"best, with {SPAN} intervals.",
        "For each module complete, partial and no pooling, each at its difference from the best.",
    ),
    "arms": Caption(
        "{label}: what do the experiments change?",
        ("{module}.*_randomised.summary",),
        "Left (or above): means of the arms. Right (or below): each effect minus those on the "
        f"other outcomes of its family; thick lines hold two thirds, thin ones {SPAN}; the band is "
        "too small to matter.",
        "Dot plot of the mean of each outcome of the module {label} by arm, the highest first, "
        "beside the differences between effects.",
    ),
    "tiles": Caption(
        "{label}: which outcome, and what shifts it?",
        ("{module}.tiles.sentence",),
        f"{MEANS_ABOVE} the colour is the posterior mean, and the sides of a tile are as long as "
        "it is probable that the effect is not too small to matter.",
        "Heat map of exposures by outcomes of the module {label}, these ordered by their means.",
    ),
    "module": Caption(
        "{label}: how large are the effects?",
        _own("module_{module}"),
        f"Points are posterior means with {SPAN} intervals; the band is too small to matter.",
        "Forest plot of the effects of each exposure on each outcome of the module {label}.",
    ),
    "moderated": Caption(
        "{label}: do effects differ by what studies differ in?",
        ("{module}.moderated.sentence",),
        "Points are the effects in single settings, as the model has them, which draws them "
        "towards its mean; the larger, the surer. Thick intervals hold two thirds, thin ones "
        f"{SPAN}; a line or a diamond is the mean, with the same two intervals.",
        "Effects in settings against each moderator, with the mean of the model of {label}.",
        ("{module}.moderated.alt",),
    ),
    "predictive": Caption(
        "{label}: does the model give data like these?",
        ("predictive.{module}.sentence",),
        "Points are statistics of the data, lines intervals of their replicates.",
        "Statistics of the data of the module {label} on the intervals of replicates.",
    ),
}
# Where a table's own caption speaks of how the shipped findings were seen.
CAPTIONS = {
    "findings": "Published findings. Those of a study whose data are here as well never enter a "
    "pool beside them.",
    "appraisal": "Risk of bias and certainty of the published studies.",
}
