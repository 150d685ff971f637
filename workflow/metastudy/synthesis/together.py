"""Effects that are pooled jointly: which are measured together, and how their levels hang together.

Two estimands are measured together where a study has estimates of both of the same people: those of
one role in one country and sector, after exposures of one type and in one response mode. Where two
studies do, the deviations of the two from their means
have a correlation, the same in every grouping that both vary by; else it is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metastudy.design.effects import EffectDesign
from metastudy.design.identification import SETTING, Identification
from metastudy.design.joint import Joint

__all__ = ["LEAST", "common", "joined", "mixed", "spread", "variances"]

LEAST = 2  # studies that measure two estimands together, from which they have a correlation
ALIKE = ("study", "exposure_type", "response_mode")


def common(rows: pd.DataFrame, estimand: np.ndarray) -> np.ndarray:
    """In how many studies two estimands are measured together, shape (estimands, estimands).

    Parameters
    ----------
    rows : estimates, with the columns of :data:`ALIKE` and :data:`SETTING`.
    estimand : place of each row's, shape (rows,).
    """
    own = pd.crosstab([rows[name] for name in (*ALIKE, SETTING)], estimand).gt(0)
    has = own.to_numpy(dtype=float)
    study = own.index.get_level_values("study")
    found = np.zeros((has.shape[1], has.shape[1]), dtype=np.int64)
    for name in dict.fromkeys(study):
        mine = has[study == name]
        found += (mine.T @ mine > 0).astype(np.int64)
    return found


def joined(
    design: EffectDesign,
    rows: pd.DataFrame,
    units: Sequence[pd.DataFrame],
    found: Sequence[Identification],
) -> EffectDesign:
    """The design with what deviates together; as it is where no two estimands are measured so.

    Two components have levels in common where the first grouping of both names is the same. Of a
    component whose levels are not those of its first grouping, no level has another beside it.

    Parameters
    ----------
    rows : of the design.
    units, found : of each estimand in the order of the means, its rows with a column for each
        grouping, and what these identify.
    """
    number = common(rows, design.mean_of)
    enough = np.argwhere(np.triu(number >= LEAST, 1))
    if not len(enough):
        return design
    slots: dict[str, int] = {}
    groups: dict[tuple[int, str, int], int] = {}
    mean, slot, group = [], [], []
    for at, (own, of) in enumerate(zip(units, found, strict=True)):
        for component in of.components:
            first = component.names[0]
            mean.append(at)
            slot.append(slots.setdefault(first, len(slots)))
            value = own[first].astype(str).to_numpy()
            of_level = [set(value[component.index == k]) for k in range(len(component.levels))]
            one_each = all(len(v) == 1 for v in of_level)
            one_each &= len(set().union(*of_level)) == len(of_level)
            for values, level in zip(of_level, component.levels, strict=True):
                key = (next(iter(values)), -1) if one_each else (level, len(mean))
                group.append(groups.setdefault((slot[-1], *key), len(groups)))
    whole = Joint(enough, np.array(mean), np.array(slot), np.array(group), design.component_of)
    return replace(design, joint=_shared(whole))


def _shared(joint: Joint) -> Joint | None:
    """Without the pairs that have fewer than two levels together: nothing says how they vary."""
    together = np.zeros((joint.mean.max() + 1,) * 2, dtype=int)
    for levels in joint.sets:
        means = joint.mean[joint.component_of[levels[0]]]
        together[np.ix_(means, means)] += len(levels)
    pairs = joint.pairs[together[tuple(joint.pairs.T)] >= LEAST]
    return replace(joint, pairs=pairs) if len(pairs) else None


def variances(joint: Joint | None, tau: Any, correlation: Any, concatenate: Any) -> Any:
    """Variances of components, and after them the covariances of two that are correlated.

    Parameters
    ----------
    tau, correlation : of components, shape (..., components), and of pairs, (..., pairs); arrays,
        or tensors of a model.
    concatenate : joins a list of them along the last axis.
    """
    if joint is None:
        return tau**2
    one, other, pair = joint.cross.T
    both = tau[..., one] * tau[..., other] * correlation[..., pair]
    return concatenate([tau**2, both])


def _matrices(joint: Joint, levels: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Correlation of the levels that are together, shape (draws, means, means)."""
    means = joint.mean[joint.component_of[levels[0]]]
    found = np.tile(np.eye(len(means)), (len(correlation), 1, 1))
    for at, pair in enumerate(joint.pairs):
        i, j = (np.flatnonzero(means == m) for m in pair)
        if len(i) and len(j):
            found[:, i[0], j[0]] = found[:, j[0], i[0]] = correlation[:, at]
    return found


def mixed(joint: Joint | None, z: np.ndarray, correlation: np.ndarray | None) -> np.ndarray:
    """Standard normal levels with the correlations of a joint design, shape (draws, levels).

    Parameters
    ----------
    z : independent ones.
    correlation : of pairs, shape (draws, pairs).
    """
    if joint is None or correlation is None:
        return z
    found = z.copy()
    for levels in joint.sets:
        root = np.linalg.cholesky(_matrices(joint, levels, correlation))
        found[:, levels] = np.einsum("dij,dnj->dni", root, z[:, levels])
    return found


def spread(
    joint: Joint | None, tau: np.ndarray, correlation: np.ndarray | None, weight: np.ndarray
) -> np.ndarray:
    """The covariance of levels times a vector of them, shape (draws, levels).

    Parameters
    ----------
    tau : standard deviation of each level, shape (draws, levels).
    weight : the vector of each draw.
    """
    found = tau**2 * weight
    if joint is None or correlation is None:
        return found
    scaled = tau * weight
    for levels in joint.sets:
        matrices = _matrices(joint, levels, correlation)
        found[:, levels] = tau[:, levels] * np.einsum("dij,dnj->dni", matrices, scaled[:, levels])
    return found
