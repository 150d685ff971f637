"""What disclosure control of parcels costs: a study's control, and the search over each cell.

    PYTHONPATH=workflow:tests python benchmarks/parcels.py                      # all that ship
    PYTHONPATH=workflow:tests python benchmarks/parcels.py --only coping_experiment

A first table has the seconds of control of each study of answers that ships, as the command does
it, and of a made survey of 5,000 people at 100 sites, with what it keeps (an answer is one of a
person to an outcome); a second the full search over each cell that
control lets out, as the long test does it: large cells too, and an aimed search for each answer
that is left over. Seconds are of the processor; the last column is the ratio to the quickest.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import one_thread as one_thread  # isort: skip  before NumPy is imported

import numpy as np

from helpers.parcel_cells import LEAST, STUDIES, cells_let_out, shipped
from helpers.parcel_studies import harmonized, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import rows_of
from metastudy.parcelling.control import control

MADE = {"each": 25, "sites": 100, "missing": 400, "between": 0.3}
Row = tuple[list[str], float]


def of_study(name: str, study: Study, module: str) -> Row:
    """What control of a study takes, and what it keeps."""
    begun = time.process_time()
    after = control(study, VOCABULARY, LEAST)
    took = time.process_time() - begun
    kept, of = (answers_of(one, module) for one in (after.study, study))
    counts = [str(after.did[key]) for key in ("people", "sites_before", "sites_after")]
    return [name, counts[0], f"{kept:,} of {of:,}", *counts[1:]], took


def answers_of(study: Study, module: str) -> int:
    """Answers of people to outcomes of a module."""
    return int(rows_of(study, module, VOCABULARY).y.notna().to_numpy().sum())


def of_cells(study: Study, module: str) -> list[Row]:
    """What the full search over each of its cells takes."""
    rows = []
    for cell in cells_let_out(study, module):
        people, columns = cell.lattice.value.shape
        begun = time.process_time()
        found = cell.searched()
        took = time.process_time() - begun
        conditions = len(np.unique(cell.version))
        rows.append(([str(people), str(columns), str(conditions), f"{found.number:,}"], took))
    return rows


def show(heads: list[str], rows: list[Row]) -> None:
    """Print a table in Markdown, the quickest row first."""
    print("\n| " + " | ".join([*heads, "seconds", "ratio"]) + " |")
    print("|" + "---|" * (len(heads) + 2))
    least = min(took for _, took in rows)
    for names, took in sorted(rows, key=lambda row: row[1]):
        print("| " + " | ".join([*names, f"{took:.1f}", f"{took / least:.0f}"]) + " |")


def main() -> None:
    """Entry point of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(STUDIES), nargs="*", default=list(STUDIES))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = raw_study(Path(folder), "made_survey", **MADE)  # type: ignore[arg-type]
        studies = {name: shipped(name, Path(folder) / "rows" / name) for name in args.only}
        whole = {**studies, "made_survey": harmonized(made, Path(folder) / "rows" / "made_survey")}
        print(f"load {os.getloadavg()[0]:.1f}")
        modules = {**STUDIES, "made_survey": "threat"}
        rows = [of_study(name, study, modules[name]) for name, study in whole.items()]
        show(["study", "people kept", "answers kept", "sites before", "sites after"], rows)
        cells = [row for name in args.only for row in of_cells(studies[name], STUDIES[name])]
        show(["people", "outcomes and exposures", "conditions", "data sets found"], cells)


if __name__ == "__main__":
    main()
