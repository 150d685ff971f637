"""What disclosure control cost: how far estimates moved, and how much wider their intervals are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.controlled import Controlled, modules_of
from metastudy.parcelling.make import estimates_of

__all__ = ["Loss", "losses", "said_of"]

STEP = 0.05  # that ratios of standard errors are rounded to, in the parcel
NAMES = ("country", "sector", "role", "exposure", "outcome", "vignette")


@dataclass(frozen=True)
class Loss:
    """An estimate of the study alone, main analysis: what control did to it.

    ``moved`` is in standard errors of the rows, ``wider`` the ratio of standard errors after and
    before; both are missing where the estimate is not in the parcel. ``gone`` people are behind the
    estimate of the rows and not behind that of the parcel. ``place``: country, sector and role.
    ``added`` is one that the rows do not give: where sites are told apart nobody varies.
    """

    module: str
    exposure: str
    outcome: str
    moved: float | None = None
    wider: float | None = None
    gone: int = 0
    vignette: str = ""
    place: tuple[str, ...] = ()
    added: bool = False


def losses(study: Study, controlled: Controlled, vocabulary: Vocabulary) -> list[Loss]:
    """What control did to each unpooled estimate of a study, and those that it made."""
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
            one = Loss(
                module, row["exposure"], row["outcome"], vignette=row["vignette"], place=key[:3],
                gone=row["n"],
            )  # fmt: skip
            if (new := after.get(key)) is not None and row["se"] > 0:
                one = replace(
                    one,
                    moved=(new["estimate"] - row["estimate"]) / row["se"],
                    wider=new["se"] / row["se"],
                    gone=row["n"] - new["n"],
                )
            found.append(one)
        found += [
            Loss(
                module, row["exposure"], row["outcome"], vignette=row["vignette"], place=key[:3],
                added=True,
            )
            for key, row in after.items()
            if key not in before
        ]  # fmt: skip
    return found


def said_of(found: Sequence[Loss], did: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a parcel says of the loss: ratios of standard errors alone, roughly.

    How far an estimate moved would give away the sum of those who are in no cell, so it stays at
    home. A ratio counts if nobody or as many people as the threshold are gone from its estimate: of
    fewer it would say something of few people. The parcel says nothing if no ratio counts, or if
    few second readings of interviews are gone, which are behind each estimate.

    Parameters
    ----------
    did : what control did, of :func:`metastudy.parcelling.control.control`.

    Returns
    -------
    How many estimates are compared, how many of these are not in the parcel, and the median and the
    largest ratio of standard errors, in steps of :data:`STEP`, the largest rounded up: no ratio is
    above it. Or nothing.
    """
    if isinstance((did.get("interviews") or {}).get("second_readings_left"), str):
        return None
    counted = [
        one for one in found if not one.added and (not one.gone or abs(one.gone) >= did["least"])
    ]
    ratios = [one.wider for one in counted if one.wider is not None]
    if not ratios:
        return None
    median = round(round(float(np.median(ratios)) / STEP) * STEP, 2)
    largest = round(math.ceil(round(max(ratios) / STEP, 6)) * STEP, 2)
    lost = len(counted) - len(ratios)
    return {"estimates": len(counted), "lost": lost, "median": median, "largest": largest}
