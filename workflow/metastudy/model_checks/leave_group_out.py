"""What a refit is given: cells without a group, and priors of another scale."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from metastudy.common.unsaid import is_unsaid
from metastudy.models.base import AT
from metastudy.models.data_vector import NOT_FIXED
from metastudy.models.prior_widths import variants
from metastudy.models.priors import OF_METRIC, Prior
from metastudy.models.registry import model_of

__all__ = [
    "CORRELATION",
    "FIXED",
    "RESTS",
    "Refit",
    "refits",
    "rows_left_out",
    "speaks_of",
    "without",
]

GROUPINGS = ("study", "country", "sector", "organisation")
CORRELATION = "correlation"  # kind of a refit with another assumed correlation
OUTCOMES = "outcomes"  # key of the prior between the outcomes of a family
# What is said of an effect that no other group has data about.
RESTS = "rests on one {}"
# Standard deviation between groups where it is fixed: none, or as wide as the prior of an effect.
FIXED = {"pooled": 1e-3, "unpooled": 1.0}


@dataclass(frozen=True)
class Refit:
    """What one refit is called, and what it is given.

    ``kind`` is ``without_<grouping>`` with the ``group`` left out, ``prior`` with a key of the
    configuration, or ``all``, and ``half`` or ``double``, such as ``tau_half``; ``outcomes`` with
    ``apart``, where ``fixed_outcomes`` is the standard deviation of outcomes of a family around
    zero; ``correlation`` with another one in place of an assumed one; or ``pooling`` with
    ``pooled`` or ``unpooled``, where ``fixed_tau`` is the standard deviation between groups.
    """

    kind: str
    group: str
    cells: xr.Dataset
    priors: Mapping[str, Prior]
    fixed_tau: float = NOT_FIXED
    fixed_outcomes: float = NOT_FIXED


def refits(
    cells: xr.Dataset, priors: Mapping[str, Prior], keys: Collection[str]
) -> Iterator[Refit]:
    """All refits of a module: each group left out, the variants of the priors and of the pooling.

    An organisation that is all of its study is left out with the study.

    Parameters
    ----------
    keys : of the priors that the model has (:func:`metastudy.model_checks.priors.log_priors`); each
        is halved and doubled, and all of them at once.
    """
    model = model_of(cells)
    where = model.places(cells)
    for grouping in GROUPINGS:
        levels = where.drop_duplicates(["study", grouping])
        if grouping == "organisation":
            levels = levels[levels.groupby("study")[grouping].transform("nunique") > 1]
        # A country that a study does not say would be the study once more.
        for name in sorted(n for n in set(levels[grouping]) if not is_unsaid(str(n))):
            yield Refit(f"without_{grouping}", name, without(cells, grouping, name), priors)
    for key, name, other in variants(priors, keys):
        yield Refit("prior", f"{key}_{name}", cells, other)
    scale = float(priors[OF_METRIC[model.metric][0]].scale)
    if OUTCOMES in priors and model.pools_outcomes(cells):
        yield Refit("outcomes", "apart", cells, priors, fixed_outcomes=scale)
    for value in AT if model.assumed_correlation(cells) is not None else ():
        yield Refit(CORRELATION, f"{value:g}", model.with_correlation(cells, value), priors)
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


def speaks_of(cells: xr.Dataset, grouping: str, group: str) -> np.ndarray:
    """Which population effects a group has data about, shape (effect,)."""
    model = model_of(cells)
    mine = (model.places(cells)[grouping] == group).to_numpy()
    return np.asarray(model.about(cells)[mine].any(axis=0))


def rows_left_out(cells: xr.Dataset, kept: xr.Dataset) -> float:
    """Share of the respondents, or of the interviews, that a refit does without."""
    whole, rest = (float(model_of(found).sizes(found)[1].sum()) for found in (cells, kept))
    return float(1 - rest / whole)
