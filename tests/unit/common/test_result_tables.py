"""Tables after harmonizing: each keeps its schema where it is written, or is named."""

from __future__ import annotations

import pandas as pd
import pytest

from metastudy.common.problems import MetastudyError
from metastudy.common.result_tables import TABLES, checked, none
from metastudy.models.base import COLUMNS

POWER = {
    "module": "threat",
    "exposure": "task_type_randomised",
    "exposure_type": "randomised",
    "outcome": "threat_job",
    "role": "professional",
    "provenance": "simulated",
    "prior": 0.01,
    "likelihood": 0.1,
    "key": "effect",
    "by_key": 0.01,
    "diagnosis": "",
}


def test_a_table_that_keeps_its_schema_comes_back_as_it_was() -> None:
    table = pd.DataFrame([POWER, POWER | {"prior": float("nan")}])
    assert checked("power", table) is table


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"diagnosis": "weak"}, r"'power'.*diagnosis: weak"),
        ({"prior": "much"}, r"'power'.*prior: "),
        ({"outcome": None}, r"'power'.*outcome: "),
        ({"more": 1}, r"'power' has the columns .*more"),
    ],
)
def test_a_table_that_breaks_its_schema_is_named_with_its_column(
    change: dict[str, object], says: str
) -> None:
    with pytest.raises(MetastudyError, match=says):
        checked("power", pd.DataFrame([POWER | change]))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_has_its_columns(name: str) -> None:
    assert len(checked(name, none(name))) == 0
    with pytest.raises(MetastudyError, match="has the columns"):
        checked(name, none(name).iloc[:, 1:])


def test_estimates_are_what_the_models_give_with_their_id_and_error() -> None:
    assert list(TABLES["estimates"]) == ["id", *COLUMNS, "se", "note"]
