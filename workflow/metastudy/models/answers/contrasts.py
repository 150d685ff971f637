"""Contrasts of answers: effects, levels and predictions from the draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from metastudy.design.identification import VARYING_FROM, Structure
from metastudy.design.new_levels import deviation
from metastudy.models.answers.design import between_settings, observed
from metastudy.models.base import Row, place_of, provenance_mark

__all__ = ["contrasts"]


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int = 1,
    scored: bool = True,
) -> Iterator[Row]:
    """Effects by exposure and outcome, and the level of each outcome in each setting.

    Parameters
    ----------
    smallest : takes no part: means of answers are those of whole settings.
    scored : whether answers are scores; items in their categories have no levels and no shares.
    """
    draws = posterior["posterior"].to_dataset()
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": cells.attrs["variant"]}
    metric = "sd" if scored else "latent_sd"
    seen = observed(cells)
    for e, exposure in enumerate(cells.exposure.values):
        has = cells.present.values[:, e].astype(bool)
        effect = base | {
            "estimand": "effect",
            "exposure": str(exposure),
            "exposure_type": str(cells.exposure_type.values[e]),
        }
        own = [str(s) for s in cells.study.values[has]]
        outcomes = {
            str(cells.construct_of.values[k]) for k in np.flatnonzero(seen[has].any(axis=0))
        }
        for construct in [str(c) for c in cells.construct.values if str(c) in outcomes]:
            mean = draws["mu"].sel(mu_of=exposure, construct=construct)
            row = effect | {"outcome": construct, "metric": metric}
            yield (
                row
                | place_of(cells, has)
                | {"level": "population", "provenance": provenance_mark(studies, own)},
                mean,
            )
            structure, _ = between_settings(cells, str(exposure))
            asked = seen[has][:, cells.construct_of.values == construct].any(axis=1)
            around = (structure, asked, draws)
            yield from _levels(row, f"{exposure}", construct, mean, *around, studies, own)
            row |= place_of(cells, has) | {"provenance": provenance_mark(studies, own)}
            yield from _predicted(row, f"{exposure}", construct, mean, *around, rng)
        for j in np.flatnonzero(has):
            place = place_of(cells, np.arange(len(has)) == j)
            mark = provenance_mark(studies, [str(cells.study.values[j])])
            for k in np.flatnonzero(seen[j]):
                row = (
                    effect
                    | place
                    | {
                        "outcome": str(cells.construct_of.values[k]),
                        "vignette": str(cells.vignette_of.values[k]),
                        "level": "study",
                        "group": str(cells.setting.values[j]),
                        "provenance": mark,
                    }
                )
                value = draws["beta"].isel(setting=j, exposure=e, outcome=k)
                yield row | {"metric": metric}, value
                if scored:
                    yield row | {"metric": "pomp"}, value * float(cells.scale.values[j, k])
    for at, setting in enumerate(cells.setting.values) if scored else ():
        for k in np.flatnonzero(seen[at]):
            row = (
                base
                | place_of(cells, np.arange(cells.sizes["setting"]) == at)
                | {
                    "estimand": "level",
                    "outcome": str(cells.construct_of.values[k]),
                    "vignette": str(cells.vignette_of.values[k]),
                    "level": "study",
                    "group": str(setting),
                    "metric": "pomp",
                    "provenance": provenance_mark(studies, [str(cells.study.values[at])]),
                }
            )
            value = draws["baseline"].isel(setting=at, outcome=k)
            yield row, float(cells.centre.values[at, k]) + float(cells.scale.values[at, k]) * value


def _levels(
    row: dict[str, Any],
    name: str,
    outcome: str,
    mean: xr.DataArray,
    structure: Structure,
    asked: np.ndarray,
    draws: xr.Dataset,
    studies: dict[str, Any],
    own: list[str],
) -> Iterator[Row]:
    """The shrunken effect of each country and sector that the design identifies."""
    for term in structure.terms:
        if term.name == "study":
            continue  # a study's own effect is a row of its own, with its vignettes
        if len(np.unique(term.index[asked])) < 2:
            continue  # the outcome is one place's
        for at, group in enumerate(term.levels):
            members = [own[i] for i in np.flatnonzero((term.index == at) & asked)]
            if not members:
                continue  # nobody there was asked about this outcome
            if term.kind == "contrast":
                both = draws["difference"].sel(difference_of=f"{name} {term.name}")
                shift = (at - 0.5) * both.sel(construct=outcome)
            else:
                levels = draws["level"].sel(level_of=f"{name} {term.name} {group}")
                shift = levels.sel(construct=outcome)
            yield (
                row
                | {"level": term.name, "group": group, term.name: group}
                | {"provenance": provenance_mark(studies, members)},
                mean + shift,
            )


def _predicted(
    row: dict[str, Any],
    name: str,
    outcome: str,
    mean: xr.DataArray,
    structure: Structure,
    asked: np.ndarray,
    draws: xr.Dataset,
    rng: np.random.Generator,
) -> Iterator[Row]:
    """The effect in a new country, sector or study, where the design has a spread to predict it."""
    for term in structure.terms:
        if term.kind == "varying" and len(np.unique(term.index[asked])) >= VARYING_FROM:
            shift, note = deviation(
                term,
                structure,
                lambda t: draws["tau"].sel(tau_of=f"{name} {t.name}", construct=outcome),
                rng,
            )
            yield row | {"level": f"new_{term.name}", "note": note}, mean + shift
