"""Tables in Markdown: which one is read, the same cells as from delimited text, what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers.raw_studies import ROWS, TABLE, VOCABULARY, codebook_of, harmonized, study
from metastudy.common.data_file import is_data
from metastudy.common.problems import BadInput, Problem
from metastudy.drafting.draft import draft
from metastudy.readers import read
from metastudy.readers.detect import form
from metastudy.readers.raw import RawTable
from metastudy.record.inputs import raw

HEADER, *BODY = ROWS.splitlines()


def pipes(rows: list[str], header: str = HEADER) -> str:
    lines = [header, ",".join("---" for _ in header.split(",")), *rows]
    return "".join("| " + line.replace(",", " | ") + " |\n" for line in lines)


PAGE = f"""\
# Answers on homes

Where they are from: a | in words is no table.

```
| nr | home | arm | q1 | q2 |
|----|------|-----|----|----|
| 9  | in code | 1 | 1 | 1 |
```

## What people answered

{pipes(BODY)}
The end.

## Literature

| paper | year |
|:------|:----:|
| one   | 2020 |
"""


def made(folder: Path, page: str = PAGE, keys: str = ", format: markdown", codebook: str = TABLE,
         name: str = "README.md") -> Path:  # fmt: skip
    head = f"file: {{name: {name}{keys}}}\n"
    return study(folder / "small", name, page.encode(), head + codebook)


def table(folder: Path) -> RawTable:
    found = read(codebook_of(folder))
    assert isinstance(found, RawTable)
    return found


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        harmonized(folder)
    return caught.value.problems


@pytest.mark.parametrize("keys", [", format: markdown", ""])
def test_a_table_in_a_readme_gives_the_tables_of_delimited_text(tmp_path: Path, keys: str) -> None:
    one = made(tmp_path / "markdown", keys=keys)
    other = made(tmp_path / "text", ROWS, ", format: csv", name="answers.csv")
    assert form(codebook_of(one)) == "markdown"
    found, expected = harmonized(one), harmonized(other)
    for part, rows in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[part], rows)


def test_rows_are_numbered_as_the_lines_of_the_file(tmp_path: Path) -> None:
    lines = PAGE.splitlines()
    found = table(made(tmp_path))
    assert [lines[row - 1].split("|")[1].strip() for row in found.rows] == ["1", "2", "3", "4"]
    (problem,) = refused(made(tmp_path / "off", PAGE.replace("| 7 | 1 |", "| 8 | 1 |")))
    assert (problem.code, problem.column) == ("off-scale", "q1")
    assert lines[int(str(problem.row)) - 1].startswith("| 2 |")


def test_a_row_may_lack_its_outer_marks_and_hold_one_of_its_own(tmp_path: Path) -> None:
    page = "nr | home | arm | q1 | q2\n--|--|--|--|--\n1 | A \\| B | 1 | 7 | 7\n# next\n"
    assert table(made(tmp_path, page)).data["home"].tolist() == ["A | B"]


def test_of_tables_alike_the_heading_says_which(tmp_path: Path) -> None:
    twice = PAGE + "\n## A year later\n\n" + pipes(BODY[:2])
    (problem,) = refused(made(tmp_path / "none", twice))
    assert "2 tables that may be meant" in problem.found
    assert "under 'A year later'" in problem.found
    assert "file.heading" in problem.fix
    keys = ", format: markdown, heading: A year later"
    assert len(table(made(tmp_path / "one", twice, keys)).data) == 2
    (problem,) = refused(made(tmp_path / "other", twice, keys.replace("later", "lately")))
    assert "no table under a heading 'A year lately'. Did you mean 'A year later'?" in problem.found


@pytest.mark.parametrize(
    ("page", "found", "row"),
    [
        ("# Only words\n", "no table in the text", None),
        (PAGE.replace("| 2 | Aa |", "| 2 |"), "4 cells in a row", "16"),
        (PAGE.replace("| q1 | q2 |\n| --- ", "| q1 | q1 |\n| --- "), "2 columns", 13),
        (PAGE.replace("| q1 | q2 |\n| --- ", "| q1 |  |\n| --- "), "cells in", 15),
        (pipes([HEADER, *BODY]), "the header again", "3"),
        (pipes(["1,Aa,1,7", *BODY], HEADER), "4 cells", "3"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_one_clear_error(
    tmp_path: Path, page: str, found: str, row: object
) -> None:
    (problem, *_) = problems = refused(made(tmp_path, page))
    assert problem.code == "wrong-format"
    assert found in problem.found
    assert str(problem.row) == str(row)
    assert all(problem.file.endswith("README.md") and problem.fix for problem in problems)


def test_decimal_commas_are_read_and_thousands_beside_them_are_not(tmp_path: Path) -> None:
    codebook = TABLE.replace("min: 1, max: 7", "min: 1.0, max: 7.0")
    keys = ", format: markdown, decimal: ','"
    page = PAGE.replace("| 7 | 1 |", "| 6,5 | 1 |")
    assert "6.5" in table(made(tmp_path / "one", page, keys, codebook)).data["q1"].tolist()
    page = PAGE.replace("| 7 | 1 |", "| 6.500 | 1 |")
    (problem,) = refused(made(tmp_path / "two", page, keys, codebook))
    assert problem.found == "'6.500' in a file with decimal commas"


def test_a_text_with_a_table_that_is_declared_as_delimited_stays_so(tmp_path: Path) -> None:
    rows = "nr|home|arm|q1|q2\n-|-|-|-|-\n"
    codebook = codebook_of(made(tmp_path, rows, ", delimiter: '|'", name="answers.txt"))
    assert form(codebook) == "csv"


def test_a_readme_is_data_where_the_codebook_names_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "markdown")
    other = made(tmp_path / "text", ROWS, ", format: csv", name="answers.csv")
    (other / "README.md").write_text(PAGE, encoding="utf-8")
    assert is_data(folder / "README.md")
    assert not is_data(other / "README.md")
    assert not is_data(folder / "codebook.yaml")
    assert list(raw(folder.parent, ["small"])["small"]) == ["README.md"]
    assert list(raw(other.parent, ["small"])["small"]) == ["answers.csv"]


def test_a_draft_of_a_readme_names_the_table(tmp_path: Path) -> None:
    path = tmp_path / "small" / "README.md"
    path.parent.mkdir()
    path.write_text(PAGE, encoding="utf-8")
    text = draft("small", path, VOCABULARY)
    said = yaml.safe_load(text)["file"]
    assert said == {
        "name": "README.md", "format": "markdown", "heading": "What people answered"
    }  # fmt: skip
    assert "delimiter" not in text
