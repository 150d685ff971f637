"""How each variant of the corpus is made: one maker a class, for the formats to which it applies.

What a variant has to lead to is not said here but in `expected.csv`, which was fixed from what the
documentation promises.
"""

from __future__ import annotations

from helpers.variants import archives, cells, codebook, codes, files, segments, texts
from helpers.variants.registry import MAKERS

__all__ = ["MAKERS", "archives", "cells", "codebook", "codes", "files", "segments", "texts"]
