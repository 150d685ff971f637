"""The state of a study while it is harmonized: its rows, what is left of them, and its problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem, place_of_rows
from metastudy.common.text import of_a_person, quoted, shown
from metastudy.harmonize import decoders
from metastudy.harmonized import schema
from metastudy.readers.raw import RawTable

__all__ = ["STAGE", "Study", "different"]

STAGE = "harmonize"


@dataclass
class Study:
    """One study on its way: its codebook, its raw rows, its problems so far.

    Parameters
    ----------
    kept : positions of the rows that stay, in the order in which they are written.
    """

    codebook: Codebook
    table: RawTable
    kept: np.ndarray
    problems: list[Problem] = field(default_factory=list)

    def texts(self, name: str) -> pd.Series:
        """Give a raw column of the kept rows."""
        return self.table.data[name].take(self.kept).reset_index(drop=True)

    def places(self) -> np.ndarray:
        """Give each raw row its position among the kept ones, -1 if it left."""
        found = np.full(len(self.table.data), -1)
        found[self.kept] = np.arange(len(self.kept))
        return found

    def report(
        self, hits: np.ndarray, name: str, found: str, expected: str, fix: str, code: str
    ) -> None:
        """Note one problem of the kept rows that ``hits`` marks."""
        self.problems += [
            Problem(
                file=shown(self.codebook.of_cases.data_path),
                found=found,
                expected=expected,
                fix=fix,
                study=self.codebook.study.id,
                row=place_of_rows(rows),
                column=column,
                code=code,
            )
            for column, rows in self.table.where(name, self.kept[hits])
        ]

    def translate(self, name: str, meaning: Callable[[str], Any]) -> tuple[np.ndarray, list[Any]]:
        """Give each kept row a position in a list of meanings; each different text is read once.

        A text that ``meaning`` refuses is a problem with its rows, and means ``None``.
        """
        positions, texts = different(self.table.data[name], self.kept)
        found: list[Any] = []
        for position, text in enumerate(texts):
            try:
                found.append(meaning(text))
            except decoders.InvalidValue as unfit:
                label = self.table.labels.get(name, {}).get(text)
                spelt = unfit.found or self.spelt(text)
                spelt += f" (labelled {quoted(label)})" if label and not unfit.found else ""
                self.report(
                    positions == position, name, spelt, unfit.expected, unfit.fix, unfit.code
                )
                found.append(None)
        return positions, found

    def spelt(self, text: str) -> str:
        """Name a raw value in a message; findings are publications' words, all else a person's."""
        return quoted(text) if self.codebook.study.design == "published" else of_a_person(text)

    def decode(self, name: str, meaning: Callable[[str], Any]) -> pd.Series:
        """Give the meaning of a raw column, row by row; missing where there is none."""
        return schema.coded(*self.translate(name, meaning))


def different(
    texts: pd.Series, rows: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, pd.Index]:
    """Give some rows their positions among the different texts; a categorical has them at hand."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return pd.factorize(texts.iloc[rows])
    codes = texts.cat.codes.to_numpy()[rows]
    occur = np.bincount(codes, minlength=len(texts.cat.categories)) > 0
    places = codes if occur.all() else (np.cumsum(occur, dtype=np.int32) - 1)[codes]
    return places, texts.cat.categories[occur]
