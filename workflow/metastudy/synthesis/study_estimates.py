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

__all__ = ["estimates"]


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
        codings of one organisation only.
    """
    blocks = list(model_of(cells).estimates(cells, vocabulary))
    none = pd.DataFrame(columns=COLUMNS).astype({"estimate": float, "n": int})
    table = pd.concat([rows for rows, _ in blocks], ignore_index=True) if blocks else none
    keys = ["study", "country", "sector", "exposure", "outcome", "vignette"]
    table.insert(0, "id", ["|".join(key) for key in table[keys].to_numpy()])
    covariance = np.zeros((len(table), len(table)))
    start = 0
    for rows, block in blocks:
        covariance[start : start + len(rows), start : start + len(rows)] = block
        start += len(rows)
    return table.assign(se=np.sqrt(np.diag(covariance))), covariance
