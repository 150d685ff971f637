"""What a refit is given: cells without a group, and priors of another scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import xarray as xr

from metastudy.models.data_vector import NOT_FIXED
from metastudy.models.priors import OF_METRIC, Prior
from metastudy.models.registry import model_of

__all__ = ["FIXED", "Refit", "refits", "rows_left_out", "without"]

GROUPINGS = ("study", "country", "sector", "organisation")
# Priors of effects and of standard deviations between groups, and the factors of the variants.
OUTCOMES = "outcomes"  # key of the prior between the outcomes of a family
VARIED = {key for pair in OF_METRIC.values() for key in pair} | {OUTCOMES}
VARIANTS = {"half": 0.5, "double": 2.0}
# Standard deviation between groups where it is fixed: none, or as wide as the prior of an effect.
FIXED = {"pooled": 1e-3, "unpooled": 1.0}


@dataclass(frozen=True)
class Refit:
    """What one refit is called, and what it is given.

    ``kind`` is ``without_<grouping>`` with the ``group`` left out, ``prior`` with ``half`` or
    ``double``, ``outcomes`` with ``apart``, where ``fixed_outcomes`` is the standard deviation of
    outcomes of a family around zero, or ``pooling`` with ``pooled`` or ``unpooled``, where
    ``fixed_tau`` is the standard deviation between groups.
    """

    kind: str
    group: str
    cells: xr.Dataset
    priors: Mapping[str, Prior]
    fixed_tau: float = NOT_FIXED
    fixed_outcomes: float = NOT_FIXED


def refits(cells: xr.Dataset, priors: Mapping[str, Prior]) -> Iterator[Refit]:
    """All refits of a module: each group left out, the variants of the priors and of the pooling.

    A grouping is left out level by level where it has two levels or more; an organisation that is
    all of its study is left out with the study.
    """
    model = model_of(cells)
    where = model.places(cells)
    for grouping in GROUPINGS:
        levels = where.drop_duplicates(["study", grouping])
        if grouping == "organisation":
            levels = levels[levels.groupby("study")[grouping].transform("nunique") > 1]
        names = sorted(set(levels[grouping]))
        for name in names if len(names) > 1 else ():
            yield Refit(f"without_{grouping}", name, without(cells, grouping, name), priors)
    for name, factor in VARIANTS.items():
        scaled = {k: p.scaled(factor) if k in VARIED else p for k, p in priors.items()}
        yield Refit("prior", name, cells, scaled)
    scale = float(priors[OF_METRIC[model.metric][0]].scale)
    if OUTCOMES in priors and model.pools_outcomes(cells):
        yield Refit("outcomes", "apart", cells, priors, fixed_outcomes=scale)
    for name, fixed in FIXED.items():
        yield Refit("pooling", name, cells, priors, fixed * scale)


def without(cells: xr.Dataset, grouping: str, group: str) -> xr.Dataset:
    """The same cells, in the same shapes, with no rows of one group.

    Parameters
    ----------
    grouping : ``study``, ``country``, ``sector`` or ``organisation``.
    group : the level that is left out.
    """
    model = model_of(cells)
    return model.weigh(cells, (model.places(cells)[grouping] != group).to_numpy(dtype=float))


def rows_left_out(cells: xr.Dataset, kept: xr.Dataset) -> float:
    """Share of the respondents, or of the interviews, that a refit does without."""
    whole, rest = (float(model_of(found).sizes(found)[1].sum()) for found in (cells, kept))
    return float(1 - rest / whole)
