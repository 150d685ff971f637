"""The configuration is checked before anything runs, and numbers are what they are meant to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.repository import ROOT
from metastudy.common.problems import BadInput
from metastudy.config import checked, orphans


def with_retries(value: object) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    found["sampling"]["retries"] = value
    return found


@pytest.mark.parametrize("value", [2, 2.0, "2", "2.0"], ids=repr)
def test_a_whole_number_counts_however_it_is_written(value: object) -> None:
    found = checked(with_retries(value))["sampling"]["retries"]
    assert (found, type(found)) == (2, int)


@pytest.mark.parametrize(
    "value", [1.5, -1, 6, True, None, "two", float("inf"), float("nan")], ids=repr
)
def test_what_is_no_number_of_retries_is_an_error_that_names_the_key(value: object) -> None:
    with pytest.raises(BadInput) as refused:
        checked(with_retries(value))
    assert {problem.column for problem in refused.value.problems} == {"sampling.retries"}


@pytest.mark.parametrize("value", [0, 1, 2, "2", -5], ids=repr)
def test_a_smallest_cell_that_hides_nothing_is_an_error_that_says_what_does(value: object) -> None:
    config = with_retries(2)
    config["privacy"]["smallest_cell"] = value
    with pytest.raises(BadInput, match=r"privacy\.smallest_cell[\s\S]*at least 3") as refused:
        checked(config)
    assert len(refused.value.problems) == 1
    config["privacy"]["smallest_cell"] = 3
    assert checked(config)["privacy"]["smallest_cell"] == 3


def test_what_a_removed_study_left_in_the_results_is_an_orphan(tmp_path: Path) -> None:
    data, results = tmp_path / "raw", tmp_path / "results"
    for name in ("kept", "unselected"):
        (data / name).mkdir(parents=True)
        (data / name / "codebook.yaml").touch()
    for name in ("kept", "unselected", "gone"):
        for folder in ("harmonized", "staged", "data_report", "data_report/figures"):
            (results / folder / name).mkdir(parents=True)
        for file in (f"staged/{name}.json", f"data_report/{name}.html", f"data_report/{name}.md"):
            (results / file).touch()
    (results / "data_report" / "index.html").touch()
    (results / "harmonized" / ".snakemake_timestamp").touch()
    asked = {"data": str(data), "studies": ["kept"]}
    left = ["data_report/gone", "data_report/gone.html", "data_report/gone.md"]
    left += ["harmonized/gone", "staged/gone", "staged/gone.json"]
    assert orphans(asked, results) == [str(results / name) for name in left]
    assert orphans(asked, tmp_path / "none") == []
