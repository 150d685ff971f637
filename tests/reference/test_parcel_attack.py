"""The attack on the studies that ship: it breaks small cells, and none that control lets out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from helpers.parcel_attack import NotEnded, solved, sums_of
from helpers.parcel_studies import KEY
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.models.aggregate import cells_of_one
from metastudy.models.answers.rows import rows_of
from metastudy.parcelling.control import control
from metastudy.parcelling.data_sets import ENOUGH, other_data_sets
from metastudy.parcelling.lattice import lattice_of
from metastudy.parcelling.reported import reported_of
from metastudy.parcels.cells import document_of

AIMS = 12  # searches for each answer that the search over the whole cell leaves over
STUDIES = ("threat_experiment", "coping_survey", "coping_experiment")


def shipped(name: str, out: Path) -> Study:
    save(harmonize_file(load(ROOT / "data" / "raw" / name, VOCABULARY), KEY), out)
    return load_study(out, measured=None)


def points_of(study: Study) -> dict[str, int]:
    """What the questionnaire says of each construct: items times points less one."""
    table = study.measurements
    items = table.groupby(table["construct"].astype("str"), observed=True)
    span = (items["scale_max"].max() - items["scale_min"].min()).astype(int)
    return (span * items["item_id"].nunique()).to_dict()


@pytest.mark.ci
def test_without_control_the_attack_recovers_the_answers_of_shipped_cells(tmp_path: Path) -> None:
    study = shipped("threat_experiment", tmp_path / "rows")
    document, points = document_of(cells_of_one(study, "threat", VOCABULARY)), points_of(study)
    truth = _answers_by_cell(study, VOCABULARY, points)
    numbers, recovered, tried = document["numbers"], [], 0
    for cell, n in enumerate(numbers["n"]):
        if not 3 <= n <= 6:
            continue
        sums = sums_of(document, cell, points)
        answers = truth[cell]
        if not np.allclose(answers, np.round(answers)):
            continue  # somebody left out an item: a finer lattice, which this attack does not try
        tried += 1
        try:
            found = solved(sums)
        except NotEnded:
            continue
        if len(found) == 1:
            own = sorted(map(tuple, np.round(answers).astype(int).tolist()))
            assert sorted(map(tuple, found[0].tolist())) == own, "and they are the answers"
            recovered.append(int(n))
    print(f"{len(recovered)} of {tried} cells of 3 to 6 people solved for the answers")
    assert recovered


def _answers_by_cell(
    study: Study, vocabulary: Vocabulary, points: dict[str, int]
) -> list[np.ndarray]:
    """Answers as sums of items, by cell, from the rows."""
    rows = rows_of(study, "threat", vocabulary)
    cells = cells_of_one(study, "threat", vocabulary)
    outcomes = [tuple(name.split("|")) for name in cells.outcome.values]
    y = rows.y[outcomes]
    centre = cells.centre.values[0]
    answers = (y.to_numpy() * cells.scale.values[0] + centre) / 100
    answers = answers * np.array([points[c] for c, _ in outcomes])
    seen = y.notna().to_numpy()
    found = []
    for c in range(cells.sizes["cell"]):
        site = str(cells.site.values[cells.site_of_cell.values[c]])
        pattern = cells.observed.values[cells.pattern_of_cell.values[c]] == 1
        mine = (rows.site["site"] == site).to_numpy() & (seen == pattern).all(axis=1)
        found.append(answers[mine][:, pattern])
    return found


@pytest.mark.long(of="metastudy.parcelling.control")
@pytest.mark.parametrize("name", STUDIES)
def test_every_cell_that_control_lets_out_fits_many_data_sets(
    name: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    """The search in full, beside the report, over large cells whose bits the command counts."""
    study = shipped(name, tmp_path / "rows")
    controlled = control(study, VOCABULARY, 5).study
    module = "threat" if name.startswith("threat") else "coping"
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
    reported = reported_of(controlled, lattice, lattice.value >= 0, 10)
    smallest, answers = [], 0
    for c in range(len(cells)):
        people = np.flatnonzero(at.ravel() == c)
        columns = np.concatenate([cells[c, 1:].astype(bool), np.ones(len(traits), dtype=bool)])
        cell, told = lattice.of(people, columns), reported.of(columns)
        found = other_data_sets(cell, version[people], patience=2, aims=AIMS, reported=told)
        assert found.number >= ENOUGH
        assert not found.fixed.any(), "each answer of each person can be another one"
        smallest.append(found.number)
        answers += found.fixed.size
    print(f"{name}: {len(smallest)} cells, {answers} answers, at least {min(smallest)} data sets")
    figures(cells=float(len(smallest)), smallest=float(min(smallest)), answers=float(answers))


@pytest.mark.ci
@pytest.mark.parametrize("name", ["frontline_interviews", "coping_cases", "finnish_cases"])
def test_every_count_of_codes_that_control_lets_out_fits_many_codings(
    name: str, tmp_path: Path
) -> None:
    """All codings that give a count, in closed form: which interviews have the code is open."""
    study = shipped(name, tmp_path / "rows")
    before = cells_of_one(study, "strain", VOCABULARY)
    after = control(study, VOCABULARY, 5).coded["strain", "main"]
    numbers = {which: _codings(cells) for which, cells in (("rows", before), ("parcel", after))}
    print(
        f"{name}: {len(numbers['parcel'])} counts, at least {min(numbers['parcel'])} codings each"
    )
    assert min(numbers["rows"]) == 1, "without control some count has one coding alone"
    assert min(numbers["parcel"]) >= math.comb(10, 5) > ENOUGH


def _codings(cells: xr.Dataset) -> list[int]:
    """How many codings of its interviews give each count, of one coder and of two."""
    found = []
    for counts in (cells.single.values.reshape(-1, 2), cells.double.values.reshape(-1, 4)):
        for one in counts.astype(int).tolist():
            if sum(one):
                ways = math.factorial(sum(one)) // math.prod(map(math.factorial, one))
                found.append(ways)
    return found
