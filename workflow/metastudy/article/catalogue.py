"""The catalogue of the article: its figures, tables and variables, and what each is made from.

Rules and commands read it alike, so it is data only, and nothing heavy is imported here. A topic is
a module of :mod:`metastudy.article.topics`; :mod:`metastudy.article.make` calls its functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from metastudy.common.problems import MetastudyError

__all__ = [
    "OPTIONAL",
    "PARTS",
    "RESULTS",
    "Item",
    "figures",
    "files_of",
    "item_named",
    "result_files",
    "tables",
    "variables",
]

# The results that the article is made from: the option of the commands that takes their files.
RESULTS = {
    "studies": "folders of harmonized tables",
    "names": "what the studies are called, JSON; where nothing else of them is needed",
    "own_names": "<module>.json, the same of the studies of a module",
    "cells": "<module>.nc",
    "contrasts": "<module>.parquet",
    "draws": "<module>.nc, draws of the contrasts",
    "heterogeneity": "<module>-heterogeneity.parquet",
    "refits": "<module>.parquet, effects of refits",
    "power": "<module>-power.parquet",
    "correlations_of_arms": "<module>-correlations.parquet, where one of arms' outcomes is assumed",
    "predictive": "<module>.parquet, replicates",
    "comparison": "<module>.parquet, of pooling",
    "organisations": "<module>-organisations.parquet, of pooling, by left-out organisation",
    "checks": "<fit>.json, convergence of a fit",
    "appraisal": "risk of bias and certainty, CSV",
    "truth": "true values of simulated data, CSV",
    "left_out": "places left out one by one, CSV",
    "design_based": "design-based estimates",
    "sensitivity": "<module>-<variant>.parquet, contrasts of a sensitivity analysis",
    "selection": "analyses and effects of published effects, each .parquet",
    "robustness": "sensitivity analyses without refits, each .parquet",
    "unlock": "what candidate studies would unlock, .parquet",
    "synthesis": "estimates, pooled and what else the second stage makes, each .parquet",
}
OF_ONE_MODULE = (
    "cells",
    "contrasts",
    "draws",
    "predictive",
    "own_names",
)  # a module's own figure takes that module's file alone


@dataclass(frozen=True)
class Item:
    """A figure, a table or a part of the variables.

    ``function`` of ``topic`` makes it from the results that ``needs`` names; ``module`` is empty
    where it is about all modules. ``plot`` draws the table of a figure. ``without`` are needs that
    are of modules, and that a table does without in a project that has none.
    """

    topic: str
    function: str
    needs: tuple[str, ...]
    plot: str = "forest"
    module: str = ""
    without: tuple[str, ...] = ()


FIGURES = {
    "study_grid": Item("studies", "grid_figure", ("studies",), "study_grid"),
    "evidence_map": Item("pooling", "evidence_map", ("studies", "synthesis"), "evidence_map"),
    "participant_flow": Item("studies", "participant_flow", ("studies", "cells"), "flow"),
    "synthesis": Item("synthesis", "figure", ("names", "contrasts", "synthesis")),
    "caterpillar": Item("caterpillar", "figure", ("names", "synthesis")),
    "left_out": Item("left_out", "figure", ("names", "synthesis", "left_out")),
    "directions": Item(
        "effect_directions", "figure", ("studies", "contrasts"), "effect_directions"
    ),
    "record": Item(
        "published_directions", "figure", ("studies", "contrasts"), "published_directions"
    ),
    "aliases": Item(
        "identification", "figure", ("names", "contrasts", "synthesis"), "effect_directions"
    ),
    "heterogeneity": Item(
        "heterogeneity", "figure", ("names", "contrasts", "heterogeneity", "synthesis")
    ),
    "refits": Item("refits", "figure", ("names", "contrasts", "refits")),
    "comparison": Item("pooling_comparison", "figure", ("studies", "cells", "comparison")),
    "primary": Item("primary", "figure", ("names", "contrasts", "synthesis")),
    "recovery": Item("recovery", "figure", ("studies", "contrasts", "truth")),
    "truths": Item("recovery", "against_truth", ("studies", "contrasts", "truth"), "truths"),
    "exploratory": Item("exploratory", "figure", ("names", "synthesis")),
    "moderators": Item("moderators", "figure", ("names", "synthesis"), "bubbles"),
    "selection": Item("selection", "figure", ("names", "selection"), "funnel"),
    "unlock": Item("unlock", "figure", ("names", "unlock"), "unlock"),
}
TABLES = {
    "studies": Item("studies", "table", ("studies", "cells")),
    "exclusions": Item("studies", "exclusions_table", ("studies", "cells")),
    "heterogeneity": Item("heterogeneity", "table", ("names", "heterogeneity", "synthesis")),
    "diagnostics": Item("convergence", "table", ("names", "checks")),
    "synthesis": Item("synthesis", "table", ("studies", "synthesis")),
    "exploratory": Item("exploratory", "table", ("names", "synthesis")),
    "moderators": Item("moderators", "table", ("names", "synthesis")),
    "dependence": Item("dependence", "table", ("names", "synthesis")),
    "influence": Item("influence", "table", ("names", "synthesis")),
    "prior_scales": Item("prior_scales", "table", ("names", "synthesis")),
    "pooling": Item("pooling", "table", ("names", "synthesis")),
    "aliases": Item(
        "identification", "table", ("names", "contrasts", "synthesis"), without=("contrasts",)
    ),
    "entered": Item("entered", "table", ("studies",)),
    "findings": Item("published", "findings_table", ("studies",)),
    "concordance": Item("concordance", "table", ("studies", "contrasts", "draws")),
    "bounds": Item("published", "bounds_table", ("studies",)),
    "outcomes": Item("published", "outcomes_table", ("studies", "appraisal")),
    "certainty": Item("published", "certainty_table", ("studies", "appraisal")),
    "appraisal": Item("published", "appraisal_table", ("appraisal",)),
    "design_based": Item("design_based", "table", ("studies", "design_based")),
    "sensitivity": Item("sensitivity", "table", ("names", "contrasts", "sensitivity")),
    "refits": Item("refits", "table", ("studies", "contrasts", "refits")),
    "power": Item("power_scaling", "table", ("names", "contrasts", "power")),
    "comparison": Item(
        "pooling_comparison",
        "table",
        ("studies", "cells", "contrasts", "comparison", "organisations"),
    ),
    "primary": Item("primary", "table", ("names", "contrasts", "synthesis", "refits")),
    "recovery": Item("recovery", "table", ("studies", "contrasts", "truth")),
    "selection": Item("selection", "table", ("names", "selection")),
    "tails": Item("tails", "table", ("names", "robustness")),
    "associations": Item("associations", "table", ("studies", "robustness")),
    "missing_outcomes": Item(
        "missing_outcomes", "table", ("studies", "cells", "robustness"), without=("cells",)
    ),
    "left_out_groups": Item("left_out_groups", "table", ("names", "robustness")),
    "unlock": Item("unlock", "table", ("names", "unlock")),
}
# Whole topics in one file, with sentences, figure and table: empty where the data have none.
PARTS = {
    "selection": Item("selection", "part", ("names", "selection")),
    "parcels": Item("parcels", "part", ("studies",)),
}
# What a topic can do without: its table is there and says that there is nothing to show.
OPTIONAL = frozenset({"truth", "left_out"})
VARIABLES = {
    "studies": Item("studies", "variables", ("studies", "cells")),
    "provenance": Item("studies", "provenance_variables", ("names",)),
    "entered": Item("entered", "variables", ("studies",)),
    "published": Item("concordance", "variables", ("studies", "contrasts", "draws", "appraisal")),
    "heterogeneity": Item("heterogeneity", "variables", ("names", "heterogeneity", "synthesis")),
    "synthesis": Item("synthesis", "variables", ("studies", "synthesis")),
    "caterpillar": Item("caterpillar", "variables", ("names", "synthesis")),
    "left_out": Item("left_out", "variables", ("names", "synthesis", "left_out")),
    "moderators": Item("moderators", "variables", ("names", "synthesis")),
    "dependence": Item("dependence", "variables", ("synthesis",)),
    "influence": Item("influence", "variables", ("names", "synthesis")),
    "prior_scales": Item("prior_scales", "variables", ("names", "synthesis")),
    "diagnostics": Item("convergence", "variables", ("checks",)),
    "refits": Item("refits", "variables", ("names", "contrasts", "refits")),
    "power": Item("power_scaling", "variables", ("contrasts", "power")),
    "sensitivity": Item(
        "sensitivity", "variables", ("names", "contrasts", "sensitivity", "predictive")
    ),
    "predictive": Item(
        "predictive_checks", "variables", ("studies", "cells", "contrasts", "predictive")
    ),
    "comparison": Item(
        "pooling_comparison",
        "variables",
        ("studies", "cells", "contrasts", "comparison", "organisations"),
    ),
    "recovery": Item("recovery", "variables", ("studies", "contrasts", "truth")),
    "selection": Item("selection", "variables", ("names", "selection")),
    "tails": Item("tails", "variables", ("names", "robustness")),
    "associations": Item("associations", "variables", ("names", "robustness")),
    "missing_outcomes": Item("missing_outcomes", "variables", ("studies", "cells", "robustness")),
    "left_out_groups": Item("left_out_groups", "variables", ("names", "robustness")),
    "primary": Item("primary", "variables", ("names", "contrasts", "synthesis")),
    "claims": Item("claims", "variables", ("names", "contrasts")),
    "record": Item("published_directions", "variables", ("studies", "contrasts")),
    "unlock": Item("unlock", "variables", ("unlock",)),
    "figures": Item(
        "figure_answers",
        "variables",
        ("studies", "cells", "contrasts", "heterogeneity", "refits", "synthesis"),
    ),
    "settings": Item("settings", "variables", ()),
}

# What each module has, by its kind of model: `<name>_<module>` is the figure's or table's name.
MODULE_FIGURES = {
    "answers": {
        "arms": Item("arms", "figure", ("own_names", "contrasts", "draws"), "arms"),
        # of a name with this beginning: what a narrow screen is shown in place of the one without
        "narrow_arms": Item("arms", "figure", ("own_names", "contrasts", "draws"), "narrow_arms"),
        "tiles": Item("tiles", "figure", ("own_names", "contrasts"), "tiles"),
        "module": Item("answer_figures", "figure", ("own_names", "contrasts")),
        "moderated": Item(
            "moderated", "figure", ("own_names", "cells", "contrasts", "draws"), "bubbles"
        ),
        "predictive": Item("predictive_answers", "figure", ("own_names", "predictive")),
    },
    "codings": {
        "module": Item("codings", "figure", ("own_names", "contrasts")),
        "places": Item("prevalence", "places_figure", ("own_names", "contrasts"), "code_places"),
        "contrasts": Item(
            "code_contrasts", "figure", ("own_names", "contrasts", "draws"), "code_contrasts"
        ),
        "predictive": Item("predictive_codings", "figure", ("own_names", "predictive")),
    },
    "events": {
        "module": Item("events", "figure", ("own_names", "contrasts")),
        "predictive": Item("predictive_events", "figure", ("own_names", "predictive")),
    },
}
MODULE_TABLES = {
    "answers": {
        "effects": Item("answers", "effects_table", ("names", "contrasts", "refits")),
        "differences": Item("differences", "table", ("names", "contrasts", "correlations_of_arms")),
        "pairs": Item("pairs", "table", ("names", "contrasts", "draws")),
        "levels": Item("answers", "levels_table", ("names", "contrasts")),
    },
    "codings": {
        "effects": Item("codings", "effects_table", ("names", "contrasts", "refits")),
        "prevalence": Item("prevalence", "prevalence_table", ("names", "contrasts")),
        "places": Item("prevalence", "places_table", ("names", "contrasts")),
    },
    "events": {
        "effects": Item("events", "effects_table", ("names", "contrasts", "refits")),
        "differences": Item("differences", "table", ("names", "contrasts", "correlations_of_arms")),
        "shares": Item("events", "shares_table", ("names", "contrasts")),
    },
}
MODULE_VARIABLES = {
    "answers": Item(
        "answers",
        "variables",
        ("studies", "contrasts", "cells", "draws", "refits", "correlations_of_arms"),
    ),
    "codings": Item("codings", "variables", ("names", "contrasts", "heterogeneity", "refits")),
    "events": Item("events", "variables", ("names", "contrasts", "cells", "refits")),
}


def figures(models: Mapping[str, str]) -> dict[str, Item]:
    """All figures by name, given each module's kind of model."""
    return FIGURES | _of_modules(MODULE_FIGURES, models)


def tables(models: Mapping[str, str]) -> dict[str, Item]:
    """All tables by name, given each module's kind of model."""
    return TABLES | _of_modules(MODULE_TABLES, models)


def variables(models: Mapping[str, str]) -> dict[str, Item]:
    """All parts of the variables by their first key: the modules come first."""
    own = {m: replace(MODULE_VARIABLES[kind], module=m) for m, kind in models.items()}
    return own | VARIABLES


def item_named(items: Mapping[str, Item], name: str, what: str) -> Item:
    """One of some items, which are called ``what``.

    Raises
    ------
    MetastudyError
        Where there is none of this name; the message names all.
    """
    if name not in items:
        raise MetastudyError(f"no {what} '{name}'; there are {', '.join(items)}")
    return items[name]


def _of_modules(
    items: Mapping[str, Mapping[str, Item]], models: Mapping[str, str]
) -> dict[str, Item]:
    """Items of each module, each item for all modules before the next."""
    return {
        f"{name}_{module}": replace(item, module=module)
        for module, kind in models.items()
        for name, item in items[kind].items()
    }


def result_files(
    studies: Sequence[str], modules: Sequence[str], fits: Sequence[str], appraisal: str
) -> dict[str, list[str]]:
    """Files of each of :data:`RESULTS`.

    Parameters
    ----------
    fits : of the modules, called after them, and of their sensitivity analyses.
    appraisal : path of the appraisal of published findings.
    """
    second_stage = (
        *("estimates", "pooled", "exploratory", "structure", "heterogeneity"),
        *("moderators", "moderator_lines", "dependence", "correlations", "influence"),
        "prior_scales",
    )
    robustness = ("tails", "associations", "missing_outcomes", "left_out_groups")
    return {
        "appraisal": [appraisal],
        # The rules know whether these are there.
        "truth": [],
        "left_out": [],
        "selection": [f"results/selection/{table}.parquet" for table in ("analyses", "effects")],
        "design_based": ["results/design_based/estimates.parquet"],
        "unlock": ["results/unlock/estimands.parquet"],
        "robustness": [f"results/robustness/{table}.parquet" for table in robustness],
        "sensitivity": [f"results/contrasts/{fit}.parquet" for fit in fits if fit not in modules],
        "studies": [f"results/harmonized/{study}" for study in studies],
        "names": ["results/names/studies.json"],
        "own_names": [f"results/names/modules/{m}.json" for m in modules],
        "cells": [f"results/cells/{m}.nc" for m in modules],
        "contrasts": [f"results/contrasts/{m}.parquet" for m in modules],
        "draws": [f"results/contrasts/{m}.nc" for m in modules],
        "heterogeneity": [f"results/contrasts/{m}-heterogeneity.parquet" for m in modules],
        "refits": [f"results/refits/{m}.parquet" for m in modules],
        "power": [f"results/refits/{m}-power.parquet" for m in modules],
        "correlations_of_arms": [f"results/refits/{m}-correlations.parquet" for m in modules],
        "predictive": [f"results/predictive/{m}.parquet" for m in modules],
        "comparison": [f"results/comparison/{m}.parquet" for m in modules],
        "organisations": [f"results/comparison/{m}-organisations.parquet" for m in modules],
        "checks": [f"results/diagnostics/{fit}.json" for fit in [*fits, "synthesis"]],
        "synthesis": [f"results/synthesis/{table}.parquet" for table in second_stage],
    }


def files_of(item: Item, files: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of :func:`result_files` those that an item is made from; a module's takes its own."""
    return {
        need: [
            path
            for path in files[need]
            if not item.module
            or need not in OF_ONE_MODULE
            or PurePosixPath(path).stem == item.module
        ]
        for need in item.needs
    }
