"""What moderators the effects of a module have, and where each setting is on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from metastudy.design.moderators import Coefficient
from metastudy.models.answers.design import around

__all__ = ["Moderated", "moderated"]

DIGITS = 12  # of a value that was centred and scaled, and is brought back


@dataclass(frozen=True)
class Moderated:
    """A moderator that the effect of an exposure on an outcome has, among people of one role.

    ``coefficients`` has one for a number, and one for each level of a category but the reference.
    ``values`` is the moderator in each setting: a number, or a level.
    """

    exposure: str
    outcome: str
    role: str
    coefficients: tuple[Coefficient, ...]
    values: Mapping[str, float | str]

    @property
    def name(self) -> str:
        """The moderator's key in the vocabulary."""
        return self.coefficients[0].moderator

    @property
    def numeric(self) -> bool:
        """Whether it is a number, and not a category."""
        return not isinstance(self.coefficients[0].at, str)


def moderated(cells: xr.Dataset) -> tuple[Moderated, ...]:
    """The moderators that the model of these cells has, by effect; what is refused is not there.

    Parameters
    ----------
    cells : of answers (:func:`metastudy.models.answers.moderators.with_moderators`).
    """
    if "moderator_value" not in cells:
        return ()
    found = []
    for (exposure, construct), one in around(cells).items():
        for role, (mine, moderation) in one.moderated.items():
            settings = cells.setting.values[one.setting[mine]].astype(str)
            for name in dict.fromkeys(c.moderator for c in moderation.coefficients):
                at = [k for k, c in enumerate(moderation.coefficients) if c.moderator == name]
                own = tuple(moderation.coefficients[k] for k in at)
                values = _values(own, moderation.columns[:, at])
                places = dict(zip(settings, values, strict=True))
                found.append(Moderated(exposure, construct, role, own, places))
    return tuple(found)


def _values(own: tuple[Coefficient, ...], columns: np.ndarray) -> list[float | str]:
    """The moderator's value behind each row of its columns (row, coefficient)."""
    first = own[0]
    if not isinstance(first.at, str):
        return [float(f"{first.at + first.scale * x:.{DIGITS}g}") for x in columns[:, 0]]
    levels = [c.level for c in own]
    return [levels[int(row.argmax())] if row.any() else first.at for row in columns]
