"""The attack on the studies that ship: it breaks small cells, and none that control lets out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from helpers.parcel_attack import NotEnded, solved, sums_of
from helpers.parcel_cells import STUDIES, cells_let_out, shipped
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.models.answers.rows import rows_of
from metastudy.parcelling.control import control
from metastudy.parcelling.data_sets import ENOUGH
from metastudy.parcels.cells import document_of


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
    smallest, answers = [], 0
    for cell in cells_let_out(shipped(name, tmp_path / "rows"), STUDIES[name]):
        found = cell.searched()
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
