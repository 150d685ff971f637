"""Codes with an effect of the interview, as a kind of model: a sensitivity analysis of codings.

It has what a fit and its contrasts need; all else is asked of the main analysis.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.special import logit

from metastudy.harmonized import scale_scores
from metastudy.models.base import Row
from metastudy.models.codings.contrasts import contrasts as contrasts_of_codings
from metastudy.models.codings.design import organisation_design, structures
from metastudy.models.codings.marginal import marginal
from metastudy.models.codings.priors import prior_of
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.roles import slopes
from metastudy.models.interviews.cells import interview_cells
from metastudy.models.kind import Model
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["INTERVIEWS", "build", "over_interviews"]

NODES = 21  # of means over interviews


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> pm.Model:
    """The model of :func:`metastudy.models.interviews.model.build`; PyMC is imported here."""
    from metastudy.models.interviews import model

    return model.build(cells, priors)


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int,
    decided: Collection[str] = (),
) -> Iterator[Row]:
    """The contrasts of codings, of the same kind as in the main analysis: over interviews."""
    draws = over_interviews(cells, posterior["posterior"].to_dataset())
    tree = xr.DataTree.from_dict({"posterior": draws})
    return contrasts_of_codings(cells, tree, rng, smallest, decided)


def over_interviews(cells: xr.Dataset, draws: xr.Dataset) -> xr.Dataset:
    """Presence and contrasts of codes over interviews instead of within one.

    The main analysis has no effect of the interview: what it says of a unit is said over interviews
    there. Log-odds within an interview are farther from zero, as the odds of a mean are not the
    mean of odds. A contrast over interviews is between both sides of the exposure at the code's
    mean log-odds in the units that have it.

    Parameters
    ----------
    draws : ``log_odds``, ``interview_tau`` and, with exposures, ``gamma``.

    Returns
    -------
    xarray.Dataset
        ``presence`` (organisation, code) and ``gamma`` (code, exposure), the dims of draws first.
    """
    tau, within = draws["interview_tau"], draws["log_odds"]
    found = {"presence": marginal(within, tau, NODES)}
    if "gamma" in draws:
        gamma = draws["gamma"]
        of = slopes(cells)
        share = np.abs(of.x[:, None, :]) * interviews(cells).values[:, :, None]
        total = share.sum(axis=0)
        share = share / np.where(total > 0, total, 1.0)
        weight = xr.DataArray(share, dims=("organisation", "code", "exposure"))
        plain = within.drop_vars(["organisation", "code"]).assign_coords(code=gamma.code)
        x = xr.DataArray(of.x, dims=("organisation", "exposure"))
        middle = xr.dot(plain, weight, dim="organisation") - gamma * (weight * x).sum(
            "organisation"
        )
        low, high = (logit(marginal(middle + side * gamma, tau, NODES)) for side in (-0.5, 0.5))
        found["gamma"] = (high - low).transpose(*gamma.dims)
    return xr.Dataset(found)


INTERVIEWS = Model(
    name="interviews",
    metric="log_odds",
    cluster="organisation",
    prior_of=prior_of,
    measured=scale_scores.NEEDED,
    cells=interview_cells,
    structures=structures,
    design=organisation_design,
    least_levels=1,
    build=build,
    contrasts=contrasts,
)
