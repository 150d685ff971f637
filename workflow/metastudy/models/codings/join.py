"""Cells of codings, study by study, joined to those of a module.

Each study's counts are its own, whether it came as rows or as a parcel, and are put in place here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.base import in_order
from metastudy.models.codings.cells import OF_UNITS, assembled
from metastudy.models.joined import of_studies

__all__ = ["join_codes"]


def join_codes(parts: Sequence[xr.Dataset], vocabulary: Vocabulary) -> xr.Dataset:
    """Join the cells of several studies.

    Parameters
    ----------
    parts : cells of one study each (:func:`metastudy.models.codings.cells.code_cells`), in any
        order; the whole has them in that of the studies' ids.
    vocabulary : gives the order of codes, and the families.

    Returns
    -------
    Cells with all units, codes and exposures of the parts, the same as if all studies had come as
    rows; what a study did not look for has no interviews there.
    """
    parts = sorted(parts, key=lambda part: str(part.study.values[0]))
    codes = in_order({str(c) for p in parts for c in p.code.values}, vocabulary["codes"])
    exposures = {
        str(e): {
            "id": str(e),
            "name": str(p.exposure_name.values[i]),
            "type": str(p.exposure_type.values[i]),
        }
        for p in parts
        for i, e in enumerate(p.exposure.values)
    }
    units = pd.concat(
        [pd.DataFrame({c: p[c].values for c in ("organisation", *OF_UNITS)}) for p in parts],
        ignore_index=True,
    )
    single, double = (
        np.concatenate([_wide(p[name].values, _at(p.code, codes), len(codes)) for p in parts])
        for name in ("single", "double")
    )
    ids = list(exposures)
    x = np.concatenate([_wide(p.x.values, _at(p.exposure, ids), len(ids)) for p in parts])
    about = list(exposures.values())
    own = {name: str(parts[0].attrs[name]) for name in ("model", "data", "module", "variant")}
    said = own | of_studies(parts)
    return assembled(single, double, x, units, codes, about, vocabulary, said)


def _at(names: xr.DataArray, whole: Sequence[str]) -> list[int]:
    return [whole.index(str(name)) for name in names.values]


def _wide(values: np.ndarray, at: list[int], size: int) -> np.ndarray:
    """An array with its second axis in the places of the whole; zero elsewhere."""
    found = np.zeros((len(values), size, *values.shape[2:]))
    found[:, at] = values
    return found
