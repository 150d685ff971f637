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
from metastudy.models.codings.contrasts import codes_compared, contrasts
from metastudy.models.codings.design import organisation_design, sides
from metastudy.models.codings.estimates import blocks
from metastudy.models.codings.join import join_codes
from metastudy.models.codings.moderators import structures, with_moderators
from metastudy.models.codings.observations import observe_interviews
from metastudy.models.codings.predictive import checks, of_interviews
from metastudy.models.codings.priors import prior_of
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.roles import slopes
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
    """The same cells, each unit with its interviews counted that many times."""
    kept = xr.DataArray(weights, dims="organisation")
    return cells.assign(single=cells.single * kept, double=cells.double * kept)


def sizes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Study of each place, and its number of interviews.

    In a parcel an organisation can stand by itself for one code and be among others for another.
    So interviews are counted by code, in all units of a place, and then of the code with most.
    """
    where = zip(*(cells[name].values for name in (*GROUPINGS, "role", "arrangement")), strict=True)
    number: dict[tuple[str, ...], int] = {}
    at = [number.setdefault(place, len(number)) for place in where]
    read = np.zeros((len(number), cells.sizes["code"]))
    np.add.at(read, at, interviews(cells).values)
    return np.array([study for study, *_ in number]), read.max(axis=1)


def _effects(cells: xr.Dataset) -> pd.DataFrame:
    """All pairs of a contrast and a family; by role where an exposure has several contrasts."""
    of = slopes(cells)
    pairs = product(range(len(of.label)), cells.family.values)
    table = pd.DataFrame(pairs, columns=["slope", "outcome"])
    slope = table.pop("slope").to_numpy(dtype=int)
    role = np.array(of.role, dtype=str)[slope] if of.split else ""
    return table.assign(exposure=cells.exposure.values[of.exposure[slope]], role=role)


def about(cells: xr.Dataset) -> np.ndarray:
    """An organisation on one side of a contrast, with interviews about a code that both have."""
    read = interviews(cells).values > 0  # (organisation, code)
    on_a_side = slopes(cells).x.T != 0  # (slope, organisation)
    asked = np.einsum("sfc,oc->sfo", _compared(cells), read) & on_a_side[:, None]
    return asked.reshape(-1, len(read)).T


def covered(cells: xr.Dataset) -> xr.DataArray:
    """A contrast needs interviews about a code of its family on both sides of it."""
    found = _compared(cells).any(axis=-1)
    return xr.DataArray(found.ravel(), effect_coords(_effects(cells)), EFFECT)


def _compared(cells: xr.Dataset) -> np.ndarray:
    """Codes of each family on both sides of each contrast, shape (slope, family, code)."""
    of_family = cells.family_of.values == cells.family.values[:, None]
    both = [codes_compared(cells, x) for x in slopes(cells).x.T]
    return np.array([of_family & codes for codes in both]).reshape(-1, *of_family.shape)


def population_effects(posterior: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """Means over the codes of a family that were looked for, in log-odds; an outcome is a family.

    Where none was looked for on both sides it is the mean of all that there could be.
    """
    found = posterior["contrast"].transpose("chain", "draw", "exposure", "family").values.copy()
    gamma = posterior["gamma"].transpose("chain", "draw", "exposure", "code").values
    compared = _compared(cells)
    for slope, family in np.argwhere(compared.any(axis=-1)):
        codes = compared[slope, family]
        found[:, :, slope, family] = gamma[:, :, slope, codes].mean(axis=-1)
    flat = found.reshape(*found.shape[:2], -1)
    return xr.DataArray(flat, effect_coords(_effects(cells)), ("chain", "draw", EFFECT))


CODINGS = Model(
    name="codings",
    metric="log_odds",
    cluster="organisation",
    prior_of=prior_of,
    measured=scale_scores.NEEDED,
    cells=code_cells,
    join=join_codes,
    moderate=with_moderators,
    structures=structures,
    design=organisation_design,
    least_levels=1,  # what cannot be distinguished is the point of a design of interviews
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
    sides=sides,
    weigh=weigh,
    sizes=sizes,
    about=about,
    covered=covered,
    population_effects=population_effects,
)
