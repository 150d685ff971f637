"""Bad input, as the user meets it: one message with all of it, no traceback, nothing written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.raw_studies import (
    QUALTRICS,
    ROWS,
    TABLE,
    command,
    interview_study,
    qualtrics_study,
    sav_study,
    table_study,
)


def unlink(folder: Path) -> Path:
    (folder / "answers.csv").unlink()
    return folder


def flag(folder: Path) -> Path:
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("provenance: simulated", "provenance: observed"))
    return folder


def change(folder: Path) -> Path:
    with (folder / "answers.csv").open("a") as stream:
        stream.write("5,Aa,1,1,7\n")
    return folder


BAD: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "missing file": (
        lambda tmp: unlink(table_study(tmp)),
        ["[missing-file]", "small/answers.csv", "no such file"],
    ),
    "text as SPSS": (
        lambda tmp: _as(table_study(tmp), "sav"),
        ["[wrong-format]", "a text file", "an SPSS file"],
    ),
    "SPSS as text": (
        lambda tmp: _as(sav_study(tmp), "csv"),
        ["[wrong-format]", "an SPSS file", "delimited text"],
    ),
    "truncated SPSS": (
        lambda tmp: _cut(sav_study(tmp), "answers.sav", 40),
        ["[wrong-format]", "cannot be read", "a whole SPSS file"],
    ),
    "truncated text": (
        lambda tmp: table_study(tmp, ROWS[:-6]),
        ["[wrong-format]", "row 5", "cells in row 5", "5 cells in every row"],
    ),
    "truncated in a quotation": (
        lambda tmp: table_study(tmp, ROWS + '5,"Aa'),
        ["[wrong-format]", "row 6", "never closed"],
    ),
    "empty file": (lambda tmp: table_study(tmp, ""), ["[wrong-format]", "an empty file"]),
    "other delimiter": (
        lambda tmp: table_study(tmp, ROWS.replace(",", ";")),
        ["[wrong-format]", "one column only", "';'"],
    ),
    "other encoding": (
        lambda tmp: table_study(tmp, ROWS.encode("cp1252")),
        ["[encoding]", "row 4 (line)", "not utf-8", "text in utf-8"],
    ),
    "UTF-8 under another flag": (
        lambda tmp: _encoded(table_study(tmp), "cp1252"),
        ["[encoding]", "text in UTF-8", "text in cp1252"],
    ),
    "UTF-16": (
        lambda tmp: table_study(tmp, ROWS.encode("utf-16")),
        ["[encoding]", "text in UTF-16", "utf-8"],
    ),
    "unknown encoding": (
        lambda tmp: _encoded(table_study(tmp), "klingon"),
        ["[encoding]", "'klingon'", "cp1252"],
    ),
    "unknown column": (
        lambda tmp: table_study(tmp, codebook=TABLE.replace("name: home", "name: hone")),
        ["[unknown-column]", "column hone", "Did you mean 'home'?", "nr, home, arm", "line 15"],
    ),
    "unknown column, and an answer off the scale of another": (
        lambda tmp: table_study(
            tmp,
            ROWS.replace("2,Aa,2,7,1", "2,Aa,2,8,1"),
            TABLE.replace("name: home", "name: hone"),
        ),
        ["2 problems", "[unknown-column]", "column hone", "[off-scale]", "row 3", "'8'"],
    ),
    "off its scale": (
        lambda tmp: table_study(tmp, ROWS.replace("2,Aa,2,7,1", "2,Aa,2,8,1")),
        ["[off-scale]", "row 3", "column q1", "'8'", "from 1 to 7", "(98)"],
    ),
    "off its scale, with a label": (
        lambda tmp: sav_study(tmp, codebook=TABLE.replace("98: dont_know", "97: dont_know")),
        ["[off-scale]", "row 3", "column q1", "'98' (labelled 'Ved ikke')", "from 1 to 7"],
    ),
    "no number": (
        lambda tmp: table_study(tmp, ROWS.replace("2,Aa,2,7,1", "2,Aa,2,seven,1")),
        ["[off-scale]", "row 3", "column q1", "a word of 5 letters", "whole number from 1 to 7"],
    ),
    "between the steps": (
        lambda tmp: table_study(tmp, ROWS.replace("2,Aa,2,7,1", "2,Aa,2,6.5,1")),
        ["[off-scale]", "row 3", "'6.5'", "whole number"],
    ),
    "unknown label": (
        lambda tmp: qualtrics_study(tmp, codebook=QUALTRICS.replace("8: 5", "9: 5")),
        ["[unknown-label]", "row 9", "column QID2_1 (Q2_1)", "'8'", "listed under 'values'"],
    ),
    "unknown level": (
        lambda tmp: table_study(tmp, ROWS.replace("2,Aa,2,7,1", "2,Aa,3,7,1")),
        ["[unknown-label]", "row 3", "column arm", "'3'", "1, 2"],
    ),
    "duplicate id": (
        lambda tmp: table_study(tmp, ROWS.replace("\n4,", "\n1,")),
        ["[duplicate-id]", "row 2, 5", "column nr", "one id ('1') 2 times", "each id once"],
    ),
    "missing id": (
        lambda tmp: table_study(tmp, ROWS.replace("\n4,", "\n,")),
        ["[missing-id]", "row 5", "column nr", "no id"],
    ),
    "declared missing without a reason": (
        lambda tmp: sav_study(tmp, TABLE.replace(", missing: {98: refused}", ""), declared=True),
        ["[undeclared-missing]", "column q2", "98", "under 'missing'"],
    ),
    "simulated flag, real file": (
        lambda tmp: change(table_study(tmp)),
        ["[provenance]", "provenance 'simulated'", "study.provenance on line 11"],
    ),
    "observed flag, simulated file": (
        lambda tmp: flag(table_study(tmp)),
        ["[provenance]", "provenance 'observed'", "real data"],
    ),
    "codebook with a typo": (
        lambda tmp: table_study(tmp, codebook=TABLE.replace("keying", "keyign")),
        ["[codebook]", "small/codebook.yaml", "row 18 (line)", "Did you mean 'keying'?"],
    ),
    "archive of another kind": (
        lambda tmp: interview_study(tmp, content=b"PK\x03\x04 and no more"),
        ["[wrong-format]", "damaged archive", "a whole ZIP archive"],
    ),
}


def _as(folder: Path, form: str) -> Path:
    path = folder / "codebook.yaml"
    path.write_text(re.sub("format: (csv|sav)", f"format: {form}", path.read_text()))
    return folder


def _encoded(folder: Path, encoding: str) -> Path:
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("format: csv", f"format: csv, encoding: {encoding}"))
    return folder


def _cut(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    content = path.read_bytes()[:-size]
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder.parent / "manifest.yaml").write_text(f"{folder.name}: {{{name}: {digest}}}\n")
    return folder


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_ends_in_one_message_and_writes_nothing(tmp_path: Path, kind: str) -> None:
    make, said = BAD[kind]
    out = tmp_path / "out" / "small"
    done = command(make(tmp_path / "raw"), out)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for text in ("error: ", "study:    small", "found:", "expected:", "fix:", *said):
        assert text in done.stderr
    assert not out.exists()


def test_what_was_built_before_is_not_lost(tmp_path: Path) -> None:
    out = tmp_path / "out" / "small"
    assert command(table_study(tmp_path / "a"), out).returncode == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert command(change(table_study(tmp_path / "b")), out).returncode == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_all_problems_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    rows = ROWS.replace("1,Aa,1,1,7", "1,Aa,3,9,7").replace("\n4,Bø,2,,98", "\n2,Bø,2,,0")
    done = command(table_study(tmp_path / "raw", rows), tmp_path / "out")
    assert "4 problems in the input; nothing was written." in done.stderr
    for code in ("off-scale", "unknown-label", "duplicate-id"):
        assert f"[{code}]" in done.stderr


def test_the_same_mistake_in_many_rows_is_one_problem_with_its_rows(tmp_path: Path) -> None:
    rows = ROWS + "".join(f"{number},Aa,1,9,1\n" for number in range(5, 25))
    done = command(table_study(tmp_path / "raw", rows), tmp_path / "out")
    assert "1 problem in the input" in done.stderr
    assert "row 6, 7, 8, 9, 10, 11, 12, 13 and 12 more, column q1" in done.stderr
