"""Outcomes that are there or not, as a kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.models.answers.design import answer_design, estimands, structures
from metastudy.models.answers.kind import pools_outcomes, population_effects
from metastudy.models.answers.moderators import with_moderators
from metastudy.models.base import GROUPINGS
from metastudy.models.events.cells import NEEDED, event_cells
from metastudy.models.events.contrasts import contrasts
from metastudy.models.events.design import of_each_group, setting_of_group
from metastudy.models.events.estimates import blocks
from metastudy.models.events.observations import observe_events
from metastudy.models.events.patterns import TABLE, is_joint
from metastudy.models.events.predictive import checks, of_events
from metastudy.models.events.priors import METRIC, prior_of
from metastudy.models.events.simulation import identified, simulate_events
from metastudy.models.kind import EFFECT, Model, effect_coords
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["EVENTS", "build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    """The model of :func:`metastudy.models.events.model.build`; PyMC is imported here."""
    from metastudy.models.events import model

    return model.build(cells, priors)


def places(cells: xr.Dataset) -> pd.DataFrame:
    """Study, country, sector and organisation of each group of people."""
    setting = setting_of_group(cells)
    found = {name: cells[name].values[setting] for name in GROUPINGS}
    site = cells.site.values[cells.site_of_group.values]
    return pd.DataFrame({**found, "organisation": site}).astype(str)


def weigh(cells: xr.Dataset, weights: np.ndarray) -> xr.Dataset:
    """The same cells, each group with its people counted that many times."""
    kept = xr.DataArray(weights, dims="group")
    of_pattern = xr.DataArray(weights[cells.group_of_pattern.values], dims="pattern")
    counted = {"n": cells.n * kept, "events": cells.events * kept}
    if is_joint(cells):
        of_block = xr.DataArray(weights[cells.group_of_block.values], dims="block")
        counted[TABLE] = cells[TABLE] * of_block
    return cells.assign({**counted, "count": cells["count"] * of_pattern})


def sizes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Study of each group, and its number of people: those of the outcome that most answered."""
    return cells.study.values[setting_of_group(cells)], cells.n.values.max(axis=1, initial=0.0)


def about(cells: xr.Dataset) -> np.ndarray:
    """An effect needs people of a setting that has the exposure and the outcome, with its role."""
    says, role = of_each_group(cells), cells.role.values[setting_of_group(cells)]
    exposures = list(map(str, cells.exposure.values))
    found = []
    for row in estimands(cells).itertuples():
        of = says[:, exposures.index(str(row.exposure)), cells.construct_of.values == row.outcome]
        found.append(of.any(axis=1) & (role == row.role))
    return np.array(found, dtype=bool).reshape(-1, len(role)).T


def covered(cells: xr.Dataset) -> xr.DataArray:
    """An effect needs people of one group at least (:func:`about`)."""
    return xr.DataArray(about(cells).any(axis=0), effect_coords(estimands(cells)), EFFECT)


EVENTS = Model(
    name="events",
    metric=METRIC,
    cluster="site",
    prior_of=prior_of,
    measured=NEEDED,
    cells=event_cells,
    moderate=with_moderators,
    structures=structures,
    design=answer_design,
    build=build,
    row_parameters=("baseline", "beta", "site_effect", "site_tau", "association"),
    observe=observe_events,
    log_lik=of_events,
    check=checks,
    simulate=simulate_events,
    identified=identified,
    contrasts=contrasts,
    estimates=blocks,
    places=places,
    weigh=weigh,
    sizes=sizes,
    pools_outcomes=pools_outcomes,
    about=about,
    covered=covered,
    population_effects=population_effects,
)
