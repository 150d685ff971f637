"""Cells of answers: cross-products by setting, exposures and pattern of observed outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.answers.assumed import marked
from metastudy.models.answers.join import join_answers
from metastudy.models.answers.rows import Rows, rows_of
from metastudy.models.answers.scored_arms import ASSUMED, cross_products
from metastudy.models.base import KEYS_OF_SETTING, attributes_of, in_order

__all__ = ["DATA", "answer_cells", "setting_names"]

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
        ``yy`` (cell, outcome, outcome_), a cell being a site and a pattern of observed outcomes, of
        arms with what is assumed (:mod:`metastudy.models.answers.assumed`);
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
    parts = [
        _of_study(study, rows_of(study, module, vocabulary, folded), module, vocabulary, folded)
        for study in studies
    ]
    return join_answers(parts, vocabulary)


def _of_study(
    study: Study, rows: Rows, module: str, vocabulary: Vocabulary, folded: bool
) -> xr.Dataset:
    """Cross-products of one study, its own exposures and outcomes alone."""
    constructs = in_order(set(rows.y.columns.unique("construct")), vocabulary["constructs"])
    vignettes = in_order(set(rows.y.columns.unique("vignette")), vocabulary["vignettes"])
    outcomes = pd.MultiIndex.from_product([constructs, vignettes], names=["construct", "vignette"])
    exposures = {e["id"]: e for e in rows.exposures}
    y, x = rows.y.reindex(columns=outcomes), rows.x.reindex(columns=list(exposures))
    keys_of_setting = list(KEYS_OF_SETTING)
    sites = rows.site.drop_duplicates().sort_values([*keys_of_setting, "site"], ignore_index=True)
    settings = sites.drop(columns="site").drop_duplicates(keys_of_setting, ignore_index=True)
    site = rows.site.merge(sites.reset_index(names="at"), how="left")["at"].to_numpy()

    coefficients = np.column_stack([np.ones(len(x)), x.to_numpy()])
    if rows.within is None:
        seen, of = y.notna().to_numpy(), site
    else:
        place = rows.y.columns.get_indexer(outcomes)
        within = rows.within.of(place)
        parts, products, assumed = cross_products(coefficients, y.to_numpy(), within)
        seen, of = np.repeat(parts, len(site), axis=0), np.tile(site, len(parts))
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    keys, cell = np.unique(np.column_stack([of, pattern]), axis=0, return_inverse=True)
    if rows.within is None:
        z = np.column_stack([coefficients, np.where(seen, y.to_numpy(), 0.0)])
        n, zz = _cross_products(z, cell, len(keys))
    else:
        zz = np.zeros((len(keys), *products.shape[2:]))
        np.add.at(zz, cell, products.reshape(-1, *products.shape[2:]))
        n = zz[:, 0, 0]
        if_one = np.zeros((len(keys), *assumed.shape[2:]))
        np.add.at(if_one, cell, assumed.reshape(-1, *assumed.shape[2:]))
    p = 1 + len(exposures)

    setting_of_site = sites.merge(settings.reset_index(names="at"), how="left")["at"].to_numpy()
    asked = np.zeros((len(settings), len(outcomes)), dtype=bool)
    np.logical_or.at(asked, setting_of_site[keys[:, 0]], patterns[keys[:, 1]])
    places = settings[keys_of_setting[1:]].itertuples(index=False, name=None)
    centre = [rows.centre.loc[place].reindex(outcomes).to_numpy() for place in places]
    scale = {
        name: np.tile(rows.scale[name].astype(float).reindex(outcomes), (len(settings), 1))
        for name in rows.scale
    }
    signs = [int(vocabulary["constructs"][c].get("family_sign", 0)) for c in constructs]
    found = xr.Dataset(
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
            "present": (
                ("setting", "exposure"),
                np.ones((len(settings), len(exposures)), dtype=np.int8),
            ),
            "sited": ("setting", settings["sited"].to_numpy(dtype=np.int8)),
            "centre": (("setting", "outcome"), np.stack(centre)),
            "scale": (("setting", "outcome"), scale["scale"]),
            "scale_df": (("setting", "outcome"), scale["df"]),
            "scale_of_all_arms": (("setting", "outcome"), scale["all_arms"] == 1),
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
            "setting": setting_names(settings),
            "site": sites["site"].to_numpy(dtype=str),
            "coefficient": ["intercept", *exposures],
            "exposure": np.array(list(exposures), dtype=str),
            "construct": constructs,
            "vignette": vignettes,
            "outcome": [f"{c}|{v}" for c, v in outcomes],
        },
        attrs=attributes_of("answers", DATA, [study], module, folded, rows.dropped),
    )
    if rows.within is None:
        return found
    value = study.report.get(ASSUMED) if if_one.any() else None
    return marked(found, study.id, len(parts) > 1, if_one, value)


def _cross_products(z: np.ndarray, cell: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and Z'Z per cell; one pass over the rows sorted by cell."""
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=cells))
    blocks = np.split(z[order], ends[:-1])
    return np.array([len(b) for b in blocks], dtype=float), np.stack([b.T @ b for b in blocks])


def setting_names(settings: pd.DataFrame) -> list[str]:
    """A study's id, with country, sector and role as far as it has several of them."""
    name = settings["study"]
    place = settings["country"] + ":" + settings["sector"]
    several = place.groupby(settings["study"]).transform("nunique") > 1
    name = name.where(~several, name + ":" + place)
    roles = settings["role"].groupby(settings["study"]).transform("nunique") > 1
    return list(name.where(~roles, name + ":" + settings["role"]))
