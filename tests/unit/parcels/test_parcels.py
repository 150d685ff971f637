"""A parcel is read back to the bit, and what is no parcel is refused with one clear error.

The corpus at the end holds hostile and damaged variants of one good parcel. Most are sealed again
after the change, so that a check of the contents has to find them and not a digest.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from helpers.parcel_studies import MANIFEST, harmonized, parcel_of, raw_study, report_of
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.vocabulary import of_studies
from metastudy.common.problems import BadInput
from metastudy.harmonize.parcel import save_parcel
from metastudy.harmonized.study import load_study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.control import control
from metastudy.parcelling.make import documents
from metastudy.parcels import container
from metastudy.parcels.control_words import NO_RATIOS
from metastudy.parcels.folders import said_in, studies_in
from metastudy.parcels.parcel import VERSION, parcel_in, read, sealed, write

Documents = dict[str, Any]
CELLS = "cells/threat-main.json"
ALPHA = "alpha"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The parcel of a small made study."""
    folder = tmp_path_factory.mktemp("good")
    study = harmonized(raw_study(folder / "raw", ALPHA, sites=2), folder / "rows" / ALPHA)
    parcel_of(study, folder / "alpha.parcel")
    return (folder / "alpha.parcel").read_bytes()


def put(folder: Path, content: bytes, name: str = ALPHA) -> Path:
    """A study's folder that holds these bytes as its parcel."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / name / f"{name}.parcel"
    path.write_bytes(content)
    return path


def taken(path: Path, out: Path) -> None:
    """All that a study goes through before a model sees it."""
    save_parcel(path, VOCABULARY, out)
    for variant in ("main", "folded"):
        cells_of_one(load_study(out), "threat", VOCABULARY, variant)


def opened(content: bytes) -> tuple[dict[str, Any], Documents]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    manifest = found.pop(container.MANIFEST)
    for made in ("format", "version", "files", "seal"):
        manifest.pop(made)
    return manifest, found


def test_a_study_that_does_not_say_where_it_is_has_a_parcel_with_the_cells_of_its_rows(
    tmp_path: Path,
) -> None:
    folder = raw_study(tmp_path / "raw", ALPHA, sites=2)
    book = folder / "codebook.yaml"
    said = yaml.safe_load(book.read_text("utf-8"))
    for key in ("country", "sector", "role", "arrangement"):
        del said["study"][key]
    book.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    study = harmonized(folder, tmp_path / "rows" / ALPHA)
    parcel_of(study, tmp_path / "alpha.parcel")
    taken(put(tmp_path / "p", (tmp_path / "alpha.parcel").read_bytes()), tmp_path / "out")
    rows, parcel = (
        cells_of_one(one, "threat", VOCABULARY, "main")
        for one in (study, load_study(tmp_path / "out"))
    )
    for name in ("country", "sector", "role"):
        assert rows[name].values.tolist() == parcel[name].values.tolist()
    assert set(parcel["country"].values) == {f"unknown in {ALPHA}"}
    assert load_study(tmp_path / "out").report["parcel"]["places"] == [
        [*["not_stated"] * 3, rows["n"].values.sum()]
    ]


def test_a_good_parcel_goes_through(tmp_path: Path, good: bytes) -> None:
    taken(put(tmp_path, good), tmp_path / "out")
    study = load_study(tmp_path / "out")
    assert study.people == 60
    assert not len(study.respondents), "no person is in the tables"
    assert study.report["format"] == "parcel"


def test_the_same_study_gives_the_same_bytes(tmp_path: Path, good: bytes) -> None:
    study = harmonized(raw_study(tmp_path / "raw", ALPHA, sites=2), tmp_path / "rows" / ALPHA)
    parcel_of(study, tmp_path / "again" / "alpha.parcel")
    assert (tmp_path / "again" / "alpha.parcel").read_bytes() == good


def test_the_rules_learn_of_a_study_from_its_parcel(tmp_path: Path, good: bytes) -> None:
    put(tmp_path, good)
    raw_study(tmp_path, "beta")
    assert studies_in(tmp_path) == ["alpha", "beta"]
    came, rows = (said_in(tmp_path / name, VOCABULARY) for name in ("alpha", "beta"))
    assert came.parcel
    assert not rows.parcel
    assert list(came.outcomes) == list(rows.outcomes)
    assert came.files == (str(tmp_path / "alpha" / "alpha.parcel"),)


def test_a_folder_with_rows_and_a_parcel_or_with_two_parcels_is_refused(
    tmp_path: Path, good: bytes
) -> None:
    put(tmp_path, good)
    (tmp_path / ALPHA / "codebook.yaml").write_text("study: {}\n", "utf-8")
    with pytest.raises(BadInput, match="beside a codebook"):
        parcel_in(tmp_path / ALPHA)
    (tmp_path / ALPHA / "codebook.yaml").unlink()
    (tmp_path / ALPHA / "older.parcel").write_bytes(good)
    with pytest.raises(BadInput, match="2 parcels"):
        parcel_in(tmp_path / ALPHA)


def test_a_parcel_in_the_folder_of_another_study_is_refused(tmp_path: Path, good: bytes) -> None:
    with pytest.raises(BadInput, match="a parcel of the study alpha"):
        read(put(tmp_path, good, "gamma"))


# --- the corpus ----------------------------------------------------------------------------------
# Variants by name: what is done to documents, and a word that the error must have.


def at(document: Any, *place: Any) -> Any:
    for key in place:
        document = document[key]
    return document


def set_to(name: str, *place: Any, to: Any) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        at(documents[name], *place[:-1])[place[-1]] = to

    return change


def without(name: str, *place: Any) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        if place:
            del at(documents[name], *place[:-1])[place[-1]]
        else:
            del documents[name]

    return change


def number(name: str, *place: Any, to: Any) -> Callable[[Documents], None]:
    return set_to(CELLS, "numbers", name, *place, to=to)


def people(n: float) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        numbers = documents[CELLS]["numbers"]
        numbers["n"][0] = n
        numbers["xx"][0][0][0] = n

    return change


def impossible(documents: Documents) -> None:
    numbers = documents[CELLS]["numbers"]
    numbers["yy"][0][0][1] = numbers["yy"][0][1][0] = 10 * numbers["yy"][0][0][0]


def unobserved(documents: Documents) -> None:
    documents[CELLS]["numbers"]["observed"][0][1] = 0


def another_study(documents: Documents) -> None:
    documents[CELLS]["texts"]["study"] = ["beta"]


def attribute(name: str, to: Any) -> Callable[[Documents], None]:
    return set_to(CELLS, "attributes", name, to=to)


def twice_the_cell(documents: Documents) -> None:
    for name in ("site_of_cell", "pattern_of_cell"):
        documents[CELLS]["numbers"][name][1] = documents[CELLS]["numbers"][name][0]


def both(*changes: Callable[[Documents], None]) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        for one in changes:
            one(documents)

    return change


READINGS = {
    "alike": 5,
    "read_twice": 20,
    "second_readings_left": 0,
    "codes_of_settings": 4,
    "codes_of_settings_left": 0,
    "codes_left": [],
}
DOCUMENTS: dict[str, tuple[Callable[[Documents], None], str]] = {
    "no study": (without("study.json"), "no 'study.json'"),
    "no control": (without("control.json"), "no 'control.json'"),
    "no report": (without("report.json"), "no 'report.json'"),
    "no estimates": (without("estimates.json"), "no 'estimates.json'"),
    "no variant": (without("cells/threat-folded.json"), "no cells of threat, folded"),
    "study is a list": (lambda d: d.update({"study.json": []}), "study.json"),
    "study is a number": (lambda d: d.update({"study.json": 3}), "study.json"),
    "unknown key": (set_to("study.json", "respondents", to=[]), "the key 'respondents'"),
    "no outcomes": (set_to("study.json", "outcomes", to=[]), "outcomes"),
    "outcome is a path": (set_to("study.json", "outcomes", 0, to="../../etc"), "outcomes"),
    "text of a megabyte": (set_to("study.json", "codebook", "title", to="x" * 10**6), "title"),
    "rows that do not add up": (set_to("study.json", "rows_read", to=61), "61 rows read"),
    "negative rows": (set_to("study.json", "rows_kept", to=-1), "rows_kept"),
    "rows as text": (set_to("study.json", "rows_kept", to="60"), "rows_kept"),
    "rows as a fraction": (set_to("study.json", "rows_kept", to=59.5), "rows_kept"),
    "small place": (set_to("study.json", "places", 0, 3, to=4), "a count of 4"),
    "other provenance": (
        set_to("study.json", "codebook", "provenance", to="observed"),
        "the provenance as simulated and as observed",
    ),
    "other id": (set_to("study.json", "codebook", "id", to="beta"), "the study as alpha and as"),
    "other smallest cell": (set_to("control.json", "least", to=11), "the smallest cell as"),
    "more people in cells than kept": (
        set_to("control.json", "people", to=10**6),
        "1000000 people in cells of",
    ),
    "other number of sites": (set_to("control.json", "sites_after", to=40), "40 and"),
    "untouched though people left": (
        set_to("control.json", "people_left", to=12),
        "said to be untouched",
    ),
    "more estimates lost than there are": (
        set_to(
            "control.json",
            "intervals",
            to={"estimates": 2, "lost": 3, "median": 1.0, "largest": 1.0},
        ),
        "3 of 2 estimates lost",
    ),
    "median above the largest": (
        set_to(
            "control.json",
            "intervals",
            to={"estimates": 2, "lost": 0, "median": 5.0, "largest": 1.0},
        ),
        "a median of 5.0 above the largest",
    ),
    **{
        f"a thousand million in {name}": (
            set_to("control.json", name, to=10**9),
            f"1000000000 in '{name}' and ",
        )
        for name in ("sites_before", "settings_without_sites")
    },
    **{
        f"a thousand million in {name} of touched cells": (
            both(
                set_to("control.json", "untouched", to=False),
                set_to("control.json", name, to=10**9),
            ),
            f"1000000000 in '{name}' and ",
        )
        for name in ("people_left", "people_with_fewer_outcomes", "people_moved")
    },
    "more people behind an estimate than kept": (
        set_to("estimates.json", 0, "n", to=10**9),
        "1000000000 people behind an estimate, of 60 who were kept",
    ),
    "more sites than people": (
        both(set_to("control.json", "sites_after", to=61), set_to("study.json", "sites", to=61)),
        "61 sites and 60 people",
    ),
    "more estimates compared than there are": (
        set_to("control.json", "intervals", to={**NO_RATIOS, "estimates": 10**9}),
        "1000000000 and 0 new estimates, of which 2 are in the parcel",
    ),
    "more new estimates than there are": (
        set_to("control.json", "estimates_added", to=3),
        "0 and 3 new estimates",
    ),
    "more second readings left than read": (
        set_to("control.json", "interviews", to={**READINGS, "second_readings_left": 21}),
        "21 in 'interviews.second_readings_left' of 20",
    ),
    "more interviews read twice than people": (
        set_to("control.json", "interviews", to={**READINGS, "read_twice": 10**9}),
        "1000000000 in 'interviews.read_twice' of 70",
    ),
    "between sites of an exposure that is in no cells": (
        set_to("control.json", "between_sites", to=["luck_measured"]),
        "'luck_measured' in 'between_sites'",
    ),
    "unknown level": (
        set_to("study.json", "factors", "task_type", to=["core", "complementary"]),
        "the levels core, complementary",
    ),
    "unknown factor": (set_to("study.json", "factors", to={"moon": ["new", "full"]}), "'moon'"),
    "vocabulary not whole": (
        set_to("study.json", "vocabulary", to={"constructs": {"luck": {"label": "Luck"}}}),
        "vocabulary",
    ),
    "vocabulary of no section": (
        set_to("study.json", "vocabulary", to={"planets": {"mars": {}}}),
        "vocabulary",
    ),
    "estimate is text": (set_to("estimates.json", 0, "estimate", to="big"), "estimates.json"),
    "negative error": (set_to("estimates.json", 0, "se", to=-1), "estimates.json"),
    "cells are a list": (lambda d: d.update({CELLS: []}), "another structure"),
    "cells without numbers": (without(CELLS, "numbers"), "another structure"),
    "cells with a part more": (set_to(CELLS, "rows", to=[]), "another structure"),
    "no count": (without(CELLS, "numbers", "n"), "other names in 'numbers'"),
    "a variable more": (number("persons", to=[1]), "other names in 'numbers'"),
    "count is text": (number("n", 0, to="30"), "no float"),
    "count is a list": (number("n", 0, to=[30]), "'n'"),
    "count is true": (number("n", 0, to=True), "no float"),
    "count is null": (number("n", 0, to=None), "no float"),
    "counts are an object": (number("n", to={"0": 30}), "'n'"),
    "counts are missing": (number("n", to=[]), "shape"),
    "a count too few": (number("n", to=[30.0]), "shape"),
    "ragged": (number("xy", 0, to=[[1.0]]), "'xy'"),
    "too deep": (number("yy", 0, 0, 0, to=[[1.0]]), "'yy'"),
    "small cell": (people(9), "a cell of 9 people"),
    "nobody": (people(0), "a cell of 0 people"),
    "half a person": (people(30.5), "whole numbers"),
    "count is not the intercept": (number("n", 0, to=31.0), "intercept"),
    "huge": (number("xy", 0, 0, 0, to=10**400), "too large"),
    "overflow": (number("xy", 0, 0, 0, to=1e308), "no data have"),
    "not symmetric": (number("xx", 0, 0, 1, to=1.0), "not symmetric"),
    "impossible": (impossible, "no data have"),
    "not observed": (unobserved, "not observed"),
    "site out of range": (number("site_of_cell", 1, to=7), "site_of_cell"),
    "negative site": (number("site_of_cell", 0, to=-1), "site_of_cell"),
    "site is a fraction": (number("site_of_cell", 0, to=0.5), "no int"),
    "setting out of range": (number("setting_of_site", 0, to=3), "setting_of_site"),
    "flag of two": (number("sited", 0, to=2), "neither 0 nor 1"),
    "small type overflows": (number("asked", 0, 0, to=300), "'asked'"),
    "standardiser of zero": (number("scale", 0, 0, to=0.0), "standardiser"),
    "standardiser missing": (number("scale", 0, 0, to=None), "standardiser"),
    "cell twice": (twice_the_cell, "site_of_cell"),
    "another study": (another_study, "another study"),
    "name is a number": (set_to(CELLS, "coordinates", "site", 0, to=5), "no list of names"),
    "name is long": (set_to(CELLS, "coordinates", "site", 0, to="x" * 300), "no list of names"),
    "another exposure": (set_to(CELLS, "coordinates", "exposure", 0, to="luck"), "exposures"),
    "another outcome": (set_to(CELLS, "coordinates", "outcome", 0, to="luck|"), "outcomes"),
    "another country": (set_to(CELLS, "texts", "country", 0, to="XX"), "'XX'"),
    "another model": (attribute("model", "codings"), "cells of codings"),
    "another module": (attribute("module", "coping"), "coping"),
    "attribute is no JSON": (attribute("studies", "{"), "attributes"),
    "attribute is nested": (attribute("studies", "[" * 100_000), "attributes"),
    "attribute is a list": (attribute("dropped", []), "no text"),
    "dropped of another": (
        attribute("dropped", '[{"study": "beta", "rule": "x", "rows": 1}]'),
        "attributes",
    ),
}


def resealed(good: bytes, change: Callable[[Documents], None]) -> bytes:
    manifest, documents = opened(good)
    change(documents)
    return container.pack(sealed(manifest, deepcopy(documents)))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_are_wrong_are_refused_though_the_seal_is_right(
    tmp_path: Path, good: bytes, name: str
) -> None:
    change, word = DOCUMENTS[name]
    one_clear_error(tmp_path, resealed(good, change), word)


def one_clear_error(tmp_path: Path, content: bytes, word: str) -> None:
    """One problem, with file, study, what was found and how to fix it; nothing is written."""
    path, out = put(tmp_path, content), tmp_path / "out" / ALPHA
    with pytest.raises(BadInput) as error:
        taken(path, out)
    (problem,) = error.value.problems
    assert word in str(problem)
    assert "parcel" in problem.file
    assert problem.study == ALPHA
    assert problem.found
    assert problem.expected
    assert problem.fix
    assert len(str(problem)) < 1500, "a message, not the file"


def test_the_corpus_is_refused_by_its_content_and_not_by_making_it_again(
    tmp_path: Path, good: bytes
) -> None:
    """Sealed again without a change it is taken: so each variant is refused for its change."""
    taken(put(tmp_path, resealed(good, lambda _: None)), tmp_path / "out")


# --- the file itself -----------------------------------------------------------------------------


def archive(members: list[tuple[str | zipfile.ZipInfo, bytes]], **how: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **how) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        for name, content in members:
            file.writestr(name, content)
    return made.getvalue()


def members(good: bytes) -> list[tuple[str | zipfile.ZipInfo, bytes]]:
    with zipfile.ZipFile(io.BytesIO(good)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def text(good: bytes, name: str) -> bytes:
    return dict(members(good))[name]


def in_place_of(good: bytes, name: str, content: bytes) -> bytes:
    return archive([(n, content if n == name else c) for n, c in members(good)])


def manifest_with(good: bytes, **keys: Any) -> bytes:
    """The manifest changed and sealed again."""
    whole = json.loads(dict(members(good))[container.MANIFEST])
    whole |= keys
    for name in ("seal", *(key for key, value in keys.items() if value is None)):
        whole.pop(name)
    whole["seal"] = container.digest(container.canonical(whole))
    return in_place_of(good, container.MANIFEST, container.canonical(whole))


def named(name: str, kind: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, kind << 16
    return info


def with_flag(good: bytes, bit: int) -> bytes:
    """The first member marked as having a password, in both of its headers."""
    content = bytearray(good)
    central = content.index(b"PK\x01\x02")
    for place in (6, central + 8):
        struct.pack_into("<H", content, place, struct.unpack_from("<H", content, place)[0] | bit)
    return bytes(content)


BOMB = zipfile.ZIP_DEFLATED
FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "no ZIP archive"),
    "text": (lambda _: b"nr,home\n1,2\n", "no ZIP archive"),
    "pickle": (lambda _: b"\x80\x05\x95\x10\x00", "no ZIP archive"),
    "cut off": (lambda g: g[: len(g) // 2], "damaged archive"),
    "cut at the end": (lambda g: g[:-10], "damaged archive"),
    "only a head": (lambda _: b"PK\x03\x04", "damaged archive"),
    "a byte changed": (lambda g: g[:400] + bytes([g[400] ^ 255]) + g[401:], ""),
    "no members": (lambda _: b"PK\x03\x04" + archive([]), "does not say that it is a parcel"),
    "another archive": (lambda _: archive([("study.json", b"{}")]), "does not say"),
    "too large": (lambda _: b"PK\x03\x04" + bytes(container.MOST_BYTES), "a file of"),
    "a bomb": (
        lambda g: archive([*members(g)[:-1], ("study.json", bytes(2**24))], compression=BOMB),
        "unpack to",
    ),
    "many members": (
        lambda g: archive([(f"cells/a{i}-main.json", b"{}") for i in range(65)]),
        "65 files inside",
    ),
    "traversal": (lambda g: archive([*members(g), ("../../evil.json", b"{}")]), "evil"),
    "absolute": (lambda g: archive([*members(g), ("/etc/passwd", b"{}")]), "passwd"),
    "backslash": (lambda g: archive([*members(g), ("cells\\..\\evil.json", b"{}")]), "evil"),
    "drive": (lambda g: archive([*members(g), ("C:evil.json", b"{}")]), "evil"),
    "a folder": (lambda g: archive([*members(g), ("cells/", b"")]), "cells/"),
    "another file": (lambda g: archive([*members(g), ("rows.parquet", b"PAR1")]), "rows.parquet"),
    "code": (lambda g: archive([*members(g), ("model.py", b"1")]), "model.py"),
    "a link": (
        lambda g: archive([*members(g)[:-1], (named("study.json", 0o120777), b"/etc/passwd")]),
        "no plain file",
    ),
    "upper case": (lambda g: archive([*members(g), ("STUDY.json", b"{}")]), "STUDY"),
    "twice": (lambda g: archive([*members(g), ("study.json", b"{}")]), "twice"),
    "zero byte in a name": (lambda g: g.replace(b"study.json", b"study\0json"), ""),
    "password": (lambda g: with_flag(g, 1), "password"),
    "unusual packing": (
        lambda g: archive(members(g), compression=zipfile.ZIP_BZIP2),
        "unusual way",
    ),
    "not sealed again": (
        lambda g: in_place_of(g, "study.json", text(g, "study.json").replace(b"60", b"61")),
        "changed after it was sealed",
    ),
    "manifest changed": (
        lambda g: in_place_of(
            g, "parcel.json", text(g, "parcel.json").replace(b"10,", b"12,")
        ),
        "changed after it was sealed",
    ),
    "a document less": (lambda g: archive(members(g)[:-1]), "in only one of"),
    "a document more": (
        lambda g: archive([*members(g), ("cells/coping-main.json", b"{}")]),
        "in only one of",
    ),
    "newer version": (lambda g: manifest_with(g, version=VERSION + 1), "update this workflow"),
    "older version": (lambda g: manifest_with(g, version=0), "version 1 or 2 or 3 or 4 or 5"),
    "no request": (lambda g: manifest_with(g, request=None), "no 'request'"),
    "version as text": (lambda g: manifest_with(g, version="1"), "version 1"),
    "version is true": (lambda g: manifest_with(g, version=True), "version True"),
    "another format": (lambda g: manifest_with(g, format="zip"), "does not say"),
    "no checksum": (lambda g: manifest_with(g, checksum=None), "checksum"),
    "a bare checksum": (
        lambda g: manifest_with(g, checksum={"algorithm": "SHA-256", "data": "a" * 64}),
        "parcel.json",
    ),
    "too small a cell": (lambda g: manifest_with(g, least=3), "parcel.json"),
    "a key more": (lambda g: manifest_with(g, run="rm -r"), "the key 'run'"),
    "study is a path": (lambda g: manifest_with(g, study="../x"), "parcel.json"),
    "manifest is a list": (lambda g: in_place_of(g, "parcel.json", b"[]"), "does not say"),
    "no JSON": (lambda g: in_place_of(g, "study.json", b"study: 1"), "no strict JSON"),
    "not UTF-8": (lambda g: in_place_of(g, "study.json", b"\xff\xfe{}"), "no strict JSON"),
    "NaN": (lambda g: in_place_of(g, "study.json", b'{"a": NaN}'), "no strict JSON"),
    "Infinity": (lambda g: in_place_of(g, "study.json", b'{"a": -Infinity}'), "no strict JSON"),
    "key twice": (lambda g: in_place_of(g, "study.json", b'{"a": 1, "a": 2}'), "key twice"),
    "endless number": (lambda g: in_place_of(g, "study.json", b"9" * 10_000), "no strict JSON"),
    "nested": (lambda g: in_place_of(g, "study.json", b"[" * 200_000), "nested without end"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_sound_parcel_are_refused(tmp_path: Path, good: bytes, name: str) -> None:
    change, word = FILES[name]
    content = change(good)
    assert content != good
    one_clear_error(tmp_path, content, word)
    assert not (tmp_path / "out").exists()


def test_a_report_of_another_form_is_refused(tmp_path: Path, good: bytes) -> None:
    from metastudy.data_report.inspection.parcel import inspected_at_home

    save_parcel(put(tmp_path, good), VOCABULARY, tmp_path / "out" / ALPHA)
    study = load_study(tmp_path / "out" / ALPHA)
    assert study.parcel is not None
    with pytest.raises(BadInput, match="a data report of another form"):
        inspected_at_home(study, study.parcel)  # the made report has no numbers


def test_numbers_come_back_as_the_same_floats(good: bytes) -> None:
    """The shortest decimal of a float is read back as that float: 17 digits are enough."""
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(size=500), rng.normal(size=500) * 1e-300, [0.1, 1 / 3]])
    again = np.array(json.loads(container.canonical(values.tolist())))
    assert again.tobytes() == values.tobytes()


def test_reliabilities_travel_with_the_study(tmp_path: Path) -> None:
    folder = raw_study(tmp_path / "raw", "made")
    said = {"threat_job": 0.8}
    with (folder / "codebook.yaml").open("a", encoding="utf-8") as codebook:
        codebook.write(f"reliabilities: {json.dumps(said)}\n")
    place = tmp_path / "here" / "made" / "made.parcel"
    place.parent.mkdir(parents=True)
    parcel_of(harmonized(folder, tmp_path / "harmonized"), place)
    report = save_parcel(place, VOCABULARY, tmp_path / "saved")
    assert report["reliabilities"] == said
    assert said_in(place.parent, VOCABULARY).declared


def test_levels_that_a_study_adds_keep_their_order(tmp_path: Path) -> None:
    """In the file keys are sorted, and the reference is the first level and not the first name."""
    folder = raw_study(tmp_path / "raw", "made", sites=2)
    path = folder / "codebook.yaml"
    text = path.read_text("utf-8").replace("task_type", "letter")
    text = text.replace("complementary", "plain").replace("core", "extra")
    levels = "label: Letter, levels: {plain: Plain, extra: Extra}"
    added = f"vocabulary:\n  factors:\n    letter: {{{levels}}}\n"
    path.write_text(text + added, "utf-8")
    study = harmonized(folder, tmp_path / "rows")
    own = of_studies(ROOT / "config" / "vocabulary.yaml", [study.vocabulary])
    controlled = control(study, own, 5)
    place = put(tmp_path / "here", b"", "made")
    manifest = {**MANIFEST, "study": "made", "least": controlled.did["least"]}
    write(place, manifest, documents(controlled, own, report_of(controlled)))
    report = save_parcel(place, VOCABULARY, tmp_path / "saved")
    assert list(report["vocabulary"]["factors"]["letter"]["levels"]) == ["plain", "extra"]
    there = of_studies(ROOT / "config" / "vocabulary.yaml", [report["vocabulary"]])
    from_rows = cells_of_one(controlled.study, "threat", own, "main")
    from_parcel = cells_of_one(load_study(tmp_path / "saved"), "threat", there, "main")
    np.testing.assert_array_equal(from_parcel.xy.values, from_rows.xy.values)
