"""Predictions: the effect in a setting that is not among the data.

A prediction is for one new setting, its residual included. What is new of it is drawn from its
standard deviation, what is at hand from the levels of a setting at hand, chosen at random in each
draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from metastudy.design.identification import SETTING, Component, Identification

__all__ = ["DECIDED", "NEXT", "PLACES", "Draws", "is_prediction", "next_in", "predictions"]

PLACES = ("country", "sector")
NEXT = "next_in_"  # level of a row: one new setting in a country or sector at hand
DECIDED = "a standard deviation in it is decided by its prior"
# A new study is a new setting, and a new country or sector has a new study.
WITH = {
    "study": ("study", SETTING),
    "country": ("study", "country", SETTING),
    "sector": ("study", "sector", SETTING),
}


def is_prediction(level: str) -> bool:
    """Whether a row's level says that it is a prediction: ``new_country`` and the like."""
    return level.startswith(("new_", NEXT))


class Draws:
    """Draws of the levels around a mean, of those at hand and of new ones.

    Parameters
    ----------
    found : what the design identifies around the mean.
    tau : gives the draws (chain, draw) of a component's standard deviation.
    level : gives the draws of one level of a component, by its place.
    rng : source of randomness; a component's new level is the same in all predictions.
    """

    def __init__(
        self,
        found: Identification,
        tau: Callable[[Component], xr.DataArray],
        level: Callable[[Component, int], xr.DataArray],
        rng: np.random.Generator,
    ) -> None:
        self.components = [c for c in found.components if c.shared]
        self.level = level
        self._new: dict[str, xr.DataArray] = {}
        for component in self.components:
            spread = tau(component)
            self._new[component.name] = spread * rng.standard_normal(spread.shape)
            self._shape = spread
        if self.components:
            self._unit = rng.integers(found.units, size=self._shape.shape)

    def new(self, names: tuple[str, ...], at_hand: Mapping[str, int] | None = None) -> xr.DataArray:
        """Distance from the mean of one setting that is new in these groupings.

        Parameters
        ----------
        names : groupings that are new; a component of several names is new if one of them is.
        at_hand : for a component, by name, the place of the level that is given.
        """
        total = 0.0 * self._shape
        for component in self.components:
            if component.name in (at_hand or {}):
                total = total + self.level(component, (at_hand or {})[component.name])
            elif set(component.names) & set(names):
                total = total + self._new[component.name]
            else:
                total = total + self._some(component)
        return total

    def _some(self, component: Component) -> xr.DataArray:
        """The level that a setting at hand has, another one in each draw."""
        index = component.index[self._unit]
        total = 0.0 * self._shape
        for at in np.unique(index):
            total = total + self.level(component, int(at)).where(index == at, 0.0)
        return total


def predictions(
    found: Identification,
    draws: Draws,
    above: Sequence[str] = (),
    below: tuple[str, ...] = (),
) -> Iterator[tuple[str, xr.DataArray, list[str]]]:
    """The predictions for a new study, country and sector that a design has a spread for.

    Parameters
    ----------
    above, below : declared groupings that studies are in, from the outermost in, and that are in
        studies. One that is new has all below it new.

    Yields
    ------
    level, distance from the mean, names of the components that are new
        The level is ``new_study`` and the like.

    References
    ----------
    Higgins, Thompson and Spiegelhalter (2009), A re-evaluation of random-effects meta-analysis.
    """
    inner = [(*above[at:], *WITH["study"]) for at in range(len(above))]
    for grouping, own_new in {**WITH, **dict(zip(above, inner, strict=True))}.items():
        new = (*own_new, *below)
        if (own := found.component(grouping)) is not None and own.shared:
            fresh = [c.name for c in draws.components if set(c.names) & set(new)]
            yield f"new_{grouping}", draws.new(new), fresh


def next_in(
    component: Component, at: int, draws: Draws, below: tuple[str, ...] = ()
) -> tuple[xr.DataArray, list[str]]:
    """One new study in a country or sector at hand: distance from the mean, what is new in it."""
    own = {component.name: at}
    new = (*WITH["study"], *below)
    fresh = [c.name for c in draws.components if c.name not in own and set(c.names) & set(new)]
    return draws.new(new, own), fresh
