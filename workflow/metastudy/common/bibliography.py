"""The keys of a bibliography in BibTeX; what its entries say is read by pandoc alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["keys"]

_KEY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,]+)", re.M)  # of an entry


def keys(paths: Iterable[Path]) -> set[str]:
    """The keys by which a text may cite something.

    Parameters
    ----------
    paths : the project's ``.bib`` files, in UTF-8; none where it has no article.

    Returns
    -------
    Those of comments and of other things that are no entries may be among them.
    """
    return {key for path in paths for key in _KEY.findall(path.read_text("utf-8"))}
