"""Contrasts of events: log-odds ratios, and the shares and differences of shares behind them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import xarray as xr

from metastudy.design.new_settings import PLACES
from metastudy.models.answers.contrasts import contrasts as of_effects
from metastudy.models.answers.differences import differences
from metastudy.models.base import Row, place_of, provenance_mark
from metastudy.models.events.patterns import is_joint
from metastudy.models.events.priors import METRIC
from metastudy.models.events.standardised import Standardised, compared

__all__ = ["ARM", "SHARE", "contrasts"]

SHARE = "probability"
ARM = "arm"  # level of a mean: that of one level of a factor, in its group


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int = 1,
    decided: Collection[str] = (),
) -> Iterator[Row]:
    """Effects by exposure, outcome and role in log-odds and as differences of shares.

    Log-odds ratios have all that effects on scores have
    (:func:`metastudy.models.answers.contrasts.contrasts`). A difference of shares is standardised
    (:class:`metastudy.models.events.standardised.Standardised`): that of a setting over its own
    people and sites, that of a country, a sector or all over its settings, each counted alike. It
    is of the settings at hand, and no prediction for others.

    Parameters
    ----------
    smallest : shares of fewer people than this, in a place or in all, are left out.
    decided : parameters that their prior decides; a prediction that contains one says so.
    """
    yield from of_effects(cells, posterior, rng, smallest, decided, METRIC)
    yield from _between_outcomes(cells, posterior["posterior"].to_dataset())
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": cells.attrs["variant"], "metric": SHARE}
    found = Standardised.of(cells, posterior["posterior"].to_dataset())
    people = found.people

    def at(settings: Collection[int]) -> dict[str, str]:
        mask = np.isin(np.arange(cells.sizes["setting"]), list(settings))
        names = [str(name) for name in cells.study.values[mask]]
        return place_of(cells, mask) | {"provenance": provenance_mark(studies, names)}

    for e, k, settings in compared(cells):
        row = base | {
            "exposure": str(cells.exposure.values[e]),
            "exposure_type": str(cells.exposure_type.values[e]),
            "outcome": str(cells.construct_of.values[k]),
        }
        sides = {j: found.sides(j, e, k) for j in settings}
        for more, mine in _gathered(cells, settings):
            if people[mine, k].sum() < smallest:
                continue
            low, high = np.mean([sides[j] for j in mine], axis=0)
            yield row | at(mine) | {"estimand": "effect"} | more, found.draws(high - low)
            if more["level"] != "population" or not cells.reference.values[e]:
                continue
            arms = zip((cells.reference.values[e], cells.other.values[e]), (low, high), strict=True)
            for name, share in arms:
                mean: dict[str, Any] = {"estimand": "mean", "level": ARM, "group": str(name)}
                yield row | at(mine) | mean, found.draws(share)
    for j, k in zip(*np.nonzero(people >= max(smallest, 1)), strict=True):
        mean = {"outcome": str(cells.construct_of.values[k]), "estimand": "mean", "level": "study"}
        mean |= {"group": str(cells.setting.values[j])}
        yield base | at([j]) | mean, found.draws(found.share(int(j), int(k)))


def _between_outcomes(cells: xr.Dataset, draws: xr.Dataset) -> Iterator[Row]:
    """Differences between effects on the outcomes of a family, each as it is by itself.

    There is none where it is not known which outcomes one person has together.
    """
    if not is_joint(cells):
        return
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": cells.attrs["variant"], "metric": METRIC}

    def at(settings: np.ndarray) -> dict[str, str]:
        mask = np.isin(np.arange(cells.sizes["setting"]), settings)
        names = [str(name) for name in cells.study.values[mask]]
        return place_of(cells, mask) | {"provenance": provenance_mark(studies, names)}

    compared = cells.assign(family_of=cells.compared_in)
    for row, values in differences(compared, draws, base, at):
        if row["level"] == "outcome":
            yield row, values


def _gathered(
    cells: xr.Dataset, settings: Collection[int]
) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Settings that a difference is of: all of one role, those of each place, and each by itself.

    Places are there where the settings of a role are in several.
    """
    for role in dict.fromkeys(cells.role.values[j] for j in settings):
        mine = [j for j in settings if cells.role.values[j] == role]
        yield {"level": "population"}, mine
        for grouping in PLACES:
            places = cells[grouping].values
            names = dict.fromkeys(places[j] for j in mine)
            for name in names if len(names) > 1 else ():
                own = [j for j in mine if places[j] == name]
                yield {"level": grouping, "group": str(name)}, own
        for j in mine:
            yield {"level": "study", "group": str(cells.setting.values[j])}, [j]
