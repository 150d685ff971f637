"""Labels on their way into Markdown: nothing that a codebook or data file says is taken for markup.

A label is whatever somebody wrote into a codebook. Taken as Markdown it could put links, notes,
formulas, raw HTML, cross-references or shortcodes into the article, in HTML, PDF and Word.
"""

from __future__ import annotations

import re

__all__ = ["Markdown", "cell", "escaped", "value"]

# An underscore inside a word is none of Markdown's, and keys such as `clear_higher` have it.
_SPECIAL = re.compile(r"""([\\`*\[\]<>#^~$@{}|"&!]|(?<![^\W_])_|_(?![^\W_]))""")
# What nobody sees and no label needs; the first of them mark variables while a manuscript is read.
_UNSEEN = re.compile("[\ue000-\ue002\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_CITED = re.compile(r"@(?!(?:fig|tbl|sec|eq|lst|thm|supp|apx)-)\w[\w:.+/-]*", re.ASCII)


class Markdown(str):
    """A text that this library wrote as Markdown, such as a formula; it is left as it is."""

    __slots__ = ()


def escaped(text: str) -> str:
    r"""Spell a text so that Markdown shows it as it is, on one line.

    >>> escaped("[x](javascript:y) ^[z]")
    '\\[x\\](javascript:y) \\^\\[z\\]'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(_UNSEEN.sub("", text).split()))


def value(text: str) -> str:
    """Spell a variable of the article: a citation as it is, :class:`Markdown` too, else escaped."""
    if isinstance(text, Markdown) or all(map(_CITED.fullmatch, text.split("; "))):
        return str(text)
    return escaped(text)


def cell(text: str) -> str:
    """Spell a cell of a table, as :func:`value` does; ``**a heading**`` stays one."""
    if len(text) > 4 and text.startswith("**") and text.endswith("**"):
        return f"**{escaped(text[2:-2])}**"
    return value(text)
