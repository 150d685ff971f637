"""Unpooled estimates of codings, study by study."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import join_values
from metastudy.models.base import COLUMNS, Block
from metastudy.models.codings.corrections import accuracy

__all__ = ["blocks"]


def blocks(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    """Mean log-odds ratio over a family's codes, clustered by organisation.

    Shares of the first coder on each side of the exposure, with half a count added, are corrected
    for coders' errors (Rogan and Gladen 1978; :mod:`metastudy.models.codings.corrections`). The
    covariance is that of the organisations' influences on the estimate (a sandwich), so unequal
    organisations count; the accuracies are taken as known. The estimate is of shares over
    organisations, and the model's contrast is within one: that one is larger by the root of one
    plus a third of the variance between organisations.
    """
    studies = json.loads(cells.attrs["studies"])
    single, double = cells.single.values, cells.double.values
    applied = single[..., 0] + double[..., :2].sum(-1)  # (organisation, code)
    total = single.sum(-1) + double.sum(-1)
    family = cells.family_of.values
    site = np.unique(cells.site.values, return_inverse=True)[1]
    sensitivity, specificity = accuracy(cells)
    for study in dict.fromkeys(cells.study.values):
        mine = cells.study.values == study
        rows, influence = [], []
        for e, exposure in enumerate(cells.exposure.values):
            x = cells.x.values[:, e]
            if min(len(set(site[mine & (x > 0)])), len(set(site[mine & (x < 0)]))) < 2:
                continue  # one organisation does not tell how organisations differ
            log_odds, parts = np.zeros(cells.sizes["code"]), np.zeros(applied.shape)
            for sign, side in ((1, mine & (x > 0)), (-1, mine & (x < 0))):
                read = total[side].sum(0)
                raw = (applied[side].sum(0) + 0.5) / (read + 1)
                least = 0.5 / (read + 1)  # what errors alone would give counts as no interview
                right = sensitivity + specificity - 1
                share = np.clip((raw - (1 - specificity)) / right, least, 1 - least)
                log_odds += sign * np.log(share / (1 - share))
                weight = read * share * (1 - share) * right
                organisations = len(set(site[side]))
                scale = np.sqrt(organisations / (organisations - 1))
                with np.errstate(invalid="ignore"):  # a code that the study did not look for
                    parts[side] += sign * scale * (applied[side] - total[side] * raw) / weight
            looked_for = total[mine].sum(0) > 0
            for name in dict.fromkeys(family[looked_for]):
                codes = looked_for & (family == name)
                of_unit = parts[:, codes].mean(axis=1)
                influence.append(
                    np.bincount(site[mine], of_unit[mine], site.max() + 1)
                )  # both roles of a site
                rows.append(
                    {
                        "module": cells.attrs["module"],
                        "study": str(study),
                        **_places(cells, mine),
                        "exposure": str(exposure),
                        "exposure_name": str(cells.exposure_name.values[e]),
                        "exposure_type": str(cells.exposure_type.values[e]),
                        "outcome": str(name),
                        "family": str(name),
                        "vignette": "",
                        "response_mode": studies[str(study)]["response_mode"],
                        "metric": "log_odds",
                        "estimate": log_odds[codes].mean(),
                        "n": int(total[mine].sum(0).max()),
                        "provenance": studies[str(study)]["provenance"],
                    }
                )
        if rows:
            stacked = np.array(influence)
            yield pd.DataFrame(rows, columns=COLUMNS), stacked @ stacked.T


def _places(cells: xr.Dataset, mine: np.ndarray) -> dict[str, str]:
    places = ("country", "sector", "role")
    return {name: join_values(cells[name].values[mine]) for name in places}
