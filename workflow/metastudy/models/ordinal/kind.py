"""Answers item by item, as a kind of model: a sensitivity analysis of answers on scales.

It has what a fit and its contrasts need; all else is asked of the main analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import xarray as xr

from metastudy.models.answers.contrasts import contrasts
from metastudy.models.answers.design import answer_design, structures
from metastudy.models.answers.moderators import with_moderators
from metastudy.models.answers.priors import prior_of
from metastudy.models.kind import Model
from metastudy.models.ordinal.cells import NEEDED, item_cells
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["ORDINAL", "build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    """The model of :func:`metastudy.models.ordinal.model.build`; PyMC is imported here."""
    from metastudy.models.ordinal import model

    return model.build(cells, priors)


ORDINAL = Model(
    name="ordinal",
    metric="sd",
    cluster="site",
    prior_of=prior_of,
    measured=NEEDED,
    cells=item_cells,
    moderate=with_moderators,
    structures=structures,
    design=answer_design,
    build=build,
    contrasts=contrasts,
)
