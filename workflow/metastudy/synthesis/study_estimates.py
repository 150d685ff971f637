"""Unpooled study estimates: what each study says on its own, with the covariance of its likelihood.

The second stage never sees a shrunken contrast of a hierarchical fit: these are maximum-likelihood
estimates of each setting alone, computed from the same cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.base import COLUMNS
from metastudy.models.registry import model_of

__all__ = ["NEAREST", "estimates", "positive_definite"]

NEAREST = "correlations of the estimates of {} moved to ones that can be: its people are few"
# Eigenvalues of a correlation matrix: below the first it is not positive definite, and the second
# takes the place of smaller ones. With less, an error of estimation would pass for a combination of
# the estimates that is known exactly.
ROUNDING, LEAST = 1e-8, 0.01


def estimates(cells: xr.Dataset, vocabulary: Vocabulary) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates of every study of a module.

    Parameters
    ----------
    cells : what the model sees.

    Returns
    -------
    table, covariance
        One row per setting, exposure and outcome (for codings per family: the mean log-odds ratio
        of its codes), and the covariance of all rows, zero between studies. What the setting alone
        cannot tell has no row: an exposure that does not vary within sites or is another's alias,
        codings of one organisation only, an outcome of no more people than it has coefficients.
        ``note`` says where a covariance is not the estimated one (:func:`positive_definite`).
    """
    blocks = list(model_of(cells).estimates(cells, vocabulary))
    none = pd.DataFrame(columns=COLUMNS).astype({"estimate": float, "n": int})
    table = pd.concat([rows for rows, _ in blocks], ignore_index=True) if blocks else none
    keys = ["study", "country", "sector", "exposure", "outcome", "vignette"]
    table.insert(0, "id", ["|".join(key) for key in table[keys].to_numpy()])
    covariance = np.zeros((len(table), len(table)))
    notes: list[str] = []
    for rows, estimated in blocks:
        own, changed = positive_definite(estimated)
        start, end = len(notes), len(notes) + len(rows)
        covariance[start:end, start:end] = own
        notes += [NEAREST.format(rows["study"].iloc[0]) * changed] * len(rows)
    return table.assign(se=np.sqrt(np.diag(covariance)), note=notes), covariance


def positive_definite(covariance: np.ndarray) -> tuple[np.ndarray, bool]:
    """A covariance that the second stage can take for known, and whether it is another one.

    Where outcomes were answered by different people, their covariances are estimated from
    different rows and may contradict each other, and of more estimates than organisations some
    combination seems to be known exactly. Then the correlations are moved to near ones that are
    positive definite, and the variances stay, as with ``nearpd`` in metafor. Small eigenvalues are
    raised and the diagonal is brought back to one (Rousseeuw and Molenberghs 1993, Transformation
    of non positive semidefinite correlation matrices, section 3.2).

    Parameters
    ----------
    covariance : of a study's estimates, shape (rows, rows).
    """
    sd = np.sqrt(np.diag(covariance))
    size, direction = np.linalg.eigh(covariance / np.outer(sd, sd))
    if size.min(initial=1.0) > ROUNDING:
        return covariance, False
    near = direction * np.maximum(size, LEAST) @ direction.T
    back = sd / np.sqrt(np.diag(near))
    return near * np.outer(back, back), True
