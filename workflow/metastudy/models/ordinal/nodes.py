"""Where the integrals over people are taken: nodes around what each person's answers say.

A rule of Gauss and Hermite is right wherever its nodes lie; they need few where the integrand is.
The places follow from the answers and not from the parameters, so that the density has a gradient
and one compiled model serves all draws.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.codings.marginal import quadrature
from metastudy.models.item_layout import Layout, scores

__all__ = ["nodes"]

# Nodes are spread wider than the effect is known to, as its spread is a rough guess: with eleven
# the logarithm of the likelihood of 1,000 people is then right to 0.001.
WIDE = 1.4
LEAST, MOST = 0.02, 0.95  # share of a person's effect in an answer that nodes are made for


def nodes(cells: xr.Dataset, layout: Layout, number: int) -> tuple[np.ndarray, ...]:
    """Nodes and weights of the effects on families and on themes.

    Parameters
    ----------
    number : of nodes, K.

    Returns
    -------
    Nodes and weights of each cell, shape (cell, K), and of each block, shape (block, K), for means
    over a standard normal variable.
    """
    z, count = scores(cells), cells["count"].values
    size = np.diff(layout.first).astype(float)
    total = np.add.reduceat(z, layout.first[:-1])
    square = np.add.reduceat(z**2, layout.first[:-1])
    theme, cell = layout.theme_of_block, layout.cell_of_block
    weight = count[cell]

    # How alike a person's answers are, inside a theme and between those of a family.
    themes = len(layout.themes)
    within = np.bincount(theme, weight * (total**2 - square), themes)
    pairs = np.bincount(theme, weight * size * (size - 1), themes)
    share = np.divide(within, pairs, out=np.zeros(themes), where=pairs > 0)
    cells_size, cells_total = (np.bincount(cell, part, len(count)) for part in (size, total))
    between = cells_total**2 - np.bincount(cell, total**2, len(count))
    pairs_between = cells_size**2 - np.bincount(cell, size**2, len(count))
    group = np.full(len(count), -1)
    group[cell] = layout.group_of_theme[theme]
    common = np.zeros(themes)
    for g in range(len(layout.groups)):
        mine = group == g
        pair = count[mine] @ pairs_between[mine]
        of_group = layout.group_of_theme == g
        common[of_group] = count[mine] @ between[mine] / pair if pair > 0 else share[of_group].max()
    common = np.clip(common, LEAST, MOST - 0.05)
    share = np.where(layout.shared, common, np.clip(share, common + 0.02, MOST))

    mean, p, f = total / size, share[theme], common[theme]
    noise = np.where(layout.shared[theme], 0.0, p - f) + (1 - p) / size
    known = 1 + np.bincount(cell, f / noise, len(count))
    middle = np.bincount(cell, np.sqrt(f) * mean / noise, len(count)) / known
    own_known = 1 + p * size / (1 - p)
    own_middle = np.sqrt(p) * total / (1 - p) / own_known
    return *_rule(middle, known, number), *_rule(own_middle, own_known, number)


def _rule(middle: np.ndarray, known: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights around some middles, spread by the inverse of what is known."""
    z, w = quadrature(number)
    sd = np.minimum(WIDE / np.sqrt(known), 1.0)[:, None]
    point = middle[:, None] + sd * z
    return point, w * sd * np.exp((z**2 - point**2) / 2)
