"""Contrasts of codings: effects on codes, prevalence and predictions from the draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import expit, logit

from metastudy.common.tables import JOINT
from metastudy.design.new_levels import PLACES, brought, deviation
from metastudy.models.base import Row, place_of, provenance_mark
from metastudy.models.codings.design import between_organisations
from metastudy.models.codings.readings import interviews

__all__ = ["contrasts"]


def contrasts(
    cells: xr.Dataset, posterior: xr.DataTree, rng: np.random.Generator, smallest: int
) -> Iterator[Row]:
    """Only what data speak of: a code on both sides of an exposure, in the studies that have it."""
    studies = json.loads(cells.attrs["studies"])
    read = interviews(cells).values  # (organisation, code)

    def at(mask: np.ndarray) -> dict[str, str]:
        place = place_of(cells, mask)
        return place | {"provenance": provenance_mark(studies, place["study"].split(JOINT))}

    asked = (str(cells.attrs["variant"]), "posterior")
    for variant, group in (asked, ("error_free", "error_free_posterior")):
        if group not in posterior.children:
            continue
        draws = posterior[group].to_dataset()
        base = {"module": cells.attrs["module"], "variant": variant}
        presence = draws["presence"]
        for e, exposure in enumerate(cells.exposure.values):
            effect = base | {
                "estimand": "effect",
                "exposure": str(exposure),
                "exposure_type": str(cells.exposure_type.values[e]),
            }
            attribute = cells[str(cells.exposure_name.values[e])].values
            x = cells.x.values[:, e]
            seen = (read[x < 0].sum(axis=0) > 0) & (read[x > 0].sum(axis=0) > 0)
            own = effect | at(x != 0)
            for family in dict.fromkeys(cells.family_of.values[seen]):
                row = own | {"outcome": str(family), "level": "population", "metric": "log_odds"}
                yield row, draws["contrast"].sel(exposure=exposure, family=family)
            for c, code in [(c, str(cells.code.values[c])) for c in map(int, np.flatnonzero(seen))]:
                row = own | {"outcome": code, "level": "code"}
                yield row | {"metric": "log_odds"}, draws["gamma"].sel(exposure=exposure, code=code)
                low, high = (_weighted(presence, read * (x == s)[:, None], c) for s in (-0.5, 0.5))
                yield row | {"metric": "probability"}, high - low
                for sign, share in ((-0.5, low), (0.5, high)):
                    here = x == sign
                    level = {
                        "estimand": "level",
                        "outcome": code,
                        "level": str(cells.exposure_name.values[e]),
                        "group": str(attribute[here][0]),
                        "metric": "probability",
                    }
                    yield base | at(here) | level, share
        for c, code in enumerate(cells.code.values):
            row = base | at(read[:, c] > 0) | {"outcome": str(code), "level": "population"}
            share = _weighted(presence, read, c)
            yield row | {"estimand": "level", "metric": "probability"}, share
        if variant == "main":
            for c, code in enumerate(cells.code.values):
                level = base | {"estimand": "level", "outcome": str(code), "metric": "probability"}
                for grouping in PLACES:
                    for group, mask in _groups(cells, grouping, read[:, c], smallest):
                        row = level | at(mask) | {"level": grouping, "group": group}
                        yield row, _weighted(presence, read * mask[:, None], c)
            yield from _moved(cells, draws, read, base, at, rng)


def _groups(
    cells: xr.Dataset, grouping: str, read: np.ndarray, smallest: int
) -> Iterator[tuple[str, np.ndarray]]:
    """The countries or sectors in which a code was looked for, if several, and their units."""
    place = cells[grouping].values
    asked = np.unique(place[read > 0])
    for group in asked if len(asked) > 1 else ():
        mask = (place == group) & (read > 0)
        if read[mask].sum() >= smallest:
            yield str(group), mask


def _moved(
    cells: xr.Dataset,
    draws: xr.Dataset,
    read: np.ndarray,
    base: dict[str, Any],
    at: Callable[[np.ndarray], dict[str, str]],
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Prevalence of each code if the interviews had been done in a new country or sector.

    Every unit keeps what it is but for its place: the level of the old one goes, a new one comes.
    """
    found = between_organisations(cells)
    for term in found.terms:
        if term.kind != "varying" or term.name not in PLACES:
            continue
        shift, note = deviation(term, found, lambda t: draws["tau"].sel(tau_of=t.name), rng)
        for other in brought(term, found):
            own = [f"{other.name} {level}" for level in other.levels]
            levels = draws["level"].sel(level_of=own).isel(level_of=other.index)
            shift = shift - levels.drop_vars("level_of").rename(level_of="organisation")
        for c, code in enumerate(cells.code.values):
            presence = draws["presence"].isel(code=[c]).drop_vars("organisation")
            new = xr.apply_ufunc(lambda p, s: expit(logit(p) + s), presence, shift)
            row = base | at(read[:, c] > 0) | {"outcome": str(code), "metric": "probability"}
            row |= {"estimand": "level", "level": f"new_{term.name}", "note": note}
            share = xr.DataArray(read[:, c] / read[:, c].sum(), dims="organisation")
            yield row, (new.isel(code=0) * share).sum("organisation")


def _weighted(presence: xr.DataArray, weights: np.ndarray, code: int) -> xr.DataArray:
    """Mean presence of a code over organisations, by their numbers of interviews."""
    share = xr.DataArray(weights[:, code] / weights[:, code].sum(), dims="organisation")
    return (presence.isel(code=code).drop_vars("organisation") * share).sum("organisation")
