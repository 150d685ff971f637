"""Checks of the documents before they are rendered: all problems at once, each with its line."""

from __future__ import annotations

from metastudy.common.problems import Problem
from metastudy.manuscript.checks import document as checks_document
from metastudy.manuscript.checks import figures_and_tables, references, structure
from metastudy.manuscript.pandoc import syntax_tree
from metastudy.manuscript.source import Label, Source

__all__ = ["check"]


def check(sources: list[Source]) -> list[Problem]:
    """All problems of a manuscript's documents, those of reading them included.

    Each document learns the ids of the others with their numbers (``elsewhere``).

    Parameters
    ----------
    sources : as :func:`metastudy.manuscript.source.read_sources` gave them.

    Returns
    -------
    list of Problem
        In the order in which they were found; empty for a manuscript that may be rendered.
    """
    problems = [problem for source in sources for problem in source.problems]
    documents = []
    for source in sources:
        if source.config and source.body:
            tree, warnings = syntax_tree(source)
            documents.append(checks_document.Document(source, tree))
            problems += warnings
    for document in documents:
        document.source.elsewhere = {
            name: Label(number, other.source.document)
            for other in documents
            if other is not document
            for name, number in other.numbers.items()
        }
    for document in documents:
        problems += _of_one(document)
    return list(dict.fromkeys(problems))


def _of_one(document: checks_document.Document) -> list[Problem]:
    """All problems of one document."""
    problems: list[Problem] = []
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
    return problems
