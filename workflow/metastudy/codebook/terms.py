"""The vocabulary as models read it: names and what they belong to, without words for readers.

A label that is spelt otherwise leaves these terms as they are, and so all that is made from them.
"""

from __future__ import annotations

from typing import Any

from metastudy.codebook.vocabulary import Vocabulary

__all__ = ["terms_of"]

# Keys of an entry that are shown and decide nothing.
WORDS = ("label", "definition", "direction", "question", "in_sentence")
LABELLED = ("levels", "poles")  # names with a label each: the names and their order stay


def terms_of(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary without :data:`WORDS`, each level or pole with its name for a label.

    Order is kept: the first level of a factor is its reference.
    """
    return Vocabulary(
        {
            section: {name: _term(entry) for name, entry in entries.items()}
            for section, entries in vocabulary.sections.items()
        }
    )


def _term(entry: Any) -> dict[str, Any]:
    return {
        key: {name: name for name in value} if key in LABELLED else value
        for key, value in entry.items()
        if key not in WORDS
    }
