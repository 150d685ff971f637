"""Settings: the numbers of the configuration as the article prints them."""

from __future__ import annotations

from metastudy.article.results import Evidence
from metastudy.article.variable_tree import Tree, put
from metastudy.display.formatting import share

__all__ = ["variables"]
SECTIONS = ("report", "sampling", "gates", "priors")


def variables(evidence: Evidence) -> Tree:
    """The config's numbers as they stand there; probabilities also as percentages.

    Returns
    -------
    A tree ``<section>.<key>`` for the sections that the article cites.
    """
    tree: Tree = {}
    for section in SECTIONS:
        for key, value in evidence.settings.get(section, {}).items():
            put(tree, [section], {key: f"{value:g}" if isinstance(value, float) else str(value)})
    report = evidence.settings.get("report", {})
    if "interval" in report:
        tree["report"]["interval_percent"] = share(float(report["interval"]))
    return tree
