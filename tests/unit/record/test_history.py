"""What changed since the record, and the primary contrasts over accepted records."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from helpers.records import ERROR, rebuilt, small_record
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.record import history

MADE_OF = {
    "threat.a.b.estimate": {"estimands": ["row 3"], "tables": ["contrasts/threat.parquet"]},
    "threat.a.sentence": {"estimands": [], "tables": []},
}


def record(checksum: str = "c1" * 32) -> dict[str, Any]:
    return small_record() | {"checksum": checksum}


def test_a_primary_contrast_of_a_record_is_its_row() -> None:
    found = history.entries(record(), MADE_OF, ["threat.a.b", "threat.a.b"])
    (row,) = found
    assert row["mean"] == record()["tables"]["contrasts/threat"]["rows"]["row 3"][0][0]
    assert (row["name"], row["record"], row["seed"]) == ("threat.a.b", "c1" * 6, 1)
    assert row["verdict"] == "undecided"
    # a project that names none has the population effects of the record
    assert [r["name"] for r in history.entries(record(), {}, [])] == ["contrasts/threat: row 0"]
    with pytest.raises(MetastudyError, match=r"threat\.none is no row"):
        history.entries(record(), MADE_OF, ["threat.none"])


def test_the_history_grows_by_each_record_once_and_keeps_full_precision(tmp_path: Path) -> None:
    path = tmp_path / "record_history.csv"
    assert history.read(path) == []
    first = history.entries(record(), MADE_OF, ["threat.a.b"])
    path.write_text(history.dump(history.with_new([], first)), "utf-8")
    again = history.with_new(history.read(path), first)
    assert history.dump(again) == path.read_text("utf-8")
    second = history.entries(record("d2" * 32), MADE_OF, ["threat.a.b"])
    path.write_text(history.dump(history.with_new(again, second)), "utf-8")
    found = history.read(path)
    assert [row["record"] for row in found] == ["c1" * 6, "d2" * 6]
    assert found[0]["mean"] == first[0]["mean"]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda text: text[:-9], "cells"),
        (lambda text: text.replace("record,commit", "records,commit"), "no header"),
        (lambda text: text.replace("undecided", "undecided,more"), "9 cells"),
        (lambda text: text.replace(",threat.a.b,", ",threat.a.b,x"), "could not convert"),
    ],
)
def test_a_history_that_was_damaged_is_one_error_with_its_row(
    tmp_path: Path, damage: Any, found: str
) -> None:
    path = tmp_path / "record_history.csv"
    text = history.dump(history.entries(record(), MADE_OF, ["threat.a.b"]))
    cut = text.rsplit(",", 1)[0] if found == "cells" else damage(text)
    path.write_text(cut, "utf-8")
    with pytest.raises(BadInput) as caught:
        history.read(path)
    (problem,) = caught.value.problems
    assert found in problem.found
    assert problem.row == (1 if found == "no header" else 2)


def test_another_seed_changes_nothing_and_a_moved_number_is_first() -> None:
    old = small_record()
    table, cut, n = history.changes(old["tables"], rebuilt(old, 5)["tables"])
    assert table.empty
    assert n == 121  # three columns of forty rows, and a gate
    assert 3 < cut < 4
    new = copy.deepcopy(old)
    rows = new["tables"]["contrasts/threat"]["rows"]
    rows["row 7"][0][0] += 30 * ERROR
    rows["row 0"][0][0] += 10 * ERROR
    rows["row 9"][0][2] = "clear_higher"
    table, cut, n = history.changes(old["tables"], new["tables"])
    assert list(table["number"].str.split(", ").str[1]) == ["row 0", "row 9", "row 7"]
    assert table["primary"].tolist() == [True, False, False]
    said = history.changes_table(table, cut, n)
    assert "2 moved beyond" in said.caption
    assert "1 conclusions" in said.caption
    assert said.shown["This build"].tolist()[1] == "clear higher"
    assert history.changes_table(table.head(0), cut, n).shown.empty


def test_the_table_of_history_has_each_contrast_once_with_its_records_and_this_build() -> None:
    past = history.entries(record(), MADE_OF, ["threat.a.b"])
    now = [{**past[0], "record": "", "commit": "this build", "mean": 0.125}]
    shown = history.history_table(past, now, {"threat.a.b": "A on b"}).shown
    assert shown["Contrast"].tolist() == ["A on b", ""]
    assert shown["Record (commit)"].tolist() == ["c1c1c1c1c1c1 (a)", "this build"]
    assert shown["Estimate"].tolist()[1] == "0.12"
    assert shown["Interval"].tolist()[0] == "–"  # the small record has no bounds
