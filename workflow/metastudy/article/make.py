"""Make what the catalogue of the article lists, each item by the topic that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from metastudy.article import catalogue
from metastudy.article.catalogue import Item, item_named
from metastudy.article.results import Results
from metastudy.article.topics import (
    answer_figures,
    answers,
    arms,
    associations,
    caterpillar,
    claims,
    code_contrasts,
    codings,
    concordance,
    convergence,
    dependence,
    design_based,
    differences,
    effect_directions,
    entered,
    events,
    exploratory,
    figure_answers,
    heterogeneity,
    identification,
    influence,
    left_out,
    left_out_groups,
    missing_outcomes,
    moderated,
    moderators,
    pairs,
    parcels,
    pooling,
    pooling_comparison,
    power_scaling,
    predictive_answers,
    predictive_checks,
    predictive_codings,
    predictive_events,
    prevalence,
    primary,
    prior_scales,
    published,
    published_directions,
    recovery,
    refits,
    selection,
    sensitivity,
    settings,
    studies,
    synthesis,
    tails,
    tiles,
    unlock,
)
from metastudy.article.variable_tree import Tree
from metastudy.display.pipe_table import Table
from metastudy.display.plots import arms as arms_plot
from metastudy.display.plots import (
    bubbles,
    code_places,
    evidence_map,
    flow,
    forest,
    funnel,
    study_grid,
    truths,
)
from metastudy.display.plots import (
    code_contrasts as contrast_plot,
)
from metastudy.display.plots import effect_directions as direction_plot
from metastudy.display.plots import published_directions as record_plot
from metastudy.display.plots import tiles as tiles_plot
from metastudy.display.plots import unlock as unlock_plot

__all__ = ["PLOTS", "TOPICS", "figure", "part", "table", "variables"]

TOPICS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        *(
            answer_figures,
            answers,
            caterpillar,
            claims,
            code_contrasts,
            codings,
            concordance,
            convergence,
        ),
        *(design_based, entered, events, predictive_events),
        *(dependence, differences, effect_directions, influence, moderated, moderators),
        *(
            arms,
            associations,
            left_out,
            left_out_groups,
            missing_outcomes,
            parcels,
            tails,
            tiles,
            unlock,
        ),
        *(exploratory, figure_answers, heterogeneity, identification, pairs, pooling),
        *(pooling_comparison, power_scaling),
        *(
            predictive_answers,
            predictive_checks,
            predictive_codings,
            prevalence,
            primary,
            prior_scales,
            published,
            published_directions,
            recovery,
            refits,
            selection,
            sensitivity,
            settings,
            studies,
            synthesis,
        ),
    )
}
PLOTS: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "arms": arms_plot.arms,
    "narrow_arms": arms_plot.narrow_arms,
    "forest": forest.forest,
    "flow": flow.participant_flow,
    "funnel": funnel.funnel,
    "study_grid": study_grid.study_grid,
    "effect_directions": direction_plot.directions,
    "published_directions": record_plot.published_directions,
    "bubbles": bubbles.bubbles,
    "evidence_map": evidence_map.evidence_map,
    "tiles": tiles_plot.tiles,
    "truths": truths.truths,
    "unlock": unlock_plot.unlock,
    "code_contrasts": contrast_plot.code_contrasts,
    "code_places": code_places.code_places,
}


def figure(evidence: Results, name: str) -> tuple[pd.DataFrame, Callable[[pd.DataFrame], Figure]]:
    """The table of a figure, and the function that draws it.

    Raises
    ------
    MetastudyError
        Where there is no such figure; the message names all.
    """
    item = item_named(catalogue.figures(evidence.models), name, "figure")
    return _made(evidence, item), PLOTS[item.plot]


def table(evidence: Results, name: str) -> Table:
    """One table by its name.

    Raises
    ------
    MetastudyError
        Where there is no such table; the message names all.
    """
    item = item_named(catalogue.tables(evidence.models), name, "table")
    found: Table = _made(evidence, item)
    return found


def part(evidence: Results, name: str) -> str:
    """One of the article's parts in Markdown: a whole topic, or nothing where there is none."""
    found: str = _made(evidence, item_named(catalogue.PARTS, name, "part"))
    return found


def variables(evidence: Results, build: Mapping[str, str]) -> Tree:
    """All variables.

    Parameters
    ----------
    evidence : the results of all phases; what is missing has no variables.
    build : names and versions of what made the article.

    Returns
    -------
    Nested dictionaries of texts: a tree for each module under its own name, and ``studies``,
    ``provenance``, ``synthesis``, ``heterogeneity``, ``diagnostics``, ``settings``, ``build``.
    """
    items = catalogue.variables({m: evidence.model(m) for m in evidence.contrasts})
    tree: Tree = {key: _made(evidence, item) for key, item in items.items()}
    tree["build"] = dict(build)
    return {key: value for key, value in tree.items() if value}


def _made(evidence: Results, item: Item) -> Any:
    make = getattr(TOPICS[item.topic], item.function)
    return make(evidence, item.module) if item.module else make(evidence)
