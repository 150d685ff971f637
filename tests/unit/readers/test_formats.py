"""Formats as other programs write them, how they are recognised, and what they may hide."""

from __future__ import annotations

import csv
import datetime
import io
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest

from helpers.raw_studies import (
    EXPORT,
    INTERVIEWS,
    PROJECT,
    QUALTRICS,
    ROWS,
    TABLE,
    codebook_of,
    interview_study,
    qualtrics_study,
    sav_study,
    study,
    table_study,
)
from metastudy.common.problems import BadInput, Problem
from metastudy.readers import read, text_stream
from metastudy.readers.detect import form
from metastudy.readers.raw import RawProject, RawTable
from metastudy.readers.refusals import CODES
from metastudy.readers.sandbox import survives

DATA = pd.DataFrame(
    {
        "nr": [1.0, 2.0, 3.0, 4.0],
        "home": ["Aa", "Aa", "Bø", ""],
        "arm": [1.0, 2.0, 1.0, 2.0],
        "q1": [1.0, 7.0, 98.0, np.nan],
        "q2": [7.0, 1.0, 2.0, 98.0],
    }
)
CELLS = [["1", "2", "3", "4"], ["Aa", "Aa", "Bø", ""], ["1", "7", "98", ""]]


def made(
    tmp_path: Path, name: str, content: bytes, form: str, codebook: str = TABLE, more: str = ""
) -> Path:
    """Make a study of one data file."""
    declared = f"format: {form}" if form else ""
    keys = ", ".join(part for part in (f"name: {name}", declared, more) if part)
    return study(tmp_path / "small", name, content, f"file: {{{keys}}}\n" + codebook)


def table(folder: Path) -> RawTable:
    raw = read(codebook_of(folder))
    assert isinstance(raw, RawTable)
    return raw


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read(codebook_of(folder))
    assert {problem.code for problem in caught.value.problems} <= set(CODES)
    return caught.value.problems


def columns(raw: RawTable) -> list[list[str]]:
    return [raw.data[name].tolist() for name in ("nr", "home", "q1")]


# --- Stata ---------------------------------------------------------------------------------------


def dta(tmp_path: Path, data: pd.DataFrame = DATA, **options: object) -> bytes:
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "written.dta"
    pyreadstat.write_dta(data, path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("version", [8, 10, 12, 13, 14, 15])
def test_a_stata_file_of_any_version_gives_the_same_table(tmp_path: Path, version: int) -> None:
    data = DATA.replace({"home": {"Bø": "Bo"}}) if version < 14 else DATA
    raw = table(made(tmp_path, "a.dta", dta(tmp_path, data, version=version), "dta"))
    expected = [
        [text.replace("Bø", "Bo") if version < 14 else text for text in one] for one in CELLS
    ]
    assert columns(raw) == expected
    assert raw.rows.tolist() == [1, 2, 3, 4]


def test_extended_missing_codes_of_stata_stay_with_their_labels(tmp_path: Path) -> None:
    data = DATA.assign(q1=pd.Series([1.0, "a", "z", np.nan], dtype=object))
    labels = {"q1": {1: "lowest", "a": "Refused"}}
    content = dta(
        tmp_path, data, missing_user_values={"q1": ["a", "z"]}, variable_value_labels=labels
    )
    raw = table(made(tmp_path, "a.dta", content, "dta"))
    assert raw.data["q1"].tolist() == ["1", ".a", ".z", ""]
    assert raw.declared_missing["q1"] == (".a", ".z")
    assert raw.labels["q1"] == {"1": "lowest", ".a": "Refused"}


def test_the_text_a_in_stata_is_no_missing_code(tmp_path: Path) -> None:
    raw = table(made(tmp_path, "a.dta", dta(tmp_path, DATA.assign(home=list("abca"))), "dta"))
    assert raw.data["home"].tolist() == ["a", "b", "c", "a"]


def test_a_stata_file_written_by_pandas_is_read(tmp_path: Path) -> None:
    stream = io.BytesIO()
    DATA.assign(home=["Aa", "Aa", "Bø", ""]).to_stata(stream, write_index=False, version=118)
    assert columns(table(made(tmp_path, "a.dta", stream.getvalue(), "dta"))) == CELLS


def test_texts_of_an_old_stata_file_need_their_encoding(tmp_path: Path) -> None:
    stream = io.BytesIO()  # until version 13 the bytes of a text were whatever Windows had
    DATA.to_stata(stream, write_index=False, version=114)
    assert "Bø".encode("latin-1") in stream.getvalue()
    folder = made(tmp_path, "a.dta", stream.getvalue(), "dta", more="encoding: cp1252")
    assert columns(table(folder)) == CELLS


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_a_truncated_stata_file_is_refused(tmp_path: Path, kept: float) -> None:
    whole = dta(tmp_path)
    (problem,) = refused(made(tmp_path, "a.dta", whole[: int(kept * len(whole))], "dta"))
    assert problem.code == "wrong-format"


# --- Excel ---------------------------------------------------------------------------------------


def sheet(*rows: list[object], title: str = "Data") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def packed(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


HEADER = ["nr", "home", "arm", "q1", "q2"]
BODY = [[1, "Aa", 1, 1.0, 7], [2, "Aa", "2", 7, 1], [3, "Bø", 1, 98, 2], [4, None, 2, None, 98]]


def excel(tmp_path: Path, book: openpyxl.Workbook, more: str = "") -> Path:
    return made(tmp_path, "a.xlsx", packed(book), "xlsx", more=more)


def test_an_excel_sheet_gives_the_same_table_with_the_rows_of_excel(tmp_path: Path) -> None:
    raw = table(excel(tmp_path, sheet(HEADER, *BODY[:2], [], *BODY[2:])))
    assert columns(raw) == CELLS
    assert raw.rows.tolist() == [2, 3, 5, 6]


def test_dates_and_truth_values_of_excel_are_plain_texts(tmp_path: Path) -> None:
    day, moment = datetime.datetime(2020, 3, 2), datetime.datetime(2020, 3, 2, 8, 28, 9)  # noqa: DTZ001
    rows = [[1, day, True, 0.3, 7], [2, moment, False, 1e15, 7]]
    raw = table(excel(tmp_path, sheet(HEADER, *rows)))
    assert raw.data["home"].tolist() == ["2020-03-02", "2020-03-02 08:28:09"]
    assert raw.data["arm"].tolist() == ["True", "False"]
    assert raw.data["q1"].tolist() == ["0.3", "1000000000000000"]


def test_the_sheet_that_is_named_is_read_and_several_need_a_name(tmp_path: Path) -> None:
    book = sheet(["about", "this"], title="Read me")
    book.create_sheet("Answers").append(HEADER)
    for row in BODY:
        book["Answers"].append(row)
    assert columns(table(excel(tmp_path / "a", book, more="sheet: Answers"))) == CELLS
    (problem,) = refused(excel(tmp_path / "b", book))
    assert "2 sheets with cells: Read me, Answers" in problem.found
    (problem,) = refused(excel(tmp_path / "c", book, more="sheet: Answer"))
    assert "Did you mean 'Answers'?" in problem.found


def test_empty_sheets_beside_the_data_do_no_harm(tmp_path: Path) -> None:
    book = sheet(HEADER, *BODY)
    book.create_sheet("Sheet2")
    assert columns(table(excel(tmp_path, book))) == CELLS


def test_a_formula_without_its_value_is_no_empty_cell(tmp_path: Path) -> None:
    rows = [list(row) for row in BODY]
    rows[1][3] = "=1+6"  # openpyxl writes the formula and computes nothing
    (problem,) = refused(excel(tmp_path, sheet(HEADER, *rows)))
    assert (problem.row, problem.column) == (3, "q1")
    assert "formula" in problem.found


def test_merged_cells_are_refused_and_a_cell_beside_the_table_is_not(tmp_path: Path) -> None:
    book = sheet(HEADER, *BODY)
    book.active.merge_cells("B2:B3")
    book.active["G3"] = "stray"
    (merged,) = refused(excel(tmp_path, book))
    assert "merged cells B2:B3" in merged.found


def test_an_extra_row_above_the_header_is_told_by_the_columns_it_hides(tmp_path: Path) -> None:
    assert {one.code for one in refused(excel(tmp_path, sheet(["Results"], HEADER, *BODY)))} <= {
        "unknown-column",
        "wrong-format",
    }


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(excel(tmp_path, sheet([*HEADER, "q1"], *BODY)))
    assert "2 columns called 'q1'" in problem.found


def rewritten(content: bytes, member: str, change: object) -> bytes:
    """Change one member of an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", 8) as new:
        for info in old.infolist():
            text = old.read(info)
            new.writestr(info.filename, change(text) if info.filename == member else text)  # type: ignore[operator]
    return stream.getvalue()


def test_a_sheet_that_claims_too_small_an_extent_is_read_whole(tmp_path: Path) -> None:
    def narrow(text: bytes) -> bytes:
        return re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', text)

    content = rewritten(packed(sheet(HEADER, *BODY)), "xl/worksheets/sheet1.xml", narrow)
    assert columns(table(made(tmp_path, "a.xlsx", content, "xlsx"))) == CELLS


def test_a_path_that_leads_out_of_a_workbook_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO(packed(sheet(HEADER, *BODY)))
    with zipfile.ZipFile(stream, "a") as file:
        file.writestr("xl/../../evil.xml", "<a/>")
    (problem,) = refused(made(tmp_path, "a.xlsx", stream.getvalue(), "xlsx"))
    assert problem.code == "hostile-archive"
    assert "evil" in problem.found


HOSTILE_XLSX = {
    "entities": ("xl/workbook.xml", lambda text: b'<!DOCTYPE a [<!ENTITY b "c">]>' + text),
    "entities in UTF-16": (
        "xl/styles.xml",
        lambda text: '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16"),
    ),
    "bomb": ("xl/worksheets/sheet1.xml", lambda text: text + b" " * (11 * 2**20)),
}


@pytest.mark.parametrize("kind", HOSTILE_XLSX)
def test_a_hostile_workbook_is_refused(tmp_path: Path, kind: str) -> None:
    content = rewritten(packed(sheet(HEADER, *BODY)), *HOSTILE_XLSX[kind])
    (problem,) = refused(made(tmp_path, "a.xlsx", content, "xlsx"))
    assert problem.code == "hostile-archive"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "Workbook".encode("utf-16-le"), ".xls"),
    ],
)
def test_old_and_locked_workbooks_are_called_what_they_are(
    tmp_path: Path, content: bytes, found: str
) -> None:
    (problem,) = refused(made(tmp_path, "a.xlsx", content, "xlsx"))
    assert found in problem.found


# --- Parquet -------------------------------------------------------------------------------------


def parquet(data: pa.Table | pd.DataFrame, **options: object) -> bytes:
    stream = io.BytesIO()
    arrow = data if isinstance(data, pa.Table) else pa.Table.from_pandas(data)
    pyarrow.parquet.write_table(arrow, stream, **options)
    return stream.getvalue()


def test_parquet_gives_the_same_table(tmp_path: Path) -> None:
    data = DATA.astype({"home": "category", "nr": "int32"})
    raw = table(made(tmp_path, "a.parquet", parquet(data), "parquet"))
    assert columns(raw) == CELLS
    assert raw.rows.tolist() == [1, 2, 3, 4]


def test_values_of_parquet_are_spelt_as_everywhere(tmp_path: Path) -> None:
    data = pa.table(
        {
            "nr": pa.array([1, 2], pa.int64()),
            "home": pa.array([datetime.date(2020, 3, 2), None]),
            "arm": pa.array([True, None]),
            "q1": pa.array([0.1, 7.0], pa.float32()),
            "q2": pa.array([datetime.datetime(2020, 3, 2, 8, 28), None], pa.timestamp("ns")),  # noqa: DTZ001
        }
    )
    raw = table(made(tmp_path, "a.parquet", parquet(data), "parquet"))
    assert raw.data["home"].tolist() == ["2020-03-02", ""]
    assert raw.data["arm"].tolist() == ["True", ""]
    assert raw.data["q1"].tolist() == ["0.1", "7"]
    assert raw.data["q2"].tolist() == ["2020-03-02 08:28:00", ""]


def test_columns_of_lists_and_bytes_are_refused_together(tmp_path: Path) -> None:
    data = pa.table({name: [[1]] if name == "q1" else [b"x"] for name in HEADER})
    found = refused(made(tmp_path, "a.parquet", parquet(data), "parquet"))
    assert [one.column for one in found] == HEADER


@pytest.mark.parametrize("kept", [0.1, 0.6, 0.99])
def test_truncated_parquet_is_refused(tmp_path: Path, kept: float) -> None:
    whole = parquet(DATA)
    (problem,) = refused(made(tmp_path, "a.parquet", whole[: int(kept * len(whole))], "parquet"))
    assert problem.code == "wrong-format"


# --- damaged bytes in every binary format --------------------------------------------------------


WRITERS = {
    "sav": lambda tmp: (sav_study(tmp) / "answers.sav").read_bytes(),
    "dta": dta,
    "xlsx": lambda tmp: packed(sheet(HEADER, *BODY)),
    "parquet": lambda tmp: parquet(DATA),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", WRITERS)
def test_damaged_bytes_end_in_an_error_or_in_a_table(tmp_path: Path, kind: str, seed: int) -> None:
    content, chance = bytearray(WRITERS[kind](tmp_path / "a")), random.Random(seed)
    for _ in range(5):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    try:
        names, codes = table(made(tmp_path / "b", f"a.{kind}", bytes(content), kind)).names, set()
    except BadInput as error:
        names, codes = ("none",), {problem.code for problem in error.problems}
    assert names
    assert codes <= set(CODES)


@pytest.mark.parametrize(
    ("code", "alive"),
    [
        ("import sys; sys.exit(sys.argv[1] != 'a')", True),
        ("raise ValueError", True),
        ("import os; os.abort()", False),
        ("bytes(10**13)", False),
    ],
)
def test_a_trial_tells_errors_from_the_end_of_the_process(code: str, alive: bool) -> None:
    assert survives(code, "a") is alive


# --- delimited text ------------------------------------------------------------------------------


def test_cells_keep_their_exact_meaning(tmp_path: Path) -> None:
    rows = 'nr,home,arm,q1,q2\n1,"",1,NA,007\n2,NaN,1,null,1.0\n3," a ",1,"x ""y""\r\nz",-\n'
    raw = table(table_study(tmp_path, rows))
    assert raw.data["home"].tolist() == ["", "NaN", "a"]
    assert raw.data["q1"].tolist() == ["NA", "null", 'x "y"\r\nz']
    assert raw.data["q2"].tolist() == ["007", "1", "-"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_line_end_ends_a_row(tmp_path: Path, end: str, last: bool) -> None:
    rows = ROWS.replace("\n", end)
    raw = table(table_study(tmp_path, rows if last else rows.removesuffix(end)))
    assert raw.data["q2"].tolist() == ["7", "1", "2", "98"]


def test_rows_are_numbered_over_line_breaks_and_across_blocks(tmp_path: Path) -> None:
    many = "".join(f'{nr},"A\na",1,1,{nr}\n' for nr in range(1, 300_001))
    assert len(many) > 3 * text_stream.BLOCK
    raw = table(table_study(tmp_path / "a", "nr,home,arm,q1,q2\n" + many + "\n300001,,1,1,7\n"))
    assert raw.rows[[0, -2, -1]].tolist() == [2, 300_001, 300_003]
    assert raw.data["nr"].tolist() == [str(nr) for nr in range(1, 300_002)]
    (problem,) = refused(
        table_study(tmp_path / "b", "nr,home,arm,q1,q2\n" + many + "300001,,1,1\n")
    )
    assert problem.row == 300_002


def test_every_row_out_of_shape_is_reported_at_once(tmp_path: Path) -> None:
    rows = ROWS.replace("\n2,", "\n2\n2,").replace("98,2\n", "98,2,1\n") + "5,Aa\n"
    found = [(one.row, one.found) for one in refused(table_study(tmp_path, rows))]
    assert found == [
        (3, "1 cells in row 3"),
        (7, "2 cells in row 7"),
        (5, "6 cells in row 5"),
    ]


def test_a_row_whose_used_cells_are_blank_is_still_a_row(tmp_path: Path) -> None:
    rows = "nr,home,arm,q1,q2,x\n1,Aa,1,1,7,\n,,,,,seen\n,,,,,\n2,Aa,1,1,7,\n"
    raw = table(table_study(tmp_path, rows))
    assert raw.rows.tolist() == [2, 3, 5]
    assert raw.data["nr"].tolist() == ["1", "", "2"]


@pytest.mark.parametrize("tail", ['5,"Aa', '5,Aa,1,1,"7', '5,Aa,1,"1,7\n6,Aa,1,1,1\n'])
def test_a_quotation_mark_that_is_never_closed_is_found(tmp_path: Path, tail: str) -> None:
    found = refused(table_study(tmp_path, ROWS + tail))
    assert [one.row for one in found] == [6]
    assert "never closed" in found[0].found


def test_a_cell_of_ten_megabytes_is_refused(tmp_path: Path) -> None:
    rows = ROWS + f"5,{'x' * 10 * 2**20},1,1,7\n"
    (problem,) = refused(table_study(tmp_path, rows))
    assert "a record of more than" in problem.found


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_endless_cell_is_refused_without_being_shown(tmp_path: Path, kind: str) -> None:
    data = DATA.assign(home=["Aa", "x" * 500_000, "Bø", ""])
    content = parquet(data) if kind == "parquet" else data.to_csv(index=False).encode()
    (problem,) = refused(made(tmp_path, "data", content, kind))
    assert (problem.row, problem.column) == (3 if kind == "csv" else 2, "home")
    assert problem.found == "a cell of 500000 characters"


def test_a_nul_byte_anywhere_is_refused(tmp_path: Path) -> None:
    rows = ROWS + "".join(f"{nr},Aa,1,1,7\n" for nr in range(5, 5000)) + "5000,A\0,1,1,7\n"
    (problem,) = refused(table_study(tmp_path, rows))
    assert "NUL character" in problem.found


def test_a_nul_is_found_on_its_line_in_a_later_block(tmp_path: Path) -> None:
    lines = [f"{nr},A,1,1,{nr}" for nr in range(1, 200_001)]
    lines[123_455] += "\0"
    text = "nr,home,arm,q1,q2\n" + "\n".join(lines) + "\n"
    assert text.index("\0") > text_stream.BLOCK
    (problem,) = refused(table_study(tmp_path, text))
    assert problem.found == "a NUL character near line 123457"


@pytest.mark.parametrize("at", [4, 150_000])
def test_a_byte_of_another_encoding_is_found_wherever_it_is(tmp_path: Path, at: int) -> None:
    lines = ["nr,home,arm,q1,q2", *(f"{nr},Aa,1,1,7" for nr in range(2, at)), "1,B\xf8,1,1,7"]
    content = ("\n".join(lines) + "\n").encode("latin-1")
    (problem,) = refused(table_study(tmp_path, content))
    assert (problem.code, problem.row) == ("encoding", f"{at} (line)")


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "cp850"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_in_any_encoding_with_any_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    content = ROWS.replace(",", delimiter).encode(encoding)
    more = f'encoding: {encoding}, delimiter: "{delimiter}"'.replace("\t", "\\t")
    raw = table(made(tmp_path, "a.csv", content, "csv", more=more))
    assert raw.data["home"].tolist() == ["Aa", "Aa", "Bø", "Bø"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("encoding: hex", "encoding"),
        ("encoding: klingon", "encoding"),
        ("delimiter: §", "wrong-format"),
        ("delimiter: '\"'", "wrong-format"),
    ],
)
def test_an_encoding_or_delimiter_that_cannot_be_is_refused(
    tmp_path: Path, more: str, code: str
) -> None:
    (problem,) = refused(made(tmp_path, "a.csv", ROWS.encode(), "csv", more=more))
    assert problem.code == code


def test_a_point_between_thousands_is_not_taken_for_a_decimal_point(tmp_path: Path) -> None:
    rows = ROWS.replace(",", ";").replace("\n1;Aa;1;1;", "\n1;Aa;1;1.000;")
    more = "delimiter: ;, decimal: ','"
    (problem,) = refused(made(tmp_path / "a", "a.csv", rows.encode(), "csv", more=more))
    assert (problem.code, problem.row, problem.column) == ("off-scale", 2, "q1")
    rows = rows.replace("1.000", "1,000")
    assert (
        table(made(tmp_path / "b", "a.csv", rows.encode(), "csv", more=more)).data["q1"][0] == "1"
    )


# --- Qualtrics -----------------------------------------------------------------------------------

# The header rows as in the sample of a legacy export that ropensci/qualtRics publishes.
LEGACY = (
    "V1,V2,V3,V4,V5,V6,V7,V8,V9,V10,Q1,Q2,Q3,LocationLatitude,\n"
    "ResponseID,ResponseSet,Name,ExternalDataReference,EmailAddress,IPAddress,Status,StartDate,"
    'EndDate,Finished,"Do you\nagree?",How much?,Years?,LocationLatitude,\n'
    "R_1,Default,Anonymous,,,192.0.2.1,0,2017-07-18 08:28:09,2017-07-18 08:28:48,1,1,2,4,47.11,\n"
    "R_2,Default,Anonymous,,,192.0.2.1,0,2017-07-18 08:28:09,2017-07-18 08:28:48,1,1,8,,47.11,\n"
)
LEGACY_BOOK = """\
variables:
  - {name: V1, as: id}
  - {name: Q1, as: consent, accept: [1]}
  - {name: Q3, as: trait, trait: tenure_yrs}
  - {name: Q2, as: item, construct: threat_job, min: 1, max: 5, values: {1: 1, 2: 2, 8: 5}}
outcomes: [threat_job]
"""


def test_a_legacy_export_has_two_header_rows_and_is_known_by_its_tags(tmp_path: Path) -> None:
    raw = table(made(tmp_path, "a.csv", LEGACY.encode(), "qualtrics", LEGACY_BOOK))
    assert raw.data["Q2"].tolist() == ["2", "8"]
    assert raw.rows.tolist() == [3, 4]
    assert "" not in raw.names


def test_plain_text_that_is_declared_as_qualtrics_loses_no_row_to_a_header(tmp_path: Path) -> None:
    (problem,) = refused(made(tmp_path, "a.csv", ROWS.encode(), "qualtrics"))
    assert "three header rows" in problem.expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_tab_separated_export_gives_the_same_table(tmp_path: Path, encoding: str) -> None:
    cells = list(csv.reader(io.StringIO(EXPORT, newline="")))
    stream = io.StringIO()
    csv.writer(stream, delimiter="\t").writerows(cells)
    codebook = QUALTRICS.replace(
        "decimal: ','", f"decimal: ',', delimiter: \"\\t\", encoding: {encoding}"
    )
    tabs = table(qualtrics_study(tmp_path / "a", stream.getvalue().encode(encoding), codebook))
    commas = table(qualtrics_study(tmp_path / "b"))
    pd.testing.assert_frame_equal(tabs.data, commas.data)


def test_columns_that_share_an_import_id_are_told_apart_by_their_choice(tmp_path: Path) -> None:
    shared = EXPORT.replace(
        '"{""ImportId"":""token""}"', '"{""ImportId"":""QID9"",""choiceId"":""1""}"'
    ).replace('"{""ImportId"":""QID3_TEXT""}"', '"{""ImportId"":""QID9"",""choiceId"":""4""}"')
    codebook = QUALTRICS.replace("QID3_TEXT", "QID9_4").replace(
        "variable: token", "variable: QID9_1"
    )
    raw = table(qualtrics_study(tmp_path, shared, codebook))
    assert raw.data["QID9_4"].tolist()[0] == "44.5"
    assert raw.data["QID9_1"].tolist()[0] == "t1"


# --- source x code matrix ------------------------------------------------------------------------


MATRIX = (
    "Number,Place,Land,Reader,Change of role,Not sure,Look again,Note\n"
    "1,Home,Scotland,Ann,1,0,,a\n1,Home,Scotland,Bob,1,1,0,b\n2,,Finland,Bob,0,,0,c\n"
)
MATRIX_BOOK = INTERVIEWS[INTERVIEWS.index("variables:") :].replace(
    "{name: Readers, as: coders}", "{name: Reader, as: coder}"
)


def matrix_study(tmp_path: Path, rows: str = MATRIX, book: str = MATRIX_BOOK, form: str = "matrix"):
    declared = f", format: {form}" if form else ""
    head = f"file: {{name: m.csv{declared}}}\n"
    return study(tmp_path / "small", "m.csv", rows.encode(), head + book, design="interviews")


def test_a_matrix_gives_cases_and_codings_and_who_read_what(tmp_path: Path) -> None:
    raw = read(codebook_of(matrix_study(tmp_path)))
    assert isinstance(raw, RawProject)
    assert raw.cases.data["Land"].tolist() == ["Scotland", "Finland"]
    assert raw.cases.rows.tolist() == [2, 4]
    assert raw.codings[["case", "start", "end", "coder", "code"]].values.tolist() == [
        [0, 0, 0, "Ann", "Change of role"],
        [0, 0, 0, "Bob", "Change of role"],
        [0, 0, 0, "Bob", "Not sure"],
    ]
    assert raw.readings is not None
    assert raw.readings.values.tolist() == [[0, "Ann"], [0, "Bob"], [1, "Bob"]]
    assert "Look again" in raw.codes
    assert raw.cases.names == ("Number", "Place", "Land", "Reader", "Note")


def test_a_matrix_without_a_coder_has_one(tmp_path: Path) -> None:
    rows = MATRIX.replace("Reader,", "").replace("1,Home,Scotland,Bob,1,1,0,b\n", "")
    rows = rows.replace("Ann,", "").replace("Bob,", "")
    book = MATRIX_BOOK.replace("  - {name: Reader, as: coder}\n", "")
    raw = read(codebook_of(matrix_study(tmp_path, rows, book)))
    assert isinstance(raw, RawProject)
    assert len(raw.coders) == 1


def test_all_that_is_wrong_in_a_matrix_is_told_at_once(tmp_path: Path) -> None:
    rows = MATRIX.replace("Home,Scotland,Bob,1,1", "Away,Scotland,Bob,1,2") + (
        ",,Finland,Bob,0,0,0,\n3,,Finland,,0,x,0,\n2,,Finland,Bob,0,0,0,\n"
    )
    found = {(one.code, one.row, one.column) for one in refused(matrix_study(tmp_path, rows))}
    assert found == {
        ("missing-id", 5, "Number"),
        ("missing-id", 6, "Reader"),
        ("duplicate-id", "4, 7", None),
        ("contradiction", "2, 3", "Place"),
        ("off-scale", 3, "Not sure"),
        ("off-scale", 6, "Not sure"),
    }


def test_a_code_without_a_column_names_the_nearest(tmp_path: Path) -> None:
    (problem,) = refused(matrix_study(tmp_path, MATRIX.replace("Not sure", "Not_sure")))
    assert (problem.code, problem.column) == ("unknown-column", "Not sure")
    assert "Did you mean 'Not_sure'?" in problem.found


# --- recognition ---------------------------------------------------------------------------------


def contents(tmp_path: Path) -> dict[str, tuple[str, bytes]]:
    """One file of each format that its bytes tell."""
    project = (interview_study(tmp_path / "q") / "talks.qdpx").read_bytes()
    return {
        **{kind: (f"a.{kind}", make(tmp_path / kind)) for kind, make in WRITERS.items()},
        "csv": ("a.csv", ROWS.encode()),
        "qualtrics": ("a.csv", EXPORT.encode()),
        "qdpx": ("a.qdpx", project),
    }


def test_the_bytes_tell_the_format_where_none_is_declared(tmp_path: Path) -> None:
    for kind, (_, content) in contents(tmp_path).items():
        folder = made(tmp_path / f"as-{kind}", "data", content, "", TABLE)
        assert form(codebook_of(folder)) == kind


def test_every_wrong_declaration_is_refused_and_named(tmp_path: Path) -> None:
    files = contents(tmp_path)
    for kind, (name, content) in files.items():
        for other in files:
            if other in (kind, "qdpx"):
                continue
            folder = made(tmp_path / f"{kind}-as-{other}", name, content, other)
            (problem,) = refused(folder)
            assert problem.code == "wrong-format", (kind, other)


def test_an_export_with_import_ids_is_no_plain_text(tmp_path: Path) -> None:
    (problem,) = refused(made(tmp_path, "a.csv", EXPORT.encode(), "csv"))
    assert "Qualtrics" in problem.found
    assert "to qualtrics" in problem.fix


@pytest.mark.parametrize("declared", ["", "csv"])
def test_a_legacy_export_is_not_guessed(tmp_path: Path, declared: str) -> None:
    (problem,) = refused(made(tmp_path, "a.csv", LEGACY.encode(), declared, LEGACY_BOOK))
    assert "Qualtrics" in problem.found


def test_a_matrix_has_to_be_declared(tmp_path: Path) -> None:
    book = MATRIX_BOOK.replace("  - {name: Reader, as: coder}\n", "")
    (problem,) = refused(matrix_study(tmp_path, book=book, form=""))
    assert "may be delimited text or a source x code matrix" in problem.found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7", "a PDF"),
        (b"\0\1\2\3" * 100, "a binary file"),
        (b"<?xml version='1.0'?><a/>", "an XML document"),
    ],
)
def test_what_is_of_no_known_format_is_called_what_it_is(
    tmp_path: Path, content: bytes, found: str
) -> None:
    (problem,) = refused(made(tmp_path, "data", content, ""))
    assert problem.found == found


@pytest.mark.parametrize("kind", ["sav", "dta", "csv", "qualtrics", "xlsx", "parquet"])
@pytest.mark.parametrize("content", [b"", b"\xff" * 50, b"PK\x03\x04" + b"\0" * 50])
def test_no_format_takes_what_is_nothing(tmp_path: Path, kind: str, content: bytes) -> None:
    assert all(one.code in CODES for one in refused(made(tmp_path, "data", content, kind)))


def test_a_file_that_is_both_a_workbook_and_a_project_is_not_guessed(tmp_path: Path) -> None:
    stream = io.BytesIO(packed(sheet(HEADER, *BODY)))
    with zipfile.ZipFile(stream, "a") as file:
        file.writestr("project.qde", PROJECT)
    (problem,) = refused(made(tmp_path, "data", stream.getvalue(), ""))
    assert "Excel" in problem.found
    assert "REFI-QDA" in problem.found


def test_a_missing_file_is_told_whatever_the_format(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    codebook = codebook_of(folder)
    (folder / "answers.csv").unlink()
    with pytest.raises(BadInput) as caught:
        read(codebook)
    assert [one.code for one in caught.value.problems] == ["missing-file"]


# --- REFI-QDA as several programs write it -------------------------------------------------------

SPOKEN = "We meet on Mondays.\r\nNobody tells us why 🙂.\r\nSo we ask the manager again.\r\n"
SAID = "So we ask the manager"


def told(text: str, start: int, end: int, name: str = SAID) -> str:
    """A project with one selection that is named by its text, as NVivo and QualCoder do."""
    selection = (
        f'<PlainTextSelection guid="P1" name="{name}" startPosition="{start}" endPosition="{end}">'
    )
    old = '<PlainTextSelection guid="P1" name="one" startPosition="0" endPosition="5">'
    assert old in PROJECT
    return PROJECT.replace(old, selection)


def counted(text: str, said: str = SAID, utf16: bool = False) -> tuple[int, int]:
    """Where a snippet starts and ends for a program that counts by its own kind of text."""
    units = [*map(len, (text[: text.index(said)], said))]
    if utf16:
        units = [len(part.encode("utf-16-le")) // 2 for part in (text[: text.index(said)], said)]
    return units[0], sum(units)


@pytest.mark.parametrize("stored", [SPOKEN, SPOKEN.replace("\r\n", "\n"), "\ufeff" + SPOKEN])
@pytest.mark.parametrize("program", [SPOKEN, SPOKEN.replace("\r\n", "\n")], ids=["crlf", "lf"])
@pytest.mark.parametrize("utf16", [False, True])
def test_offsets_are_set_right_by_the_snippet_whatever_the_program_counted(
    tmp_path: Path, stored: str, program: str, utf16: bool
) -> None:
    project = told(stored, *counted(program, utf16=utf16))
    raw = read(codebook_of(interview_study(tmp_path, project, members={"Sources/S1.txt": stored})))
    assert isinstance(raw, RawProject)
    places = raw.codings.loc[raw.codings["code"] == "c1", ["start", "end"]].drop_duplicates()
    assert [tuple(one) for one in places.values] == [counted(stored.removeprefix("\ufeff"))]


def test_a_snippet_that_stands_elsewhere_is_reported(tmp_path: Path) -> None:
    project = told(SPOKEN, 2, 22)
    found = refused(interview_study(tmp_path, project, members={"Sources/S1.txt": SPOKEN}))
    assert [one.code for one in found] == ["wrong-format"]
    assert "a selection from 2 to 22 in source 1" in found[0].found
    assert SAID not in str(found[0])  # what was said stays where it was said


def test_overlapping_selections_of_two_coders_are_read_as_two(tmp_path: Path) -> None:
    other = PROJECT.replace('endPosition="22"', 'endPosition="6"').replace(
        'startPosition="3"', 'startPosition="1"'
    )
    raw = read(codebook_of(interview_study(tmp_path, other)))
    assert isinstance(raw, RawProject)
    assert raw.codings[["start", "end"]].drop_duplicates().values.tolist() == [[0, 5], [1, 6]]


REGION = (
    '<PDFSelection guid="P7" page="1" firstX="1" firstY="1" secondX="9" secondY="9">'
    '<Coding guid="G7" creatingUser="11111111-aaaa-4000-8000-000000000001">'
    '<CodeRef targetGUID="{code}"/></Coding></PDFSelection>'
)


@pytest.mark.parametrize(("code", "codings"), [("C1", 4), ("C3", 5)])
def test_a_region_of_a_page_counts_once_by_its_selection_in_the_text_or_by_itself(
    tmp_path: Path, code: str, codings: int
) -> None:
    project = PROJECT.replace(
        '<TextSource guid="S1" name="Talk" plainTextPath="internal://S1.txt"',
        '<PDFSource guid="S1" name="Talk" path="internal://S1.pdf">'
        + REGION.format(code=code)
        + '<Representation guid="R1" plainTextPath="internal://S1.txt"',
    ).replace("</TextSource>", "</Representation></PDFSource>", 1)
    raw = read(codebook_of(interview_study(tmp_path, project)))
    assert isinstance(raw, RawProject)
    assert len(raw.codings) == codings
