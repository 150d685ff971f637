"""Contrasts of answers: effects, levels and predictions from the draws."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import xarray as xr

from metastudy.design import moderators
from metastudy.design.effects import Part
from metastudy.design.identification import SETTING, Component
from metastudy.design.moderators import BETWEEN, WITHIN, Coefficient, Moderation, places_of
from metastudy.design.new_settings import DECIDED, NEXT, Draws, next_in, predictions
from metastudy.models.answers.design import Around, around, clustered, coefficient_name, observed
from metastudy.models.answers.differences import differences
from metastudy.models.base import Row, place_of, provenance_mark

__all__ = ["contrasts"]

SD = "sd"
LATENT = "latent_sd"  # standard deviations of a latent answer of the people of a setting


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int = 1,
    decided: Collection[str] = (),
    metric: str = SD,
) -> Iterator[Row]:
    """Effects by exposure, outcome and role, and the mean of each outcome in each setting.

    Parameters
    ----------
    smallest : takes no part: means of answers are those of whole settings.
    decided : parameters that their prior decides; a prediction that contains one says so.
    metric : unit of the effects. What are no scores have no levels and no shares of the scale;
        items in their categories have each effect in standard deviations of scores, as the scores
        have it, and a second time in those of the latent answer to one item.
    """
    draws = posterior["posterior"].to_dataset()
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": cells.attrs["variant"]}
    scored, items = "standardiser" in draws, "latent_unit" in draws
    types = dict(zip(cells.exposure.values, cells.exposure_type.values, strict=True))

    def at(places: np.ndarray) -> dict[str, str]:
        mask = np.isin(np.arange(cells.sizes["setting"]), places)
        names = [str(s) for s in cells.study.values[mask]]
        return place_of(cells, mask) | {"provenance": provenance_mark(studies, names)}

    for (exposure, construct), one in around(cells).items():
        row = base | {
            "estimand": "effect",
            "exposure": exposure,
            "exposure_type": str(types[exposure]),
            "outcome": construct,
            "metric": metric,
        }
        for role in dict.fromkeys(one.role):
            own = row | {"role": role}
            name = f"{exposure}, {construct}, {role}"
            mean = draws["mu"].sel(estimand=name)
            moderation = one.moderated[role][1] if one.moderated else None
            here = own | at(one.setting[one.role == role])
            note = {"note": "; ".join(places_of(moderation))} if moderation else {}
            yield here | {"level": "population"} | note, mean
            if items:
                mine = one.role == role
                unit = draws["latent_unit"].values[..., one.setting[mine], one.outcome[mine]]
                latent = {"level": "population", "metric": LATENT}
                yield here | latent | note, mean * unit.mean(axis=-1)
            for of in moderation.coefficients if moderation else ():
                value = draws["moderator"].sel(moderator_of=coefficient_name(name, of), drop=True)
                yield here | _coefficient(of, moderation), value
            for more, shift in _around(one, exposure, construct, role, draws, decided, rng):
                members = more.pop("members", one.setting[one.role == role])
                yield own | at(members) | more, mean + shift
        if "site_tau" in draws:
            yield from _new_site(row, cells, one, draws, decided, rng, at)
        for j, k in zip(one.setting, one.outcome, strict=True):
            own = row | at(np.array([j])) | {
                "vignette": str(cells.vignette_of.values[k]),
                "level": "study",
                "group": str(cells.setting.values[j]),
            }  # fmt: skip
            value = draws["beta"].sel(exposure=exposure).isel(setting=j, outcome=k)
            yield own, value
            if scored:
                # Points of the scale need no standard deviation, so its error is not in them.
                unit = draws["standardiser"].sel(study=str(cells.study.values[j]), drop=True)
                in_scores = value * unit.isel(outcome=k, drop=True)
                yield own | {"metric": "pomp"}, in_scores * float(cells.scale.values[j, k])
            elif items:
                unit = draws["latent_unit"].isel(setting=j, outcome=k, drop=True)
                yield own | {"metric": LATENT}, value * unit
    yield from differences(cells, draws, base | {"metric": metric}, at)
    seen = observed(cells)
    for j, setting in enumerate(cells.setting.values) if scored else ():
        for k in np.flatnonzero(seen[j]):
            own = base | at(np.array([j])) | {
                "estimand": "mean",
                "outcome": str(cells.construct_of.values[k]),
                "vignette": str(cells.vignette_of.values[k]),
                "level": "study",
                "group": str(setting),
                "metric": "pomp",
            }  # fmt: skip
            value = draws["baseline"].isel(setting=j, outcome=k)
            yield own, float(cells.centre.values[j, k]) + float(cells.scale.values[j, k]) * value


def _around(
    one: Around,
    exposure: str,
    construct: str,
    role: str,
    draws: xr.Dataset,
    decided: Collection[str],
    rng: np.random.Generator,
) -> Iterator[tuple[dict[str, Any], xr.DataArray]]:
    """Distances from a role's mean: of each country and sector, of what is new there, and else."""
    part = Part(exposure, construct, one.setting, None, one.found, np.arange(len(one.setting)))

    def tau(component: Component) -> xr.DataArray:
        return draws["tau"].sel(tau_of=part.label(component))

    def level(component: Component, at: int) -> xr.DataArray:
        name = f"{part.label(component)}: {component.levels[at]}"
        return draws["level"].sel(level_of=name)

    def note(new: list[str]) -> dict[str, str]:
        of = [c for c in one.found.components if c.name in new]
        return {"note": DECIDED * any(f"tau[{part.label(c)}]" in decided for c in of)}

    drawn = Draws(one.found, tau, level, rng)
    for component in drawn.components:
        if set(component.names) & {"study", SETTING}:
            continue  # a study's own effect is a row of its own, with its vignettes
        name = component.names[0]
        alias = f"{name} and {' and '.join(component.names[1:])} are one here"
        also = {"note": alias * (len(component.names) > 1)}
        for at, group in enumerate(component.levels):
            mine = (component.index == at) & (one.role == role)
            if not mine.any():
                continue  # nobody of this role there was asked
            place = {"group": group, "members": one.setting[mine]}
            yield {"level": name, **place, **also}, level(component, at)
            value, new = next_in(component, at, drawn)
            yield {"level": f"{NEXT}{name}", **place, **note(new)}, value
    for name, value, new in predictions(one.found, drawn):
        yield {"level": name, **note(new)}, value


def _coefficient(of: Coefficient, moderation: Moderation | None) -> dict[str, str]:
    """What is said of the coefficient of a moderator: change per SD, or against a reference."""
    per = f"against {of.at}" if of.level else f"per SD, {of.scale:.3g} {of.unit}".rstrip()
    said = [per, BETWEEN if of.between else WITHIN]
    said += [moderators.DECIDED] if moderation and moderation.decided else []
    group = {"group": of.moderator, "against": of.level}
    return {"estimand": "moderator", "level": "moderator", **group, "note": "; ".join(said)}


def _new_site(
    row: dict[str, Any],
    cells: xr.Dataset,
    one: Around,
    draws: xr.Dataset,
    decided: Collection[str],
    rng: np.random.Generator,
    at: Any,
) -> Iterator[Row]:
    """The effect at one new site of a setting at hand that has sites, chosen at random."""
    sited = np.unique(cells.setting_of_site.values[clustered(cells)])
    exposure = str(row["exposure"])
    for role in dict.fromkeys(one.role):
        here = np.flatnonzero(np.isin(one.setting, sited) & (one.role == role))
        if not len(here):
            continue
        beta = draws["beta"].sel(exposure=exposure)
        shape = (draws.sizes["chain"], draws.sizes["draw"])
        chosen = rng.integers(len(here), size=shape)
        z = rng.standard_normal(shape)
        total, notes = 0.0 * beta.isel(setting=0, outcome=0, drop=True), []
        for place, unit in enumerate(here):
            j, k = one.setting[unit], one.outcome[unit]
            outcome = str(cells.outcome.values[k])
            tau = draws["site_tau"].sel(coefficient=exposure, outcome=outcome, drop=True)
            value = beta.isel(setting=j, outcome=k, drop=True) + tau * z
            total = total + value.where(chosen == place, 0.0)
            notes.append(f"site_tau[{exposure}, {outcome}]" in decided)
        note = {"level": "new_site", "note": DECIDED * any(notes)}
        yield row | {"role": role} | at(one.setting[here]) | note, total
