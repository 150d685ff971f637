"""Answers on scales, as a kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.harmonized import scale_scores
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.contrasts import contrasts
from metastudy.models.answers.design import structures
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.observations import observe_answers
from metastudy.models.answers.predictive import checks, of_answers
from metastudy.models.answers.priors import prior_of
from metastudy.models.answers.simulation import identified, simulate_answers
from metastudy.models.base import GROUPINGS
from metastudy.models.kind import EFFECTS, Model
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
    """The same cells, each with its rows counted so many times."""
    kept = xr.DataArray(weights, dims="cell")
    return cells.assign({name: cells[name] * kept for name in ("n", "xx", "xy", "yy")})


def sizes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Study of each cell, and its number of respondents."""
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    return cells.study.values[setting], cells.n.values


def covered(cells: xr.Dataset) -> xr.DataArray:
    """An effect needs rows of a setting that has the exposure and the outcome."""
    constructs = [str(c) for c in cells.construct.values]
    has_rows = cells.n.values > 0
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool) & has_rows[:, None]
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    has_exposure = cells.present.values[setting].astype(bool)
    by_outcome = has_exposure.T.astype(float) @ seen > 0
    of = np.array([constructs.index(str(c)) for c in cells.construct_of.values])
    found = np.stack([by_outcome[:, of == k].any(axis=1) for k in range(len(constructs))], axis=1)
    exposures = [str(e) for e in cells.exposure.values]
    return xr.DataArray(found, {"exposure": exposures, "outcome": constructs}, EFFECTS[2:])


def population_effects(posterior: xr.Dataset) -> xr.DataArray:
    """Means over the settings, in standard deviations; an outcome is a construct."""
    return posterior["mu"].rename(mu_of="exposure", construct="outcome").transpose(*EFFECTS)


ANSWERS = Model(
    name="answers",
    metric="sd",
    cluster="site",
    prior_of=prior_of,
    measured=scale_scores.NEEDED,
    cells=answer_cells,
    structures=structures,
    build=build,
    row_parameters=(
        *("baseline", "beta", "site_effect"),
        *("sigma", "construct_chol", "vignette_chol"),
    ),
    observe=observe_answers,
    log_lik=of_answers,
    check=checks,
    simulate=simulate_answers,
    identified=identified,
    contrasts=contrasts,
    estimates=blocks,
    places=places,
    weigh=weigh,
    sizes=sizes,
    covered=covered,
    population_effects=population_effects,
)
