"""The design of effects: which mean and which levels make up each of them, and what varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metastudy.design.identification import Component, Identification
from metastudy.design.joint import Joint

__all__ = ["EffectDesign", "Part", "effect_design"]


@dataclass(frozen=True)
class Part:
    """The rows of one effect: its name, its means, and what varies around them.

    ``head`` and ``tail`` make the names of its components, ``"<head> <component>, <tail>"``;
    ``means`` has the name of the mean of each row, or is None for an effect without one; ``unit``
    is the unit of ``found`` that each row belongs to.
    """

    head: str
    tail: str
    rows: np.ndarray
    means: Sequence[str] | None
    found: Identification
    unit: np.ndarray

    @property
    def total(self) -> str:
        """Name of the total heterogeneity."""
        return ", ".join(filter(None, (self.head, self.tail))) or "settings"

    def label(self, component: Component) -> str:
        """Name of a component's standard deviation."""
        name = " ".join(filter(None, (self.head, component.name)))
        return ", ".join(filter(None, (name, self.tail)))


@dataclass(frozen=True)
class EffectDesign:
    """Means, totals, components and levels by name, and where each row takes them from.

    ``mean_of`` (row,) and ``level_of`` (row, most components of a row) are places among ``means``
    and ``levels``, -1 where there is none; ``component_of`` (level,) and ``total_of`` (component,)
    are places among ``components`` and ``totals``, -1 for a component with its own prior. ``joint``
    says which of them deviate together, if any do.
    """

    means: tuple[str, ...]
    totals: tuple[str, ...]
    components: tuple[str, ...]
    levels: tuple[str, ...]
    mean_of: np.ndarray
    level_of: np.ndarray
    component_of: np.ndarray
    total_of: np.ndarray
    joint: Joint | None = None

    @property
    def parts(self) -> Mapping[str, int]:
        """For each component, among how many the total is shared; zero for one apart."""
        sizes = np.bincount(self.total_of[self.total_of >= 0], minlength=1)
        return {
            name: int(sizes[total]) if total >= 0 else 0
            for name, total in zip(self.components, self.total_of, strict=True)
        }

    @property
    def own_level(self) -> np.ndarray:
        """The level that a row has and no other, the last of several, else -1; shape (row,)."""
        used = self.level_of[self.level_of >= 0]
        alone = np.bincount(used, minlength=len(self.levels)) == 1
        own = np.where(np.append(alone, False)[self.level_of], self.level_of, -1)
        return own.max(axis=1, initial=-1)

    def sums(self, mean: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Effects from draws of means (..., mean) and levels (..., level); shape (..., row)."""
        nothing = np.zeros((*level.shape[:-1], 1))
        own = np.concatenate([mean, nothing], axis=-1)[..., self.mean_of]
        return own + np.concatenate([level, nothing], axis=-1)[..., self.level_of].sum(axis=-1)


def effect_design(rows: int, parts: Sequence[Part]) -> EffectDesign:
    """Join what several effects identify into one design.

    Parameters
    ----------
    rows : number of effects that the design has; those that no part fills are zero.
    parts : one for each effect; a row may be in several, as long as one has its mean.

    Returns
    -------
    EffectDesign
        A level is called ``"<component's name>: <level>"``.
    """
    means: dict[str, int] = {}
    totals: list[str] = []
    components: list[str] = []
    levels: list[str] = []
    component_of: list[int] = []
    total_of: list[int] = []
    mean_of = np.full(rows, -1)
    used: list[list[int]] = [[] for _ in range(rows)]
    for part in parts:
        for row, name in zip(part.rows, part.means or (), strict=part.means is not None):
            mean_of[row] = means.setdefault(name, len(means))
        if any(component.shared for component in part.found.components):
            totals.append(part.total)
        for component in part.found.components:
            components.append(part.label(component))
            total_of.append(len(totals) - 1 if component.shared else -1)
            start = len(levels)
            levels += [f"{components[-1]}: {level}" for level in component.levels]
            component_of += [len(components) - 1] * len(component.levels)
            for row, level in zip(part.rows, start + component.index[part.unit], strict=True):
                used[row].append(int(level))
    most = max((len(own) for own in used), default=0)
    return EffectDesign(
        tuple(means),
        tuple(totals),
        tuple(components),
        tuple(levels),
        mean_of,
        np.array([own + [-1] * (most - len(own)) for own in used], dtype=np.int64).reshape(
            rows, most
        ),
        np.array(component_of, dtype=np.int64),
        np.array(total_of, dtype=np.int64),
    )
