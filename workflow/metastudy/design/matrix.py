"""The design matrix of varying effects: a column for each level, and its grouping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metastudy.design.identification import Structure

__all__ = ["Effects", "effects"]


@dataclass(frozen=True)
class Effects:
    """A design matrix for effects: population means, differences, and levels of varying terms.

    ``matrix`` (rows, means + differences + levels) takes the parameters to the effect of each row;
    ``component`` (levels,) says which standard deviation a level belongs to.
    """

    matrix: np.ndarray
    means: tuple[str, ...]
    differences: tuple[str, ...]
    components: tuple[str, ...]
    levels: tuple[str, ...]
    component: np.ndarray


def effects(
    rows: int,
    parts: Sequence[tuple[str | None, np.ndarray, Sequence[tuple[Structure, np.ndarray]]]],
) -> Effects:
    """Join what several structures identify into one design matrix.

    Parameters
    ----------
    rows : number of rows of the matrix.
    parts : for each effect its name (None: without a population mean), the rows that it fills, and
        the structures around it, each with the unit of every such row.

    Returns
    -------
    Effects
        Differences and components are called ``"<effect> <grouping>"``, levels
        ``"<effect> <grouping> <level>"``.
    """
    columns: dict[str, list[tuple[str, np.ndarray]]] = {
        "means": [],
        "differences": [],
        "levels": [],
    }
    components: list[str] = []
    component: list[int] = []
    for name, at, around in parts:

        def fill(values: np.ndarray, at: np.ndarray = at) -> np.ndarray:
            column = np.zeros(rows)
            column[at] = values
            return column

        if name is not None:
            columns["means"].append((name, fill(np.ones(len(at)))))
        for found, unit in around:
            for term in found.terms:
                label = f"{name} {term.name}" if name else term.name
                values = term.columns[unit]
                if term.kind == "contrast":
                    columns["differences"].append((label, fill(values[:, 0])))
                    continue
                components.append(label)
                for k, level in enumerate(term.levels):
                    columns["levels"].append((f"{label} {level}", fill(values[:, k])))
                    component.append(len(components) - 1)
    joined = [column for group in columns.values() for _, column in group]
    names = {group: tuple(label for label, _ in found) for group, found in columns.items()}
    return Effects(
        np.column_stack(joined) if joined else np.zeros((rows, 0)),
        names["means"],
        names["differences"],
        tuple(components),
        names["levels"],
        np.array(component, dtype=np.int64),
    )
