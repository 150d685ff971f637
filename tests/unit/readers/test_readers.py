"""Each format, as somebody else writes it, gives the same plain table."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from helpers.raw_studies import (
    ANN,
    BOB,
    EXPORT,
    INTERVIEWS,
    PROJECT,
    QUALTRICS,
    ROWS,
    TABLE,
    TALK,
    archive,
    codebook_of,
    harmonized,
    interview_study,
    qualtrics_study,
    sav_study,
    study,
    table_study,
)
from metastudy.common.problems import BadInput, Problem
from metastudy.readers import raw as readers_raw
from metastudy.readers import read, statistical
from metastudy.readers.raw import RawProject, RawTable


def table(folder: Path) -> RawTable:
    raw = read(codebook_of(folder))
    assert isinstance(raw, RawTable)
    return raw


def project(folder: Path) -> RawProject:
    raw = read(codebook_of(folder))
    assert isinstance(raw, RawProject)
    return raw


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read(codebook_of(folder))
    return caught.value.problems


# --- SPSS and plain text -------------------------------------------------------------------------


def test_spss_and_text_give_the_same_table(tmp_path: Path) -> None:
    spss = table(sav_study(tmp_path / "a"))
    text = table(table_study(tmp_path / "b"))
    assert spss.data["q1"].tolist() == text.data["q1"].tolist() == ["1", "7", "98", ""]
    assert spss.data["home"].tolist() == ["Aa", "Aa", "Bø", ""]
    assert spss.rows.tolist() == [1, 2, 3, 4]
    assert text.rows.tolist() == [2, 3, 4, 5]


def test_codes_that_spss_declares_as_missing_stay_in_the_data(tmp_path: Path) -> None:
    raw = table(sav_study(tmp_path, declared=True))
    assert raw.data["q1"].tolist() == ["1", "7", "98", ""]
    assert raw.declared_missing == {"q1": ("98",), "q2": ("98",)}
    assert raw.labels["q1"]["98"] == "Ved ikke"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_text_is_read_in_the_encoding_that_is_declared(tmp_path: Path, encoding: str) -> None:
    folder = table_study(tmp_path, ROWS.encode(encoding))
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("format: csv", f"format: csv, encoding: {encoding}"))
    assert table(folder).data["home"].tolist() == ["Aa", "Aa", "Bø", "Bø"]
    assert table(folder).names[0] == "nr"


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert table(table_study(tmp_path, "\ufeff" + ROWS)).names[0] == "nr"


def test_semicolons_and_decimal_commas_are_read_as_declared(tmp_path: Path) -> None:
    rows = ROWS.replace(",", ";").replace("\n1;Aa;1;1;", "\n1;Aa;1;1,0;")
    folder = table_study(tmp_path, rows)
    path = folder / "codebook.yaml"
    form = "format: csv, delimiter: ;, decimal: ','"
    path.write_text(path.read_text().replace("format: csv", form))
    assert table(folder).data["q1"].tolist()[0] == "1"


def test_a_blank_line_is_no_row_but_counts_in_the_numbering(tmp_path: Path) -> None:
    raw = table(table_study(tmp_path, ROWS.replace("\n2,", "\n\n2,")))
    assert raw.rows.tolist() == [2, 4, 5, 6]


# --- Qualtrics -----------------------------------------------------------------------------------


def test_qualtrics_columns_are_known_by_their_import_id(tmp_path: Path) -> None:
    raw = table(qualtrics_study(tmp_path))
    assert raw.names == ("startDate", "status", "_recordId", "token", "QID1", "QID2_1", "QID3_TEXT")
    assert raw.place("QID2_1") == "QID2_1 (Q2_1)"
    assert raw.data["QID2_1"].tolist() == ["1", "2", "2", "1", "", "8", ""]


def test_an_edited_export_tag_changes_nothing(tmp_path: Path) -> None:
    edited = EXPORT.replace("Q1,Q2_1,Q3", "consent,first,years")
    one, other = (
        table(qualtrics_study(tmp_path / "a")),
        table(qualtrics_study(tmp_path / "b", edited)),
    )
    assert one.data.equals(other.data)


def test_qualtrics_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    assert table(qualtrics_study(tmp_path)).rows.tolist() == [4, 5, 6, 7, 8, 9, 10]


def test_a_decimal_comma_in_a_cell_is_a_decimal_point(tmp_path: Path) -> None:
    assert table(qualtrics_study(tmp_path)).data["QID3_TEXT"].tolist()[0] == "44.5"


def test_a_trailing_comma_makes_no_variable(tmp_path: Path) -> None:
    raw = table(qualtrics_study(tmp_path, EXPORT.replace("\r\n", ",\r\n")))
    assert "" not in raw.names
    assert len(raw.data) == 7


def test_an_export_without_its_three_headers_is_refused(tmp_path: Path) -> None:
    lines = EXPORT.split("\r\n")
    (problem,) = refused(qualtrics_study(tmp_path, "\r\n".join(lines[:2] + lines[3:])))
    assert (problem.code, problem.row) == ("wrong-format", 3)
    assert "three header rows" in problem.expected


def test_a_title_in_the_place_of_an_import_id_is_explained(tmp_path: Path) -> None:
    codebook = QUALTRICS.replace("name: QID2_1", "name: Q2_1")
    (problem,) = refused(qualtrics_study(tmp_path, codebook=codebook))
    assert (problem.code, problem.column) == ("unknown-column", "Q2_1")
    assert "the column's name is 'QID2_1'" in problem.found


# --- REFI-QDA ------------------------------------------------------------------------------------


def test_a_project_gives_its_cases_and_codings(tmp_path: Path) -> None:
    raw = project(interview_study(tmp_path))
    assert raw.cases.data["Land"].tolist() == ["Scotland", "Finland"]
    assert raw.cases.names[:2] == ("guid", "name")
    assert raw.codes["c1"] == ("Strain", "Change of role")
    assert raw.codings[["case", "start", "end", "code"]].values.tolist() == [
        [0, 0, 5, "c1"],
        [0, 0, 5, "c1"],
        [0, 3, 22, "c2"],
        [0, 3, 22, "c3"],
    ]


def test_the_coder_is_who_made_the_coding_else_changed_it_else_made_the_selection(
    tmp_path: Path,
) -> None:
    raw = project(interview_study(tmp_path))
    assert raw.codings["coder"].map(raw.coders).tolist() == ["Ann", "Bob", "Ann", "Bob"]


def test_codings_by_nobody_are_refused_where_there_are_two_coders(tmp_path: Path) -> None:
    text = PROJECT.replace(f' modifyingUser="{ANN}"', "")
    text = re.sub(rf'endPosition="22"\s+creatingUser="{BOB}"', 'endPosition="22"', text)
    (problem,) = refused(interview_study(tmp_path, text))
    assert "2 codings by none of the project's 2 users" in problem.found


def test_codings_by_nobody_are_the_only_users(tmp_path: Path) -> None:
    start, end = PROJECT.index("<Users>"), PROJECT.index("</Users>") + len("</Users>")
    raw = project(interview_study(tmp_path, PROJECT[:start] + PROJECT[end:]))
    assert set(raw.codings["coder"]) == {readers_raw.UNKNOWN_CODER}


@pytest.mark.parametrize("folder", ["Sources", "sources"])
def test_both_spellings_of_the_sources_folder_are_found(tmp_path: Path, folder: str) -> None:
    content = archive(
        tmp_path / "a.zip", {"project.qde": PROJECT, f"{folder}/S1.txt": "\ufeff" + TALK}
    )
    assert len(project(interview_study(tmp_path, content=content)).codings) == 4


@pytest.mark.parametrize("text", [TALK, TALK.replace("\r\n", "\n")], ids=["crlf", "lf"])
def test_places_that_count_windows_line_ends_lie_within_the_text(tmp_path: Path, text: str) -> None:
    raw = project(interview_study(tmp_path, members={"Sources/S1.txt": text}))
    assert raw.codings["end"].max() == 22


def test_a_place_beyond_the_end_of_a_text_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(interview_study(tmp_path, PROJECT.replace('"22"', '"23"')))
    assert "from 3 to 23 in source 1, 22 characters long" in problem.found
    assert problem.code == "wrong-format"


def test_selections_under_the_text_of_a_pdf_are_read(tmp_path: Path) -> None:
    text = (
        PROJECT.replace('<TextSource guid="S1" name="Talk"', '<PDFSource guid="S1" path="x.pdf"><R')
        .replace("<R plainTextPath", '<Representation guid="R1" plainTextPath')
        .replace("</TextSource>", "</Representation></PDFSource>", 1)
    )
    assert len(project(interview_study(tmp_path, text)).codings) == 4


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('targetGUID="S2"', 'targetGUID="S9"', "refers to no source"),
        ('targetGUID="C2"', 'targetGUID="C9"', "a code that does not exist"),
        ('targetGUID="V4"', 'targetGUID="V9"', "a value of no variable"),
        ("urn:QDA-XML:project:1.0", "urn:QDA-XML:codebook:1.0", "begins with"),
        ("</Project>", "", "no well-formed XML"),
    ],
)
def test_a_project_that_does_not_hold_together_is_refused(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    assert any(
        found in problem.found
        for problem in refused(interview_study(tmp_path, PROJECT.replace(old, new)))
    )


# --- hostile and broken files --------------------------------------------------------------------


LAUGHS = """<?xml version="1.0"?><!DOCTYPE Project [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Project xmlns="urn:QDA-XML:project:1.0" name="&c;"/>"""


def test_a_billion_laughs_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(interview_study(tmp_path, LAUGHS))
    assert problem.code == "hostile-archive"
    assert "entities" in problem.found


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "Sources/..\\..\\evil", "C:\\evil"])
def test_a_path_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    (problem,) = refused(interview_study(tmp_path, members={name: "x"}))
    assert "evil" in problem.found
    assert problem.code == "hostile-archive"
    assert "hostile" in problem.fix


def test_an_archive_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    bomb = PROJECT.replace("</Project>", " " * (11 * 2**20) + "</Project>")
    (problem,) = refused(interview_study(tmp_path, bomb))
    assert problem.code == "hostile-archive"
    assert "unpack to" in problem.found


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, kept: float) -> None:
    whole = archive(tmp_path / "a.zip", {"project.qde": PROJECT, "Sources/S1.txt": TALK})
    (problem,) = refused(interview_study(tmp_path, content=whole[: int(kept * len(whole))]))
    assert "damaged archive" in problem.found


def test_an_archive_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    members = {"project.qde": PROJECT, "Sources/S1.txt": TALK}
    whole = archive(tmp_path / "a.zip", members, pack=zipfile.ZIP_STORED)
    (problem,) = refused(interview_study(tmp_path, content=whole.replace(b"Board", b"Boars")))
    assert "damaged archive" in problem.found


def read_damaged_spss(tmp_path: Path, seed: int) -> bool:
    """Read an SPSS file with three other bytes; whether it was read or refused."""
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "a.sav"
    one = pd.DataFrame(
        {"nr": [1.0, 2, 3, 4], "home": ["Aa", "Aa", "Bø", ""], "arm": [1.0, 2, 1, 2]}
        | {"q1": [1, 7, 98, np.nan], "q2": [7.0, 1, 2, 98]}
    )
    labels = {"q1": {1: "a", 7: "b"}}
    data = pd.concat([one] * 40)
    pyreadstat.write_sav(data, path, row_compress=True, variable_value_labels=labels)
    content, chance = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(3):
        content[chance.randrange(4, len(content))] = chance.randrange(256)
    file = "file: {name: answers.sav, format: sav}\n"
    folder = study(tmp_path / "small", "answers.sav", bytes(content), file + TABLE)
    try:
        read(codebook_of(folder))
    except BadInput:
        return False
    return True


@pytest.mark.parametrize("seed", [97, 98, 285])
def test_damaged_spss_bytes_never_kill_the_program(tmp_path: Path, seed: int) -> None:
    # With these seeds the C library under pyreadstat ends in a segmentation fault.
    read_damaged_spss(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.long(of="metastudy.readers")
def test_three_hundred_damaged_spss_files_never_kill_the_program(
    tmp_path: Path, figures: Callable[..., None]
) -> None:
    was_read = [read_damaged_spss(tmp_path / str(seed), seed) for seed in range(300)]
    figures(files=len(was_read), read=sum(was_read))
    assert 0 < sum(was_read) < len(was_read), "some damage is seen, and some does no harm"


def test_an_spss_file_that_kills_its_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistical, "survives", lambda code, path: False)
    (problem,) = refused(sav_study(tmp_path))
    assert problem.code == "wrong-format"
    assert "damaged" in problem.found


def test_a_file_that_is_no_archive_is_called_what_it_is(tmp_path: Path) -> None:
    (problem,) = refused(interview_study(tmp_path, content=b"a,b\n1,2\n"))
    assert "a text file" in problem.found
    (problem,) = refused(
        interview_study(tmp_path / "b", content=archive(tmp_path / "z", {"a": "b"}))
    )
    assert "without project.qde" in problem.found


def test_the_same_project_gives_the_same_tables_in_either_spelling_of_guids(tmp_path: Path) -> None:
    assert 'targetGUID="c3"' in PROJECT
    mapped = INTERVIEWS.replace("Look again: ignore", "Look again: morale")
    codings = harmonized(interview_study(tmp_path, codebook=mapped)).tables["codings"]
    assert "morale" in set(codings["code_id"])


@pytest.mark.parametrize("names", [TABLE.replace("name: q1", "name: q_1")], ids=["q_1"])
def test_a_column_that_is_not_there_names_the_nearest(tmp_path: Path, names: str) -> None:
    (problem,) = refused(sav_study(tmp_path, codebook=names))
    assert (problem.code, problem.column) == ("unknown-column", "q_1")
    assert "Did you mean 'q1'?" in problem.found
