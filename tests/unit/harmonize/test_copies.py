"""One question in several columns: what is made of it, and what is said where nobody said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import KEY, TABLE, VOCABULARY, study, table_study
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import load_study
from metastudy.models.validation import columns_needed, validate

APART = TABLE.replace("keying: reverse, ", "")
ONE = APART.replace("construct: threat_job,", "construct: threat_job, item: worry,")
SHOWN = [(f"{k},Aa,1,{k % 7 + 1},", f"{k + 50},Aa,2,,{k % 5 + 2}") for k in range(20)]
ROWS = "nr,home,arm,q1,q2\n" + "".join(f"{a}\n{b}\n" for a, b in SHOWN)


def way(folder: Path) -> list[str]:
    """From the file to what a model sees, and back with the notes."""
    found = harmonize_file(load(folder, VOCABULARY), KEY)
    save(found, folder / "out")
    study_ = load_study(folder / "out")
    validate(load_study(folder / "out", columns_needed(study_, VOCABULARY)), VOCABULARY)
    return list(found.report["notes"])


def refused(folder: Path) -> Problem:
    with pytest.raises(BadInput) as bad:
        way(folder)
    (problem,) = bad.value.problems
    return problem


def test_copies_that_nobody_named_are_said_to_be_what_took_the_scores(tmp_path: Path) -> None:
    problem = refused(table_study(tmp_path, ROWS, APART))
    assert problem.code == "too-few-items"
    assert "40 answered some of the 2 items of threat_job, nobody two thirds" in problem.found
    assert "item: NAME" in problem.fix
    assert "value map" not in problem.fix, "the value map is right"


def test_copies_that_are_named_go_the_whole_way(tmp_path: Path) -> None:
    assert way(table_study(tmp_path, ROWS, ONE)) == []


def test_one_copy_beside_items_of_all_is_in_a_note(tmp_path: Path) -> None:
    """Three of four items are enough for a score, so nothing else would say it."""
    more = "".join(
        f"  - {{name: {name}, as: item, construct: threat_job, min: 1, max: 7}}\n" for name in "xy"
    )
    book = APART.replace("outcomes:", more + "outcomes:", 1)
    lines = ROWS.splitlines()
    rows = [f"{lines[0]},x,y", *(f"{line},{k % 7 + 1},{k % 3 + 1}" for k, line in
                                 enumerate(lines[1:]))]  # fmt: skip
    (note,) = way(table_study(tmp_path, "\n".join(rows) + "\n", book))
    assert "nobody answered both q1 and q2, items of threat_job" in note


def test_items_that_one_person_answers_together_are_no_copies(tmp_path: Path) -> None:
    few = "nr,home,arm,q1,q2\n" + "".join(f"{k},Aa,{k % 2 + 1},{k % 7 + 1},4\n" for k in range(9))
    assert way(table_study(tmp_path / "few", few, APART)) == []


def test_a_condition_in_which_nobody_was_asked_blames_no_value_map(tmp_path: Path) -> None:
    rows = "nr,home,arm,q1,q2\n" + "".join(
        f"{k},Aa,{k % 2 + 1}," + (f"{k % 7 + 1},{k % 5 + 1}\n" if k % 2 else ",\n")
        for k in range(30)
    )
    problem = refused(table_study(tmp_path, rows, APART))
    assert problem.code == "empty-arm"
    assert "nobody in: complementary who answered an outcome, though the condition is in 15" in (
        problem.found
    )
    assert "missing codes" in problem.fix


def test_a_condition_without_another_exposure_names_that_one(tmp_path: Path) -> None:
    book = APART.replace(
        "outcomes:",
        "  - {name: deg, as: factor, randomised: true, "
        "factors: {involvement_degree: {1: low, 2: high}}}\noutcomes:",
        1,
    )
    levels = list(VOCABULARY.levels("involvement_degree"))
    book = book.replace("1: low, 2: high", f"1: {levels[0]}, 2: {levels[-1]}")
    book += "  - {factor: involvement_degree, type: randomised}\n"
    rows = "nr,home,arm,q1,q2,deg\n" + "".join(
        f"{k},Aa,{k % 2 + 1},{k % 7 + 1},{k % 5 + 1},{k // 2 % 2 + 1 if k % 2 else ''}\n"
        for k in range(40)
    )
    problem = refused(table_study(tmp_path, rows, book))
    assert "who also has involvement_degree" in problem.found
    assert problem.column == "factor task_type"


def test_a_measured_exposure_of_copies_says_the_same(tmp_path: Path) -> None:
    book = APART.replace("threat_job, min", "self_efficacy, min").replace(
        "outcomes: [threat_job]\nexposures:\n  - {factor: task_type, type: randomised}",
        "outcomes: [threat_job]\nexposures:\n  - {construct: self_efficacy, type: measured}",
    )
    book = book.replace(
        "outcomes:",
        "  - {name: z, as: item, construct: threat_job, min: 1, max: 7}\noutcomes:",
        1,
    )
    lines = ROWS.splitlines()
    rows = [f"{lines[0]},z", *(f"{line},{k % 7 + 1}" for k, line in enumerate(lines[1:]))]
    file = "file: {name: answers.csv, format: csv}\n"
    folder = study(tmp_path / "small", "answers.csv", ("\n".join(rows) + "\n").encode(),
                   file + book, "survey")  # fmt: skip
    problem = refused(folder)
    assert (problem.code, problem.column) == ("too-few-items", "self_efficacy")
