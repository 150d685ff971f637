"""Places left out: the figure and the sentence say what the committed file says, and of what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics import left_out
from metastudy.common.problems import BadInput
from metastudy.synthesis.left_out_places import COLUMNS, digest, predicted
from metastudy.synthesis.pooling import ESTIMAND


def file(found: Results, estimates: str) -> pd.DataFrame:
    """Ten countries, of which the last two are outside, in intervals of the width four."""
    first = found.synthesis["estimates"].iloc[0]
    rows = [
        {
            **{name: first[name] for name in ESTIMAND},
            "date": "2026-01-02",
            "commit": "0123456789",
            "estimates": estimates,
            "grouping": "country",
            "group": f"C{at}",
            "estimate": 1.0 if at < 8 else 5.0 + at,
            "se": 0.5,
            "mean": 1.0,
            "lower": -1.0,
            "upper": 3.0,
            "missed": "",
            "provenance": "observed",
        }
        for at in range(10)
    ]
    return pd.DataFrame(rows)[COLUMNS]


def of_now(found: Results) -> str:
    estimates = found.synthesis["estimates"]
    return digest(estimates[estimates[ESTIMAND].eq(estimates[ESTIMAND].iloc[0]).all(axis=1)])


def test_the_estimates_inside_are_counted_with_date_and_commit() -> None:
    found = evidence("mixed", studies=2)
    shown = replace(found, left_out=file(found, of_now(found)))
    said = left_out.variables(shown)
    assert (said["country"]["inside"], said["country"]["of"]) == ("8", "10")
    assert said["country"]["width"] == "4.00"
    for part in ("eight lie inside", "2026-01-02", "0123456789", "4.00"):
        assert part in said["sentence"]
    table = left_out.figure(shown)
    assert len(table) == 20
    assert table.loc[table["style"] == "filled", "estimate"].tolist() == [14.0, 13.0]


def test_a_file_about_other_estimates_is_not_shown_and_says_so() -> None:
    found = evidence("mixed", studies=2)
    shown = replace(found, left_out=file(found, "another"))
    assert left_out.figure(shown).empty
    assert "snakemake leave_out_places" in left_out.variables(shown)["sentence"]
    assert "inside" not in left_out.variables(shown)["sentence"]
    assert left_out.variables(found) == {}


def test_the_name_of_estimates_changes_with_each_number_and_not_with_their_order() -> None:
    found = evidence("mixed", studies=2).synthesis["estimates"]
    name = digest(found)
    assert digest(found.iloc[::-1]) == name
    assert digest(found.assign(estimate=found["estimate"] + 1e-12)) == name
    assert digest(found.assign(se=found["se"] * 1.001)) != name


@pytest.mark.parametrize(
    ("text", "says"),
    [("date,commit\n2026-01-01,abc\n", "no column"), ("", "No columns")],
)
def test_a_file_that_is_damaged_says_how_to_make_it_again(
    text: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "left_out_places.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="leave_out_places") as caught:
        left_out.read(path)
    assert says in str(caught.value)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    found = evidence("mixed", studies=2)
    written = file(found, "x")
    written.to_csv(tmp_path / "it.csv", index=False)
    pd.testing.assert_frame_equal(left_out.read(tmp_path / "it.csv"), written, check_dtype=False)


def test_what_is_predicted_is_the_weighted_mean_with_the_error_of_the_estimate() -> None:
    """Against moments in closed form: effects that are drawn independently, each from its own."""
    import xarray as xr

    rng = np.random.default_rng(1)
    mean, sd = np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.0, 2.0])
    theta = mean + sd * rng.standard_normal((4, 20000, 3))
    draws = xr.Dataset({"theta": (("chain", "draw", "row"), theta)})
    covariance = np.diag([1.0, 4.0, 0.25])
    weight, drawn = predicted(draws, covariance, np.array([0, 1]), rng)
    assert weight == pytest.approx([0.8, 0.2])
    assert float(drawn.mean()) == pytest.approx(0.8 * 1 + 0.2 * 2, abs=0.02)
    variance = 0.64 * 0.25 + 0.04 * 1 + 1 / (1 + 0.25)
    assert float(drawn.std()) == pytest.approx(np.sqrt(variance), rel=0.02)
