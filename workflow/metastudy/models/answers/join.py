"""Cells of answers, study by study, joined to those of a module.

Each study's cross-products are made in its own columns, and put in place here. So their bytes do
not depend on which other studies there are, nor on whether a study came as rows or as a parcel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.assumed import APART, IF_ONE, joined_marks, studies_in_parts
from metastudy.models.base import KEYS_OF_SETTING, in_order
from metastudy.models.joined import of_studies

__all__ = ["join_answers", "people_once"]

_OF_OUTCOMES = {"centre": np.nan, "scale": np.nan, "scale_df": np.nan, "scale_of_all_arms": False}


def join_answers(parts: Sequence[xr.Dataset], vocabulary: Vocabulary) -> xr.Dataset:
    """Join the cells of several studies.

    Parameters
    ----------
    parts : cells of one study each (:func:`metastudy.models.answers.cells.answer_cells`), in any
        order; the whole has them in that of the studies' ids.
    vocabulary : gives the order of constructs and vignettes, and the families.

    Returns
    -------
    Cells with all exposures, outcomes and patterns of the parts; what a study does not have is zero
    in its cross-products, and missing among its standardisers. Where correlations between outcomes
    of a study are not known nor assumed, each outcome is a family of its own: pooled with others,
    or taken from them, it would count as if other people had answered.
    """
    parts = sorted(parts, key=lambda part: str(part.study.values[0]))
    marks = joined_marks(parts)
    apart = APART in marks
    constructs = in_order(
        {str(c) for p in parts for c in p.construct.values}, vocabulary["constructs"]
    )
    vignettes = in_order(
        {str(v) for p in parts for v in p.vignette.values}, vocabulary["vignettes"]
    )
    outcomes = [(c, v) for c in constructs for v in vignettes]
    labels = [f"{c}|{v}" for c, v in outcomes]
    exposures = {
        str(e): {
            name: str(p[name].values[i])
            for name in ("exposure_type", "exposure_name", "exposure_level")
        }
        for p in parts
        for i, e in enumerate(p.exposure.values)
    }
    coefficients = ["intercept", *exposures]

    seen = [_wide(p.observed.values, 1, _at(p.outcome, labels), len(labels)) for p in parts]
    patterns, places = np.unique(np.concatenate(seen).astype(bool), axis=0, return_inverse=True)
    pattern = np.split(places.ravel(), np.cumsum([len(s) for s in seen])[:-1])
    first_site = np.cumsum([0, *(p.sizes["site"] for p in parts)])
    first_setting = np.cumsum([0, *(p.sizes["setting"] for p in parts)])

    def together(name: str, *dims: tuple[str, list[str]], missing: Any = 0.0) -> np.ndarray:
        """One variable of all parts, its dimensions after the first in the order of the whole."""
        found = []
        for p in parts:
            values = (p[name] if name in p else 0.0 * p.yy).values  # only arms have all of them
            for axis, (dim, names) in enumerate(dims, start=1):
                values = _wide(values, axis, _at(p[dim], names), len(names), missing)
            found.append(values)
        return np.concatenate(found)

    outcome, coefficient = ("outcome", labels), ("coefficient", coefficients)
    return xr.Dataset(
        {
            "n": ("cell", together("n")),
            "xx": (
                ("cell", "coefficient", "coefficient_"),
                together("xx", coefficient, coefficient),
            ),
            "xy": (("cell", "coefficient", "outcome"), together("xy", coefficient, outcome)),
            "yy": (("cell", "outcome", "outcome_"), together("yy", outcome, outcome)),
            **(
                {IF_ONE: (("cell", "outcome", "outcome_"), together(IF_ONE, outcome, outcome))}
                if any(IF_ONE in p for p in parts)
                else {}
            ),
            "site_of_cell": ("cell", _moved(parts, "site_of_cell", first_site)),
            "pattern_of_cell": (
                "cell",
                np.concatenate(
                    [own[p.pattern_of_cell.values] for own, p in zip(pattern, parts, strict=True)]
                ),
            ),
            "observed": (("pattern", "outcome"), patterns.astype(np.int8)),
            "setting_of_site": ("site", _moved(parts, "setting_of_site", first_setting)),
            "asked": (("setting", "outcome"), together("asked", outcome, missing=0)),
            "present": (
                ("setting", "exposure"),
                together("present", ("exposure", list(exposures)), missing=0),
            ),
            "sited": ("setting", together("sited")),
            **{
                name: (("setting", "outcome"), together(name, outcome, missing=missing))
                for name, missing in _OF_OUTCOMES.items()
            },
            "family_of": ("construct", [c if apart else vocabulary.family(c) for c in constructs]),
            "family_sign": (
                "construct",
                [
                    0 if apart else int(vocabulary["constructs"][c].get("family_sign", 0))
                    for c in constructs
                ],
            ),
            **{name: ("setting", together(name)) for name in KEYS_OF_SETTING},
            **{
                name: ("exposure", [about[name] for about in exposures.values()])
                for name in ("exposure_type", "exposure_name", "exposure_level")
            },
            "construct_of": ("outcome", np.array([c for c, _ in outcomes], dtype=str)),
            "vignette_of": ("outcome", np.array([v for _, v in outcomes], dtype=str)),
        },
        coords={
            "setting": [str(name) for p in parts for name in p.setting.values],
            "site": np.concatenate([p.site.values.astype(str) for p in parts]),
            "coefficient": coefficients,
            "exposure": np.array(list(exposures), dtype=str),
            "construct": constructs,
            "vignette": vignettes,
            "outcome": labels,
        },
        attrs=parts[0].attrs | of_studies(parts) | marks,
    )


def people_once(cells: xr.Dataset) -> np.ndarray:
    """Number of people of each cell; where several cells are of the same, each a part of them."""
    site = cells.site_of_cell.values
    study = cells.study.values[cells.setting_of_site.values[site]]
    times = np.where(np.isin(study, studies_in_parts(cells)), np.bincount(site)[site], 1)
    return np.asarray(cells.n.values / times)


def _at(own: xr.DataArray, names: list[str]) -> np.ndarray:
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[str(name)] for name in own.values], dtype=int)


def _wide(
    values: np.ndarray, axis: int, at: np.ndarray, size: int, missing: Any = 0.0
) -> np.ndarray:
    """Values at their places along an axis of another size; the other places are missing."""
    shape = [*values.shape]
    shape[axis] = size
    out = np.full(shape, missing, dtype=values.dtype)
    np.moveaxis(out, axis, 0)[at] = np.moveaxis(values, axis, 0)
    return out


def _moved(parts: Sequence[xr.Dataset], name: str, first: np.ndarray) -> np.ndarray:
    """Places among all sites or settings, from those within each study."""
    return np.concatenate([p[name].values + at for p, at in zip(parts, first, strict=False)])
