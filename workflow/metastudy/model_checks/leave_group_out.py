"""What a refit is given: cells without a group, and priors of another scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.models.codings.readings import interviews

__all__ = [
    "FIXED",
    "Refit",
    "covered",
    "places",
    "population_effects",
    "refits",
    "rows_left_out",
    "without",
]

GROUPINGS = ("study", "country", "sector", "organisation")
# Scales of standard deviations between groups, and the factors of the variants.
VARIED = ("tau", "tau_logit", "effect", "effect_logit")
VARIANTS = {"half": 0.5, "double": 2.0}
# Standard deviation between groups where it is fixed: none, or as wide as the prior of an effect.
FIXED = {"pooled": 1e-3, "unpooled": 1.0}


@dataclass(frozen=True)
class Refit:
    """What one refit is called, and what it is given.

    ``kind`` is ``without_<grouping>`` with the ``group`` left out, ``prior`` with ``half`` or
    ``double``, or ``pooling`` with ``pooled`` or ``unpooled``.
    """

    kind: str
    group: str
    cells: xr.Dataset
    priors: dict[str, float]


def refits(cells: xr.Dataset, priors: Mapping[str, float]) -> Iterator[Refit]:
    """All refits of a module: each group left out, the variants of the priors and of the pooling.

    A grouping is left out level by level where it has two levels or more; an organisation that is
    all of its study is left out with the study.
    """
    own = dict(priors)
    where = places(cells)
    for grouping in GROUPINGS:
        levels = where.drop_duplicates(["study", grouping])
        if grouping == "organisation":
            levels = levels[levels.groupby("study")[grouping].transform("nunique") > 1]
        names = sorted(set(levels[grouping]))
        for name in names if len(names) > 1 else ():
            yield Refit(f"without_{grouping}", name, without(cells, grouping, name), own)
    for name, factor in VARIANTS.items():
        scaled = {k: v * factor if k in VARIED else v for k, v in own.items()}
        yield Refit("prior", name, cells, scaled)
    for name, fixed in FIXED.items():
        yield Refit("pooling", name, cells, own | {"fixed_tau": fixed * _effect_scale(cells, own)})


def places(cells: xr.Dataset) -> pd.DataFrame:
    """Study, country, sector and organisation of each cell, or of each unit of coded interviews."""
    if "code" in cells.dims:
        organisation = cells.site.values
        unit = np.arange(len(organisation))
        attribute = {name: cells[name].values for name in GROUPINGS[:-1]}
    else:
        unit = cells.site_of_cell.values
        organisation = cells.site.values
        setting = cells.setting_of_site.values
        attribute = {name: cells[name].values[setting] for name in GROUPINGS[:-1]}
    return pd.DataFrame({**attribute, "organisation": organisation}).iloc[unit].astype(str)


def without(cells: xr.Dataset, grouping: str, group: str) -> xr.Dataset:
    """The same cells, in the same shapes, with no rows of one group.

    Parameters
    ----------
    grouping : ``study``, ``country``, ``sector`` or ``organisation``.
    group : the level that is left out.
    """
    kept = (places(cells)[grouping] != group).to_numpy(dtype=float)
    if "code" in cells.dims:
        kept = xr.DataArray(kept, dims="organisation")
        return cells.assign(single=cells.single * kept, double=cells.double * kept)
    kept = xr.DataArray(kept, dims="cell")
    return cells.assign({name: cells[name] * kept for name in ("n", "xx", "xy", "yy")})


def rows_left_out(cells: xr.Dataset, kept: xr.Dataset) -> float:
    """Share of the respondents, or of the interviews, that a refit does without."""
    whole, rest = (_rows(found) for found in (cells, kept))
    return float(1 - rest / whole)


def covered(cells: xr.Dataset) -> xr.DataArray:
    """Which population effects the cells have data about, exposure by outcome.

    An answer's effect needs rows of a setting that has the exposure and the outcome; a code's
    contrast needs interviews on both sides of it.
    """
    if "code" in cells.dims:
        read, x = interviews(cells).values, cells.x.values
        families = [str(f) for f in cells.family.values]
        found = np.zeros((cells.sizes["exposure"], len(families)), dtype=bool)
        for e in range(len(found)):
            both = (read[x[:, e] < 0].sum(axis=0) > 0) & (read[x[:, e] > 0].sum(axis=0) > 0)
            for family in cells.family_of.values[both]:
                found[e, families.index(str(family))] = True
        return _named(cells, families, found)
    constructs = [str(c) for c in cells.construct.values]
    has_rows = cells.n.values > 0
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool) & has_rows[:, None]
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    has_exposure = cells.present.values[setting].astype(bool)
    by_outcome = has_exposure.T.astype(float) @ seen > 0
    of = np.array([constructs.index(str(c)) for c in cells.construct_of.values])
    found = np.stack([by_outcome[:, of == k].any(axis=1) for k in range(len(constructs))], axis=1)
    return _named(cells, constructs, found)


def population_effects(cells: xr.Dataset, posterior: xr.Dataset) -> xr.DataArray:
    """Draws of the population effects: dims (chain, draw, exposure, outcome).

    An outcome is a construct, or a family of codes; in standard deviations, or in log-odds.
    """
    if "code" in cells.dims:
        return posterior["contrast"].rename(family="outcome").transpose(*EFFECTS)
    return posterior["mu"].rename(mu_of="exposure", construct="outcome").transpose(*EFFECTS)


EFFECTS = ("chain", "draw", "exposure", "outcome")


def _rows(cells: xr.Dataset) -> float:
    if "code" in cells.dims:
        return float(interviews(cells).max("code").sum())
    return float(cells["n"].sum())


def _named(cells: xr.Dataset, outcomes: list[str], values: np.ndarray) -> xr.DataArray:
    exposures = [str(e) for e in cells.exposure.values]
    return xr.DataArray(values, {"exposure": exposures, "outcome": outcomes}, EFFECTS[2:])


def _effect_scale(cells: xr.Dataset, priors: Mapping[str, float]) -> float:
    return priors["effect_logit" if "code" in cells.dims else "effect"]
