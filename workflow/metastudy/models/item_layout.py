"""How the answers of cells lie in blocks, and on what people have effects.

A kind is an outcome in a study, a theme a construct in a study: its outcomes in all vignettes. A
block is the answers of a cell to the items of one theme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import ndtri

__all__ = ["Layout", "alike", "layout_of", "scores"]

OF_ITS_OWN = 0.1  # of an item, at least, so that no correlations of items are one


@dataclass(frozen=True)
class Layout:
    """Places of answers, blocks, kinds and themes.

    Attributes
    ----------
    start : where the blocks of each cell begin, and where the last end, shape (cell + 1,).
    first : where the answers of each block begin, and where the last end, shape (block + 1,).
    cell_of_block, theme_of_block : shape (block,).
    kind_of_answer : shape (answer,).
    study_of_kind, outcome_of_kind, theme_of_kind : places among ``studies``, among the outcomes and
        among the themes, shape (kind,).
    items : how many items of the outcome the study has, shape (kind,).
    themes : study and construct of each theme.
    group_of_theme : place in ``groups``, or -1 where one item is all that the study has of a
        family: then nothing tells the effect of a person from the rest of an answer.
    groups : study and family of each effect of a person on a family.
    own : themes with an effect of the person of their own beside that on the family: several items
        of one of several constructs, shape (their number,).
    studies : names, sorted.
    """

    start: np.ndarray
    first: np.ndarray
    cell_of_block: np.ndarray
    theme_of_block: np.ndarray
    kind_of_answer: np.ndarray
    study_of_kind: np.ndarray
    outcome_of_kind: np.ndarray
    theme_of_kind: np.ndarray
    items: np.ndarray
    themes: list[tuple[str, str]]
    group_of_theme: np.ndarray
    groups: list[tuple[str, str]]
    own: np.ndarray
    studies: np.ndarray

    @property
    def shared(self) -> np.ndarray:
        """Which themes have no effect of a person but the family's, shape (theme,)."""
        return ~np.isin(np.arange(len(self.themes)), self.own)

    def kind_of(self, cells: xr.Dataset) -> np.ndarray:
        """The kind of each outcome in each setting, -1 where there is none, (setting, outcome)."""
        found = np.full((cells.sizes["setting"], cells.sizes["outcome"]), -1)
        study = np.searchsorted(self.studies, cells.study.values)
        for kind, (of, outcome) in enumerate(
            zip(self.study_of_kind, self.outcome_of_kind, strict=True)
        ):
            found[study == of, outcome] = kind
        return found


def layout_of(cells: xr.Dataset) -> Layout:
    """The layout of cells of items (:func:`metastudy.models.ordinal.cells.item_cells`)."""
    studies, study = np.unique(cells.study.values, return_inverse=True)
    by_study = study[cells.setting_of_item.values]
    # Settings of a study ask the same items, so they count once.
    names = [label.rpartition("|")[2] for label in cells.item.values.astype(str)]
    asked = np.column_stack([by_study, cells.outcome_of_item.values])
    kinds, kind_of_item = np.unique(asked, axis=0, return_inverse=True)
    kind_of_item = kind_of_item.ravel()
    items = np.zeros(len(kinds), dtype=int)
    for kind, _ in set(zip(kind_of_item.tolist(), names, strict=True)):
        items[kind] += 1

    construct = cells.construct_of.values.astype(str)[kinds[:, 1]]
    pairs = [(str(studies[s]), str(c)) for s, c in zip(kinds[:, 0], construct, strict=True)]
    themes = list(dict.fromkeys(pairs))
    theme_of_kind = np.array([themes.index(pair) for pair in pairs])
    family_of = dict(zip(cells.construct.values, cells.family_of.values, strict=True))
    family = [(name, str(family_of[construct])) for name, construct in themes]
    of_theme = np.bincount(theme_of_kind, items)
    number = {pair: sum(of_theme[t] for t, f in enumerate(family) if f == pair) for pair in family}
    groups = [pair for pair in number if number[pair] > 1]
    own = [t for t, pair in enumerate(family) if of_theme[t] > 1 and family.count(pair) > 1]

    cell = cells.cell_of_answer.values
    kind_of_answer = kind_of_item[cells.item_of_answer.values]
    theme = theme_of_kind[kind_of_answer]
    new = (np.diff(cell, prepend=-1) != 0) | (np.diff(theme, prepend=-1) != 0)
    first = np.flatnonzero(new)
    return Layout(
        start=np.searchsorted(cell[first], np.arange(cells.sizes["cell"] + 1)),
        first=np.append(first, len(cell)),
        cell_of_block=cell[first],
        theme_of_block=theme[first],
        kind_of_answer=kind_of_answer,
        study_of_kind=kinds[:, 0],
        outcome_of_kind=kinds[:, 1],
        theme_of_kind=theme_of_kind,
        items=items,
        themes=themes,
        group_of_theme=np.array([groups.index(p) if p in groups else -1 for p in family]),
        groups=groups,
        own=np.array(own, dtype=np.int64),
        studies=studies,
    )


def scores(cells: xr.Dataset) -> np.ndarray:
    """Normal score of each answer, with mean zero and variance one over an item, shape (answer,).

    A category has the score of its middle.
    """
    item, category = cells.item_of_answer.values, cells.category_of_answer.values
    count = cells["count"].values[cells.cell_of_answer.values]
    shares = np.zeros((cells.sizes["item"], int(cells.categories.max())))
    np.add.at(shares, (item, category), count)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
    value = ndtri(np.clip(shares.cumsum(axis=1) - shares / 2, 1e-3, 1 - 1e-3))
    value -= (shares * value).sum(axis=1, keepdims=True)
    value /= np.sqrt(np.maximum((shares * value**2).sum(axis=1, keepdims=True), 1e-9))
    return np.asarray(value[item, category])


def alike(cells: xr.Dataset) -> np.ndarray:
    """Correlations of the scores of items, of those that answered both, shape (item, item).

    They are a little nearer to zero than they are found, so that the matrix has an inverse.
    """
    item, cell = cells.item_of_answer.values, cells.cell_of_answer.values
    score = np.zeros((cells.sizes["cell"], cells.sizes["item"]))
    there = np.zeros_like(score)
    score[cell, item], there[cell, item] = scores(cells), 1.0
    count = cells["count"].values[:, None]
    both = there.T @ (count * there)
    found = score.T @ (count * score) / np.maximum(both, 1.0)
    np.fill_diagonal(found, 1.0)
    # Pairs are of different people, so that together they need not be correlations of anything.
    value, vector = np.linalg.eigh(found)
    found = (vector * np.maximum(value, 0.0)) @ vector.T
    size = np.sqrt(np.maximum(np.diag(found), OF_ITS_OWN))
    found = (1 - OF_ITS_OWN) * found / size / size[:, None]
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)
