"""What a person wrote into a cell is never in a message, and so neither in a log nor a terminal.

The words are put where a file has another value, in each column of each small study in turn, and
in place of its header; whatever error comes of it may say what kind of thing is there, not what.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.raw_studies import (
    EXPORT,
    RATED,
    ROWS,
    case_study,
    codebook_of,
    published_study,
    qualtrics_study,
    table_study,
)
from metastudy.common.problems import BadInput
from metastudy.common.text import of_a_person
from metastudy.harmonize.harmonize import harmonize_file

WORDS = ["my Sister", "Jørgen; Ålborg", "0101901234"]
STUDIES: list[tuple[Callable[..., Path], str]] = [
    (table_study, ROWS),
    (case_study, RATED),
    (qualtrics_study, EXPORT),
]


def errors(folder: Path) -> str:
    try:
        harmonize_file(codebook_of(folder), b"a public key")
    except BadInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("make", "content"), STUDIES, ids=lambda one: getattr(one, "__name__", ""))
def test_no_message_repeats_what_a_person_wrote(
    tmp_path: Path, make: Callable[..., Path], content: str, words: str
) -> None:
    rows = list(csv.reader(io.StringIO(content, newline="")))
    width, said = len(rows[0]), 0
    for number, column in [(n, c) for n in (-1,) for c in range(width)]:
        changed = [list(row) for row in rows]
        changed[number][column] = words
        if number == -1:
            changed[-2][column] = words  # twice, as an id may not be
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(changed)
        found = errors(make(tmp_path / f"{number} {column}", out.getvalue()))
        assert words not in found, found
        said += bool(found)
    assert said  # the words did stand where they are no good


@pytest.mark.parametrize(("make", "content"), STUDIES[:2], ids=["table", "cases"])
def test_a_file_without_its_header_does_not_list_its_first_person(
    tmp_path: Path, make: Callable[..., Path], content: str
) -> None:
    lines = content.splitlines()
    answers = ",".join(["Gerda"] + ["my sister"] * lines[0].count(","))
    found = errors(make(tmp_path, "\n".join([answers.replace("my sister", "mine", 1), *lines[1:]])))
    assert "unknown-column" in found or "columns called" in found
    assert "Gerda" not in found


def test_a_publications_words_are_shown(tmp_path: Path) -> None:
    rows = (
        "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level\n"
        "f2,a2020,more against less,asigned,threat_job,0,0.02,0.1,sd,240,DK,published_numeric\n"
    )
    assert "'asigned'" in errors(published_study(tmp_path, rows))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty cell"),
        ("8", "'8'"),
        ("-99.5", "'-99.5'"),
        ("?", "'?'"),
        ("12345678", "a number of 8 characters"),
        ("010190-1234", "a text of 11 characters"),
        ("aldrig", "a word of 6 letters"),
        ("20 12 34 56", "a text of 11 characters"),
    ],
)
def test_a_kind_is_said_in_place_of_a_text(text: str, said: str) -> None:
    assert of_a_person(text) == said
