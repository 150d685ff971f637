"""Nothing that tells who a person is leaves the raw data.

Marked strings are planted wherever a format can hold a text, the study goes the whole way to the
data report and to the cells of a model, and every byte of all that was written is searched.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import netCDF4
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from helpers.good_studies import (
    CODED,
    FORMATS,
    TABLES,
    TEXT_TABLES,
    Project,
    Variant,
    delimited,
    dta,
    packed,
    parquet,
    sav,
    workbook,
)
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import merge
from metastudy.common.problems import BadInput
from metastudy.data_report.inspection.study import inspect
from metastudy.data_report.pages import pages, write
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import harmonize, harmonize_file, save
from metastudy.harmonized.study import load_study
from metastudy.models.aggregate import aggregate
from metastudy.readers import read

KEY = b"KEYMARK of 31 secret bytes here"
LEAST = 5

NAME = "Zebediah Quillfeather"
MARKS = {
    "name": NAME,
    "e-mail": "zq.mark@secret.example",
    "IP address": "203.0.113.77",
    "phone": "+45 55 50 12 34",
    "date": "1987-06-05",
    "moment": "2019-11-23 17:42:09",
    "free text": "the neighbour took my violin",
    "label": "Labelmark Threepwood",
    "place": "Placemark Manor",
    "reader": "Readermark Jones",
    "id": "RAWMARK",
    "memo": "Memomark wept in the stairwell",
}
PERSONAL = {  # columns that nobody uses, as real files have them
    "full_name": "name",
    "email": "e-mail",
    "IPAddress": "IP address",
    "phone": "phone",
    "born": "date",
    "StartDate": "moment",
    "comments": "free text",
}


# --- planting ------------------------------------------------------------------------------------


def plant(kind: str) -> Variant:
    """Give the good study of a format with every mark that the format can hold."""
    v = Variant(kind)
    if kind == "qdpx":
        v.content = packed(*_marked_project(v.project))
        return v
    if kind in CODED:
        v.grid.fill("reader", lambda name: f"{MARKS['reader']} {name}")
    for grid in (v.grid, v.cases) if kind == "segments" else (v.grid,):
        grid.fill("nr", lambda number: f"{MARKS['id']}-{number}")
    about = v.cases if kind == "segments" else v.grid  # what has a row a person
    site = "home" if kind in TABLES else "place"
    about.fill(site, lambda name: name and f"{MARKS['place']} {name}")
    about.fill("remark" if kind in TABLES else "memo", lambda _: MARKS["memo"])
    if kind == "segments":
        v.grid.fill("passage", lambda _: f"{MARKS['memo']}, and {MARKS['free text']}")
        v.cases.fill("readers", lambda names: _marked_readers(names))
    for column, mark in PERSONAL.items():
        v.grid.add(column, [MARKS[mark]] * len(v.grid.rows))
    v.content = WRITERS[kind](v)
    return v


def _marked_readers(names: str) -> str:
    return ";".join(f"{MARKS['reader']} {one}" for one in names.split(";"))


def _marked_text(v: Variant) -> bytes:
    content = delimited(v.grid, v.kind)
    content = content.replace("Tag email", f"Tag {MARKS['label']}")
    return (
        content.replace("is\nthe email", f"is\n{MARKS['label']}")
        .replace("What is email", MARKS["label"])
        .encode()
    )


def _marked_sav(v: Variant) -> bytes:
    return sav(
        v.grid,
        file_label=MARKS["label"],
        column_labels=[f"{MARKS['label']} {name}" for name in v.grid.names],
        variable_value_labels={"q1": {1.0: MARKS["label"], 7.0: MARKS["free text"]}},
        note=[MARKS["memo"]],
    )


def _marked_dta(v: Variant) -> bytes:
    return dta(
        v.grid,
        file_label=MARKS["label"],
        column_labels=[f"{MARKS['label']} {name}" for name in v.grid.names],
        variable_value_labels={"q1": {1: MARKS["label"], 7: MARKS["free text"]}},
    )


def _marked_parquet(v: Variant) -> bytes:
    table = pyarrow.parquet.read_table(io.BytesIO(parquet(v.grid)))
    fields = [field.with_metadata({"comment": MARKS["memo"]}) for field in table.schema]
    marked = pa.schema(fields, metadata={"author": MARKS["name"]})
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table.cast(marked), stream)
    return stream.getvalue()


def _marked_workbook(v: Variant) -> bytes:
    def change(book: Any, sheet: Any) -> None:
        sheet.title = "Labelmark Threepwood"
        sheet["H7"].comment = openpyxl.comments.Comment(MARKS["memo"], NAME)
        book.properties.creator = NAME
        book.properties.description = MARKS["free text"]
        sheet.oddHeader.left.text = MARKS["label"]
        book.create_sheet(MARKS["place"])

    return workbook(v.grid, change)


def _marked_project(made: Project) -> tuple[Project, bytes]:
    made.users = {guid: f"{MARKS['reader']} {name}" for guid, name in made.users.items()}
    made.variables["V9"] = "comments"
    for number, case in enumerate(made.cases):
        case["name"] = f"{NAME} {number}"
        values = case["values"]
        values["V0"] = f"{MARKS['id']}-{number}"
        values["V1"] = f"{MARKS['place']} {values['V1']}"
        values["V3"] = _marked_readers(values["V3"])
        values["V9"] = MARKS["free text"] + MARKS["e-mail"]
    for source in made.sources:
        source["name"] = f"Talk with {NAME}"
    for name, text in made.members.items():
        made.members[name] = f"{text}{NAME}: {MARKS['free text']}, {MARKS['date']}"
    made.members["Sources/photo.png"] = MARKS["memo"]
    xml = made.xml()
    xml = xml.replace('name="part"', f'name="{MARKS["memo"]}"')
    xml = xml.replace('name="Talks"', f'name="{MARKS["label"]}" creatingUserGUID="U0"')
    xml = xml.replace(
        "</Project>",
        f'<Notes><Note guid="N1" name="{MARKS["memo"]}" creatingUser="U0">'
        f"<PlainTextContent>{MARKS['memo']}</PlainTextContent></Note></Notes>"
        f"<Description>{MARKS['memo']}</Description></Project>",
    )
    return made, xml.encode()


WRITERS: dict[str, Callable[[Variant], bytes]] = {
    **dict.fromkeys((*TEXT_TABLES, "matrix", "segments"), _marked_text),
    "sav": _marked_sav,
    "dta": _marked_dta,
    "parquet": _marked_parquet,
    "xlsx": _marked_workbook,
}


# --- searching -----------------------------------------------------------------------------------


def insides(content: bytes, name: str) -> Iterator[bytes]:
    """Give a file's bytes, and what is packed or encoded in them."""
    yield content
    if content.startswith(b"PAR1"):
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        yield str(file.schema_arrow.metadata).encode() + str(file.metadata.metadata).encode()
        yield json.dumps(file.read().to_pydict(), default=str, ensure_ascii=False).encode()
    elif content.startswith((b"\x89HDF", b"CDF")):
        with netCDF4.Dataset(name, memory=content) as data:
            yield str(data.__dict__).encode()
            for variable in data.variables.values():
                yield str(variable.__dict__).encode()
                yield " ".join(map(str, np.asarray(variable[...]).ravel().tolist())).encode()
    elif content.startswith(b"\x1f\x8b"):
        yield from insides(gzip.decompress(content), name)
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            for member in file.namelist():
                yield from insides(file.read(member), member)
    elif name.endswith(".json"):
        yield json.dumps(json.loads(content), ensure_ascii=False).encode()
    for packed_text in re.findall(rb"base64,([A-Za-z0-9+/=\s]+)", content):
        yield from insides(base64.b64decode(packed_text), name)
    for quoted in re.findall(rb"data:[^\"')\s]+", content):
        yield unquote_to_bytes(quoted)


def spellings(mark: str) -> set[bytes]:
    """Give the forms in which a mark may hide."""
    texts = {mark, mark.replace(" ", "_"), mark.replace(" ", "-"), mark.replace(" ", "&#160;")}
    texts |= {text.lower() for text in texts}
    found = {text.encode(code) for text in texts for code in ("utf-8", "utf-16-le", "utf-16-be")}
    return found | {base64.b64encode(mark.encode())[:-4], mark.encode().hex().encode()}


def leaks(folder: Path, marks: dict[str, str]) -> list[str]:
    """List where under a folder which mark is there; a file's name counts as a part of it."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts = [*insides(path.read_bytes(), path.name), str(path.relative_to(folder)).encode()]
        lower = [part.lower() for part in parts]
        for kind, mark in marks.items():
            hits = [one for one in spellings(mark) for part in lower if one.lower() in part]
            found += [f"{path.relative_to(folder)}: {kind}"] * bool(hits)
    return found


SECRETS = MARKS | {"key": KEY.decode(), "key in hexadecimal": KEY.hex()}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_search_finds_what_is_planted(tmp_path: Path, kind: str) -> None:
    v = plant(kind)
    (tmp_path / v.name).write_bytes(v.bytes())
    if kind == "segments":
        (tmp_path / "cases.csv").write_text(delimited(v.cases, kind), "utf-8")
    listed = {one.partition(": ")[2] for one in leaks(tmp_path, MARKS)}
    expected = {"id", "place", "memo", "free text"} | ({"reader"} if kind in CODED else set())
    if kind in TABLES:
        expected |= set(PERSONAL.values())
    if kind in ("sav", "dta"):  # packed by neither: their bytes are the texts
        expected |= {"label"}
    assert expected <= listed


def test_the_search_looks_into_all_that_is_written(tmp_path: Path) -> None:
    secret = {"one": NAME}
    table = pa.table({"a": [NAME] * 9000})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "b.json").write_text(json.dumps({"a": NAME.replace("Z", "\u005a")}))
    hidden = base64.b64encode(f"<svg>{NAME}</svg>".encode()).decode()
    (tmp_path / "c.html").write_text(f'<img src="data:image/svg+xml;base64,{hidden}">')
    (tmp_path / "d.gz").write_bytes(gzip.compress(NAME.encode()))
    with netCDF4.Dataset(tmp_path / "e.nc", "w") as data:
        data.createDimension("n", 1)
        data.createVariable("x", str, ("n",), zlib=False)[0] = NAME
    (tmp_path / "f.txt").write_text(NAME, encoding="utf-16")
    (tmp_path / f"{NAME}.txt").touch()
    assert len(leaks(tmp_path, secret)) == 7


# --- the whole way -------------------------------------------------------------------------------


def whole_way(folder: Path, results: Path, module: str) -> None:
    """Harmonize, inspect, write the pages of the data report, aggregate."""
    codebook = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    found = harmonize(codebook, read(codebook), KEY)
    save(found, results / "harmonized" / "small")
    study = load_study(results / "harmonized" / "small", measured=None)
    vocabulary = merge(VOCABULARY, [study.report["vocabulary"]])
    seen = inspect(study, vocabulary, LEAST)
    (results / "inspected.json").write_text(seen.to_json(), "utf-8")
    write(pages([seen], VOCABULARY), results / "report")
    cells = aggregate([results / "harmonized" / "small"], module, ROOT / "config/vocabulary.yaml")
    cells.to_netcdf(results / "cells.nc")


@pytest.mark.parametrize("kind", FORMATS)
def test_no_mark_leaves_the_raw_data(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = plant(kind).build(tmp_path / "raw")
    whole_way(folder, tmp_path / "results", "threat" if kind in TABLES else "strain")
    said = capfd.readouterr()
    (tmp_path / "results" / "log.txt").write_text(said.out + said.err, "utf-8")
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} >= {".parquet", ".json", ".html", ".md", ".nc"}
    assert leaks(tmp_path / "results", SECRETS) == []


def test_the_commands_write_no_mark_either(tmp_path: Path) -> None:
    folder = plant("csv").build(tmp_path / "project" / "raw")
    (tmp_path / "project" / "Snakefile").touch()
    (tmp_path / "key").write_bytes(KEY)
    results = tmp_path / "results"
    tables, seen = results / "harmonized" / "small", results / "inspected.json"
    vocabulary: tuple[Any, ...] = ("--vocabulary", ROOT / "config" / "vocabulary.yaml")
    commands: dict[str, tuple[Any, ...]] = {
        "harmonize": (
            *("--study-folder", folder, "--out", tables),
            *("--manifest", folder.parent / "manifest.yaml"),
            *("--pseudonyms", json.dumps({"key_file": str(tmp_path / "key")})),
        ),
        "inspect": ("--study", tables, "--smallest-cell", LEAST, "--out", seen),
        "report_data": ("--inspected", seen, "--out", results / "report"),
        "aggregate": ("--module", "threat", "--studies", tables, "--cells", results / "cells.nc"),
    }
    for name, arguments in commands.items():
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                f"metastudy.commands.{name}",
                *map(str, (*vocabulary, *arguments)),
            ],
            env={"PYTHONPATH": str(ROOT / "workflow"), "MPLCONFIGDIR": str(tmp_path / "mpl")},
            capture_output=True,
            check=False,
            timeout=300,
        )
        (results / f"{name}.log").write_bytes(done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr.decode()
    assert leaks(results, SECRETS) == []


def test_the_pseudonyms_of_one_key_tell_nothing_under_another() -> None:
    ids = [f"{MARKS['id']}-{i}" for i in range(50)]
    one, other = (pseudonyms.persons("small", ids, key) for key in (KEY, KEY + b"x"))
    assert len(set(one)) == len(set(other)) == 50
    assert not set(one) & set(other)


# --- what goes wrong -----------------------------------------------------------------------------

TOLD = ("e-mail", "IP address", "phone", "date", "moment")


@pytest.mark.parametrize("column", ["nr", "arm", "sex", "years", "w", "q1"])
@pytest.mark.parametrize("kind", TOLD)
def test_no_message_repeats_what_identifies_a_person(
    tmp_path: Path, kind: str, column: str
) -> None:
    v = Variant("csv")
    for row in (5, 6):  # twice, so that it is an error of an id as well
        v.grid.put(row, column, MARKS[kind])
    folder = v.build(tmp_path / "raw")
    codebook = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    with pytest.raises(BadInput) as caught:
        harmonize(codebook, read(codebook), KEY)
    assert MARKS[kind] not in str(caught.value)


@pytest.mark.parametrize("column", ["nr", "arm", "sex", "years", "w", "q1"])
def test_no_message_repeats_a_long_text(tmp_path: Path, column: str) -> None:
    v = Variant("csv")
    for row in (5, 6):
        v.grid.put(row, column, f"{MARKS['free text']}, and {MARKS['memo']}, and more of it")
    folder = v.build(tmp_path / "raw")
    codebook = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    with pytest.raises(BadInput) as caught:
        harmonize(codebook, read(codebook), KEY)
    assert MARKS["free text"] not in str(caught.value)


@pytest.mark.parametrize("kind", TOLD)
def test_no_message_on_a_matrix_repeats_what_identifies_a_person(tmp_path: Path, kind: str) -> None:
    v = Variant("matrix")
    v.grid.put(0, "place", MARKS[kind])
    v.grid.put(0, "Not sure", MARKS[kind])
    for row in (10, 11):
        v.grid.put(row, "nr", MARKS[kind])
        v.grid.put(row, "reader", "Ann")
    folder = v.build(tmp_path / "raw")
    with pytest.raises(BadInput) as caught:
        read(load(folder, VOCABULARY, folder.parent / "manifest.yaml"))
    assert {"contradiction", "off-scale"} <= {one.code for one in caught.value.problems}
    assert MARKS[kind] not in str(caught.value)


@pytest.mark.parametrize("kind", [*TOLD, "free text", "memo"])
@pytest.mark.parametrize("column", ["nr", "code", "reader", "start", "end", "passage"])
def test_no_message_on_a_list_of_segments_repeats_what_somebody_said(
    tmp_path: Path, kind: str, column: str
) -> None:
    v = Variant("segments")
    for row in (3, 9, 20, 30):  # of several cases
        v.grid.put(row, column, MARKS[kind])
    v.grid.put(4, "code", "Not sur")  # something is wrong in any case
    folder = v.build(tmp_path / "raw")
    with pytest.raises(BadInput) as caught:
        harmonize_file(load(folder, VOCABULARY, folder.parent / "manifest.yaml"), KEY)
    assert MARKS[kind] not in str(caught.value)


def test_no_message_on_a_project_names_a_coder(tmp_path: Path) -> None:
    v = Variant("qdpx")
    v.project.users = {"U0": MARKS["reader"], "U1": NAME}
    v.project.cases[0]["values"]["V3"] = f"{NAME};{MARKS['label']}"
    folder = v.build(tmp_path / "raw")
    codebook = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    with pytest.raises(BadInput) as caught:
        harmonize(codebook, read(codebook), KEY)
    for mark in (MARKS["reader"], NAME, MARKS["label"]):
        assert mark not in str(caught.value)


def test_no_message_on_a_project_names_a_case_or_a_source(tmp_path: Path) -> None:
    v = Variant("qdpx")
    for part in (*v.project.cases, *v.project.sources):
        part["name"] = NAME
    v.project.cases[2]["source"] = "S99"
    v.project.sources[0]["codings"][0]["end"] = 9000
    del v.project.members["Sources/S2.txt"]
    folder = v.build(tmp_path / "raw")
    with pytest.raises(BadInput) as caught:
        read(load(folder, VOCABULARY, folder.parent / "manifest.yaml"))
    assert NAME not in str(caught.value)
