"""Observations of answers: the rows that the checks are made on, aligned with their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.answers.design import clustered
from metastudy.models.answers.rows import rows_of
from metastudy.models.base import KEYS_OF_SETTING

__all__ = ["Answers", "coefficients", "observe_answers", "residual_factors"]


@dataclass(frozen=True)
class Answers:
    """N respondents with K outcomes, P coefficients; sites and settings as in the cells."""

    y: np.ndarray  # (N, K) in standard units, NaN where not observed
    x: np.ndarray  # (N, P), the first one the intercept
    site: np.ndarray  # (N,) place among the cells' sites
    setting: np.ndarray  # (N,)


def observe_answers(
    studies: Sequence[Study], cells: xr.Dataset, vocabulary: Vocabulary, folded: bool = False
) -> Answers:
    """Respondents of a module's studies, in the units and the order of outcomes of its cells.

    Parameters
    ----------
    studies : the studies that the cells were made from.
    cells : of a module (:func:`metastudy.models.answers.cells.answer_cells`).
    folded : as the cells were made.
    """
    setting_of_site = cells.setting_of_site.values
    places = pd.DataFrame({g: cells[g].values[setting_of_site] for g in KEYS_OF_SETTING})
    places = places.assign(site=cells.site.values, at=range(cells.sizes["site"]))
    names = pd.MultiIndex.from_arrays([cells.construct_of.values, cells.vignette_of.values])
    y, x, where = [], [], []
    for study in studies:
        rows = rows_of(study, str(cells.attrs["module"]), vocabulary, folded)
        y.append(rows.y.reindex(columns=names).to_numpy(dtype=float))
        x.append(rows.x.reindex(columns=cells.exposure.values, fill_value=0.0).to_numpy(float))
        where.append(rows.site[[*KEYS_OF_SETTING, "site"]])
    outcomes, exposures = np.concatenate(y), np.concatenate(x)
    found = pd.concat(where, ignore_index=True).merge(places, how="left")
    site = found["at"].to_numpy(dtype=int)
    return Answers(
        y=outcomes,
        x=np.column_stack([np.ones(len(exposures)), exposures]),
        site=site,
        setting=setting_of_site[site],
    )


def coefficients(cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Coefficients of every site, intercept first; shape (S, site, P, K).

    Parameters
    ----------
    draws : with the dimension ``sample``, of length S, first.
    """
    baseline, beta = draws["baseline"].values, draws["beta"].values
    setting = cells.setting_of_site.values
    study = np.unique(cells.study.values, return_inverse=True)[1]
    beta = beta * draws["standardiser"].values[:, study][:, :, None, :]
    b = np.concatenate([baseline[:, :, None, :], beta], axis=2)[:, setting]
    if len(many := clustered(cells)):
        b[:, many] = draws["site_effect"].values
    return b


def residual_factors(draws: xr.Dataset) -> np.ndarray:
    """Cholesky factors of each setting's residual covariance, shape (S, setting, K, K)."""
    sigma = draws["sigma"].values
    one = np.ones((len(sigma), 1, 1))
    construct, vignette = (
        draws[name].values if name in draws else one for name in ("construct_chol", "vignette_chol")
    )
    size = sigma.shape[-1]
    chol = np.einsum("sab,scd->sacbd", construct, vignette).reshape(-1, size, size)
    return sigma[..., None] * chol[:, None]
