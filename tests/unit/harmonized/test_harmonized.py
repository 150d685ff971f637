"""The tables of one form: what breaks their schema goes no further; how they are scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY, harmonized, qualtrics_study, table_study
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import save
from metastudy.harmonized import checks, crossed, parquet
from metastudy.harmonized.scale_scores import NEEDED, scores


def test_a_table_that_breaks_its_schema_is_not_passed_on(tmp_path: Path) -> None:
    result = harmonized(table_study(tmp_path))
    table, short = result.tables["measurements"], result.parts["measurements"]
    assert isinstance(short, crossed.Crossed)
    for column, value in (
        ("value_pomp", 101.0),
        ("value_pomp", -1.0),
        ("scale_min", np.nan),
        ("construct", "nonsense"),
        ("missing_reason", "nonsense"),
        ("study_id", None),
        ("reverse_keyed", "no"),
        ("item_id", "q1"),
    ):
        with pytest.raises(BadInput, match=column):
            checks.check("measurements", table.assign(**{column: value}), VOCABULARY)
        wrong = replace(short, kinds=short.kinds.assign(**{column: value}))
        with pytest.raises(BadInput, match=column):
            checks.check("measurements", wrong, VOCABULARY)
    for row, column, value in ((3, "value_pomp", 101.0), (2, "construct", "nonsense")):
        one = table.copy()  # one value in the midst of good ones
        one.loc[row, column] = value
        with pytest.raises(BadInput, match=column):
            checks.check("measurements", one, VOCABULARY)
    again = short.take(np.array([0, 1, 1]))
    with pytest.raises(BadInput, match="respondent_id"):
        checks.check("measurements", again, VOCABULARY)


def test_some_columns_are_read_as_codes_and_score_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS", 4)
    result = harmonized(qualtrics_study(tmp_path))
    save(result, tmp_path / "out")
    some = parquet.read_some(tmp_path / "out" / "measurements.parquet", NEEDED)
    assert isinstance(some["respondent_id"].dtype, pd.CategoricalDtype)
    whole = scores(result.tables["measurements"])
    assert len(whole) > 1
    pd.testing.assert_frame_equal(scores(some), whole)


def test_a_score_needs_two_thirds_of_the_items() -> None:
    values = {"a": [0.0, 60.0, np.nan], "b": [50.0, np.nan, np.nan], "c": [10.0, 20.0, 60.0]}
    rows = [("s", who, None, "x", value) for who, of in values.items() for value in of]
    columns = ["study_id", "respondent_id", "vignette", "construct", "value_pomp"]
    table = scores(pd.DataFrame(rows, columns=columns))
    assert table["answered"].tolist() == [2, 1, 3]
    assert table["score"].tolist() == pytest.approx([30, np.nan, 30], nan_ok=True)
