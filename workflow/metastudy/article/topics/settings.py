"""Settings: the configuration's numbers and families of priors as the article prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metastudy.article.results import Evidence
from metastudy.article.variable_tree import Tree, put
from metastudy.display.formatting import share

__all__ = ["variables"]
SECTIONS = ("report", "sampling", "gates", "priors")


def variables(evidence: Evidence) -> Tree:
    """The config's numbers as they are there; probabilities also as percentages.

    Returns
    -------
    A tree ``<section>.<key>`` for the sections that the article cites. Of a prior whose family is
    named this is the scale; ``prior_families.<key>`` has the family in words, and
    ``prior_laws.effect`` the distribution of a mean effect as a formula.
    """
    tree: Tree = {}
    for section in SECTIONS:
        for key, value in evidence.settings.get(section, {}).items():
            value = value["scale"] if isinstance(value, Mapping) else value
            put(tree, [section], {key: _text(value)})
    for key, prior in evidence.priors.items():
        put(tree, ["prior_families"], {key: prior.words})
    if "effect" in evidence.priors:
        put(
            tree,
            ["prior_laws"],
            {"effect": rf"$\mu \sim {evidence.priors['effect'].law(r's_{\mu}')}$"},
        )
    report = evidence.settings.get("report", {})
    if "interval" in report:
        tree["report"]["interval_percent"] = share(float(report["interval"]))
    return tree


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
