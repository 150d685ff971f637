"""Lists of coded segments, as programs export them, give the tables of the project or matrix."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from helpers.good_studies import Variant
from helpers.raw_studies import VOCABULARY, codebook_of, study
from metastudy.codebook import reference_page
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.harmonize import Harmonized, harmonize_file
from metastudy.parcels.folders import said_in
from metastudy.readers import read
from metastudy.readers.detect import form
from metastudy.readers.raw import RawProject
from metastudy.readers.segment_codes import paths

KEY = b"a key of the corpus"
WORDS = "my sister Gerda said so"  # of a person, in a cell with the text of a segment

LIST = f"""\
Dokumentgruppe;Dokumentname;Code;Anfang;Ende;Segment;Bearbeitet von
A;T1;Belastung\\Not sure;2;2;{WORDS};Ann
A;T1;Belastung\\Not sure;5;6;{WORDS};Ann
A;T1;Change of role;2;2;{WORDS};Bob
A;T2;Change of role;1;3;{WORDS};Bob
"""
BOOK = """\
variables:
  - {name: Dokumentname, as: id}
  - {name: Code, as: code}
  - {name: Anfang, as: start}
  - {name: Ende, as: end}
  - {name: Bearbeitet von, as: coder}
  - {name: Segment, as: ignore}
codes: {Not sure: uncertainty, Change of role: role_change, Look again: ignore}
outcomes: [role_change, uncertainty]
"""
FILE = "file: {name: s.csv, format: segments, delimiter: ;}\n"
WITH_CASES = FILE.replace("delimiter", "cases: c.csv, delimiter")
OF_CASES = BOOK.replace("codes:", "  - {name: Land, as: country, values: {S: GB-SCT}}\ncodes:")


def made(
    tmp_path: Path,
    rows: str = LIST,
    book: str = BOOK,
    file: str = FILE,
    cases: str | None = None,
    name: str = "s.csv",
    content: bytes | None = None,
) -> Path:
    """Make a study of a list of segments, with a file of its cases if there is one."""
    data = rows.encode() if content is None else content
    folder = study(tmp_path / "small", name, data, file + book, design="interviews")
    if cases is not None:
        (folder / "c.csv").write_text(cases, "utf-8")
        codebook = (folder / "codebook.yaml").read_text("utf-8")
        changed = codebook.replace("provenance: simulated", "provenance: observed")
        (folder / "codebook.yaml").write_text(changed, "utf-8")
        (folder.parent / "manifest.yaml").write_text("{}\n", "utf-8")
    return folder


def project(folder: Path) -> RawProject:
    raw = read(codebook_of(folder))
    assert isinstance(raw, RawProject)
    return raw


def harmonized(folder: Path) -> Harmonized:
    return harmonize_file(codebook_of(folder), KEY)


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        harmonized(folder)
    assert WORDS not in str(caught.value)
    return caught.value.problems


def whole(tmp_path: Path, variant: Variant) -> Harmonized:
    folder = variant.build(tmp_path / variant.kind)
    return harmonize_file(load(folder, VOCABULARY, folder.parent / "manifest.yaml"), KEY)


# --- the same tables -----------------------------------------------------------------------------


def test_a_list_gives_the_very_tables_of_the_project(tmp_path: Path) -> None:
    one, other = (whole(tmp_path, Variant(kind)).tables for kind in ("qdpx", "segments"))
    assert one.keys() == other.keys()
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])


def test_without_places_a_list_gives_the_very_tables_of_the_matrix(tmp_path: Path) -> None:
    variant = Variant("segments")
    for role in ("start", "end"):
        variant.say(f"  - {{name: {role}, as: {role}}}\n", "")
    one, other = whole(tmp_path, variant).tables, whole(tmp_path, Variant("matrix")).tables
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])


def test_a_list_in_a_workbook_with_a_sheet_of_cases_is_read_alike(tmp_path: Path) -> None:
    variant = Variant("segments")
    book = openpyxl.Workbook()
    for title, grid in (("Segments", variant.grid), ("Documents", variant.cases)):
        sheet = book.create_sheet(title)
        for row in (grid.names, *grid.rows):
            sheet.append(row)
    del book["Sheet"]
    folder = variant.build(tmp_path / "x")
    book.save(folder / "s.xlsx")
    said = (folder / "codebook.yaml").read_text("utf-8")
    said = said.replace(
        "name: segments.csv, format: segments, cases: cases.csv",
        "name: s.xlsx, format: segments, sheet: Segments, cases: s.xlsx, cases_sheet: Documents",
    )
    (folder / "codebook.yaml").write_text(said, "utf-8")
    found = harmonize_file(load(folder, VOCABULARY, folder.parent / "manifest.yaml"), KEY)
    expected = whole(tmp_path, Variant("segments"))
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(table, found.tables[name])
    assert found.report["cases"]["file"] == "s.xlsx"


def test_several_segments_of_a_code_count_as_applied_once(tmp_path: Path) -> None:
    found = harmonized(made(tmp_path))
    codings = found.tables["codings"]
    assert len(codings) == 4
    assert codings.groupby(["source_id", "code_id"]).ngroups == 3
    assert found.tables["readings"].groupby("source_id").size().isin([1, 2]).all()


def test_the_format_need_not_be_declared_where_a_variable_is_the_code(tmp_path: Path) -> None:
    folder = made(tmp_path, file=FILE.replace("format: segments, ", ""))
    assert form(codebook_of(folder)) == "segments"
    assert len(harmonized(folder).tables["codings"]) == 4


# --- codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Belastung\\Not sure", ("Belastung", "Not sure")),
        ("Belastung\\\\Not sure", ("Belastung", "Not sure")),
        ("Nodes\\\\Belastung\\\\Not sure", ("Belastung", "Not sure")),
        ("Belastung > Not sure", ("Belastung", "Not sure")),
        ("Work/Life", ("Work/Life",)),
        ("Old > new", ("Old > new",)),  # as the codebook lists it
    ],
)
def test_a_path_is_read_in_the_spellings_of_programs(
    tmp_path: Path, text: str, path: tuple[str, ...]
) -> None:
    book = BOOK.replace("codes: {", "codes: {Old > new: morale, ")
    assert paths(codebook_of(made(tmp_path, book=book)), [text]) == {text: path}


def test_two_spellings_of_one_path_are_one_code_and_two_paths_are_two(tmp_path: Path) -> None:
    rows = LIST.replace("Belastung\\Not sure;5", "Belastung > Not sure;5")
    assert len(project(made(tmp_path / "a", rows)).codes) == 3  # with the one that no segment has
    rows = LIST.replace("Belastung\\Not sure;5", "Other > Not sure;5")
    (problem,) = refused(made(tmp_path / "b", rows))
    assert "stands for 2 codes: Belastung/Not sure, Other/Not sure" in problem.found
    book = BOOK.replace("Not sure:", "Other/Not sure: ignore, Belastung/Not sure:")
    assert len(harmonized(made(tmp_path / "c", rows, book)).tables["codings"]) == 3


@pytest.mark.parametrize("mark", [";", "\\n"])
def test_several_codes_in_a_cell_are_taken_apart_where_that_is_declared(
    tmp_path: Path, mark: str
) -> None:
    between = mark.replace("\\n", "\r\n")
    rows = f'Document,Codes\nT1,"Not sure{between} Change of role"\nT2,Not sure\n'
    book = (
        "variables:\n  - {name: Document, as: id}\n  - {name: Codes, as: code}\n"
        + BOOK[BOOK.index("codes:") :]
    )
    file = FILE.replace(", delimiter: ;", "")
    declared = book.replace("as: code}", f'as: code, separator: "{mark}"}}')
    assert len(harmonized(made(tmp_path / "a", rows, declared, file)).tables["codings"]) == 3
    (problem,) = refused(made(tmp_path / "b", rows, book, file))
    assert problem.found == "several codes in one cell, of which some are listed"
    assert "'separator' at 'Codes'" in problem.fix


def test_a_code_without_a_segment_is_no_error_but_is_said(tmp_path: Path) -> None:
    notes = harmonized(made(tmp_path)).report["notes"]
    assert "no segment has the code Look again: they count as never applied" in notes


def test_an_unknown_code_is_told_with_its_rows_and_the_nearest(tmp_path: Path) -> None:
    rows = LIST.replace("\\Not sure;5", "\\Not sur;5").replace("T2;Change of role", "T2;morale")
    near, known = refused(made(tmp_path, rows))
    assert (near.code, near.row, near.column) == ("unknown-label", 3, "Code")
    assert "'Not sur'. Did you mean 'Not sure'?" in near.found
    assert known.found == "the code 'morale'"
    assert "morale: morale" in known.fix


def test_an_unknown_code_that_is_near_to_none_is_told_by_its_rows(tmp_path: Path) -> None:
    rows = LIST.replace("Change of role", "Bewältigung").replace("\\Not sure;5", "\\Erschöpft;5")
    (often, once) = refused(made(tmp_path, rows))
    assert ("a word of 11 letters" in often.found, often.row) == (True, "4, 5")
    assert ("a word of 9 letters" in once.found, once.row) == (True, 3)


# --- cases ---------------------------------------------------------------------------------------

ALL = "Dokumentname;Land;Gelesen\nT1;S;Ann,Bob\nT2;S;Bob\nT3;S;Ann\n"
READ = OF_CASES.replace("codes:", "  - {name: Gelesen, as: coders, separator: ','}\ncodes:", 1)


def test_a_list_says_that_documents_without_a_segment_are_not_in_it(tmp_path: Path) -> None:
    found = harmonized(made(tmp_path))
    assert found.report["rows_read"] == 2
    assert any("tells nothing of documents without one" in note for note in found.report["notes"])


def test_a_declared_case_without_a_segment_is_a_case_without_codes(tmp_path: Path) -> None:
    found = harmonized(made(tmp_path, book=READ, file=WITH_CASES, cases=ALL))
    assert found.report["rows_read"] == 3
    assert "1 of 3 cases have no segment: no code was applied to them" in found.report["notes"]
    assert len(found.tables["readings"]) == 4
    assert set(found.tables["respondents"]["country"]) == {"GB-SCT"}
    assert found.report["unmapped"] == ["Dokumentgruppe"]


def test_of_several_coders_somebody_has_to_have_read_a_case_without_a_segment(
    tmp_path: Path,
) -> None:
    (problem,) = refused(made(tmp_path / "a", book=OF_CASES, file=WITH_CASES, cases=ALL))
    assert (problem.code, problem.row) == ("missing-id", 4)
    assert problem.file.endswith("c.csv")
    rows = LIST.replace(";Bob", ";Ann")
    found = harmonized(made(tmp_path / "b", rows, OF_CASES, WITH_CASES, ALL))
    assert found.tables["readings"]["coder_id"].nunique() == 1
    assert len(found.tables["readings"]) == 3


def test_all_that_is_wrong_in_a_list_and_its_cases_is_told_at_once(tmp_path: Path) -> None:
    rows = LIST + (
        f"A;;Look again;1;1;{WORDS};Ann\nA;T1;;1;1;{WORDS};Ann\nA;T1;Look again;1;1;{WORDS};\n"
        f";;;;;{WORDS};\nA;T9;Look again;1;1;;Ann\nA;T1;Look again;0:12;0;;Ann\n"
        f"A;T1;Look again;7;3;;Ann\nA;T2;Not sur;1;1;{WORDS};Bob\n"
    )
    cases = ALL.replace("T3;S", "T3;Narnia") + "T1;S;Ann\n;S;Ann\n"
    found = refused(made(tmp_path, rows, READ, WITH_CASES, cases))
    assert {(one.code, one.row, one.column, one.file[-5:]) for one in found} == {
        ("missing-id", 6, "Dokumentname", "s.csv"),
        ("missing-id", 7, "Code", "s.csv"),
        ("missing-id", 8, "Bearbeitet von", "s.csv"),
        ("missing-id", 9, "Dokumentname", "s.csv"),
        ("unknown-label", 10, "Dokumentname", "s.csv"),
        ("off-scale", 11, "Anfang", "s.csv"),
        ("off-scale", 12, "Ende", "s.csv"),
        ("unknown-label", 13, "Code", "s.csv"),
        ("duplicate-id", "2, 5", "Dokumentname", "c.csv"),
        ("missing-id", 6, "Dokumentname", "c.csv"),
        ("unknown-label", 4, "Land", "c.csv"),
    }


def test_what_is_wrong_in_a_case_that_leaves_does_no_harm(tmp_path: Path) -> None:
    rows = LIST.replace("T2;Change of role", "T2;Nothing known")
    out = "exclude:\n  - {rule: pilot, variable: Dokumentname, drop: [T2]}\n"
    report = harmonized(made(tmp_path, rows, BOOK + out)).report
    assert report["rows_kept"] == 1
    assert "Nothing known" not in str(report)  # it may be a person's words


def test_rows_that_repeat_a_segment_are_counted(tmp_path: Path) -> None:
    again = LIST + LIST.splitlines()[1] + "\n"
    found = harmonized(made(tmp_path, again))
    said = "1 rows repeat a segment with its code and coder: it counts once"
    assert said in found.report["notes"]
    assert len(found.tables["codings"]) == 4


def test_a_case_has_one_value_in_all_its_rows_and_in_both_files(tmp_path: Path) -> None:
    book = BOOK.replace("codes:", "  - {name: Dokumentgruppe, as: site}\ncodes:")
    rows = LIST.replace("A;T1;Change", "B;T1;Change")
    (problem,) = refused(made(tmp_path / "a", rows, book))
    assert (problem.code, problem.row, problem.column) == (
        "contradiction",
        "2, 3, 4",
        "Dokumentgruppe",
    )
    cases = "Dokumentname;Dokumentgruppe\nT1;A\nT2;C\n"
    (problem,) = refused(made(tmp_path / "b", LIST, book, WITH_CASES, cases))
    assert (problem.code, problem.row) == ("contradiction", 3)


def test_a_header_in_another_unicode_form_is_the_same_header(tmp_path: Path) -> None:
    rows = LIST.replace("Bearbeitet von", "Geändert von")
    book = BOOK.replace("Bearbeitet von", "Geändert von")
    other = unicodedata.normalize("NFD", rows)
    assert other != rows
    assert len(harmonized(made(tmp_path, other, book)).tables["codings"]) == 4


def test_columns_that_are_missing_are_told_together(tmp_path: Path) -> None:
    rows = LIST.replace("Code;", "Kode;", 1).replace("Anfang", "Beginn")
    found = refused(made(tmp_path, rows, READ, WITH_CASES, ALL.replace("Land", "Ort")))
    assert {(one.code, one.column) for one in found} == {
        ("unknown-column", name) for name in ("Code", "Anfang", "Land")
    }


# --- words of people, files ----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["code", "start", "coder", "id"])
def test_a_persons_words_in_the_wrong_column_are_not_spelt(tmp_path: Path, role: str) -> None:
    taken = {"code": "Code", "start": "Anfang", "coder": "Bearbeitet von", "id": "Dokumentname"}
    book = BOOK.replace(f"{{name: {taken[role]}, as: {role}}}", "")
    book = book.replace("  - \n", "").replace("Segment, as: ignore", f"Segment, as: {role}")
    folder = made(tmp_path, LIST.replace(WORDS, f"{WORDS}, and more", 1), book)
    try:
        said = str(harmonized(folder).report)
    except BadInput as error:
        said = str(error)
    assert "Gerda" not in said


def test_a_list_without_its_header_does_not_show_its_first_segment(tmp_path: Path) -> None:
    rows = LIST.partition("\n")[2]
    found = refused(made(tmp_path, rows, READ, WITH_CASES, ALL))
    assert {one.code for one in found} == {"unknown-column"}
    assert not any("Ann" in str(one) for one in found)


def test_the_file_of_cases_is_a_file_of_the_study(tmp_path: Path) -> None:
    folder = made(tmp_path, book=READ, file=WITH_CASES, cases=ALL)
    names = [Path(path).name for path in said_in(folder, VOCABULARY).files]
    assert names == ["s.csv", "c.csv", "codebook.yaml"]


def test_a_coder_who_only_read_has_a_row_with_an_ignored_code(tmp_path: Path) -> None:
    cases = ALL.replace("T3;S;Ann", "T3;S;Cleo")
    (problem,) = refused(made(tmp_path / "a", book=READ, file=WITH_CASES, cases=cases))
    assert (problem.code, problem.row, problem.column) == ("unknown-label", 4, "Gelesen")
    assert "Cleo" not in str(problem)
    rows = LIST + f"A;T3;Look again;;;{WORDS};Cleo\n"
    found = harmonized(made(tmp_path / "b", rows, READ, WITH_CASES, cases)).tables
    assert len(found["readings"]) == 4
    assert len(found["codings"]) == 4


def test_a_case_that_nobody_read_is_noted(tmp_path: Path) -> None:
    cases = ALL.replace("T3;S;Ann", "T3;S;")
    notes = harmonized(made(tmp_path, book=READ, file=WITH_CASES, cases=cases)).report["notes"]
    assert "1 of them have no reader: they count for no code" in notes


def test_the_file_of_cases_has_to_be_there_and_what_it_is_said_to_be(tmp_path: Path) -> None:
    folder = made(tmp_path, book=READ, file=WITH_CASES, cases=ALL)
    (folder / "c.csv").rename(folder / "d.csv")
    (problem,) = refused(folder)
    assert problem.code == "missing-file"
    assert "file.cases" in problem.fix
    (folder / "d.csv").rename(folder / "c.csv")
    codebook = (folder / "codebook.yaml").read_text("utf-8")
    (folder / "codebook.yaml").write_text(codebook.replace(": observed", ": simulated"), "utf-8")
    assert {one.code for one in refused(folder)} == {"provenance"}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  - {name: Code, as: code}\n", "", "no variable with 'as: code'"),
        ("  - {name: Anfang, as: start}\n", "", "'as: end' without 'as: start'"),
        ("format: segments", "format: matrix", "'as: code' with format 'matrix'"),
        ("delimiter: ;", "delimiter: ;, cases_sheet: x", "'cases_sheet' without 'cases'"),
        ("delimiter: ;", "delimiter: ;, cases: s.csv", "which is the list of segments too"),
        ("delimiter: ;", "delimiter: ;, ids: row_numbers", "whose rows are no cases"),
        ("Bearbeitet von, as: coder", "Bearbeitet von, as: coders", "without 'as: coder'"),
        (
            "outcomes:",
            "exclude: [{rule: test, variable: Bearbeitet von, drop: [Ann]}]\noutcomes:",
            "which is the coder of a segment",
        ),
    ],
)
def test_a_codebook_of_a_list_has_to_say_what_a_list_needs(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    text = FILE + BOOK
    assert old in text
    problems = refused(made(tmp_path, book=text.replace(old, new), file=""))
    assert any(found in one.found for one in problems)


def test_the_example_on_the_page_of_codebooks_works(tmp_path: Path) -> None:
    text = reference_page.page().partition("```yaml\nstudy: {design: interviews}")[2]
    text = text.partition("\n")[2].partition("```")[0].replace(": doubt", ": uncertainty")
    folder = made(tmp_path, book=text + "outcomes: [uncertainty]\n", file="", cases="-")
    (folder / "c.csv").unlink()
    tables = {
        "segments.xlsx": [
            ["Document name", "Code", "Modified by", "Beginning", "End", "Segment"],
            ["T1", "Strain > Not sure", "Ann", 1, 2, WORDS],
        ],
        "documents.xlsx": [
            ["Document name", "Coders", "Town"],
            ["T1", "Ann", "A"],
            ["T2", "Ann", "B"],
        ],
    }
    for name, rows in tables.items():
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in rows:
            book.active.append(row)
        book.save(folder / name)
    found = harmonized(folder)
    assert (found.report["rows_kept"], len(found.tables["codings"])) == (2, 1)
