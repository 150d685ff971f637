"""What a job made is taken again where its command and contents are the same, and only there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metastudy.common import result_store
from metastudy.common.stored_outputs import key_of, put, take

DEPENDS = {"code": "1", "flags": "", "lock": "2"}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Inputs of a job in the working directory: a file, a folder, and what it only waits for."""
    monkeypatch.chdir(tmp_path)
    for name in ("cells.nc", "tables/a.parquet", "tables/b.parquet", "gates.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def key(**changed: object) -> str:
    given = {
        "command": ["draw", "--cells", "cells.nc", "--tables", "tables", "--out", "out.csv"],
        "inputs": [Path("cells.nc"), Path("tables"), Path("gates.json")],
        "outputs": [Path("out.csv")],
        "depends": DEPENDS,
    }
    return key_of(**{**given, **changed})  # type: ignore[arg-type]


def test_touches_and_what_the_command_is_not_given_do_not_count(job: Path) -> None:
    before = key()
    (job / "gates.json").write_text("another R-hat")
    (job / "tables" / ".snakemake_timestamp").touch()
    (job / "cells.nc").touch()
    assert key() == before


def test_where_inputs_and_outputs_are_does_not_count(job: Path) -> None:
    before = key()
    (job / "cells.nc").rename(job / "other.nc")
    words = ["draw", "--cells", "other.nc", "--tables", "tables", "--out", "b/out.csv"]
    moved = [Path("other.nc"), Path("tables")]
    assert key(command=words, inputs=moved, outputs=[Path("b/out.csv")]) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda job: (job / "cells.nc").write_text("other"),
        lambda job: (job / "tables" / "b.parquet").write_text("other"),
        lambda job: (job / "tables" / "b.parquet").rename(job / "tables" / "c.parquet"),
        lambda job: (job / "tables" / "c.parquet").write_text("new"),
    ],
    ids=["a file", "in a folder", "a name", "a new file"],
)
def test_a_content_that_the_command_is_given_counts(job: Path, change) -> None:
    before = key()
    change(job)
    assert key() != before


def test_an_input_in_a_folder_that_the_command_is_given_counts(job: Path) -> None:
    words = ["render", "--tables", "tables"]
    files = [Path("tables/a.parquet"), Path("tables/b.parquet")]
    before = key(command=words, inputs=files)
    (job / "tables" / "b.parquet").write_text("other")
    assert key(command=words, inputs=files) != before


WORDS = ["draw", "--vocabulary", "vocabulary.yaml"]
SAID = "a: {b: 1, c: x}\nd: [1, 2]\n"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("# a comment\n" + SAID, True),
        ("a:\n    b: 1  # why\n    c: 'x'\n\nd:\n- 1\n- 2\n", True),
        ("a: {b: '1', c: x}\nd: [1, 2]\n", False),
        ("a: {b: 1.0, c: x}\nd: [1, 2]\n", False),
        ("a: {b: true, c: x}\nd: [1, 2]\n", False),
        ("a: {c: x, b: 1}\nd: [1, 2]\n", False),
        ("a: {b: 1, c: x}\nd: [2, 1]\n", False),
        ("a: {b: 1, c: x, d: [1, 2]}\n", False),
        ("a: {b: 1, c: x}\nd: [1, 2]\nd: [1, 2]\n", False),
        ("a: {b: 1, c: x}\nd: [1, 2\n", False),
        ("a: {b: 1, c: !!str x}\nd: !!set {1, 2}\n", False),
    ],
    ids=str,
)
def test_a_yaml_file_counts_by_what_it_says(job: Path, text: str, same: bool) -> None:
    path = job / "vocabulary.yaml"
    path.write_text(SAID)
    before = key(command=WORDS, inputs=[Path(path.name)])
    path.write_text(text)
    assert (key(command=WORDS, inputs=[Path(path.name)]) == before) is same


def test_a_yaml_file_that_may_be_copied_counts_by_its_bytes(job: Path) -> None:
    path = job / "tables" / "project.yml"
    path.write_text(SAID)
    words, files = ["render", "--tables", "tables"], [Path("tables/project.yml")]
    before = key(command=words, inputs=files)
    path.write_text("# a comment\n" + SAID)
    assert key(command=words, inputs=files) != before


def test_a_file_that_would_grow_without_bound_costs_nothing(job: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 99)]
    (job / "vocabulary.yaml").write_text("\n".join(lines))
    assert key(command=WORDS, inputs=[Path("vocabulary.yaml")])


def test_words_code_lock_and_flags_count_and_cores_do_not(job: Path) -> None:
    words = ["fit", "--cells", "cells.nc", "--seed", "1"]
    found = {key(command=words)}
    assert key(command=[*words, "--cores", "2"]) == key(command=[*words, "--cores", "1"])
    assert key(command=[*words, "--cores", "2"]) in found
    assert key(command=["fit", "--cores", "2", *words[1:]]) in found
    found |= {key(command=[*words[:-1], "2"]), key(command=[*words, "cells.nc"])}
    found |= {key(command=words, depends=DEPENDS | {name: "other"}) for name in DEPENDS}
    assert len(found) == 6


OUTPUTS = [Path("figure.svg"), Path("made")]


def make(job: Path) -> None:
    (job / "figure.svg").write_bytes(b"svg" * 1000)
    (job / "made" / "deep").mkdir(parents=True)
    (job / "made" / "one.csv").write_text("1")
    (job / "made" / "deep" / "two.csv").write_text("2")
    (job / "made" / ".snakemake_timestamp").touch()


def unmake(job: Path) -> dict[str, bytes]:
    """What was made, which is gone then."""
    paths = [job / "figure.svg", *(job / "made").rglob("*")]
    found = {str(p.relative_to(job)): p.read_bytes() for p in paths if p.is_file()}
    (job / "figure.svg").unlink(missing_ok=True)
    shutil.rmtree(job / "made", ignore_errors=True)
    return {name: content for name, content in found.items() if "timestamp" not in name}


def test_files_and_folders_come_back_byte_for_byte(job: Path) -> None:
    make(job)
    store, name = job / "store", key()
    assert not take(store, name, OUTPUTS)
    assert put(store, name, OUTPUTS)
    made = unmake(job)
    assert take(store, name, OUTPUTS)
    assert unmake(job) == made
    assert len(made) == 3
    assert not take(store, key(command=["other"]), OUTPUTS)


@pytest.mark.parametrize("which", range(4))
def test_of_a_job_with_a_damaged_entry_nothing_is_taken_and_it_is_made_whole_again(
    job: Path, which: int, capsys: pytest.CaptureFixture[str]
) -> None:
    make(job)
    store, name = job / "store", key()
    put(store, name, OUTPUTS)
    entries = sorted(path for path in store.rglob("*") if path.is_file())
    assert len(entries) == 4, "a list and three files"
    entries[which].write_bytes(b"damaged")
    made = unmake(job)
    assert not take(store, name, OUTPUTS)
    assert "damaged" in capsys.readouterr().err
    assert unmake(job) == {}
    make(job)
    assert put(store, name, OUTPUTS)
    unmake(job)
    assert take(store, name, OUTPUTS)
    assert unmake(job) == made


def test_a_list_whose_files_are_gone_gives_way_to_what_was_made_now(job: Path) -> None:
    make(job)
    store, name = job / "store", key()
    put(store, name, OUTPUTS)
    for path in store.rglob("*"):
        if path.is_file() and not path.name.startswith(name):
            path.unlink()
    (job / "figure.svg").write_text("other bytes")
    assert not take(store, name, OUTPUTS)
    (job / "figure.svg").write_text("other bytes")
    assert put(store, name, OUTPUTS)
    (job / "figure.svg").unlink()
    assert take(store, name, OUTPUTS)
    assert (job / "figure.svg").read_text() == "other bytes"


@pytest.mark.parametrize("listed", ['[[0, "../x", "1"]]', '[[9, "", "1"]]', "{", "[1]"])
def test_a_list_that_leads_elsewhere_writes_nothing(job: Path, listed: str) -> None:
    planted = job / "list.json"
    planted.write_text(listed)
    result_store.keep(job / "store", key(), planted)
    before = sorted(job.rglob("*"))
    assert not take(job / "store", key(), OUTPUTS)
    assert sorted(job.rglob("*")) == before
