"""Broken variants of good studies: each ends in the error that was fixed beforehand, or unchanged.

`expected.csv` has one row a class and outcome. Its `formats` are names of formats and of sets of
them (`SETS`); what has a minus before it is taken out again. Its `code` is one of

- error codes: all of those joined by `+` and no others; `|` is between what is as good;
- `any`: an error, whatever its code (damage that may fall on anything);
- `unchanged`: the same tables as of the good study; what follows is reported as unmapped;
- `excluded`: the same tables, but for one row that left and is counted with its rule;
- `named`: read as far as it goes, and a note in the report names what is not in the tables;
- `reported`: nothing that a reader of files can see, and an alarm in the data report.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from helpers.good_studies import CODED, FORMATS, STUDY, TABLES, Variant
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.variants import MAKERS
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import merge
from metastudy.common.problem_codes import CODES
from metastudy.common.problems import BadInput, Problem
from metastudy.data_report.alerts import ALARM, alerts
from metastudy.data_report.inspection.study import inspect
from metastudy.display.labels import Labels
from metastudy.harmonize.harmonize import Harmonized, harmonize_file, save
from metastudy.harmonized import study as harmonized_study
from metastudy.models.answers import cells
from metastudy.models.codings import cells as codings_cells

SECONDS = 60  # of one variant, on a busy machine
MORE_MEMORY = 1500  # MB that a variant may add to the highest use of memory so far
ADDRESSES = 12 * 2**30  # bytes; what asks for more than this besides is stopped
KEY = b"a key of the corpus"

# Where a problem of a code must say that it is.
PLACES = {
    "off-scale": ("row", "column"),
    "unknown-label": ("row", "column"),
    "missing-id": ("row", "column"),
    "duplicate-id": ("row",),
    "contradiction": ("row", "column"),
    "unknown-column": ("column",),
    "undeclared-missing": ("column",),
    "codebook": ("row",),
    "vocabulary": ("row", "column"),
    "free-text": ("row", "column"),
}
NO_PLACE = {  # what is wrong with a file as a whole has none
    ("sheet that is not there", "unknown-column"),
    ("codebook of bytes", "codebook"),
    ("codebook with a NUL", "codebook"),
    ("codebook nested very deeply", "codebook"),
    ("YAML bomb", "codebook"),
    ("YAML bomb in a place that is allowed", "codebook"),
    ("YAML bomb of merges", "codebook"),
    ("anchor that holds itself", "codebook"),
    ("anchor that holds itself, in a list", "codebook"),
    ("mapping that merges itself", "codebook"),
    ("number that is very long", "codebook"),
}
LATER = (
    "-arm",
    "-few-items",
    "-outcome",
    "-organisation",
)  # ends of the codes that aggregating gives
QUICK = ("csv", "matrix", "segments", "codebook")  # are read in no time; all others are slow
UNREADABLE = ("data file may not be read", "codebook may not be read")


TEXT = ("csv", "tsv", "semicolon", "qualtrics", "qualtrics_tsv", "legacy")
OTHER = ("xlsx", "parquet", "sav", "dta")
# Spelt out here, not taken from the makers: a format that these forget is then seen to be missing.
SETS = {
    "all": (*TEXT, *OTHER, "matrix", "qdpx", "segments"),
    "tables": (*TEXT, *OTHER),
    "grids": (*TEXT, *OTHER, "matrix"),
    "text": TEXT,
    "cells": ("csv", "semicolon", "qualtrics", *OTHER),
    "coded": ("matrix", "qdpx", "segments"),
    "zipped": ("xlsx", "qdpx"),
}


def formats(said: str) -> list[str]:
    """The formats that a row of the table names, in the order in which it does."""
    found: dict[str, None] = {}
    for word in said.split():
        for name in SETS.get(word.removeprefix("-"), (word.removeprefix("-"),)):
            if word.startswith("-"):
                del found[name]
            else:
                found[name] = None
    return list(found)


def table() -> dict[tuple[str, str], str]:
    """What each class has to lead to in each format."""
    found: dict[tuple[str, str], str] = {}
    with (Path(__file__).parent / "expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for form in formats(row["formats"]):
                assert (row["class"], form) not in found, (row["class"], form)
                found[row["class"], form] = row["code"]
    return found


EXPECTED = table()


class Hangs(BaseException):
    """A variant took longer than it may."""


@contextmanager
def guarded(seconds: int = SECONDS) -> Iterator[None]:
    """Stop what hangs or asks for very much memory."""

    def ring(*_: object) -> None:
        raise Hangs

    def used(who: int) -> int:
        return resource.getrusage(who).ru_maxrss

    now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = used(resource.RUSAGE_SELF)
    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (now + ADDRESSES, hard))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert used(resource.RUSAGE_SELF) - before < 1024 * MORE_MEMORY


def harmonized(folder: Path) -> Harmonized:
    """Take the public way from a folder to the harmonized tables."""
    codebook = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    return harmonize_file(codebook, KEY)


def aggregated(found: Harmonized, module: str) -> None:
    """Bring the tables to the cells of a model, the next place where data may be refused."""
    study = harmonized_study.Study(found.report, found.tables)
    vocabulary = merge(VOCABULARY, [found.report["vocabulary"]])
    make = cells.answer_cells if module == "threat" else codings_cells.code_cells
    make([study], module, vocabulary)


@cache
def good(kind: str) -> Harmonized:
    """The harmonized tables of the good study in a format; made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        return harmonized(Variant(kind).build(Path(folder) / "raw"))


def same_tables(found: Harmonized, kind: str, *but: str) -> None:
    for name, expected in good(kind).tables.items():
        if name not in but:
            pd.testing.assert_frame_equal(found.tables[name], expected)


def same_report(found: Harmonized, kind: str, *but: str) -> None:
    expected = good(kind).report
    assert found.report.keys() == expected.keys()
    for key, value in expected.items():
        if key not in ("sha256", *but):
            assert found.report[key] == value, key


def whole_message(problem: Problem, name: str, folder: Path) -> None:
    """Check that a problem says what it has to, and not what it may not."""
    assert problem.code in CODES
    assert problem.study == STUDY
    for part in (problem.file, problem.found, problem.expected, problem.fix):
        assert part
        assert part.strip()
    for place in PLACES.get(problem.code, ()):
        if (name, problem.code) not in NO_PLACE:
            assert getattr(problem, place) is not None, (place, str(problem))
    said = str(problem)
    assert "Traceback" not in said
    assert "<object" not in said
    assert str(folder) not in said, "a path of this machine"
    assert len(said) < 5000, "nobody reads that"
    assert "\0" not in said


def outcome_of(folder: Path, kind: str, further: bool) -> tuple[Harmonized | None, BadInput | None]:
    """Harmonize, and aggregate what only then is seen; any error but one is no outcome."""
    try:
        with guarded():
            found = harmonized(folder)
            if further:
                aggregated(found, "threat" if kind in TABLES else "strain")
            return found, None
    except BadInput as error:
        return None, error


def refused(name: str, expected: str, problems: list[Problem], folder: Path) -> None:
    codes = {problem.code for problem in problems}
    if expected != "any":
        assert codes in [set(one.split("+")) for one in expected.split("|")], codes
    for problem in problems:
        whole_message(problem, name, folder)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(name, form, marks=() if form in QUICK else pytest.mark.slow)
        for name, form in EXPECTED
    ],
    ids=map(" / ".join, EXPECTED),
)
def test_a_variant_ends_as_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    if name in UNREADABLE and os.geteuid() == 0:
        pytest.skip("everything may be read by root")
    expected = EXPECTED[name, form]
    kind = "csv" if form == "codebook" else form
    good(kind)
    variant = Variant(kind)
    MAKERS[name, form](variant)
    folder = variant.build(tmp_path / "data" / "raw")
    monkeypatch.chdir(tmp_path)  # as in a project, whose paths are told from its root
    outcome, _, unmapped = expected.partition(" ")
    further = expected in ("any", "reported") or expected.endswith(LATER)
    if form in ("sav", "dta", "parquet") and variant.content is None:
        # A whole file from its own library: nothing in it can kill a process, so none is spent.
        reader = "parquet" if form == "parquet" else "statistical"
        monkeypatch.setattr(f"metastudy.readers.{reader}.survives", lambda *_: True)
    found, error = outcome_of(folder, kind, further)
    if error:
        assert outcome not in ("unchanged", "excluded", "named", "reported"), str(error)
        refused(name, expected, error.problems, tmp_path)
        return
    assert found
    if outcome == "unchanged":
        same_tables(found, kind)
        same_report(found, kind, "unmapped", "cases")
        lost = list(good(kind).report["unmapped"])
        assert sorted(found.report["unmapped"]) == sorted(lost + ([unmapped] if unmapped else []))
    elif outcome == "named":
        assert found.report["notes"]
    elif outcome == "excluded":
        one_row_less(found, kind)
    else:
        assert outcome == "reported", f"read as if nothing were wrong; expected is {expected}"
        alarmed(found)


def one_row_less(found: Harmonized, kind: str) -> None:
    """Check that one row left by consent, and that nothing else is different."""
    before, after = good(kind), found
    gone = set(before.tables["respondents"]["respondent_id"]) - set(
        after.tables["respondents"]["respondent_id"]
    )
    assert len(gone) == 1
    for name in ("respondents", "assignments", "measurements"):
        kept = before.tables[name]
        kept = kept[~kept["respondent_id"].isin(gone)].reset_index(drop=True)
        pd.testing.assert_frame_equal(after.tables[name], kept)
    left = after.tables["exclusions"]
    assert left.loc[left["respondent_id"].isin(gone), "rule"].tolist() == ["no_consent"]
    assert after.report["excluded"]["no_consent"] == before.report["excluded"]["no_consent"] + 1


def alarmed(found: Harmonized) -> None:
    """Check that the data report asks whether the keying is right."""
    vocabulary = merge(VOCABULARY, [found.report["vocabulary"]])
    seen = inspect(harmonized_study.Study(found.report, found.tables), vocabulary, 5)
    told = alerts(seen, Labels(vocabulary, {STUDY: "Small"}))
    assert any(one.level == ALARM and "keying" in one.text for one in told)


# --- the corpus as a whole -----------------------------------------------------------------------


def test_the_table_and_the_makers_have_the_same_variants() -> None:
    assert set(EXPECTED) == set(MAKERS)


def test_the_corpus_is_as_large_as_was_promised(capsys: pytest.CaptureFixture[str]) -> None:
    classes = {name for name, _ in EXPECTED}
    forms = Counter(form for _, form in EXPECTED)
    ends = Counter(one.split(" ")[0].split("|")[0] for one in EXPECTED.values())
    assert len(EXPECTED) >= 1346, "a set that lost a format takes many variants with it"
    assert len(classes) >= 325
    assert set(forms) == {*FORMATS, "codebook"} == {*SETS["all"], "codebook"}
    assert ends["unchanged"] < len(EXPECTED) / 3
    known = {*CODES, "any", "unchanged", "excluded", "reported", "named"}
    for one in EXPECTED.values():
        assert set(one.split(" ")[0].replace("+", "|").split("|")) <= known
    with capsys.disabled():
        print(f"\ncorpus: {len(EXPECTED)} variants of {len(classes)} classes")
        print("  by format: " + ", ".join(f"{name} {n}" for name, n in forms.most_common()))
        print("  by outcome: " + ", ".join(f"{name} {n}" for name, n in ends.most_common()))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_good_study_reaches_the_cells_of_a_model(kind: str) -> None:
    aggregated(good(kind), "threat" if kind in TABLES else "strain")
    assert len(good(kind).tables["respondents"]) == (44 if kind in TABLES else 12)


@pytest.mark.parametrize("kind", [one for one in TABLES if one != "csv"])
def test_the_good_study_is_the_same_in_all_formats(kind: str) -> None:
    rows = ["exclusions"] if kind not in ("csv", "tsv", "semicolon", "xlsx") else []
    same_tables(good(kind), "csv", *rows)


@pytest.mark.parametrize("kind", [one for one in CODED if one != "matrix"])
def test_all_forms_of_coded_interviews_tell_the_same_of_them(kind: str) -> None:
    one, other = good("matrix").tables, good(kind).tables
    pd.testing.assert_frame_equal(one["readings"], other["readings"])
    key = ["source_id", "coder_id", "code_id"]
    pairs = [made["codings"][key].sort_values(key, ignore_index=True) for made in (one, other)]
    pd.testing.assert_frame_equal(*pairs)


def test_a_list_of_segments_gives_the_very_tables_of_the_project() -> None:
    for name, expected in good("qdpx").tables.items():
        pd.testing.assert_frame_equal(good("segments").tables[name], expected)


# --- through the command -------------------------------------------------------------------------


COMMANDS = (
    ("off scale, above", "csv"),
    ("cut off at a third", "sav"),
    ("right start, random rest", "parquet"),
    ("billion laughs", "xlsx"),
    ("zip bomb", "qdpx"),
    ("rows of a source disagree", "matrix"),
    ("YAML bomb", "codebook"),
    ("codebook missing", "codebook"),
)


def command(folder: Path, out: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """Run the rule's command on an observed study."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.harmonize", "--study-folder", folder),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml", "--out", out),
            *("--pseudonyms", json.dumps({"key_file": str(key)})),
            *("--manifest", folder.parent / "manifest.yaml"),
        ],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(("name", "form"), COMMANDS, ids=map(" / ".join, COMMANDS))
def test_the_command_ends_with_one_message_and_leaves_what_was_there(
    tmp_path: Path, name: str, form: str
) -> None:
    kind = "csv" if form == "codebook" else form
    out = tmp_path / "results" / STUDY
    save(good(kind), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    variant = Variant(kind)
    MAKERS[name, form](variant)
    folder = variant.build(tmp_path / "project" / "data" / "raw")
    (tmp_path / "project" / "Snakefile").touch()  # the mark of a repository; its key lies outside
    key = tmp_path / "key"
    key.write_bytes(b"a key that is long enough")
    done = command(folder, out, key)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    for code in EXPECTED[name, form].split("|")[0].split("+"):
        assert f"[{code}]" in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in out.parent.iterdir()) == [STUDY], "no rests beside it"
