"""The rows behind the cells, and what a posterior says of each of them.

A model is fitted on cells and checked on rows: here are the respondents and the interviews in the
order and the units of a module's cells, and the parameters that the density of a row needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from metastudy import vocabulary as vocabularies
from metastudy.cells import (
    GROUPINGS,
    Study,
    load_study,
    readings_of,
    rows_of,
    studies_of_codes,
)
from metastudy.design import VARYING_FROM
from metastudy.vocabulary import Vocabulary

__all__ = [
    "PARAMETERS",
    "Answers",
    "Interviews",
    "answers",
    "applied",
    "coefficients",
    "interviews",
    "load_rows",
    "residual_factors",
]

# What the density of a row needs of a posterior; what a model does not have, it does without.
PARAMETERS = {
    "answers": (
        *("baseline", "beta", "site_effect"),
        *("sigma", "construct_chol", "vignette_chol"),
    ),
    "codings": ("presence", "sensitivity", "specificity"),
}


@dataclass(frozen=True)
class Answers:
    """N respondents with K outcomes, P coefficients; sites and settings as in the cells."""

    y: np.ndarray  # (N, K) in standard units, NaN where not observed
    x: np.ndarray  # (N, P), the first one the intercept
    site: np.ndarray  # (N,) place among the cells' sites
    setting: np.ndarray  # (N,)
    study: np.ndarray  # (N,) place among the studies, sorted by name


@dataclass(frozen=True)
class Interviews:
    """N interviews with C codes; units as in the cells."""

    first: np.ndarray  # (N, C) what the first coder applied; NaN where a code was not looked for
    second: np.ndarray  # (N, C) the same of the second coder; NaN where there is none
    unit: np.ndarray  # (N,) place among the cells' organisations


def answers(
    studies: Sequence[Study], cells: xr.Dataset, vocabulary: Vocabulary, folded: bool = False
) -> Answers:
    """Respondents of a module's studies, in the units and the order of outcomes of its cells.

    Parameters
    ----------
    studies : the studies that the cells were made from.
    cells : of a module (:func:`metastudy.cells.answer_cells`).
    folded : as the cells were made.
    """
    setting_of_site = cells.setting_of_site.values
    places = pd.DataFrame({g: cells[g].values[setting_of_site] for g in GROUPINGS})
    places = places.assign(site=cells.site.values, at=range(cells.sizes["site"]))
    names = pd.MultiIndex.from_arrays([cells.construct_of.values, cells.vignette_of.values])
    y, x, where = [], [], []
    for study in studies:
        rows = rows_of(study, str(cells.attrs["module"]), vocabulary, folded)
        y.append(rows.y.reindex(columns=names).to_numpy(dtype=float))
        x.append(rows.x.reindex(columns=cells.exposure.values, fill_value=0.0).to_numpy(float))
        where.append(rows.site[[*GROUPINGS, "site"]])
    outcomes, exposures = np.concatenate(y), np.concatenate(x)
    found = pd.concat(where, ignore_index=True).merge(places, how="left")
    site = found["at"].to_numpy(dtype=int)
    return Answers(
        y=outcomes,
        x=np.column_stack([np.ones(len(exposures)), exposures]),
        site=site,
        setting=setting_of_site[site],
        study=np.unique(cells.study.values, return_inverse=True)[1][setting_of_site[site]],
    )


def interviews(studies: Sequence[Study], cells: xr.Dataset) -> Interviews:
    """Interviews of a module's studies, in the order of units and codes of its cells."""
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


def load_rows(
    folders: Sequence[Path], cells: xr.Dataset, model: str, path_to_vocabulary: Path
) -> Answers | Interviews:
    """Rows of a module from the harmonized folders of its studies; their order does not matter.

    Parameters
    ----------
    model : kind of model, ``answers`` or ``codings``.
    """
    studies = sorted((load_study(folder) for folder in folders), key=lambda study: study.id)
    if model == "codings":
        return interviews(studies, cells)
    vocabulary = vocabularies.merge(
        vocabularies.load(path_to_vocabulary), [s.report["vocabulary"] for s in studies]
    )
    return answers(studies, cells, vocabulary)


def coefficients(cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Coefficients of every site, intercept first; shape (S, site, P, K).

    Parameters
    ----------
    draws : with the dimension ``sample``, of length S, first.
    """
    baseline, beta = draws["baseline"].values, draws["beta"].values
    setting = cells.setting_of_site.values
    b = np.concatenate([baseline[:, :, None, :], beta], axis=2)[:, setting]
    many = np.flatnonzero(np.bincount(setting)[setting] >= VARYING_FROM)
    if len(many):
        b[:, many] = draws["site_effect"].values
    return b


def residual_factors(draws: xr.Dataset) -> np.ndarray:
    """Cholesky factors of each study's residual covariance, shape (S, study, K, K)."""
    sigma = draws["sigma"].values
    one = np.ones((len(sigma), 1, 1))
    construct, vignette = (
        draws[name].values if name in draws else one for name in ("construct_chol", "vignette_chol")
    )
    size = sigma.shape[-1]
    chol = np.einsum("sab,scd->sacbd", construct, vignette).reshape(-1, size, size)
    return sigma[..., None] * chol[:, None]


def applied(draws: xr.Dataset) -> dict[str, np.ndarray]:
    """Probability of what coders do to a code, each of shape (S, organisation, C).

    Returns
    -------
    ``one``, a coder applies it; and of two coders, independent given the truth, ``both``,
    ``either`` (a certain one of them alone) and ``none`` (Dawid and Skene 1979).
    """
    p = draws["presence"].values
    s, t = (draws[name].values[:, None, None] for name in ("sensitivity", "specificity"))
    return {
        "one": p * s + (1 - p) * (1 - t),
        "both": p * s**2 + (1 - p) * (1 - t) ** 2,
        "either": p * s * (1 - s) + (1 - p) * t * (1 - t),
        "none": p * (1 - s) ** 2 + (1 - p) * t**2,
    }
