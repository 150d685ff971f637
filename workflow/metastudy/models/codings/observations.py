"""Observations of codings: the interviews that checks are made on, and their patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.codings.readings import readings_of, studies_of_codes
from metastudy.models.latent_classes import pattern_probabilities

__all__ = ["Interviews", "applied", "observe_interviews"]


@dataclass(frozen=True)
class Interviews:
    """N interviews with C codes; units as in the cells."""

    first: np.ndarray  # (N, C) what the first coder applied; NaN where a code was not looked for
    second: np.ndarray  # (N, C) the same of the second coder; NaN where there is none
    unit: np.ndarray  # (N,) place among the cells' organisations


def observe_interviews(
    studies: Sequence[Study], cells: xr.Dataset, vocabulary: Vocabulary | None = None
) -> Interviews:
    """Interviews of a module's studies, in the order of units and codes of its cells.

    The cells say which codes there are, so the vocabulary takes no part.
    """
    looked, codes = studies_of_codes(cells), [str(c) for c in cells.code.values]
    units = {str(name): at for at, name in enumerate(cells.organisation.values)}
    first, second, unit = [], [], []
    for study in studies:
        mine = [c for c in codes if looked.sel(study_name=study.id, code=c)]
        read = readings_of(study, mine)
        first.append(read.first.astype(float).reindex(columns=codes))
        second.append(read.second.astype(float).reindex(index=read.first.index, columns=codes))
        unit.append(read.unit.map(units).to_numpy(dtype=int))
    return Interviews(
        np.concatenate([table.to_numpy(dtype=float) for table in first]),
        np.concatenate([table.to_numpy(dtype=float) for table in second]),
        np.concatenate(unit),
    )


def applied(draws: xr.Dataset) -> dict[str, np.ndarray]:
    """Probability of what coders do to a code, each of shape (S, organisation, C).

    Returns
    -------
    ``one``, a coder applies it; and of two coders, independent given the truth, ``both``,
    ``either`` (a certain one of them alone) and ``none`` (Dawid and Skene 1979).
    """
    p = draws["presence"].values
    s, t = (draws[name].values[:, None, None] for name in ("sensitivity", "specificity"))
    present, absent = pattern_probabilities(s, t)
    return {name: p * present[name] + (1 - p) * absent[name] for name in present}
