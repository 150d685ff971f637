"""Files as programs write them: what is before the header, names, rows without an id, dates."""

from __future__ import annotations

import datetime
import gzip
import io
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from helpers.raw_studies import KEY, ROWS, TABLE, VOCABULARY, study, table_study
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.drafting.draft import draft, open_points
from metastudy.harmonize.harmonize import Harmonized, harmonize_file
from metastudy.readers import read
from metastudy.readers.signatures import PORTABLE, what_it_is
from metastudy.readers.statistical import moments

NO_ID = TABLE.replace("  - {name: nr, as: id}\n", "")
NUMBERED = "file: {name: answers.csv, format: csv, ids: row_numbers}\n"


def harmonized(folder: Path) -> Harmonized:
    return harmonize_file(load(folder, VOCABULARY), KEY)


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as bad:
        harmonized(folder)
    return bad.value.problems


@pytest.mark.parametrize(
    ("encoding", "line"),
    [("utf-8", "sep=;\r\n"), ("utf-8-sig", '"sep=;"\n'), ("utf-16", "SEP=;;;;;\n")],
)
def test_the_line_that_names_the_delimiter_for_excel_is_no_header(
    tmp_path: Path, encoding: str, line: str
) -> None:
    file = "file: {name: answers.csv, delimiter: ;, encoding: " + encoding + "}\n"
    content = (line + ROWS.replace(",", ";")).encode(encoding)
    folder = study(tmp_path / "small", "answers.csv", content, file + TABLE)
    plain = harmonized(table_study(tmp_path / "plain"))
    assert harmonized(folder).tables["measurements"].equals(plain.tables["measurements"])
    assert read(load(folder, VOCABULARY)).rows.tolist() == [2, 3, 4, 5]  # as Excel shows them
    assert "delimiter: ;" in draft("small", folder / "answers.csv", VOCABULARY)


def test_a_line_for_excel_that_names_another_delimiter_is_an_error_that_says_which(
    tmp_path: Path,
) -> None:
    (problem,) = refused(table_study(tmp_path, "sep=;\n" + ROWS.replace(",", ";")))
    assert "sep=;" in problem.found
    assert "file.delimiter to ';'" in problem.fix


ODD = {
    "another Unicode form": lambda name: unicodedata.normalize("NFD", name),
    "a second byte order mark": lambda name: "\ufeff\ufeff" + name,
    "a blank that does not break": lambda name: name.replace(" ", "\u00a0"),
    "a line break": lambda name: f'"{name.replace(" ", chr(10))}"',
    "nothing that is seen": lambda name: "\u200b" + name,
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_name_that_looks_the_same_is_the_same(tmp_path: Path, form: str, odd: str) -> None:
    name = "år sag"
    written = ODD[odd](name)
    book = TABLE.replace("name: nr,", f"name: {name},")
    file = f"file: {{name: answers.{form}, format: {form}}}\n"
    content = ROWS.replace("nr", written, 1).encode()
    if form == "parquet":
        rows = [line.split(",") for line in ROWS.splitlines()]
        columns = dict(
            zip([written.strip('"'), *rows[0][1:]], zip(*rows[1:], strict=True), strict=True)
        )
        sink = pa.BufferOutputStream()
        pyarrow.parquet.write_table(pa.table({k: list(v) for k, v in columns.items()}), sink)
        content = sink.getvalue().to_pybytes()
    folder = study(tmp_path / "small", f"answers.{form}", content, file + book)
    raw = read(load(folder, VOCABULARY))
    assert raw.data[name].tolist() == ["1", "2", "3", "4"]
    # A codebook that macOS wrote means the same names.
    path = folder / "codebook.yaml"
    path.write_text(unicodedata.normalize("NFD", path.read_text("utf-8")), "utf-8")
    assert read(load(folder, VOCABULARY)).data[name].tolist() == ["1", "2", "3", "4"]


def test_two_columns_whose_names_look_the_same_are_refused(tmp_path: Path) -> None:
    rows = ROWS.replace("q2", "q1\u00a0", 1)
    (problem,) = refused(
        table_study(
            tmp_path,
            rows,
            TABLE.replace("q2", "q1 ").replace(
                "  - {name: q1 ,", "  - {name: other, as: ignore}\n  - {name: home2,"
            ),
        )
    )[:1]
    assert "2 columns called 'q1'" in problem.found


def test_row_numbers_are_ids_where_the_codebook_says_so(tmp_path: Path) -> None:
    rows = "\n".join(line.partition(",")[2] for line in ROWS.splitlines()) + "\n"
    folder = study(tmp_path / "small", "answers.csv", rows.encode(), NUMBERED + NO_ID)
    found = harmonized(folder)
    assert found.tables["respondents"]["respondent_id"].nunique() == 4
    assert found.report["unmapped"] == []
    asked = study(tmp_path / "other", "answers.csv", rows.encode(),
                  "file: {name: answers.csv, format: csv}\n" + NO_ID)  # fmt: skip
    (problem,) = refused(asked)
    assert "ids: row_numbers" in problem.fix


def test_row_numbers_beside_an_id_are_refused(tmp_path: Path) -> None:
    folder = study(tmp_path / "small", "answers.csv", ROWS.encode(), NUMBERED + TABLE)
    (problem,) = refused(folder)
    assert (problem.column, problem.code) == ("file.ids", "codebook")


def test_a_header_that_is_repeated_is_seen_beside_row_numbers(tmp_path: Path) -> None:
    content = (ROWS + ROWS).encode()
    folder = study(tmp_path / "small", "answers.csv", content, NUMBERED + NO_ID)
    problems = refused(folder)
    assert [(problem.found, problem.row) for problem in problems] == [("the header again", 6)]


def test_a_draft_of_a_file_without_an_id_asks_what_tells_rows_apart(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("arm,q1\n" + "1,1\n2,2\n" * 10)
    points = open_points(draft("small", path, VOCABULARY))
    assert any("ids: TODO" in point for point in points)
    path.write_text("id,q1\n" + "".join(f"{k},{k % 5}\n" for k in range(20)))
    assert "ids:" not in draft("small", path, VOCABULARY)


def test_a_date_that_is_none_stays_a_number_and_the_others_are_dates() -> None:
    origin = datetime.datetime(1960, 1, 1)  # noqa: DTZ001
    days = pd.Series([0.0, 21915.0, 6_600_000.0, float("nan"), ".a"], dtype=object)
    found = moments(days, origin, datetime.timedelta(days=1), day=True).tolist()
    assert found[:3] == ["1960-01-01", "2020-01-01", 6_600_000.0]
    assert found[3] != found[3]
    assert found[4] == ".a"
    seconds = pd.Series([3600.5, 86400.0])
    found = moments(seconds, origin, datetime.timedelta(seconds=1), day=False).tolist()
    assert found == ["1960-01-01 01:00:00.500000", "1960-01-02"]


PORT = (b"0" * 40 + b"ASCII SPSS PORT FILE" + b" " * 20 + b"\r\n" + (b"0" * 80 + b"\r\n") * 4
        + b"0" * 56 + b"SPSSPORTA8/202611276/170\r\n")  # fmt: skip


def test_a_portable_file_is_known_by_its_mark_wherever_its_lines_break() -> None:
    assert what_it_is(PORT) == PORTABLE
    whole = PORT.replace(b"\r\n", b"")
    assert what_it_is(b"\n".join(whole[k : k + 80] for k in range(0, len(whole), 80))) == PORTABLE
    assert what_it_is(b"id,remark\n1,SPSS PORT\n") == "a text file"


COPIES = TABLE.replace("construct: threat_job,", "construct: threat_job, item: worry,").replace(
    "keying: reverse, ", ""
)


def test_copies_of_a_question_are_one_item(tmp_path: Path) -> None:
    rows = "nr,home,arm,q1,q2\n1,Aa,1,1,\n2,Aa,2,,7\n3,Bø,1,98,\n4,Bø,2,,\n"
    found = harmonized(table_study(tmp_path / "a", rows, COPIES)).tables["measurements"]
    assert found["item_id"].tolist() == ["worry"] * 4
    assert sorted(found["value_raw"].dropna()) == [1.0, 7.0]
    assert sorted(found["missing_reason"].dropna()) == ["dont_know", "system"]
    apart = harmonized(table_study(tmp_path / "b", rows)).tables["measurements"]
    assert len(apart) == 8  # without the name they are two items, of which each has one answer


def test_answers_to_two_copies_of_a_question_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(
        table_study(tmp_path, "nr,home,arm,q1,q2\n1,Aa,1,1,7\n2,Aa,2,,7\n", COPIES)
    )
    assert (problem.code, problem.row, problem.column) == ("contradiction", 2, "q2")
    other = COPIES.replace("max: 7, missing: {98: refused}", "max: 5, missing: {98: refused}")
    (problem,) = refused(table_study(tmp_path / "b", ROWS, other))
    assert "from 1 to 5" in problem.found


MATRIX = """\
variables:
  - {name: source, as: id}
codes: {Doubt: uncertainty, Hours: working_time}
outcomes: [uncertainty, working_time]
"""


@pytest.mark.parametrize(
    ("present", "cells", "wrong"),
    [
        ("[above_0]", "3,0\n0,12\n,1\n", "x"),
        ("[x, X]", "x,0\n0,X\n,x\n", "1"),
        ("[1]", "1,0\n0,1\n,1\n", "3"),
    ],
)
def test_a_matrix_says_in_its_own_marks_where_a_code_was_applied(
    tmp_path: Path, present: str, cells: str, wrong: str
) -> None:
    file = f"file: {{name: codes.csv, format: matrix, present: {present}}}\n"
    rows = [f"I{k},{row}" for k, row in enumerate(cells.splitlines())]

    def made(name: str, lines: list[str]) -> Path:
        content = "\n".join(["source,Doubt,Hours", *lines]).encode()
        return study(tmp_path / name, "codes.csv", content, file + MATRIX, "interviews")

    found = harmonized(made("right", rows)).tables["codings"]
    assert sorted(found["code_id"]) == ["uncertainty", "working_time", "working_time"]
    (problem,) = refused(made("wrong", [*rows, f"I9,{wrong},"]))
    shown = "a letter" if wrong == "x" else f"'{wrong}'"  # of what a person may have written
    assert (problem.code, problem.found, problem.row) == ("off-scale", shown, 5)


def test_qualtrics_own_workbook_gives_the_tables_of_its_text(tmp_path: Path) -> None:
    """To the end: the same people, answers and reasons, and rows as Excel numbers them."""
    tags = ["StartDate", "ResponseId", "home", "cond", "Q1", "Q2"]
    asked = ["Start Date", "Response ID", "home", "cond", "I worry\nabout it", "I wait"]
    imports = [f'{{"ImportId":"{one}"}}' for one in ("startDate", "_recordId", "home", "cond",
                                                     "QID1", "QID2")]  # fmt: skip
    when = datetime.datetime(2020, 3, 2, 8, 28, 9)  # noqa: DTZ001
    rows = [[when, "R_1", "Aa", 1, 1, 7], [when, "R_2", "Aa", 2, 7, None],
            [when, "R_3", "Bø", 1, 98, 2], [when, "R_4", "Bø", 2, None, 98]]  # fmt: skip
    book = openpyxl.Workbook()
    for row in [tags, asked, imports, *rows]:
        book.active.append(row)
    book.save(tmp_path / "d.xlsx")
    content = (tmp_path / "d.xlsx").read_bytes()
    names = {"nr,": "ResponseId,", "arm,": "cond,", "q1,": "Q1,", "q2,": "Q2,"}
    variables = TABLE
    for old, new in names.items():
        variables = variables.replace(f"name: {old}", f"name: {new}")
    made = study(tmp_path / "small", "d.xlsx", content, "file: {name: d.xlsx}\n" + variables)
    text = "".join(
        ",".join("" if cell is None else str(cell) for cell in row).replace("\n", " ") + "\n"
        for row in [tags, *rows]
    )
    file = "file: {name: d.csv, format: csv}\n"
    plain = study(tmp_path / "text" / "small", "d.csv", text.encode(), file + variables)
    found, expected = harmonized(made), harmonized(plain)
    assert found.report["rows_read"] == 4
    for name in ("respondents", "assignments", "measurements"):
        assert found.tables[name].equals(expected.tables[name])
    assert read(load(made, VOCABULARY)).rows.tolist() == [4, 5, 6, 7]
    book.active["E5"] = 8
    book.save(tmp_path / "d.xlsx")
    bad = study(tmp_path / "bad" / "small", "d.xlsx", (tmp_path / "d.xlsx").read_bytes(),
                "file: {name: d.xlsx}\n" + variables)  # fmt: skip
    (problem,) = refused(bad)
    assert (problem.row, problem.column, problem.code) == (5, "Q1", "off-scale")


XML = b'<?xml version="1.0"?>'
ELSEWHERE = {  # what it is, and what helps
    "a.rds": (gzip.compress(b"RDX3"), "gzip", "write.csv"),
    "a.sas7bdat": (b"\0" * 12 + bytes.fromhex("c2ea8160b31411cf") + b"\0" * 99, "SAS", ".sav"),
    "a.xpt": (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b" " * 400, "SAS", ".sav"),
    "a.json": (b'[\n {"id": 1, "q1": 3}]', "JSON", "CSV"),
    "a.xls": (b"<html><table><tr><td>1</td></tr></table>", "HTML", ".xlsx"),
    "b.xls": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Office", ".xlsx"),
    "a.qdc": (XML + b'<CodeBook xmlns="urn:QDA-XML:codebook:1.0"/>', ".qdc", ".qdpx"),
    "a.qde": (XML + b'<Project xmlns="urn:QDA-XML:project:1.0"/>', ".qde", ".qdpx"),
    "a.lss": (XML + b'<document>\n<LimeSurveyDocType>S', "LimeSurvey", "answers"),
    "a.rtf": (b"{\\rtf1 x}", "RTF", "CSV"),
    "a.feather": (b"ARROW1\0\0" + b"\0" * 99, "Feather", "Parquet"),
}  # fmt: skip
PACKED = {
    "a.docx": ("word/document.xml", "Word", "table"),
    "a.ods": ("content.xml", "OpenDocument", ".xlsx"),
    "a.zip": ("My survey/answers.csv", "a data file", "unpack"),
}


@pytest.mark.parametrize("name", [*ELSEWHERE, *PACKED])
def test_a_file_of_another_program_is_named_with_the_way_out(tmp_path: Path, name: str) -> None:
    if name in PACKED:
        member, kind, cure = PACKED[name]
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as packed:
            packed.writestr(member, "x")
        content = stream.getvalue()
    else:
        content, kind, cure = ELSEWHERE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as bad:
        draft("small", tmp_path / name, VOCABULARY)
    (problem,) = bad.value.problems
    assert kind in problem.found
    assert cure in problem.fix
    assert "codebook.yaml" not in problem.fix, "there is none yet"


def coded_matrix(folder: Path, name: str, content: bytes, more: str = "") -> Path:
    file = f"file: {{name: {name}, format: matrix{more}}}\n"
    return study(folder / "small", name, content, file + MATRIX, "interviews")


def test_a_matrix_may_be_a_sheet_of_a_workbook(tmp_path: Path) -> None:
    rows = [["source", "Doubt", "Hours", "Total"], ["I1", 3, 0, 3], ["I2", None, 12, 12]]
    book = openpyxl.Workbook()
    book.active.title = "Codes"
    for row in rows:
        book.active.append(row)
    book.create_sheet("Legend").append(["made by", "somebody"])
    book.save(tmp_path / "codes.xlsx")
    content = (tmp_path / "codes.xlsx").read_bytes()
    count = ", present: [above_0]"
    found = harmonized(
        coded_matrix(tmp_path / "a", "codes.xlsx", content, count + ", sheet: Codes")
    )
    text = "".join(",".join("" if c is None else str(c) for c in row) + "\n" for row in rows)
    plain = harmonized(coded_matrix(tmp_path / "b", "codes.csv", text.encode(), count))
    for name in ("respondents", "codings", "readings"):
        assert found.tables[name].equals(plain.tables[name])
    assert found.report["unmapped"] == ["Total"]
    (problem,) = refused(coded_matrix(tmp_path / "c", "codes.xlsx", content, count))
    assert "name the sheet under file.sheet" in problem.fix


def test_a_matrix_on_its_side_and_one_with_sums_are_called_so(tmp_path: Path) -> None:
    turned = coded_matrix(tmp_path / "a", "m.csv", b"code,I1,I2\nDoubt,1,0\nHours,0,1\n")
    assert all("exchange rows and columns" in problem.fix for problem in refused(turned))
    summed = coded_matrix(tmp_path / "b", "m.csv", b"source,Doubt,Hours\nI1,1,0\nSUM,1,0\n")
    (problem,) = refused(summed)
    assert "sums up others" in problem.found


def test_a_box_that_was_left_empty_is_an_answer_where_the_codebook_says_so(
    tmp_path: Path,
) -> None:
    rows = "nr,home,arm,q1,q2\n1,Aa,1,x,1\n2,Aa,2,,3\n3,Bø,1,,\n"
    item = "name: q1, as: item, construct: threat_job, min: 0, max: 1, values: {x: 1, '': 0}}"
    lines = TABLE.splitlines()
    book = "\n".join(f"  - {{{item}" if "name: q1" in line else line for line in lines) + "\n"
    found = harmonized(table_study(tmp_path, rows, book)).tables["measurements"]
    ticked = found[found["item_id"] == "q1"]
    assert sorted(ticked["value_raw"]) == [0.0, 0.0, 1.0]
    assert ticked["missing_reason"].isna().all()
    rule = book + "exclude:\n  - {rule: breakoff, unanswered: all_outcomes}\n"
    kept = harmonized(table_study(tmp_path / "b", rows, rule)).report["rows_kept"]
    assert kept == 3, "an empty box is an answer for the rules too"
    without = harmonized(table_study(tmp_path / "c", rows, rule.replace(", '': 0", "")))
    assert without.report["rows_kept"] == 2
