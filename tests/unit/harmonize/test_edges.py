"""Rows and cells at the edge of a table, and one cell of a column that nobody uses."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest

from helpers.raw_studies import KEY, ROWS, TABLE, VOCABULARY, study, table_study
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.drafting.draft import draft
from metastudy.harmonize.harmonize import Harmonized, harmonize_file

CELLS = [[int(c) if c.isdigit() else c or None for c in r.split(",")] for r in ROWS.splitlines()]


def harmonized(folder: Path) -> Harmonized:
    return harmonize_file(load(folder, VOCABULARY), KEY)


def refused(folder: Path) -> Problem:
    with pytest.raises(BadInput) as bad:
        harmonized(folder)
    (problem,) = bad.value.problems
    return problem


def workbook(folder: Path, cells: dict[str, object], rows: list[list[object]] = CELLS) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, value in cells.items():
        book.active[place] = value
    stream = io.BytesIO()
    book.save(stream)
    file = "file: {name: answers.xlsx}\n"
    return study(folder / "small", "answers.xlsx", stream.getvalue(), file + TABLE)


def same(found: Harmonized, tmp_path: Path) -> None:
    plain = harmonized(table_study(tmp_path / "plain"))
    assert found.tables["measurements"].equals(plain.tables["measurements"])


def test_a_stray_cell_beside_a_sheet_is_reported_and_refuses_nothing(tmp_path: Path) -> None:
    found = harmonized(workbook(tmp_path, {"H3": "checked"}))
    same(found, tmp_path)
    assert found.report["unmapped"] == ["(column H)"]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_note_below_the_table_is_named(tmp_path: Path, form: str) -> None:
    if form == "xlsx":
        folder = workbook(tmp_path, {"A8": "From our survey"})
    else:
        folder = table_study(tmp_path, ROWS + ",,,,\n,,,,\nFrom our survey,,,,\n")
    (note,) = harmonized(folder).report["notes"]
    assert "row 8 at the end has an id and nothing else" in note
    assert "survey" not in note, "it may be a person's words"


def test_a_row_of_sums_is_no_respondent(tmp_path: Path) -> None:
    problem = refused(table_study(tmp_path, ROWS + "Total,,,4,5\n"))
    assert (problem.row, problem.column, problem.code) == (6, "nr", "wrong-format")


@pytest.mark.parametrize("form", ["xlsx", "csv", "padded"])
def test_a_title_above_the_header_is_called_so(tmp_path: Path, form: str) -> None:
    if form == "xlsx":
        folder = workbook(tmp_path, {}, [["Survey of 2020"], [], *CELLS])
    elif form == "csv":
        folder = table_study(tmp_path, "Survey of 2020\n\n" + ROWS)
    else:
        folder = table_study(tmp_path, "Survey of 2020,,,,\n,,,,\n" + ROWS)
    problem = refused(folder)
    assert "what is above the header row" in problem.fix
    assert problem.code == "wrong-format"


@pytest.mark.parametrize("end", [False, True])
def test_rows_with_one_cell_more_than_the_header_say_who_writes_such(
    tmp_path: Path, end: bool
) -> None:
    lines = ROWS.splitlines()
    rows = [f"{line}," if end else f"{k},{line}" for k, line in enumerate(lines[1:], start=1)]
    problem = refused(table_study(tmp_path, "\n".join([lines[0], *rows]) + "\n"))
    assert "6 cells" in problem.found
    assert "write.table" in problem.fix


def test_a_file_is_found_whatever_the_unicode_form_of_its_name(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "år.csv")
    folder = study(tmp_path / "small", name, ROWS.encode(), "file: {name: år.csv}\n" + TABLE)
    same(harmonized(folder), tmp_path)


def statistical(tmp_path: Path, form: str) -> tuple[str, bytes]:
    data = pd.DataFrame(
        {
            "nr": [1.0, 2.0, 3.0, 4.0],
            "home": ["Aa", "Aa", "Bø", "Bø"],
            "arm": [1.0, 2.0, 1.0, 2.0],
            "q1": [1.0, 7.0, 98.0, np.nan],
            "q2": [7.0, 1.0, 2.0, 98.0],
            "remark": ["fine", "caXX", "x", "y"],
        }
    )
    path = tmp_path / f"answers.{form}"
    if form == "parquet":
        table = pa.Table.from_pandas(data.assign(nr=["1", "2", "3", "4"]), preserve_index=False)
        table = table.append_column("lists", pa.array([[1], [2], [], None]))
        pyarrow.parquet.write_table(table, path)
        return path.name, path.read_bytes()
    {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[form](data, path)
    content = path.read_bytes()
    assert content.count(b"caXX") == 1
    return path.name, content.replace(b"caXX", b"ca\xe9\xe8")


@pytest.mark.parametrize("form", ["sav", "dta", "parquet"])
def test_one_text_that_cannot_be_read_refuses_no_other_column(tmp_path: Path, form: str) -> None:
    name, content = statistical(tmp_path, form)
    folder = study(tmp_path / "small", name, content, f"file: {{name: {name}}}\n" + TABLE)
    found = harmonized(folder)
    same(found, tmp_path)
    lost = "lists" if form == "parquet" else "remark"
    assert lost in found.report["unmapped"]
    made = draft("small", folder / name, VOCABULARY)
    assert f"- name: {lost}\n    as: ignore # guess: it cannot be read" in made
    assert "- name: q1\n    as: " in made
    assert made.count("cannot be read") == 1
    book = folder / "codebook.yaml"
    book.write_text(book.read_text().replace("name: home", f"name: {lost}"))
    assert refused(folder).code in ("encoding", "wrong-format")
