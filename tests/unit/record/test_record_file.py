"""The file of record: full precision, the same bytes from the same build, and no edit unseen."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.evidence import selection
from helpers.records import CONFIG, finished_build
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.record import inputs
from metastudy.record.record_file import dumped, load, made, without
from metastudy.record.verdict import judge


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished build. Read only."""
    return finished_build(tmp_path_factory.mktemp("record") / "one")


def record_of(folder: Path) -> dict[str, Any]:
    return made(folder / "results", folder)


def test_a_record_has_every_number_in_full_precision_with_its_error(built: Path) -> None:
    found = record_of(built)["tables"]["contrasts/threat"]
    rows = pd.read_parquet(built / "results/contrasts/threat.parquet").set_index("id")
    assert found["primary"] == sorted(rows.index)
    for key, (values, beside) in found["rows"].items():
        for column, value, error in zip(found["columns"], values, beside, strict=True):
            if column != "verdict":
                assert value == rows.loc[key, column]
            if column == "mean":
                assert error == pytest.approx(rows.loc[key, "mcse"], rel=0.01)
            if column == "sd":  # of normal draws, and from the draws, not from the parts
                assert error == pytest.approx(0.1 / math.sqrt(2 * 2000), rel=0.15)
    assert found["sources"]["sd"] == "draws"


def test_a_word_has_the_words_within_two_errors_beside_it(built: Path) -> None:
    found = record_of(built)["tables"]["contrasts/threat"]
    at = found["columns"].index("verdict")
    words = {k[-1]: (values[at], beside[at]) for k, (values, beside) in found["rows"].items()}
    assert words["f"] == ("clear_higher", None)
    assert words["a"][0] in ("clear_higher", "higher")
    word, others = words["e"]  # 1.96 standard deviations from zero: on the cut of the direction
    assert {word, *others} >= {"higher", "undecided"}


def test_another_seed_is_reproduced_and_a_moved_model_is_not(built: Path, tmp_path: Path) -> None:
    old = record_of(built)
    assert (
        judge(old, record_of(finished_build(tmp_path / "two", seed=4)))["verdict"] == "reproduced"
    )
    found = judge(old, record_of(finished_build(tmp_path / "three", seed=4, shift=0.03)))
    assert found["verdict"] == "not reproduced"
    assert {m["column"] for m in found["moved"]} >= {"mean", "lower", "upper"}
    assert found["begins"] == "draws"


def test_the_same_build_gives_the_same_bytes_in_another_folder(built: Path, tmp_path: Path) -> None:
    here, there = (
        dumped(record_of(folder)) for folder in (built, finished_build(tmp_path / "elsewhere"))
    )
    assert here == there
    assert str(built) not in here
    assert here.count("\n") < 200  # a row on a line


def test_data_are_the_same_whatever_the_ends_of_their_lines(tmp_path: Path) -> None:
    data = tmp_path / "raw" / "study"
    data.mkdir(parents=True)
    digests = set()
    for content in (b"id;item\n1;2\n", b"id;item\r\n1;2\r\n", b"id;item\r1;2\r"):
        (data / "answers.csv").write_bytes(content)
        digests.add(inputs.raw(tmp_path / "raw", ["study"])["study"]["answers.csv"])
    assert len(digests) == 1
    (data / "answers.csv").write_bytes(b"id;item\n1;3\n")
    assert inputs.raw(tmp_path / "raw", ["study"])["study"]["answers.csv"] not in digests
    binary = b"\x00\r\n", b"\x00\n"
    assert inputs.content_digest(binary[0]) != inputs.content_digest(binary[1])


def test_a_codebook_counts_by_what_it_says(built: Path, tmp_path: Path) -> None:
    for name, text in (
        ("a", "study: {id: x, label: y}\n"),
        ("b", "# why\r\nstudy:\r\n  label: y\r\n  id: x\r\n"),
        ("c", "study: {id: x, label: z}\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "codebook.yaml").write_bytes(text.encode())
    found = inputs.codebooks(tmp_path, "abc", [])
    assert found["a"] == found["b"] != found["c"]


def test_a_setting_is_compared_by_its_key_and_where_things_are_is_none() -> None:
    priors, settings, seed = inputs.settings(CONFIG)
    assert priors == CONFIG["priors"]
    assert seed == 3
    assert settings.keys() == {
        *("require", "sampling.draws", "report.clear", "report.too_small", "report.direction")
    }


@pytest.fixture(scope="module")
def written(built: Path) -> str:
    return dumped(record_of(built))


def edited(text: str, edit: Callable[[dict[str, Any]], object]) -> str:
    """A record with a row of its numbers edited, and the checksum that it had."""
    found = json.loads(text)
    edit(found["tables"]["contrasts/threat"]["rows"])
    return dumped(found)


BROKEN = {
    "half-written": (lambda text: text[: len(text) // 2], "no JSON"),
    "old version": (lambda _: '{"raw": {}, "tables": {}, "variables": {}}', "version 1"),
    "new version": (lambda text: text.replace('"schema": 2', '"schema": 3'), "version 3"),
    "a section is missing": (lambda text: text.replace('"stages"', '"other"'), "no stages"),
    "edited by hand": (lambda text: text.replace('"0.30"', '"0.31"'), "edited after it was"),
    "a number taken out": (lambda text: edited(text, lambda rows: rows.popitem()), "edited after"),
    "a number added": (
        lambda text: edited(text, lambda rows: rows.update(new=next(iter(rows.values())))),
        "edited after it was",
    ),
    "a number moved": (
        lambda text: edited(text, lambda rows: next(iter(rows.values()))[0].__setitem__(0, 9.0)),
        "edited after it was",
    ),
    "no object": (lambda _: "[]", "version none"),
}


@pytest.mark.parametrize(("edit", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_record_that_is_broken_old_or_edited_is_an_error_that_says_so(
    written: str, tmp_path: Path, edit: Any, said: str
) -> None:
    path = tmp_path / "record.json"
    path.write_text(edit(written), "utf-8")
    with pytest.raises(BadInput, match=said):
        load(path)


def forged(written: str, **other: Any) -> str:
    """A record with other sections, and a checksum that goes with them."""
    return dumped(without(json.loads(written) | other, [], []))


@pytest.mark.parametrize(
    "commit",
    ["--output=/tmp/x", "../../elsewhere", "HEAD", "abc", "a" * 41, "0123456 ", "0123456++"],
)
def test_a_commit_that_is_none_is_an_error(written: str, tmp_path: Path, commit: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(forged(written, commit=commit), "utf-8")
    with pytest.raises(BadInput, match="as its commit"):
        load(path)


@pytest.mark.parametrize("commit", ["", "0123abc", "0123abc+", "a" * 40, "a" * 40 + "+", "b" * 64])
def test_a_commit_is_taken_with_its_mark(written: str, tmp_path: Path, commit: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(forged(written, commit=commit), "utf-8")
    assert load(path)["commit"] == commit


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"commit": 3}, "commit of another form"),
        ({"commit": None}, "commit of another form"),
        ({"seed": "3"}, "seed of another form"),
        ({"priors": []}, "priors of another form"),
        ({"tables": []}, "tables of another form"),
        ({"tables": {"one": 3}}, "tables: one of another form"),
        ({"tables": {"one": {"rows": []}}}, "rows of one of another form"),
        ({"tables": {"one": {"kinds": [[]]}}}, "kinds of one of another form"),
        ({"tables": {"one": {"columns": ["a"], "rows": {"x": [[1], 2]}}}}, "the row x of one"),
        ({"raw": {"study": "digest"}}, "raw: study of another form"),
    ],
)
def test_a_record_of_another_form_is_one_error(
    written: str, tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    path = tmp_path / "record.json"
    path.write_text(forged(written, **other), "utf-8")
    with pytest.raises(BadInput, match=said) as bad:
        load(path)
    assert len(bad.value.problems) == 1


def test_a_record_is_read_as_it_was_written_also_from_a_checkout_with_other_line_ends(
    written: str, tmp_path: Path
) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(written.replace("\n", "\r\n").encode())
    assert dumped(load(path)) == written
    with pytest.raises(BadInput, match="no such file"):
        load(tmp_path / "other.json")


def test_a_number_without_a_kind_and_an_unfinished_build_are_errors(tmp_path: Path) -> None:
    folder = finished_build(tmp_path / "one")
    path = folder / "results/contrasts/threat.parquet"
    rows = pd.read_parquet(path)
    rows.assign(novel=1.5).to_parquet(path)
    with pytest.raises(MetastudyError, match=r"contrasts/threat: novel has no kind"):
        record_of(folder)
    pd.concat([rows, rows]).to_parquet(path)
    with pytest.raises(MetastudyError, match="do not tell apart"):
        record_of(folder)
    rows.to_parquet(path)
    (folder / "results/variables/_variables.yml").unlink()
    with pytest.raises(MetastudyError, match="finish the build first"):
        record_of(folder)


def test_analyses_of_selection_of_one_effect_are_rows_of_their_own(tmp_path: Path) -> None:
    folder = finished_build(tmp_path / "one")
    (folder / "results/selection").mkdir()
    for name, table in selection().items():
        table.to_parquet(folder / f"results/selection/{name}.parquet")
    analyses = selection()["analyses"]
    assert analyses["outcome"].nunique() == 1
    rows = record_of(folder)["tables"]["selection/analyses"]["rows"]
    assert {key.rpartition("|")[2] for key in rows} == set(analyses["analysis"])


def test_results_of_a_study_that_was_removed_are_no_record(tmp_path: Path) -> None:
    folder = finished_build(tmp_path / "build")
    (folder / "results/harmonized/removed").mkdir(parents=True)
    with pytest.raises(MetastudyError, match="withdraw --config study=removed"):
        record_of(folder)
