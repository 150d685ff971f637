"""Cells that disclosure control lets out, with all that a search for other data sets needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.parcel_studies import KEY
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.models.answers.rows import rows_of
from metastudy.parcelling.control import control
from metastudy.parcelling.data_sets import Found, aimed, other_data_sets
from metastudy.parcelling.lattice import Lattice, lattice_of
from metastudy.parcelling.reported import Reported, reported_of

STUDIES = {"threat_experiment": "threat", "coping_survey": "coping", "coping_experiment": "coping"}
AIMS = 12  # searches for each answer that the search over the whole cell leaves over
LEAST = 10


@dataclass(frozen=True)
class Cell:
    """A cell: its answers, the condition of each of its people, and what the report tells."""

    lattice: Lattice
    version: np.ndarray
    reported: Reported

    def searched(self) -> Found:
        """Data sets with the same sums and report, and for each answer one that differs in it."""
        of = self.lattice, self.version, None
        found = other_data_sets(*of, patience=2, reported=self.reported)
        return aimed(found, *of, self.reported, AIMS)


def shipped(name: str, out: Path) -> Study:
    """A study that ships, harmonized into ``out``."""
    save(harmonize_file(load(ROOT / "data" / "raw" / name, VOCABULARY), KEY), out)
    return load_study(out, measured=None)


def cells_let_out(study: Study, module: str) -> Iterator[Cell]:
    """The cells of a study's main fit after control, from the rows that control lets out."""
    controlled = control(study, VOCABULARY, LEAST).study
    rows = rows_of(controlled, module, VOCABULARY)
    traits = [(e["construct"], "") for e in study.report["exposures"] if "construct" in e]
    names = [*((str(c), str(v)) for c, v in rows.y.columns), *traits]
    lattice = lattice_of(controlled, rows.y.index.to_numpy(dtype=str), names)
    two = [column for column in rows.x if rows.x[column].nunique() <= 2]
    version = np.zeros(len(rows.y), dtype=int)
    if two:
        version = np.unique(rows.x[two].to_numpy(), axis=0, return_inverse=True)[1].ravel()
    seen = rows.y.notna().to_numpy()
    keys = rows.site[["country", "sector", "role", "site"]].astype(str).agg("|".join, axis=1)
    site = np.unique(keys, return_inverse=True)[1]
    cells, at = np.unique(np.column_stack([site, seen]), axis=0, return_inverse=True)
    reported = reported_of(controlled, lattice, lattice.value >= 0, LEAST)
    for c in range(len(cells)):
        people = np.flatnonzero(at.ravel() == c)
        columns = np.concatenate([cells[c, 1:].astype(bool), np.ones(len(traits), dtype=bool)])
        yield Cell(lattice.of(people, columns), version[people], reported.of(columns))
