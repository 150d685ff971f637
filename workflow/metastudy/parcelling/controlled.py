"""A study after disclosure control, and which of its outcomes a parcel can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcels.refusals import Refusal, refused
from metastudy.parcels.request import KINDS

__all__ = ["LEAST", "Controlled", "modules_of", "no_parcel"]

LEAST = 10  # people in a cell, whatever the configuration says


@dataclass(frozen=True)
class Controlled:
    """A study after control, its report as it may be seen, and what control did to it.

    ``coded`` has the cells of codes by module and variant, of a study of interviews: control works
    on their counts. Cells of answers are made of the study's rows, which control has changed.
    """

    study: Study
    did: dict[str, Any]
    coded: Mapping[tuple[str, str], xr.Dataset] = field(default_factory=dict)

    def cells(self, module: str, vocabulary: Vocabulary, variant: str = "main") -> xr.Dataset:
        """The cells of a fit."""
        if (module, variant) in self.coded:
            return self.coded[module, variant]
        return cells_of_one(self.study, module, vocabulary, variant)


def modules_of(study: Study, vocabulary: Vocabulary) -> list[str]:
    """The modules that a study enters and whose cells a parcel can hold."""
    modules = (vocabulary.module(outcome) for outcome in study.report["outcomes"])
    return [m for m in dict.fromkeys(modules) if m and vocabulary.model(m) in KINDS]


def no_parcel(study: Study, found: str, expected: str, fix: str) -> BadInput:
    """The error with which a study is refused that cannot be a parcel."""
    where = Path("results", "harmonized", study.id)
    return refused(where, Refusal(found, expected, fix), study.id)
