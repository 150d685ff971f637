"""What disclosure control cost: how far estimates moved, and how much wider their intervals are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.controlled import Controlled, modules_of
from metastudy.parcelling.make import estimates_of

__all__ = ["Loss", "losses", "told_of"]

STEP = 0.05  # that ratios of standard errors are rounded to, in the parcel
NAMES = ("country", "sector", "role", "exposure", "outcome", "vignette")


@dataclass(frozen=True)
class Loss:
    """An estimate of the study alone, main analysis: what control did to it.

    ``moved`` is in standard errors of the rows, ``wider`` the ratio of standard errors after and
    before; both are missing where the estimate is not in the parcel.
    """

    module: str
    exposure: str
    outcome: str
    moved: float | None = None
    wider: float | None = None


def losses(study: Study, controlled: Controlled, vocabulary: Vocabulary) -> list[Loss]:
    """What control did to each unpooled estimate of a study that has a standard error."""
    found = []
    for module in modules_of(study, vocabulary):
        before, after = (
            {
                tuple(row[name] for name in NAMES): row
                for row in estimates_of(cells, vocabulary, "main")
            }
            for cells in (
                cells_of_one(study, module, vocabulary),
                controlled.cells(module, vocabulary),
            )
        )
        for key, row in before.items():
            about = (module, row["exposure"], row["outcome"])
            if (new := after.get(key)) is None or not row["se"] > 0:
                found.append(Loss(*about))
            else:
                by = (new["estimate"] - row["estimate"]) / row["se"]
                found.append(Loss(*about, by, new["se"] / row["se"]))
    return found


def told_of(found: Sequence[Loss], did: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a parcel tells of the loss: ratios of standard errors alone, roughly.

    How far an estimate moved would tell the sum of those who are in no cell, so it stays at home.
    Where fewer people than the threshold were touched, nothing is told, as a ratio would be of few.

    Parameters
    ----------
    did : what control did, of :func:`metastudy.parcelling.control.control`.

    Returns
    -------
    Number of estimates, how many are not in the parcel, and the median and the largest ratio of
    standard errors, in steps of :data:`STEP`; or nothing.
    """
    touched = (did["people_left"], did["people_with_fewer_outcomes"])
    if any(isinstance(n, str) for n in touched):
        return None
    ratios = [one.wider for one in found if one.wider is not None]
    if not ratios:
        return None
    median, largest = (
        round(round(float(value) / STEP) * STEP, 2) for value in (np.median(ratios), max(ratios))
    )
    lost = len(found) - len(ratios)
    return {"estimates": len(found), "lost": lost, "median": median, "largest": largest}
