"""Contrasts of codings: effects on codes, prevalence and predictions from the draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import expit, logit

from metastudy.common.tables import JOINT
from metastudy.design.identification import Component
from metastudy.design.new_settings import DECIDED, PLACES, WITH
from metastudy.models.base import OTHER_STUDIES, Row, place_of, provenance_mark
from metastudy.models.codings.design import between_organisations, levels_of_codes
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.roles import slopes

__all__ = ["HYPER_MEAN", "codes_compared", "contrasts"]

# The level of the mean of all codes that could be of a family, of which those asked are some.
HYPER_MEAN = "hyper_mean"


def codes_compared(cells: xr.Dataset, x: np.ndarray) -> np.ndarray:
    """Which codes were looked for on both sides of a contrast x (organisation,), shape (code,)."""
    read = interviews(cells).values
    return (read[x < 0].sum(axis=0) > 0) & (read[x > 0].sum(axis=0) > 0)


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int,
    decided: Collection[str] = (),
) -> Iterator[Row]:
    """Only what data speak of: a code on both sides of an exposure, in the studies that have it.

    How often a code is there is said of people of one role; there is no mean over roles. What is
    said of a family is the mean over those codes; that of all codes that the family could have, the
    hyper-mean, is beside it under its name.
    """
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
        of = slopes(cells)
        for slope, e in enumerate(of.exposure):
            effect = base | {
                "estimand": "effect",
                "exposure": str(cells.exposure.values[e]),
                "exposure_type": str(cells.exposure_type.values[e]),
            }
            attribute = cells[str(cells.exposure_name.values[e])].values
            x = of.x[:, slope]
            seen = codes_compared(cells, x)
            own = effect | at(x != 0)
            of_code = draws["gamma"].isel(exposure=slope)
            for family in dict.fromkeys(cells.family_of.values[seen]):
                row = own | {"outcome": str(family), "level": "population", "metric": "log_odds"}
                asked_of = np.flatnonzero(seen & (cells.family_of.values == family))
                yield row, of_code.isel(code=asked_of).mean("code")
                if "contrast" in draws:
                    mean = draws["contrast"].isel(exposure=slope).sel(family=family)
                    yield row | {"level": HYPER_MEAN}, mean
            for c, code in [(c, str(cells.code.values[c])) for c in map(int, np.flatnonzero(seen))]:
                row = own | {"outcome": code, "level": "code"}
                yield row | {"metric": "log_odds"}, of_code.sel(code=code)
                low, high = (_weighted(presence, read * (x == s)[:, None], c) for s in (-0.5, 0.5))
                yield row | {"metric": "probability"}, high - low
                for sign, share in ((-0.5, low), (0.5, high)):
                    here = x == sign
                    level = {
                        "estimand": "mean",
                        "outcome": code,
                        "level": str(cells.exposure_name.values[e]),
                        "group": str(attribute[here][0]),
                        "metric": "probability",
                    }
                    yield base | at(here) | level, share
        if variant == "main":
            yield from _between_roles(cells, draws, base, at)
        roles = cells.role.values
        for c, code in enumerate(cells.code.values):
            level = base | {"estimand": "mean", "outcome": str(code), "metric": "probability"}
            for role in np.unique(roles[read[:, c] > 0]):
                own = read * (roles == role)[:, None]
                row = level | at(own[:, c] > 0) | {"level": "population"}
                yield row, _weighted(presence, own, c)
                for grouping in PLACES if variant == "main" else ():
                    for group, mask in _groups(cells, grouping, own[:, c], smallest):
                        row = level | at(mask) | {"level": grouping, "group": group}
                        yield row, _weighted(presence, own * mask[:, None], c)
        if variant == "main":
            yield from _moved(cells, draws, read, base, at, rng, decided)


def _between_roles(
    cells: xr.Dataset,
    draws: xr.Dataset,
    base: dict[str, Any],
    at: Callable[[np.ndarray], dict[str, str]],
) -> Iterator[Row]:
    """How the contrasts of two roles differ, over the codes of a family that both have.

    Of roles that no study has together nothing is claimed.
    """
    of, studies = slopes(cells), cells.study.values
    for one, two in combinations(range(len(of.label)), 2):
        if of.exposure[one] != of.exposure[two]:
            continue
        mine, other = of.x[:, one] != 0, of.x[:, two] != 0
        both = codes_compared(cells, of.x[:, one]) & codes_compared(cells, of.x[:, two])
        gap = draws["gamma"].isel(exposure=one) - draws["gamma"].isel(exposure=two)
        row = (
            base
            | at(mine | other)
            | {
                "estimand": "difference",
                "exposure": str(cells.exposure.values[of.exposure[one]]),
                "exposure_type": str(cells.exposure_type.values[of.exposure[one]]),
                "level": "role",
                "role": of.role[one],
                "against": of.role[two],
                "metric": "log_odds",
                "note": "" if set(studies[mine]) & set(studies[other]) else OTHER_STUDIES,
            }
        )
        for family in dict.fromkeys(cells.family_of.values[both]):
            codes = np.flatnonzero(both & (cells.family_of.values == family))
            yield row | {"outcome": str(family)}, gap.isel(code=codes).mean("code")


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
    decided: Collection[str],
) -> Iterator[Row]:
    """Prevalence of each code if the interviews had been done in a new country or sector.

    Every unit keeps what it is but for its place: what the old one adds goes, a new one comes, the
    code's own part included.
    """
    found = between_organisations(cells)
    roles = cells.role.values
    for place in PLACES:
        if found.component(place) is None:
            continue
        new = [c for c in found.components if set(c.names) & set(WITH[place])]
        note = DECIDED * any(f"tau[{c.name}]" in decided for c in new)
        for c, code in enumerate(cells.code.values):
            family = str(cells.family_of.values[c])
            shift = sum(_renewed(cells, draws, one, family, c, rng) for one in new)
            presence = draws["presence"].isel(code=c).drop_vars("organisation")
            moved_to = xr.apply_ufunc(lambda p, s: expit(logit(p) + s), presence, shift)
            for role in np.unique(roles[read[:, c] > 0]):
                own = read[:, c] * (roles == role)
                row = base | at(own > 0) | {"outcome": str(code), "metric": "probability"}
                row |= {"estimand": "mean", "level": f"new_{place}", "note": note}
                share = xr.DataArray(own / own.sum(), dims="organisation")
                yield row, (moved_to * share).sum("organisation")


def _renewed(
    cells: xr.Dataset,
    draws: xr.Dataset,
    component: Component,
    family: str,
    code: int,
    rng: np.random.Generator,
) -> xr.DataArray:
    """What a new level of a component adds to a code in each unit, less what the old one added."""
    names = [f"{component.name}: {level}" for level in component.levels]
    old = draws["level"].sel(level_of=names, family=family, drop=True).drop_vars("level_of")
    tau = draws["tau"].sel(tau_of=component.name, drop=True)
    new = tau * rng.standard_normal(tau.shape)
    if code in levels_of_codes(cells)[1] and "own" in draws:
        old = old + draws["own"].isel(code=code, drop=True).sel(level_of=names).drop_vars(
            "level_of"
        )
        own = draws["own_tau"].sel(tau_of=component.name, drop=True)
        new = new + own * rng.standard_normal(own.shape)
    return new - old.isel(level_of=component.index).rename(level_of="organisation")


def _weighted(presence: xr.DataArray, weights: np.ndarray, code: int) -> xr.DataArray:
    """Mean presence of a code over organisations, by their numbers of interviews."""
    share = xr.DataArray(weights[:, code] / weights[:, code].sum(), dims="organisation")
    return (presence.isel(code=code).drop_vars("organisation") * share).sum("organisation")
