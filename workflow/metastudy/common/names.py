"""Names of raw variables: one spelling for all that look the same."""

from __future__ import annotations

import unicodedata

__all__ = ["name_of"]

_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))


def name_of(text: str) -> str:
    """Give the one spelling by which names of raw variables are compared.

    Unicode NFC, one blank for any white space, and nothing that nobody sees: a name that macOS
    wrote, or a second byte order mark, looks like the name that is typed in a codebook.

    Parameters
    ----------
    text : a name as a file or a codebook has it.

    >>> name_of(" q1  first ")
    'q1 first'
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_UNSEEN).split())
