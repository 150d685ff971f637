"""Transcripts without content, and where each of their sentences begins and ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["PARAGRAPHS", "SENTENCES", "transcript"]

PARAGRAPHS, SENTENCES = 10, 4  # of an interview; a passage never leaves its paragraph


def transcript(
    rng: np.random.Generator, filler: Sequence[str], windows: bool
) -> tuple[str, list[list[tuple[int, int]]]]:
    """A text of `filler`, and for each paragraph where its sentences begin and end in it.

    Positions count the line ends as they are stored: two characters each with `windows`.
    """
    newline = "\r\n" if windows else "\n"
    text, places = "", []
    for _ in range(PARAGRAPHS):
        paragraph = []
        for i, sentence in enumerate(rng.permutation(filler)[:SENTENCES]):
            text += " " if i else ""
            paragraph.append((len(text), len(text) + len(sentence)))
            text += str(sentence)
        places.append(paragraph)
        text += newline
    return text, places
