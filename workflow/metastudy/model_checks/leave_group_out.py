"""What a refit is given: cells without a group, and priors of another scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import xarray as xr

from metastudy.models.registry import model_of

__all__ = ["FIXED", "Refit", "refits", "rows_left_out", "without"]

GROUPINGS = ("study", "country", "sector", "organisation")
# Scales of standard deviations between groups, and the factors of the variants.
VARIED = ("tau", "tau_logit", "effect", "effect_logit")
VARIANTS = {"half": 0.5, "double": 2.0}
# Standard deviation between groups where it is fixed: none, or as wide as the prior of an effect.
FIXED = {"pooled": 1e-3, "unpooled": 1.0}


@dataclass(frozen=True)
class Refit:
    """What one refit is called, and what it is given.

    ``kind`` is ``without_<grouping>`` with the ``group`` left out, ``prior`` with ``half`` or
    ``double``, or ``pooling`` with ``pooled`` or ``unpooled``.
    """

    kind: str
    group: str
    cells: xr.Dataset
    priors: dict[str, float]


def refits(cells: xr.Dataset, priors: Mapping[str, float]) -> Iterator[Refit]:
    """All refits of a module: each group left out, the variants of the priors and of the pooling.

    A grouping is left out level by level where it has two levels or more; an organisation that is
    all of its study is left out with the study.
    """
    own = dict(priors)
    model = model_of(cells)
    where = model.places(cells)
    for grouping in GROUPINGS:
        levels = where.drop_duplicates(["study", grouping])
        if grouping == "organisation":
            levels = levels[levels.groupby("study")[grouping].transform("nunique") > 1]
        names = sorted(set(levels[grouping]))
        for name in names if len(names) > 1 else ():
            yield Refit(f"without_{grouping}", name, without(cells, grouping, name), own)
    for name, factor in VARIANTS.items():
        scaled = {k: v * factor if k in VARIED else v for k, v in own.items()}
        yield Refit("prior", name, cells, scaled)
    for name, fixed in FIXED.items():
        scale = own[model.effect_prior]
        yield Refit("pooling", name, cells, own | {"fixed_tau": fixed * scale})


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
