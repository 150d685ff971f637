"""Lists of coded segments are drafted as such, under the headings that programs give columns."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
import yaml

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.drafting.draft import draft, open_points
from metastudy.drafting.segments import roles
from metastudy.harmonize.harmonize import harmonize_file

WORDS = "my sister Gerda said so"
MAXQDA = ["Document group", "Document name", "Code", "Beginning", "End", "Weight score", "Segment",
          "Modified by", "Modified on", "Comment"]  # fmt: skip
GERMAN = ["Farbe", "Dokumentgruppe", "Dokumentname", "Code", "Anfang", "Ende", "Gewicht", "Segment",
          "Geändert von", "Bearbeitet am", "Kommentar"]  # fmt: skip
KNOWN = ["group", "id", "code", "start", "end", "of_segment", "text", "coder"]
OTHERS = ["of_segment"] * 2


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            MAXQDA,
            [*KNOWN, *OTHERS],
        ),
        (
            GERMAN,
            ["of_segment", *KNOWN, *OTHERS],
        ),
        # ATLAS.ti, Taguette, QualCoder, Dedoose, NVivo
        (
            ["ID", "Quotation Name", "Quotation Content", "Document", "Codes", "Reference"],
            ["of_segment", "text", "text", "id", "code", "of_segment"],
        ),
        (["id", "content", "tags", "document"], ["of_segment", "text", "code", "id"]),
        (["id", "document", "tag", "content"], ["of_segment", "id", "code", "text"]),
        (
            ["Case", "Filename", "Coder", "Coded", "Id", "Codename", "Coded_Memo", "Category"],
            ["id", "of_segment", "coder", "text", "of_segment", "code", "of_segment", "of_segment"],
        ),
        (
            ["Media Title", "Excerpt Range", "Excerpt Creator", "Excerpt Copy",
             "Codes Applied Combined"],
            ["id", "of_segment", "coder", "text", "code"],
        ),
        # Other tables: answers, effects, a matrix of codes.
        (["id", "condition", "item_1", "comment"], []),
        (["case", "code"], []),
        (["document", "Not sure", "Change of role", "coder"], []),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_headings_of_programs(
    names: list[str], expected: list[str]
) -> None:
    assert list(roles(names).values()) == expected


ROWS = [
    ["grey", "A", "T1", "Belastung > Not sure", 2, 2, 0, WORDS, "Ann", "1.2.2020", "-"],
    ["grey", "A", "T1", "Change of role", 4, 5, 0, WORDS, "Bob", "1.2.2020", ""],
    ["grey", "B", "T2", "Change of role", 1, 3, 0, WORDS, "Bob", "1.2.2020", ""],
]


def decided(text: str) -> str:
    """A draft with its open points decided as one would."""
    for key, value in {
        "title": "Talks", "citation": "talks", "response_mode": "coded_narrative",
        "country": "DK", "sector": "elderly_care", "role": "professional",
        "arrangement": "volunteer_scheme", "as": "ignore", "Not sure": "uncertainty",
        "Change of role": "role_change",
    }.items():  # fmt: skip
        text = re.sub(rf"(?m)^( *{key}: )TODO", rf"\g<1>{value}", text)
    text = re.sub(r"  cases: TODO.*\n.*\n", "", text)
    return text + "outcomes: [uncertainty, role_change]\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_draft_of_a_list_reads_once_its_open_points_are_decided(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    path = folder / f"segments.{kind}"
    if kind == "csv":
        lines = [";".join(map(str, row)) for row in (GERMAN, *ROWS)]
        path.write_bytes("\r\n".join(lines).encode("cp1252"))
    else:
        book = openpyxl.Workbook()
        for row in (GERMAN, *ROWS):
            book.active.append(row)
        book.save(path)
    text = draft("talks", path, VOCABULARY)
    assert WORDS not in text
    assert "format: segments # guess" in text
    said = open_points(text)
    assert any("cases: TODO" in one for one in said)
    assert not any("Belastung" in one for one in said)
    (folder / "codebook.yaml").write_text(decided(text), encoding="utf-8")
    assert not open_points(decided(text))
    (tmp_path / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    found = harmonize_file(load(folder, VOCABULARY, tmp_path / "manifest.yaml"), b"key of a draft")
    assert sorted(found.tables["codings"]["start"]) == [1, 2, 4]
    assert len(found.tables["readings"]) == 3


def drafted(tmp_path: Path, text: str) -> str:
    (tmp_path / "s.csv").write_text(text, "utf-8")
    return draft("talks", tmp_path / "s.csv", VOCABULARY)


def entry(text: str, name: str) -> str:
    """What a draft says of one column."""
    return text.partition(f"- name: {name}\n")[2].partition("- name:")[0]


def test_several_codes_in_one_cell_are_seen_or_asked_for(tmp_path: Path) -> None:
    said = drafted(
        tmp_path, 'ID,Document,Codes,Quotation\n1,a,"Fear\nHope",x\n2,b,Fear,x\n3,b,Hope,x\n'
    )
    assert 'separator: "\\n" # guess' in entry(said, "Codes")
    assert set(yaml.safe_load(said)["codes"]) == {"Fear", "Hope"}
    said = drafted(tmp_path, "id,content,tags,document\n1,x,Fear;Hope,a\n2,y,Other,b\n")
    assert "separator: TODO" in entry(said, "tags")
    said = drafted(tmp_path, "id,content,tag,document\n1,x,Fear,a\n2,y,Other,b\n")
    assert "separator" not in entry(said, "tag")


def test_places_that_are_no_whole_numbers_are_left_out(tmp_path: Path) -> None:
    said = drafted(tmp_path, "Document name,Code,Beginning,End,Segment\na,Fear,0:01,9,x\n")
    assert "as: ignore # guess: no place" in entry(said, "Beginning")
    assert "as: ignore" in entry(said, "End")


def test_documents_of_one_name_in_two_groups_are_an_open_point(tmp_path: Path) -> None:
    said = drafted(tmp_path, "Document group,Document name,Code,Segment\nA,a,Fear,x\nB,a,Fear,x\n")
    assert "1 names of documents are in several groups" in entry(said, "Document group")


def test_paths_are_listed_in_full_where_two_codes_have_one_end(tmp_path: Path) -> None:
    rows = "Document,Code,Segment\na,Work\\Fear,x\na,Home\\Fear,x\na,Home\\Hope,x\n"
    codes = yaml.safe_load(drafted(tmp_path, rows))["codes"]
    assert set(codes) == {"Work/Fear", "Home/Fear", "Hope"}


def test_a_persons_words_in_place_of_codes_are_not_listed(tmp_path: Path) -> None:
    long = " ".join([WORDS] * 9)
    said = drafted(tmp_path, f"Document,Code,Segment\na,{long},Fear\n")
    assert WORDS not in said
    assert "1 texts are too long for codes" in said
