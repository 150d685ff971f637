"""Settings: the configuration's numbers and families of priors as the article prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from metastudy.article.results import Results
from metastudy.article.topics.pooled_means import PULLED
from metastudy.article.topics.refits import KEPT
from metastudy.article.variable_tree import Tree, put
from metastudy.design.identification import ALIKE
from metastudy.design.moderators import LEAST_STUDIES
from metastudy.display.formatting import percent, share
from metastudy.display.plain_markdown import Markdown
from metastudy.models.answers.standardisers import LEAST_DF
from metastudy.models.base import AT
from metastudy.posterior.verdicts import ERRORS

__all__ = ["variables"]
SECTIONS = ("report", "sampling", "gates", "priors", "pooling")
# Numbers that methods stand on and that no configuration changes.
CONSTANTS = {
    "alike": ALIKE,  # correlation from which two components are one
    "least_df": LEAST_DF,  # degrees of freedom of a standardiser
    "kept": KEPT,  # probability of its sign in a refit that keeps a claim
    "pulled": PULLED,  # posterior standard deviations from which a prior's pull is reported
    "least_studies": LEAST_STUDIES,  # for each coefficient of a moderator
    "low_correlation": AT[0],  # of dependent estimates, beside the assumed one
    "high_correlation": AT[1],
    "errors": ERRORS,  # Monte Carlo errors from a cut that are the border
}


def variables(evidence: Results) -> Tree:
    """The config's numbers as they are there; probabilities also as percentages.

    Returns
    -------
    A tree ``<section>.<key>`` for the sections that the article cites. Of a prior whose family is
    named this is the scale; ``prior_families.<key>`` has the family in words,
    ``prior_laws.effect`` the distribution of a mean effect as a formula,
    ``prior_within.effect`` the share of that prior within one standard deviation, and
    ``constants.<name>`` a number that is no setting (:data:`CONSTANTS`).
    """
    tree: Tree = {}
    for section in SECTIONS:
        for key, value in evidence.settings.get(section, {}).items():
            if value is None or isinstance(value, list):
                continue
            value = value["scale"] if isinstance(value, Mapping) else value
            put(tree, [section], {key: _text(value)})
    for key, prior in evidence.priors.items():
        put(tree, ["prior_families"], {key: prior.words})
    if "effect" in evidence.priors:
        put(
            tree,
            ["prior_laws"],
            {"effect": Markdown(rf"$\mu \sim {evidence.priors['effect'].law(r's_{\mu}')}$")},
        )
        within = float(2 * evidence.priors["effect"].cdf(np.array(1.0)) - 1)
        put(tree, ["prior_within"], {"effect": percent(within)})
    put(tree, ["constants"], {name: _text(value) for name, value in CONSTANTS.items()})
    report = evidence.settings.get("report", {})
    if "interval" in report:
        tree["report"]["interval_percent"] = share(float(report["interval"]))
    return tree


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
