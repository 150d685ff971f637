"""A new parcel and all older ones of its study differ by nobody, or by many people.

What an attacker can do is done here: two data files that differ by the people named become two
parcels, and the sums of one are taken from those of the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from helpers.parcel_studies import ITEMS, harmonized, parcel_of, raw_study
from metastudy.common.problems import BadInput
from metastudy.parcelling.older import OLDER, check_against_older, older_parcels, put_aside
from metastudy.parcels.parcel import Parcel, read

Lines = list[list[str]]
ANSWERS = 3  # the first column of answers


def parcel_from(folder: Path, edit: Callable[[Lines], Lines] = lambda lines: lines) -> Parcel:
    """The parcel of a study of two sites whose data file was edited, row by row, in its place."""
    made = raw_study(folder / "raw", "alpha", sites=2, each=40)
    head, *rows = (made / "answers.csv").read_text("utf-8").splitlines()
    lines = edit([row.split(",") for row in rows])
    content = "\n".join([head, *map(",".join, lines)]) + "\n"
    (made / "answers.csv").write_text(content, "utf-8")
    known = {"alpha": {"answers.csv": hashlib.sha256(content.encode()).hexdigest()}}
    (folder / "raw" / "manifest.yaml").write_text(yaml.safe_dump(known), "utf-8")
    path = folder / "alpha" / "alpha.parcel"
    parcel_of(harmonized(made, folder / "rows"), path)
    return read(path)


def without(*rows: int) -> Callable[[Lines], Lines]:
    return lambda lines: [line for at, line in enumerate(lines) if at not in rows]


def answering(rows: range, value: str, items: int = 6) -> Callable[[Lines], Lines]:
    def edit(lines: Lines) -> Lines:
        for at in rows:
            lines[at][ANSWERS : ANSWERS + items] = [value] * items
        return lines

    return edit


def others(line: list[str]) -> list[str]:
    """Another person who answered alike."""
    return [f"{line[0]}, again".replace(",", ""), *line[1:]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first parcel, its data file in ``raw``."""
    folder = tmp_path_factory.mktemp("first")
    parcel_from(folder)
    return folder


@pytest.fixture(scope="module")
def first(made: Path) -> Parcel:
    return read(made / "alpha" / "alpha.parcel")


def raw_sums(parcel: Parcel, cell: int) -> np.ndarray:
    """Sums of a cell's outcomes in sums of items above the lowest: what an attacker works out."""
    numbers = parcel.documents["cells/threat-main.json"]["numbers"]
    centre, scale = (np.array(numbers[name][0]) for name in ("centre", "scale"))
    n, xy = numbers["n"][cell], np.array(numbers["xy"][cell])
    return np.asarray((xy[0] * scale + n * centre) * 18 / 100)


def test_the_answers_of_one_who_left_can_be_had_from_two_parcels_so_the_second_is_refused(
    made: Path, first: Parcel, tmp_path: Path
) -> None:
    second = parcel_from(tmp_path, without(0))
    before, after = (
        parcel.documents["cells/threat-main.json"]["numbers"]["n"] for parcel in (first, second)
    )
    (cell,) = np.flatnonzero(np.subtract(before, after))
    told = raw_sums(first, cell) - raw_sums(second, cell)
    row = (made / "raw" / "alpha" / "answers.csv").read_text("utf-8").splitlines()[1]
    answers = np.array(row.split(",")[ANSWERS : ANSWERS + 6], dtype=int)
    np.testing.assert_allclose(told, (answers - 1).reshape(len(ITEMS), 3).sum(axis=1), atol=1e-8)
    with pytest.raises(BadInput, match="differs by few people, 1 where it takes 24"):
        check_against_older(second.documents, first, 10, Path("older.parcel"))


@pytest.mark.parametrize("people", [1, 2])
def test_answers_of_few_who_changed_them_are_found_whatever_that_does_to_the_units(
    first: Parcel, tmp_path: Path, people: int
) -> None:
    """One person's other answers change the standard deviation, and so all sums in its units."""
    edit = answering(range(0, 2 * people, 2), "7", items=3 if people == 1 else 6)
    second = parcel_from(tmp_path, edit)
    same = [p.documents["cells/threat-main.json"]["numbers"]["n"] for p in (first, second)]
    assert same[0] == same[1]
    with pytest.raises(BadInput, match="few people"):
        check_against_older(second.documents, first, 10, Path("older.parcel"))


def test_people_who_moved_to_a_pattern_of_fewer_answers_hide_nobody(
    first: Parcel, tmp_path: Path
) -> None:
    """Thirty lost an outcome and one left: cells differ by many, and the site by one."""

    def edit(lines: Lines) -> Lines:
        for at in range(60):
            lines[at][ANSWERS + 3 : ANSWERS + 6] = [""] * 3
        return lines[:-1]

    second = parcel_from(tmp_path, edit)
    by_cell = second.documents["cells/threat-main.json"]["numbers"]["n"]
    assert len(by_cell) == 4
    with pytest.raises(BadInput, match="those who answered threat_quality"):
        check_against_older(second.documents, first, 10, Path("older.parcel"))


def test_sites_that_became_others_are_compared_together(first: Parcel) -> None:
    """A site's people moved into `others`; with them one more came."""
    document = json.loads(json.dumps(first.documents))
    cells = document["cells/threat-main.json"]
    cells["coordinates"]["site"][0] = "alpha-org-others"
    check_against_older(document, first, 10, Path("older.parcel"))
    cells["numbers"]["n"][0] += 1
    with pytest.raises(BadInput, match=r"sites that changed.* few people, 1"):
        check_against_older(document, first, 10, Path("older.parcel"))


def test_many_who_came_or_other_people_altogether_are_let_out(
    first: Parcel, tmp_path: Path
) -> None:
    check_against_older(first.documents, first, 10, Path("older.parcel"))
    more = parcel_from(tmp_path / "more", lambda lines: lines + [others(at) for at in lines[:100]])
    check_against_older(more.documents, first, 10, Path("older.parcel"))
    few = parcel_from(tmp_path / "few", lambda lines: lines + [others(at) for at in lines[:40]])
    with pytest.raises(BadInput, match="20 where it takes 24"):
        check_against_older(few.documents, first, 10, Path("older.parcel"))
    study = raw_study(tmp_path / "raw", "alpha", sites=2, each=40, seed=5)
    parcel_of(harmonized(study, tmp_path / "rows"), tmp_path / "alpha" / "alpha.parcel")
    other = read(tmp_path / "alpha" / "alpha.parcel")
    check_against_older(other.documents, first, 10, Path("older.parcel"))


def test_every_parcel_of_a_study_stays_to_be_compared_with(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "alpha" / "alpha.parcel"
    assert older_parcels(path) == []
    assert put_aside(path) is None
    path.parent.mkdir()
    path.write_bytes((made / "alpha" / "alpha.parcel").read_bytes())
    aside = put_aside(path)
    assert aside is not None
    assert aside.parent.name == OLDER
    assert older_parcels(path) == [aside, path]
    (aside.parent / "alpha_2-0123.parcel").write_bytes(b"of another study")
    path.unlink()
    assert older_parcels(path) == [aside]
