"""Codes in interviews and cases, as a kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.harmonized import scale_scores
from metastudy.models.base import GROUPINGS
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.contrasts import contrasts
from metastudy.models.codings.design import organisation_design, structures
from metastudy.models.codings.estimates import blocks
from metastudy.models.codings.observations import observe_interviews
from metastudy.models.codings.predictive import checks, of_interviews
from metastudy.models.codings.priors import prior_of
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.simulation import identified, simulate_codings
from metastudy.models.kind import EFFECT, Model, effect_coords
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["CODINGS", "build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    """The model of :func:`metastudy.models.codings.model.build`; PyMC is imported here."""
    from metastudy.models.codings import model

    return model.build(cells, priors)


def places(cells: xr.Dataset) -> pd.DataFrame:
    """Study, country, sector and organisation of each unit."""
    found = {name: cells[name].values for name in GROUPINGS}
    return pd.DataFrame({**found, "organisation": cells.site.values}).astype(str)


def weigh(cells: xr.Dataset, weights: np.ndarray) -> xr.Dataset:
    """The same cells, each unit with its interviews counted so many times."""
    kept = xr.DataArray(weights, dims="organisation")
    return cells.assign(single=cells.single * kept, double=cells.double * kept)


def sizes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Study of each unit, and its number of interviews."""
    return cells.study.values, interviews(cells).max("code").values


def _effects(cells: xr.Dataset) -> pd.DataFrame:
    """All pairs of an exposure and a family; contrasts of codings are not by role."""
    pairs = product(cells.exposure.values, cells.family.values)
    return pd.DataFrame(pairs, columns=["exposure", "outcome"]).assign(role="")


def covered(cells: xr.Dataset) -> xr.DataArray:
    """A contrast needs interviews about a code of its family on both sides of it."""
    read, x = interviews(cells).values, cells.x.values
    families = [str(f) for f in cells.family.values]
    found = np.zeros((cells.sizes["exposure"], len(families)), dtype=bool)
    for e in range(len(found)):
        both = (read[x[:, e] < 0].sum(axis=0) > 0) & (read[x[:, e] > 0].sum(axis=0) > 0)
        for family in cells.family_of.values[both]:
            found[e, families.index(str(family))] = True
    return xr.DataArray(found.ravel(), effect_coords(_effects(cells)), EFFECT)


def population_effects(posterior: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """Means over the codes of a family, in log-odds; an outcome is a family."""
    found = posterior["contrast"].transpose("chain", "draw", "exposure", "family").values
    flat = found.reshape(*found.shape[:2], -1)
    return xr.DataArray(flat, effect_coords(_effects(cells)), ("chain", "draw", EFFECT))


CODINGS = Model(
    name="codings",
    metric="log_odds",
    cluster="organisation",
    prior_of=prior_of,
    measured=scale_scores.NEEDED,
    cells=code_cells,
    structures=structures,
    design=organisation_design,
    least_levels=1,  # what cannot be told apart is the point of a design of interviews
    build=build,
    row_parameters=("presence", "sensitivity", "specificity"),
    observe=observe_interviews,
    log_lik=of_interviews,
    check=checks,
    simulate=simulate_codings,
    identified=identified,
    contrasts=contrasts,
    estimates=blocks,
    places=places,
    weigh=weigh,
    sizes=sizes,
    covered=covered,
    population_effects=population_effects,
)
