"""Two breakdowns of the same people: the second one beside the first, so that neither is told.

People are counted by place, and again by arm or by organisation. Each list by itself tells nobody;
but where an arm is in one place only, the one count less the other is a number of people that is in
no list, and a place that is hidden in its list may be the sum of arms that are not. Which cells
nobody can be in is part of a design, so the reader is taken to know that too.
"""

from __future__ import annotations

import numpy as np

from metastudy.common.disclosure import Count, divided, protect

__all__ = ["beside"]


def beside(crossed: np.ndarray, least: int) -> list[Count | None]:
    """Show a list of people beside a list of the same people as :func:`protect` shows that.

    Where no place, and no part of a place, is of few people, all parts are there: what follows from
    both lists is then a sum of numbers none of which is small. Else, if each part is in one place,
    those of a place that is not hidden are a list with a known total
    (:func:`metastudy.common.disclosure.divided`). Any other part is missing, which says nothing but
    that some number is small (the tests draw up all that are shown alike).

    Parameters
    ----------
    crossed : people of each place in each part, shape (places, parts). The last part is of those
        who are in none; it is not shown, but would be told by the others.
    least : the smallest cell that is shown.

    Returns
    -------
    The parts but the last, each as a number or a text in place of one; all are missing where they
    may not be shown.

    >>> beside(np.array([[17, 8, 0], [0, 30, 0]]), 5), beside(np.array([[17, 3, 0], [0, 30, 0]]), 5)
    ([17, 38], [None, None])
    """
    parts = [int(n) for n in crossed.sum(axis=0)]
    places = [int(n) for n in crossed.sum(axis=1)]
    if least <= 1:
        return [*parts[:-1]]
    found: list[Count | None] = [None] * len(parts)
    shown, nested = protect(places, least), ((crossed[:, :-1] > 0).sum(axis=0) <= 1).all()
    if not ((crossed > 0) & (crossed < least)).any():
        return [*parts[:-1]]
    for cell, own in zip(shown.cells, crossed, strict=True):
        if nested and shown.total and isinstance(cell, int) and cell:
            mine = np.flatnonzero(own)
            for at, n in zip(mine, divided([int(own[k]) for k in mine], least), strict=True):
                found[at] = n
    return found[:-1]
