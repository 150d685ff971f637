"""Checks of the article before it is rendered: all problems at once, each with its line."""

from __future__ import annotations

from metastudy.common.problems import Problem
from metastudy.manuscript.checks import document as checks_document
from metastudy.manuscript.checks import figures_and_tables, references, structure
from metastudy.manuscript.pandoc import syntax_tree
from metastudy.manuscript.source import Source

__all__ = ["check"]


def check(source: Source) -> list[Problem]:
    """All problems of a manuscript, those of reading it included.

    Parameters
    ----------
    source : the manuscript as :func:`metastudy.manuscript.source.read_source` gave it.

    Returns
    -------
    list of Problem
        In the order in which they were found; empty for a manuscript that may be rendered.
    """
    problems = list(source.problems)
    if not source.config or not source.body:
        return problems
    tree, warnings = syntax_tree(source)
    document = checks_document.Document(source, tree)
    problems += warnings
    for rule in (
        references.missing_files,
        references.affiliations,
        structure.cells,
        references.misplaced_variables,
        references.identifiers,
        structure.headings,
        structure.divs,
        figures_and_tables.images,
        figures_and_tables.tables,
        structure.raw,
        structure.leftovers,
        references.citations,
    ):
        problems += rule(document)
    return list(dict.fromkeys(problems))
