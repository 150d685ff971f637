"""A harmonized study: its report and tables, read by one loader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.harmonized import parquet
from metastudy.harmonized.scale_scores import NEEDED

__all__ = ["Study", "load_study"]


@dataclass(frozen=True)
class Study:
    """A study's harmonized tables and its report."""

    report: dict[str, Any]
    respondents: pd.DataFrame
    assignments: pd.DataFrame
    measurements: pd.DataFrame
    codings: pd.DataFrame
    readings: pd.DataFrame

    @property
    def id(self) -> str:
        return self.report["study"]


def load_study(folder: Path, measured: Sequence[str] = NEEDED) -> Study:
    """Read the harmonized tables of one study from its folder under ``results/harmonized``.

    Of the measurements, much the longest table, only the columns ``measured`` are read.
    """
    names = ("respondents", "assignments", "codings", "readings")
    return Study(
        report=json.loads((folder / "report.json").read_text("utf-8")),
        measurements=parquet.read_some(folder / "measurements.parquet", measured),
        **{name: pd.read_parquet(folder / f"{name}.parquet") for name in names},
    )
