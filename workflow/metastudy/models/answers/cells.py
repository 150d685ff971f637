"""Cells of answers: cross-products by setting, exposures and pattern of observed outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows, rows_of
from metastudy.models.base import KEYS_OF_SETTING, attributes_of, in_order

__all__ = ["DATA", "answer_cells"]

DATA = ("n", "xx", "xy", "yy", "estimates_of_scores")


def answer_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Cross-products of a module's answers.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families.
    folded : whether what is a part of another outcome is folded into it (:func:`rows_of`).

    Returns
    -------
    xarray.Dataset
        ``n`` (cell), ``xx`` (cell, coefficient, coefficient_), ``xy`` (cell, coefficient, outcome),
        ``yy`` (cell, outcome, outcome_), a cell being a site and a pattern of observed outcomes;
        ``asked`` (setting, outcome), whether anybody in the setting answered; ``sited`` (setting),
        whether its people have organisations. Outcomes are all pairs of construct and vignette, in
        units of the standardiser ``scale`` around the reference mean ``centre`` (setting, outcome;
        POMP), with ``scale_df``, its degrees of freedom, and ``scale_of_all_arms``
        (:mod:`metastudy.models.answers.standardisers`). ``family_of`` and ``family_sign``
        (construct) say with which outcomes a construct is pooled. The first coefficient is the
        intercept.

    Raises
    ------
    BadInput
        Where an exposure differs between a person's vignettes, or an arm is empty.
    """
    rows = [rows_of(study, module, vocabulary, folded) for study in studies]
    constructs = in_order(
        {str(c) for r in rows for c in r.y.columns.unique("construct")}, vocabulary["constructs"]
    )
    vignettes = in_order(
        {str(v) for r in rows for v in r.y.columns.unique("vignette")}, vocabulary["vignettes"]
    )
    outcomes = pd.MultiIndex.from_product([constructs, vignettes], names=["construct", "vignette"])
    exposures = {e["id"]: e for r in rows for e in r.exposures}

    y = pd.concat([r.y.reindex(columns=outcomes) for r in rows], ignore_index=True)
    x = pd.concat(
        [r.x.reindex(columns=list(exposures), fill_value=0.0) for r in rows], ignore_index=True
    )
    where = pd.concat([r.site for r in rows], ignore_index=True)
    keys_of_setting = list(KEYS_OF_SETTING)
    sites = where.drop_duplicates().sort_values([*keys_of_setting, "site"], ignore_index=True)
    settings = sites.drop(columns="site").drop_duplicates(keys_of_setting, ignore_index=True)
    site = where.merge(sites.reset_index(names="at"), how="left")["at"].to_numpy()

    seen = y.notna().to_numpy()
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    keys, cell = np.unique(np.column_stack([site, pattern]), axis=0, return_inverse=True)
    z = np.column_stack([np.ones(len(x)), x.to_numpy(), np.where(seen, y.to_numpy(), 0.0)])
    n, zz = _cross_products(z, cell, len(keys))
    p = 1 + len(exposures)

    setting_of = settings.reset_index(names="at").merge(
        pd.DataFrame({"study": [s.id for s in studies], "rows": range(len(rows))})
    )
    names = _setting_names(settings)
    present = np.array([[e in rows[i].x.columns for e in exposures] for i in setting_of["rows"]])
    labels = [f"{c}|{v}" for c, v in outcomes]
    setting_of_site = sites.merge(settings.reset_index(names="at"), how="left")["at"].to_numpy()
    signs = [int(vocabulary["constructs"][c].get("family_sign", 0)) for c in constructs]
    asked = np.zeros((len(settings), len(labels)), dtype=bool)
    np.logical_or.at(asked, setting_of_site[keys[:, 0]], patterns[keys[:, 1]])
    return xr.Dataset(
        {
            "n": ("cell", n),
            "xx": (("cell", "coefficient", "coefficient_"), zz[:, :p, :p]),
            "xy": (("cell", "coefficient", "outcome"), zz[:, :p, p:]),
            "yy": (("cell", "outcome", "outcome_"), zz[:, p:, p:]),
            "site_of_cell": ("cell", keys[:, 0]),
            "pattern_of_cell": ("cell", keys[:, 1]),
            "observed": (("pattern", "outcome"), patterns.astype(np.int8)),
            "setting_of_site": ("site", setting_of_site),
            "asked": (("setting", "outcome"), asked.astype(np.int8)),
            "present": (("setting", "exposure"), present.astype(np.int8)),
            "sited": ("setting", settings["sited"].to_numpy(dtype=np.int8)),
            "centre": (("setting", "outcome"), _centres(rows, setting_of, outcomes)),
            "scale": (("setting", "outcome"), _aligned("scale", rows, setting_of, outcomes)),
            "scale_df": (("setting", "outcome"), _aligned("df", rows, setting_of, outcomes)),
            "scale_of_all_arms": (
                ("setting", "outcome"),
                _aligned("all_arms", rows, setting_of, outcomes) == 1,
            ),
            "family_of": ("construct", [vocabulary.family(c) for c in constructs]),
            "family_sign": ("construct", signs),
            **{c: ("setting", settings[c].to_numpy(dtype=str)) for c in keys_of_setting},
            "exposure_type": ("exposure", [e["type"] for e in exposures.values()]),
            "exposure_name": ("exposure", [e["name"] for e in exposures.values()]),
            "exposure_level": ("exposure", [e["level"] for e in exposures.values()]),
            "construct_of": ("outcome", outcomes.get_level_values("construct").to_numpy(dtype=str)),
            "vignette_of": ("outcome", outcomes.get_level_values("vignette").to_numpy(dtype=str)),
        },
        coords={
            "setting": names,
            "site": sites["site"].to_numpy(dtype=str),
            "coefficient": ["intercept", *exposures],
            "exposure": np.array(list(exposures), dtype=str),
            "construct": constructs,
            "vignette": vignettes,
            "outcome": labels,
        },
        attrs=attributes_of(
            "answers", DATA, studies, module, folded, [d for r in rows for d in r.dropped]
        ),
    )


def _cross_products(z: np.ndarray, cell: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and Z'Z per cell; one pass over the rows sorted by cell."""
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=cells))
    blocks = np.split(z[order], ends[:-1])
    return np.array([len(b) for b in blocks], dtype=float), np.stack([b.T @ b for b in blocks])


def _aligned(
    what: str, rows: Sequence[Rows], setting_of: pd.DataFrame, outcomes: pd.MultiIndex
) -> np.ndarray:
    """A column of the standardisers of the study of each setting, shape (setting, outcome)."""
    found = [rows[i].scale[what].astype(float).reindex(outcomes) for i in setting_of["rows"]]
    return np.stack(found)


def _centres(rows: Sequence[Rows], setting_of: pd.DataFrame, outcomes: pd.MultiIndex) -> np.ndarray:
    """The reference mean of each outcome in each setting, shape (setting, outcome)."""
    places = setting_of[list(KEYS_OF_SETTING[1:])].itertuples(index=False, name=None)
    return np.stack(
        [
            rows[i].centre.loc[place].reindex(outcomes).to_numpy()
            for i, place in zip(setting_of["rows"], places, strict=True)
        ]
    )


def _setting_names(settings: pd.DataFrame) -> list[str]:
    """A study's id, with country, sector and role as far as it has several of them."""
    name = settings["study"]
    place = settings["country"] + ":" + settings["sector"]
    several = place.groupby(settings["study"]).transform("nunique") > 1
    name = name.where(~several, name + ":" + place)
    roles = settings["role"].groupby(settings["study"]).transform("nunique") > 1
    return list(name.where(~roles, name + ":" + settings["role"]))
