"""Every number of record has a kind, and a Monte Carlo error that is as large as it should be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from metastudy.common.problems import MetastudyError
from metastudy.common.result_tables import TABLES
from metastudy.posterior.summarise import summarize
from metastudy.record.kinds import FILES, KINDS, LEFT_OUT, NUMBERS, schema_of, without_kind

RECORDED = sorted(set(FILES.values()))
CALIBRATION = {"ranks", "gates"}  # of `snakemake calibration`, which the article does not need


def test_every_table_of_results_is_recorded_or_is_of_the_calibration() -> None:
    assert set(RECORDED) == set(TABLES) - CALIBRATION == set(NUMBERS)


@pytest.mark.parametrize("name", RECORDED)
def test_every_column_of_numbers_has_a_kind_or_is_left_out_with_a_reason(name: str) -> None:
    numeric = {c for c, column in TABLES[name].items() if column.dtype in ("int64", "float64")}
    named = {*NUMBERS[name], *LEFT_OUT.get(name, {})}
    assert numeric - named == set(), "name it in metastudy.record.kinds"
    assert named - {*TABLES[name], "verdict"} <= {"i2_mcse"}
    assert not NUMBERS[name].keys() & LEFT_OUT.get(name, {}).keys()
    assert all(number.kind in KINDS for number in NUMBERS[name].values())
    assert all(bool(n.error) == (n.kind in ("estimate", "derived")) for n in NUMBERS[name].values())


def test_a_column_or_file_without_a_kind_is_an_error() -> None:
    rows = pd.DataFrame({"mean": [0.1], "novel": [0.2], "note": ["text"], "flag": [True]})
    assert without_kind("contrasts", rows) == ["novel"]
    assert without_kind("contrasts", rows[:0].astype("float64")) == [], "nothing has no types"
    with pytest.raises(MetastudyError, match=r"synthesis/novel\.parquet .*record\.kinds"):
        schema_of("synthesis/novel.parquet")
    assert schema_of("contrasts/threat-heterogeneity.parquet") == "heterogeneity"
    assert schema_of("contrasts/threat-ordinal.parquet") == "contrasts"


def test_a_probability_of_zero_or_one_has_an_error() -> None:
    rows = pd.DataFrame({"positive": [0.0, 1.0, 0.5], "ess": [1000.0, 1000.0, 1000.0]})
    error = NUMBERS["contrasts"]["positive"].error
    assert error is not None
    smooth = 0.5 / 1001
    expected = [np.sqrt(smooth * (1 - smooth) / 1000)] * 2 + [np.sqrt(0.25 / 1000)]
    np.testing.assert_allclose(error(rows), expected)


def test_errors_are_what_other_seeds_show() -> None:
    """Chains with autocorrelation, normal and skewed: the spread over 60 seeds, by its own error.

    Errors of parts may be too large, as nothing is known of the tails; none is too small. The
    wrong one beside: that of independent draws is half of what the seeds show.
    """
    seeds, chains, draws, rho = 60, 4, 400, 0.6
    rng = np.random.default_rng(20)
    noise = rng.normal(size=(draws, seeds * chains))
    for t in range(1, draws):
        noise[t] = rho * noise[t - 1] + np.sqrt(1 - rho**2) * noise[t]
    normal = noise.T.reshape(seeds, chains, draws)
    columns = ("mean", "lower", "upper", "positive", "sd")
    for values in (normal + 0.5, np.exp(0.7 * normal)):
        flat = xr.DataArray(values.transpose(1, 2, 0), dims=("chain", "draw", "seed"))
        rows = summarize(flat.assign_coords(seed=range(seeds)), 0.95, 0.1)
        for column in columns:
            error = NUMBERS["contrasts"][column].error
            assert error is not None
            if rows[column].std() > 0:
                ratio = float(np.mean(error(rows))) / rows[column].std(ddof=1)
                assert 0.7 <= ratio <= (4.0 if column == "sd" else 1.7), column
        independent = rows["sd"].mean() / np.sqrt(chains * draws)
        assert independent / rows["mean"].std(ddof=1) < 0.65
