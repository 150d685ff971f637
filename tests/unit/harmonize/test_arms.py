"""Arms as counts: the same cells as from rows, and one clear error for counts that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from helpers.raw_studies import VOCABULARY, harmonized, table_study
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import load_study
from metastudy.models.events.cells import NEEDED, event_cells

ARMS = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: worried, as: events, construct: threat_job}
  - {name: asked, as: people}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
"""
ROWS = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: worried, as: item, construct: threat_job, min: 0, max: 1}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
"""
COUNTS = {("Aa", 1): (3, 10), ("Aa", 2): (6, 9), ("Bø", 1): (0, 4), ("Bø", 2): (5, 5)}
HEAD = "nr,home,arm,worried,asked\n"


def arms(*more: str, counts: dict[tuple[str, int], tuple[object, object]] | None = None) -> str:
    table = COUNTS if counts is None else counts
    rows = [f"{i},{s},{a},{k},{n}" for i, ((s, a), (k, n)) in enumerate(table.items())]
    return HEAD + "\n".join([*rows, *more]) + "\n"


def cells(folder: Path, rows: str, codebook: str) -> xr.Dataset:
    found = harmonized(table_study(folder, rows, codebook))
    save(found, folder / "out")
    return event_cells([load_study(folder / "out", NEEDED)], "threat", VOCABULARY)


def test_arms_by_site_give_the_cells_of_their_rows(tmp_path: Path) -> None:
    persons = [(s, a, int(at < k)) for (s, a), (k, n) in COUNTS.items() for at in range(n)]
    rows = "nr,home,arm,worried\n" + "".join(
        f"{i},{s},{a},{y}\n" for i, (s, a, y) in enumerate(persons)
    )
    one = cells(tmp_path / "arms", arms(), ARMS)
    other = cells(tmp_path / "rows", rows, ROWS)
    assert one.n.values.sum() == len(persons)
    assert set(zip(one.events.values[:, 0], one.n.values[:, 0], strict=True)) == set(
        COUNTS.values()
    )
    xr.testing.assert_identical(one.drop_vars("site"), other.drop_vars("site"))
    np.testing.assert_array_equal(one.site.values, other.site.values)


def test_people_of_an_arm_are_counted_one_by_one_and_an_arm_can_be_left_out(
    tmp_path: Path,
) -> None:
    codebook = ARMS + "exclude:\n  - {rule: pilot, variable: nr, drop: [9]}\n"
    found = harmonized(table_study(tmp_path, arms("9,Cc,1,7,3"), codebook))
    assert found.report["rows_kept"] == 28
    assert list(found.tables["exclusions"]["row"]) == [6]
    assert found.tables["respondents"]["respondent_id"].is_unique


@pytest.mark.parametrize(
    ("row", "code", "column", "said"),
    [
        ("9,Cc,1,7,3", "impossible-count", "worried", "7 events of 3 people"),
        ("9,Cc,1,-1,3", "impossible-count", "worried", "'-1'"),
        ("9,Cc,1,1.5,3", "impossible-count", "worried", "'1.5'"),
        ("9,Cc,1,,3", "impossible-count", "worried", "nothing"),
        ("9,Cc,1,0,0", "impossible-count", "asked", "'0'"),
        ("9,Cc,1,1,many", "impossible-count", "asked", "'many'"),
        ("9,Cc,1,1,99999999", "too-large", "asked", "99,999,999 people"),
        ("9,Aa,1,1,3", "duplicate-arm", "home", "the arm of row 2 a second time"),
    ],
)
def test_counts_that_cannot_be_are_one_clear_error(
    tmp_path: Path, row: str, code: str, column: str, said: str
) -> None:
    with pytest.raises(BadInput) as bad:
        harmonized(table_study(tmp_path, arms(row), ARMS))
    (problem,) = bad.value.problems
    assert (problem.code, problem.column) == (code, column)
    assert problem.found.replace("100,000,027", "99,999,999").startswith(said)
    assert problem.study == "small"
    assert problem.file.endswith("answers.csv")
    assert problem.row == ("6" if code != "too-large" else None)
    assert problem.expected
    assert problem.fix


def test_all_counts_that_cannot_be_are_reported_together(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        harmonized(table_study(tmp_path, arms("8,Cc,1,7,3", "9,Dd,1,x,3"), ARMS))
    assert [p.row for p in bad.value.problems] == ["7", "6"]


@pytest.mark.parametrize("lacking", ["as: people", "as: events"])
def test_events_without_people_and_people_without_events_are_refused(
    tmp_path: Path, lacking: str
) -> None:
    lines = [line for line in ARMS.splitlines() if lacking not in line]
    with pytest.raises(BadInput) as bad:
        harmonized(table_study(tmp_path, arms(), "\n".join(lines) + "\n"))
    assert any(f"no variable with '{lacking}'" in p.found for p in bad.value.problems)


def test_one_arm_alone_is_refused(tmp_path: Path) -> None:
    one = {key: value for key, value in COUNTS.items() if key[1] == 1}
    with pytest.raises(BadInput) as bad:
        cells(tmp_path, arms(counts=one), ARMS)
    (problem,) = bad.value.problems
    assert problem.code == "empty-arm"


def test_counted_arms_may_have_row_numbers_in_place_of_an_id(tmp_path: Path) -> None:
    rows = "".join(line.partition(",")[2] for line in arms().splitlines(keepends=True))
    made = table_study(tmp_path, rows, ARMS.replace("  - {name: nr, as: id}\n", ""))
    book = made / "codebook.yaml"
    text = book.read_text("utf-8")
    book.write_text(text.replace("format: csv", "format: csv, ids: row_numbers"), "utf-8")
    assert harmonized(made).report["unmapped"] == []


def of_sums(tmp_path: Path, *more: str) -> list[str]:
    found = harmonized(table_study(tmp_path, arms(*more), ARMS)).report["notes"]
    return [note for note in found if "other rows of its group together" in note]


def test_a_row_that_is_the_sum_of_others_is_told_whatever_it_is_called(tmp_path: Path) -> None:
    """The arms of one condition in two homes, and both homes together under a name of a place."""
    assert of_sums(tmp_path / "without") == []
    rows = [line.split(",") for line in arms().splitlines()[1:]]
    own = [row for row in rows if row[2] == rows[0][2]]
    events, people = (sum(int(row[at]) for row in own) for at in (3, 4))
    row = f"9,County,{rows[0][2]},{events},{people}"
    (note,) = of_sums(tmp_path / "with", row)
    assert note.startswith(f"row 6 has as many people as the {len(own)} other rows of its group")
    assert of_sums(tmp_path / "more", row.replace(f",{people}", f",{people + 1}")) == []
