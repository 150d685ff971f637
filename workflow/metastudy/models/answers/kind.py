"""Answers on scales, as a kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.harmonized import scale_scores
from metastudy.models.answers.associations import associations
from metastudy.models.answers.assumed import IF_ONE, assumed_correlation, with_correlation
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.contrasts import contrasts
from metastudy.models.answers.design import answer_design, estimands, families, structures
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.join import join_answers, people_once
from metastudy.models.answers.moderators import with_moderators
from metastudy.models.answers.observations import observe_answers
from metastudy.models.answers.predictive import checks, of_answers
from metastudy.models.answers.priors import prior_of
from metastudy.models.answers.shifted import shifted
from metastudy.models.answers.simulation import identified, simulate_answers
from metastudy.models.base import GROUPINGS
from metastudy.models.kind import EFFECT, Model, effect_coords
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["ANSWERS", "build"]


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    """The model of :func:`metastudy.models.answers.model.build`; PyMC is imported here."""
    from metastudy.models.answers import model

    return model.build(cells, priors)


def places(cells: xr.Dataset) -> pd.DataFrame:
    """Study, country, sector and organisation of each cell."""
    site = cells.site_of_cell.values
    setting = cells.setting_of_site.values[site]
    found = {name: cells[name].values[setting] for name in GROUPINGS}
    return pd.DataFrame({**found, "organisation": cells.site.values[site]}).astype(str)


def weigh(cells: xr.Dataset, weights: np.ndarray) -> xr.Dataset:
    """The same cells, each with its rows counted that many times."""
    kept = xr.DataArray(weights, dims="cell")
    counted = [name for name in ("n", "xx", "xy", "yy", IF_ONE) if name in cells]
    return cells.assign({name: cells[name] * kept for name in counted})


def sizes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Study of each cell, and its number of respondents; the same people count once."""
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    return cells.study.values[setting], people_once(cells)


def pools_outcomes(cells: xr.Dataset) -> bool:
    """Whether an exposure has several outcomes of a family."""
    return bool(families(estimands(cells)).ne("").any())


def about(cells: xr.Dataset) -> np.ndarray:
    """An effect needs rows of a setting that has the exposure and the outcome, with its role."""
    has_rows = cells.n.values > 0
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool) & has_rows[:, None]
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    exposures = list(map(str, cells.exposure.values))
    found = []
    for row in estimands(cells).itertuples():
        mine = cells.present.values[setting, exposures.index(str(row.exposure))].astype(bool)
        mine &= cells.role.values[setting] == row.role
        found.append(mine & seen[:, cells.construct_of.values == row.outcome].any(axis=1))
    return np.array(found, dtype=bool).reshape(-1, len(setting)).T


def covered(cells: xr.Dataset) -> xr.DataArray:
    """An effect needs rows of one cell at least (:func:`about`)."""
    return xr.DataArray(about(cells).any(axis=0), effect_coords(estimands(cells)), EFFECT)


def population_effects(posterior: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """Means over the settings with people of one role, in standard deviations."""
    effects = posterior["mu"].rename(estimand=EFFECT).transpose("chain", "draw", EFFECT)
    return effects.drop_vars(EFFECT).assign_coords(effect_coords(estimands(cells)))


ANSWERS = Model(
    name="answers",
    metric="sd",
    cluster="site",
    prior_of=prior_of,
    measured=scale_scores.NEEDED,
    cells=answer_cells,
    join=join_answers,
    moderate=with_moderators,
    structures=structures,
    design=answer_design,
    build=build,
    row_parameters=(
        *("baseline", "beta", "standardiser", "site_effect"),
        *("sigma", "construct_chol", "vignette_chol"),
    ),
    observe=observe_answers,
    log_lik=of_answers,
    check=checks,
    simulate=simulate_answers,
    identified=identified,
    contrasts=contrasts,
    estimates=blocks,
    associations=associations,
    shifted=shifted,
    places=places,
    weigh=weigh,
    sizes=sizes,
    assumed_correlation=assumed_correlation,
    with_correlation=with_correlation,
    pools_outcomes=pools_outcomes,
    about=about,
    covered=covered,
    population_effects=population_effects,
)
