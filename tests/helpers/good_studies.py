"""One small good study in every format; the variants of the corpus break one thing in one of them.

The two studies are the same in all their formats: answers of 48 people (an experiment), and twelve
coded interviews by two coders, five of them read by both.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import tempfile
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat

from helpers import segment_lists

STUDY = "small"

TEXT_TABLES = ("csv", "tsv", "semicolon", "qualtrics", "qualtrics_tsv", "legacy")
OTHER_TABLES = ("xlsx", "parquet", "sav", "dta")
TABLES = (*TEXT_TABLES, *OTHER_TABLES)
CODED = ("matrix", "qdpx", "segments")
FORMATS = (*TABLES, *CODED)
DELIMITED = (*TEXT_TABLES, "matrix", "segments")

NAMES = {
    "csv": "answers.csv",
    "tsv": "answers.tsv",
    "semicolon": "answers.csv",
    "qualtrics": "answers.csv",
    "qualtrics_tsv": "answers.tsv",
    "legacy": "answers.csv",
    "xlsx": "answers.xlsx",
    "parquet": "answers.parquet",
    "sav": "answers.sav",
    "dta": "answers.dta",
    "matrix": "codes.csv",
    "qdpx": "talks.qdpx",
    "segments": "segments.csv",
}
FORM = {**{name: name for name in FORMATS}, "tsv": "csv", "semicolon": "csv"} | {
    "qualtrics_tsv": "qualtrics",
    "legacy": "qualtrics",
}
DELIMITERS = {"tsv": "\t", "qualtrics_tsv": "\t", "semicolon": ";"}

HEAD = """\
study:
  id: small
  title: A small study
  citation: nobody2026
  design: {design}
  response_mode: {mode}
  country: DK
  sector: elderly_care
  role: professional
  arrangement: volunteer_scheme
  provenance: observed
"""

ANSWERS = """\
variables:
  - {name: nr, as: id}
  - {name: agree, as: consent, accept: [1]}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: sex, as: trait, trait: gender, values: {f: woman, m: man}, missing: {x: refused}}
  - {name: years, as: trait, trait: tenure_yrs, missing: {-9: refused}}
  - {name: w, as: weight}
  - {name: q1, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know, 99: tired}}
  - {name: q2, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know, 99: tired}, keying: reverse}
  - {name: q3, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know, 99: tired}}
  - {name: remark, as: ignore, note: Free text.}
exclude:
  - {rule: test_row, variable: status, drop: [test]}
  - {rule: broke_off, unanswered: all_outcomes}
quality:
  - {rule: same_answer, constant_over: [threat_job]}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
sensitivity: [design_based]
vocabulary:
  missing_reasons: {tired: {label: Too tired}}
"""  # noqa: E501

CODES = """\
codes:
  Change of role: role_change
  Not sure: uncertainty
  No tools: lack_of_tools_methods
  Two bosses: process_accountability
  Look again: ignore
outcomes: [role_change, uncertainty, lack_of_tools_methods, process_accountability]
"""
INTERVIEWS = (
    """\
variables:
  - {name: nr, as: id}
  - {name: place, as: site}
  - {name: land, as: country, values: {Scotland: GB-SCT, Finland: FI}}
"""
    + "  - {name: reader, as: coder}\n"
    + CODES
)
PROJECT = INTERVIEWS.replace("{name: reader, as: coder}", "{name: readers, as: coders}")
SEGMENTS = INTERVIEWS.replace("  - {name: reader, as: coder}\n", segment_lists.BOOK)

CODE_NAMES = ("Change of role", "Not sure", "No tools", "Two bosses", "Look again")
READERS = ("Ann", "Bob")


@dataclass
class Grid:
    """A table as its writer gets it: names, and rows of numbers, texts and ``None``."""

    names: list[str]
    rows: list[list[Any]]

    def at(self, row: int, name: str) -> Any:
        return self.rows[row][self.names.index(name)]

    def put(self, row: int, name: str, value: Any) -> None:
        self.rows[row][self.names.index(name)] = value

    def column(self, name: str) -> list[Any]:
        return [row[self.names.index(name)] for row in self.rows]

    def fill(self, name: str, value: Callable[[Any], Any]) -> None:
        """Put another value into every cell of a column."""
        for row in range(len(self.rows)):
            self.put(row, name, value(self.at(row, name)))

    def add(self, name: str, values: list[Any], at: int | None = None) -> None:
        """Add a column, at the end unless it is said where."""
        place = len(self.names) if at is None else at
        self.names.insert(place, name)
        for row, value in zip(self.rows, values, strict=True):
            row.insert(place, value)

    def drop(self, name: str) -> None:
        place = self.names.index(name)
        self.names.pop(place)
        for row in self.rows:
            row.pop(place)


def answers() -> Grid:
    """The answers: rows 4 and 19 without consent, row 30 a test, missing codes, one break-off."""
    rng = np.random.default_rng(20)
    names = ["nr", "agree", "home", "arm", "sex", "years", "w", "q1", "q2", "q3", "status"]
    rows: list[list[Any]] = []
    for i in range(48):
        mood = rng.normal()
        q: list[Any] = [int(np.clip(round(4 + 1.4 * mood + rng.normal() / 2), 1, 7)) for _ in "123"]
        q[1] = 8 - q[1]
        rows.append(
            [
                101 + i,
                2 if i in (4, 19) else 1,
                ("Ærø", "Bornholm", "Århus", "Fredensborg")[i % 4],
                1 + (i // 2) % 2,
                "fm"[int(rng.integers(2))],
                round(float(rng.uniform(0, 30)), 1) + 0.05,
                round(float(rng.uniform(0.5, 2)), 1) + 0.05,
                *q,
                "test" if i == 30 else "real",
                f"remark of {i}, said so",
            ]
        )
    grid = Grid([*names, "remark"], rows)
    for row, name, value in (
        *((7, "q1", 98), (8, "q2", 99), (9, "q3", None), (10, "q1", 99), (11, "sex", "x")),
        *((12, "years", -9), (13, "years", None), (14, "home", ""), (15, "arm", None)),
        *((16, one, None) for one in ("q1", "q2", "q3")),
    ):
        grid.put(row, name, value)
    for name in ("years", "w"):
        grid.fill(name, lambda value: None if value is None else round(value, 2))
    return grid


def interviews() -> Grid:
    """The interviews as a matrix: one row a source and coder."""
    rng = np.random.default_rng(7)
    rows = []
    for i in range(12):
        place = ("Leith", "Göteborg Väst", "Turku")[i % 3]
        for reader in READERS if i < 5 else READERS[i % 2 : i % 2 + 1]:
            marks = [int(mark) for mark in rng.integers(0, 2, size=5)]
            if i < 5:  # the two differ on the second code in every source that both read
                marks[1] = int(reader == "Ann")
            land = "Scotland" if i % 3 == 0 else "Finland"
            rows.append([i + 1, place, land, reader, *marks, f"talk {i}"])
    return Grid(["nr", "place", "land", "reader", *CODE_NAMES, "memo"], rows)


def segments() -> Grid:
    """The interviews as a list of segments."""
    made = interviews()
    return Grid(list(segment_lists.LIST), segment_lists.segments(made.names, CODE_NAMES, made.rows))


def cases() -> Grid:
    """The cases of the interviews, beside a list of segments."""
    made = interviews()
    return Grid(list(segment_lists.CASES), segment_lists.cases(made.names, made.rows))


@dataclass
class Project:
    """A REFI-QDA project in its parts, from the same interviews as the matrix."""

    users: dict[str, str]
    codes: dict[str, str]
    variables: dict[str, str]
    cases: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    members: dict[str, str | bytes] = field(default_factory=dict)
    encoding: str = "utf-8"

    def xml(self) -> str:
        """Write `project.qde`."""

        def tag(name: str, inside: str = "", /, **keys: Any) -> str:
            said = "".join(f" {key}={quoteattr(str(value))}" for key, value in keys.items())
            return f"<{name}{said}>{inside}</{name}>\n" if inside else f"<{name}{said}/>\n"

        def value(guid: str, text: Any) -> str:
            said = tag("TextValue", escape(str(text)))
            return tag("VariableValue", tag("VariableRef", targetGUID=guid) + said)

        def coding(number: int, user: str, code: str) -> str:
            inside = tag("CodeRef", targetGUID=code)
            return tag("Coding", inside, guid=f"G{number}", creatingUser=user)

        numbers = itertools.count()
        users = "".join(tag("User", guid=guid, name=name) for guid, name in self.users.items())
        codes = "".join(
            tag("Code", guid=guid, name=name, isCodable="true") for guid, name in self.codes.items()
        )
        variables = "".join(
            tag("Variable", guid=guid, name=name, typeOfVariable="Text")
            for guid, name in self.variables.items()
        )
        cases = "".join(
            tag(
                "Case",
                "".join(value(guid, text) for guid, text in case["values"].items())
                + tag("SourceRef", targetGUID=case["source"]),
                guid=f"K{number}",
                name=case["name"],
            )
            for number, case in enumerate(self.cases)
        )
        sources = "".join(
            tag(
                "TextSource",
                "".join(
                    tag(
                        "PlainTextSelection",
                        coding(next(numbers), one["user"], one["code"]),
                        guid=f"P{source['guid']}{number}",
                        name="part",
                        startPosition=one["start"],
                        endPosition=one["end"],
                    )
                    for number, one in enumerate(source["codings"])
                ),
                guid=source["guid"],
                name=source["name"],
                plainTextPath=source["path"],
            )
            for source in self.sources
        )
        return (
            f'<?xml version="1.0" encoding="{self.encoding}"?>\n'
            + '<Project xmlns="urn:QDA-XML:project:1.0" name="Talks" origin="a test">\n'
            + tag("Users", users)
            + tag("CodeBook", tag("Codes", codes))
            + tag("Variables", variables)
            + tag("Cases", cases)
            + tag("Sources", sources)
            + "</Project>\n"
        )


def project() -> Project:
    """The interviews as a project: every coding is a selection of its own."""
    grid = interviews()
    users = {f"U{i}": name for i, name in enumerate(READERS)}
    codes = {f"C{i}": name for i, name in enumerate(CODE_NAMES)}
    variables = {"V0": "nr", "V1": "place", "V2": "land", "V3": "readers"}
    made = Project(users, codes, variables, [], [])
    by_name = {name: guid for guid, name in users.items()}
    for number in dict.fromkeys(grid.column("nr")):
        rows = [row for row in range(len(grid.rows)) if grid.at(row, "nr") == number]
        guid = f"S{number}"
        text = f"Interview {number}. " + "We talked about what has changed. " * 6
        codings = [
            {
                "user": by_name[grid.at(row, "reader")],
                "code": code,
                "start": 10 * place,
                "end": 10 * place + 15,
            }
            for row in rows
            for place, (code, name) in enumerate(codes.items())
            if grid.at(row, name)
        ]
        readers = ";".join(grid.at(row, "reader") for row in rows)
        first = rows[0]
        values = dict(
            zip(
                variables,
                (number, grid.at(first, "place"), grid.at(first, "land"), readers),
                strict=True,
            )
        )
        made.cases.append({"name": f"Case {number}", "values": values, "source": guid})
        made.sources.append(
            {"guid": guid, "name": f"Talk {number}", "path": f"internal://{guid}.txt"}
            | {"codings": codings}
        )
        made.members[f"Sources/{guid}.txt"] = text
    return made


# --- writers -------------------------------------------------------------------------------------


def spelt(value: Any, decimal: str = ".") -> str:
    """Write a cell of a text file."""
    if value is None:
        return ""
    if isinstance(value, float) and decimal != ".":
        return str(value).replace(".", decimal)
    return str(value)


def lines(grid: Grid, kind: str) -> list[list[str]]:
    """Give the records of a text file, with the header rows of its kind."""
    decimal = "," if kind == "semicolon" else "."
    body = [[spelt(value, decimal) for value in row] for row in grid.rows]
    if kind in ("qualtrics", "qualtrics_tsv"):
        tags = [f"Tag {name}" for name in grid.names]
        asked = [f"What, please, is\nthe {name}?" for name in grid.names]
        ids = [f'{{"ImportId":"{name}"}}' if name else "" for name in grid.names]
        return [tags, asked, ids, *body]
    if kind == "legacy":
        own = ["ResponseID", "IPAddress", "StartDate"]
        return [
            [*(f"V{i}" for i in (1, 2, 3)), *grid.names],
            [*own, *(f"What is {name}?" for name in grid.names)],
            *(["R_1", "", "", *row] for row in body),
        ]
    return [list(grid.names), *body]


def delimited(grid: Grid, kind: str, delimiter: str | None = None, end: str = "\n") -> str:
    """Write a text file."""
    stream = io.StringIO()
    mark = delimiter or DELIMITERS.get(kind, ",")
    csv.writer(stream, delimiter=mark, lineterminator=end).writerows(lines(grid, kind))
    return stream.getvalue()


def frame(grid: Grid) -> pd.DataFrame:
    """Give typed columns: numbers where all are, else texts."""
    columns = {}
    for name in grid.names:
        values = grid.column(name)
        if any(isinstance(value, str) for value in values):
            columns[name] = pd.Series([spelt(value) for value in values], dtype=object)
        else:
            columns[name] = pd.Series(values, dtype="float64")
    return pd.DataFrame(columns)


def written(write: Callable[[pd.DataFrame, Path], Any], data: pd.DataFrame) -> bytes:
    """Give the bytes that a writer puts into a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"
        write(data, path)
        return path.read_bytes()


def sav(grid: Grid, **options: Any) -> bytes:
    return written(lambda data, path: pyreadstat.write_sav(data, path, **options), frame(grid))


def dta(grid: Grid, **options: Any) -> bytes:
    return written(lambda data, path: pyreadstat.write_dta(data, path, **options), frame(grid))


def parquet(grid: Grid) -> bytes:
    arrays = [
        pa.array(
            [None if value is None else str(value) for value in grid.column(name)]
            if any(isinstance(value, str) for value in grid.column(name))
            else grid.column(name)
        )
        if grid.names.count(name) == 1
        else pa.array([str(row[place]) for row in grid.rows])
        for place, name in enumerate(grid.names)
    ]
    stream = io.BytesIO()
    table = pa.Table.from_arrays(arrays, names=grid.names)
    pyarrow.parquet.write_table(table, stream)
    return stream.getvalue()


def workbook(grid: Grid, change: Callable[[Any, Any], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Answers"
    for record in (grid.names, *grid.rows):
        sheet.append(["" if value is None else value for value in record])
    if change:
        change(book, sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def packed(made: Project, xml: str | bytes | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("project.qde", made.xml().encode() if xml is None else xml)
        for name, content in made.members.items():
            file.writestr(name, content)
    return stream.getvalue()


def rezipped(content: bytes, change: Callable[[dict[str, bytes]], Any]) -> bytes:
    """Pack an archive anew after a change of its members."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, inside in members.items():
            file.writestr(name, inside)
    return stream.getvalue()


# --- a study -------------------------------------------------------------------------------------

_GRIDS = {**dict.fromkeys(TABLES, answers()), "segments": segments()}
_GRIDS |= dict.fromkeys(("matrix", "qdpx"), interviews())
_PROJECT = project()


def codebook(kind: str) -> str:
    """The codebook of the good study in a format."""
    more = {
        "tsv": ', delimiter: "\\t"',
        "qualtrics_tsv": ', delimiter: "\\t"',
        "semicolon": ", delimiter: ';', decimal: ','",
        "segments": segment_lists.FILE,
    }.get(kind, "")
    file = f"file: {{name: {NAMES[kind]}, format: {FORM[kind]}{more}}}\n"
    if kind in TABLES:
        return HEAD.format(design="experiment", mode="vignette_hypothetical") + file + ANSWERS
    body = {"matrix": INTERVIEWS, "qdpx": PROJECT, "segments": SEGMENTS}[kind]
    return HEAD.format(design="interviews", mode="coded_narrative") + file + body


class Variant:
    """A study that a maker may change: its cells, its bytes, its codebook, its folder."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.name = NAMES[kind]
        self.grid = deepcopy(_GRIDS[kind])
        self.cases = cases()  # a second file beside a list of segments
        self.encoding = "utf-8"  # of the second file
        self.project = deepcopy(_PROJECT)
        self.codebook: str | bytes = codebook(kind)
        self.content: bytes | None = None
        self.manifest = "{}\n"
        self.steps: list[Callable[[Path], Any]] = []

    def bytes(self) -> bytes:
        """The data file, as it is after the changes so far."""
        if self.content is not None:
            return self.content
        if self.kind in DELIMITED:
            return delimited(self.grid, self.kind).encode()
        if self.kind == "qdpx":
            return packed(self.project)
        writers = {"sav": sav, "dta": dta, "parquet": parquet, "xlsx": workbook}
        return writers[self.kind](self.grid)

    def text(self) -> str:
        return self.bytes().decode()

    def say(self, old: str, new: str) -> None:
        """Change a passage of the codebook, which has to be there."""
        assert isinstance(self.codebook, str)
        assert old in self.codebook, old
        self.codebook = self.codebook.replace(old, new)

    def build(self, raw: Path) -> Path:
        """Write the study's folder, and the manifest beside it."""
        folder = raw / STUDY
        folder.mkdir(parents=True)
        data = self.bytes()  # once: a workbook holds the second in which it was written
        (folder / self.name).write_bytes(data)
        if self.kind == "segments":
            second = delimited(self.cases, self.kind).encode(self.encoding)
            (folder / segment_lists.CASES_NAME).write_bytes(second)
        book = self.codebook
        content = book if isinstance(book, bytes) else book.encode()
        (folder / "codebook.yaml").write_bytes(content)
        digest = hashlib.sha256(data).hexdigest()
        manifest = self.manifest.replace("DIGEST", digest)
        (raw / "manifest.yaml").write_text(manifest, encoding="utf-8")
        for step in self.steps:
            step(folder)
        return folder
