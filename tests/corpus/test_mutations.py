"""Drawn damage: bytes of the good files and values of the good tables, changed at random.

Whatever is drawn ends in a :class:`BadInput` or in tables that differ where the file does, and
nowhere else. The draws are the same in every run.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.good_studies import DELIMITED, DELIMITERS, FORMATS, TABLES, Variant
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.common.problem_codes import CODES
from metastudy.common.problems import BadInput
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import Harmonized, harmonize
from metastudy.readers import read

pytestmark = pytest.mark.slow

KEY = b"a key of the corpus"
SLOW = ("parquet", "sav", "dta")  # each try takes a process of its own
# How much more is drawn: the same in every run, and before a change of what reads data is done.
TIMES = pytest.mark.parametrize(
    "times",
    [
        pytest.param(1, id="few"),
        pytest.param(25, id="many", marks=pytest.mark.long(of="metastudy.commands.harmonize")),
    ],
)

COMMON = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def harmonized(variant: Variant) -> Harmonized | BadInput:
    """Take the public way; anything but the tables or a BadInput goes through."""
    with tempfile.TemporaryDirectory() as folder:
        made = variant.build(Path(folder) / "raw")
        try:
            codebook = load(made, VOCABULARY, made.parent / "manifest.yaml")
            return harmonize(codebook, read(codebook), KEY)
        except BadInput as error:
            found = error
    # `table` would be a fault of the workflow that nothing before it has seen
    assert {problem.code for problem in found.problems} <= set(CODES) - {"table"}
    assert found.problems
    return found


@cache
def good(kind: str) -> Harmonized:
    found = harmonized(Variant(kind))
    assert isinstance(found, Harmonized)
    return found


@cache
def good_bytes(kind: str) -> bytes:
    return Variant(kind).bytes()


# --- bytes ---------------------------------------------------------------------------------------

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "repeat", "swap"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=4) | st.sampled_from([b",", b'"', b"\n", b";", b"9", b"-"]),
    ),
    min_size=1,
    max_size=3,
)


def edited(content: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for kind, share, new in edits:
        at = int(share * (len(content) - 1))
        size = len(new)
        content = {
            "replace": content[:at] + new + content[at + size :],
            "insert": content[:at] + new + content[at:],
            "delete": content[:at] + content[at + 8 * size :],
            "repeat": content[:at] + content[at : at + 40 * size] + content[at:],
            "swap": content[:at] + content[at : at + 2][::-1] + content[at + 2 :],
        }[kind]
    return content


def records(content: bytes, kind: str) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(kind, ",")))


def same_for_untouched_rows(kind: str, content: bytes, found: Harmonized) -> None:
    """Check that who is in a row that is as it was has the same answers as before."""
    name = "nr"
    before = records(good_bytes(kind), kind)
    head = next(row for row in before if any(name in cell for cell in row))
    at = next(place for place, cell in enumerate(head) if name in cell)
    untouched = {tuple(row) for row in before} & {tuple(row) for row in records(content, kind)}
    ids = [row[at].strip() for row in untouched if len(row) == len(head) and row[at].isdecimal()]
    table = "measurements" if kind in TABLES else "codings"
    key = "respondent_id" if kind in TABLES else "source_id"
    known = set(pseudonyms.persons("small", ids, KEY))
    if kind == "matrix":  # a source is as it was if all of its rows are
        touched = [row[at].strip() for row in before if tuple(row) not in untouched]
        new = [row[at].strip() for row in records(content, kind) if tuple(row) not in untouched]
        known -= set(pseudonyms.persons("small", [*touched, *new], KEY))
    old, now = (made.tables[table] for made in (good(kind), found))
    columns = [name for name in old.columns if name not in ("coder_id", "is_double_coded")]
    pd.testing.assert_frame_equal(
        now.loc[now[key].isin(known), columns].reset_index(drop=True),
        old.loc[old[key].isin(known & set(now[key])), columns].reset_index(drop=True),
    )


@TIMES
@pytest.mark.parametrize("kind", FORMATS)
def test_changed_bytes_end_in_an_error_or_change_what_they_touch(
    kind: str, times: int, figures: Callable[..., None]
) -> None:
    good(kind)
    ends: Counter[bool] = Counter()

    @settings(COMMON, max_examples=times * (6 if kind in SLOW else 16))
    @given(EDITS)
    def check(edits: list[tuple[str, float, bytes]]) -> None:
        variant = Variant(kind)
        variant.content = edited(good_bytes(kind), edits)
        found = harmonized(variant)
        ends[isinstance(found, Harmonized)] += 1
        if isinstance(found, Harmonized) and kind in DELIMITED:
            same_for_untouched_rows(kind, variant.content, found)

    check()
    figures(refused=ends[False], read=ends[True])


# --- values --------------------------------------------------------------------------------------

STAY = [row for row in range(48) if row not in (4, 16, 19, 30)]
ITEMS = ("q1", "q2", "q3")
VALUES = (
    st.integers(-3, 12).map(str)
    | st.sampled_from(["98", "99", "97", "-9", "", "f", "m", "x", "Ærø", "4.0", " 5 ", "3.5"])
    | st.sampled_from(["nan", "inf", "1e3", "5,5", "1 000", "--", "=1+1", "true", "\u00bd", "٣"])
    | st.floats(-1, 9).map(lambda number: f"{number:.2f}")
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[0-9])?")


def meaning(column: str, text: str) -> tuple[bool, Any]:
    """Say whether a text may stand in a column, and what it means, from the codebook alone."""
    text = text.strip()
    number = float(text) if _NUMBER.fullmatch(text) else np.nan
    if column in ITEMS:
        if number in (98, 99):
            return True, {98: "dont_know", 99: "tired"}[int(number)]
        return (not text) or (1 <= number <= 7 and number % 1 == 0), number if text else "system"
    if column == "arm":
        return not text or number in (1, 2), {1: "complementary", 2: "core"}.get(number)
    if column == "sex":
        return text in ("", "f", "m", "x"), {"f": "woman", "m": "man"}.get(text)
    if column == "years":
        missing = not text or number == -9
        return missing or number >= 0, np.nan if missing else number
    return number > 0, number  # a weight


def but(table: pd.DataFrame, who: pd.Series | np.ndarray) -> pd.DataFrame:
    return table[~who].reset_index(drop=True)


@TIMES
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_changed_value_changes_its_own_measurement_or_is_refused(
    kind: str, times: int, figures: Callable[..., None]
) -> None:
    before = good(kind).tables
    ends: Counter[bool] = Counter()

    @settings(COMMON, max_examples=40 * times)
    @given(st.sampled_from(STAY), st.sampled_from([*ITEMS, "arm", "sex", "years", "w"]), VALUES)
    def check(row: int, column: str, text: str) -> None:
        variant = Variant(kind)
        variant.grid.put(row, column, text)
        person = pseudonyms.persons("small", [str(variant.grid.at(row, "nr"))], KEY)[0]
        valid, value = meaning(column, text)
        found = harmonized(variant)
        ends[isinstance(found, Harmonized)] += 1
        assert isinstance(found, Harmonized) == valid, (column, text)
        if isinstance(found, BadInput):
            (problem,) = found.problems
            assert problem.column == column
            assert problem.row == row + 2
            return
        after = found.tables
        mine = {name: after[name]["respondent_id"].eq(person) for name in ("respondents",)}
        pd.testing.assert_frame_equal(
            but(after["respondents"], mine["respondents"]),
            but(before["respondents"], before["respondents"]["respondent_id"].eq(person)),
        )
        pd.testing.assert_frame_equal(after["exclusions"], before["exclusions"])
        cell = [made["measurements"]["respondent_id"].eq(person) for made in (after, before)]
        cell = [
            hit & made["measurements"]["item_id"].eq(column)
            for hit, made in zip(cell, (after, before), strict=True)
        ]
        pd.testing.assert_frame_equal(
            but(after["measurements"], cell[0]), but(before["measurements"], cell[1])
        )
        arms = [made["assignments"]["respondent_id"].eq(person) for made in (after, before)]
        pd.testing.assert_frame_equal(
            but(after["assignments"], arms[0]), but(before["assignments"], arms[1])
        )
        own = after["respondents"].loc[mine["respondents"]].iloc[0]
        if column in ITEMS:
            (measured,) = after["measurements"][cell[0]].to_dict("records")
            if isinstance(value, str):
                assert measured["missing_reason"] == value
                assert np.isnan(measured["value_raw"])
            else:
                assert measured["value_raw"] == value
                assert measured["value_aligned"] == (8 - value if column == "q2" else value)
        elif column == "arm":
            assert after["assignments"].loc[arms[0], "level"].tolist() == [value] * bool(value)
        else:
            name = {"sex": "gender", "years": "tenure_yrs", "w": "weight"}[column]
            assert own[name] == value or (pd.isna(own[name]) and pd.isna(value))

    check()
    figures(refused=ends[False], read=ends[True])
