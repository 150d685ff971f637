"""The examples run, and say what their reference values and an integration of their own say.

Both are real evidence of others as facts: arms of two experiments, and counts in 200 cells. The
reference values were computed once, elsewhere, by inverse variance and by REML; the posteriors are
integrated here on a grid that has nothing of the project's in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from helpers.crossed_exact import Crossed
from helpers.exact_pooling import law_of
from helpers.grown_article import faults
from helpers.repository import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

TARGETS = ("results/manuscript/manuscript.html",)
# Without each of 40 countries and five sectors once more it would take a quarter of an hour.
OF_ONE_STAGE = ("results/contrasts/honesty.parquet", "results/synthesis/pooled.parquet")
SAMPLING = "sampling={'chains': 2, 'tune': 700, 'draws': 2500}"
CERTAIN = 4  # Monte Carlo standard errors, beside what a grid of this width leaves
GRID = 0.03
PRIORS = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))["priors"]

Read = Callable[[str], pd.DataFrame]


def runs(name: str, folder: Path, targets: tuple[str, ...] = TARGETS) -> Read:
    """Run an example in a copy, up to its article or other targets: what reads its results."""
    made = shutil.ignore_patterns("results", ".*")
    shutil.copytree(ROOT / "examples" / name, folder, ignore=made)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", *targets, "--cores", "1", "--directory", folder),
            *("--snakefile", ROOT / "Snakefile", "--config", SAMPLING),
        ],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return cache(lambda name: pd.read_parquet(folder / "results" / f"{name}.parquet"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {n: tmp_path_factory.mktemp(n) / "example" for n in ("wallets", "integrity")}


@pytest.fixture(scope="module")
def wallets(folders: dict[str, Path]) -> Read:
    return runs("wallets", folders["wallets"])


@pytest.fixture(scope="module")
def wallets_one_stage(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("one_stage") / "example"
    return runs("wallets_one_stage", folder, OF_ONE_STAGE)


@pytest.fixture(scope="module")
def integrity(folders: dict[str, Path]) -> Read:
    return runs("integrity", folders["integrity"])


def law(key: str, unit: float) -> Any:
    said = PRIORS[key]
    return law_of(said | {"scale": said["scale"] * unit} if isinstance(said, dict) else said * unit)


def unit_of(estimates: pd.DataFrame) -> float:
    """What takes the place of an SD: of two equal arms, half the error times the root of n."""
    return float(0.5 * np.median(estimates["se"] * np.sqrt(estimates["n"])))


def population(read: Read) -> pd.Series:
    pooled = read("synthesis/pooled")
    return pooled[pooled["level"] == "population"].squeeze()


def spreads(read: Read) -> pd.DataFrame:
    """Posterior of each spread, by grouping."""
    table = read("synthesis/heterogeneity")
    table = table[table["parameter"].str.startswith("tau[")]
    return table.set_index(table["parameter"].str.extract(r"([\w+]+)\]$")[0])


def crossed(estimates: pd.DataFrame) -> Crossed:
    table = estimates.sort_values(["country", "sector"])
    shape = (table["country"].nunique(), table["sector"].nunique())
    grid = [table[column].to_numpy().reshape(shape) for column in ("estimate", "se")]
    return Crossed(grid[0], grid[1] ** 2)


def test_the_cells_of_the_wallets_are_risk_differences_in_countries_by_sectors(
    wallets: Read,
) -> None:
    estimates = wallets("synthesis/estimates")
    counts = pd.read_csv(ROOT / "examples/wallets/data/raw/lost_wallets/lost_wallets.csv")
    share = [counts[f"events_{arm}"] / counts[f"n_{arm}"] for arm in ("treatment", "control")]
    expected = dict(zip(counts["finding_id"], 100 * (share[0] - share[1]), strict=True))
    assert dict(
        zip(estimates["id"].str.split("|").str[1], estimates["estimate"], strict=True)
    ) == pytest.approx(expected)
    assert set(estimates["metric"]) == {"percentage_points"}
    structure = wallets("synthesis/structure").set_index("grouping")
    assert structure["used_as"].to_dict() == {
        "study": "left out",
        **dict.fromkeys(("country", "sector", "setting"), "varying"),
    }
    assert set(structure.loc[["country", "sector", "setting"], "aliased_with"]) == {""}


def test_the_wallets_say_what_their_reference_values_say(wallets: Read) -> None:
    assert population(wallets)["mean"] == pytest.approx(10.47, abs=0.25 * 1.57)
    spread = spreads(wallets)["mean"]
    assert spread["country"] == pytest.approx(5.31, rel=0.15)
    assert spread["setting"] == pytest.approx(3.79, rel=0.15)


def test_the_posterior_of_the_wallets_is_the_integrated_one(wallets: Read) -> None:
    """With the sector's spread, which has five levels only and leans on its prior."""
    estimates = wallets("synthesis/estimates")
    unit = unit_of(estimates)
    exact = crossed(estimates).posterior(law("effect", unit), PRIORS["tau"] * unit)
    found = spreads(wallets)
    rows = [population(wallets), *(found.loc[name] for name in ("country", "sector", "setting"))]
    for row, mean, sd in zip(rows, exact.mean, exact.sd, strict=True):
        assert row["mean"] == pytest.approx(mean, abs=CERTAIN * row["mcse"] + GRID)
        assert row["sd"] == pytest.approx(sd, rel=0.1)
    # REML is another answer where levels are few, so it is no stand-in for the integration.
    reml = crossed(estimates).reml()[2][1]
    assert abs(found.loc["sector", "mean"] - reml) > CERTAIN * found.loc["sector", "mcse"] + GRID


def test_the_wallets_have_every_country_and_sector_shrunken_and_predictions_for_new_ones(
    wallets: Read,
) -> None:
    pooled, estimates = wallets("synthesis/pooled"), wallets("synthesis/estimates")
    own = estimates.groupby("country").apply(
        lambda mine: np.average(mine["estimate"], weights=mine["se"] ** -2.0), include_groups=False
    )
    countries = pooled[pooled["level"] == "country"].set_index("group")["mean"]
    assert len(countries) == estimates["country"].nunique() == 40
    assert countries.std() < 0.8 * own.std()
    assert np.corrcoef(countries, own[countries.index])[0, 1] > 0.9
    assert len(pooled[pooled["level"] == "sector"]) == 5
    whole = population(wallets)
    for level in ("new_country", "new_sector"):
        new = pooled[pooled["level"] == level].squeeze()
        assert new["upper"] - new["lower"] > whole["upper"] - whole["lower"]
    assert pooled["level"].ne("new_study").all(), "it is one study"
    assert wallets("synthesis/influence").empty, "nothing is left without the only study"


def test_one_model_of_the_counts_has_log_odds_ratios_and_the_shares_of_the_counts(
    wallets_one_stage: Read,
) -> None:
    """Its posterior against an independent fit is in `test_events_crossed.py`."""
    found = wallets_one_stage("contrasts/honesty")
    effects = found[found["estimand"].eq("effect") & found["level"].eq("population")]
    by_metric = effects.set_index("metric")
    assert set(by_metric.index) == {"log_odds", "probability"}
    counts = pd.read_csv(ROOT / "examples/wallets/data/raw/lost_wallets/lost_wallets.csv")
    p, q = (counts[f"events_{arm}"] / counts[f"n_{arm}"] for arm in ("treatment", "control"))
    variance = p * (1 - p) / counts["n_treatment"] + q * (1 - q) / counts["n_control"]
    raw, se = (p - q).mean(), np.sqrt(variance.sum()) / len(counts)
    of_shares = by_metric.loc["probability"]
    assert of_shares["mean"] == pytest.approx(raw, abs=se)
    assert of_shares["sd"] == pytest.approx(se, rel=0.25)
    assert 100 * of_shares["mean"] == pytest.approx(10.47, abs=1)  # by REML in percentage points
    arms = found[found["level"] == "arm"].set_index("group")["mean"]
    assert arms["money"] - arms["no_money"] == pytest.approx(of_shares["mean"])
    own = found[found["level"].eq("country") & found["metric"].eq("log_odds")]
    assert len(own) == counts["country"].nunique()
    new = found[found["level"].eq("new_country") & found["metric"].eq("log_odds")].iloc[0]
    whole = by_metric.loc["log_odds"]
    assert new["upper"] - new["lower"] > whole["upper"] - whole["lower"]


def test_the_second_stage_has_the_cells_of_the_model_and_nothing_published_beside_them(
    wallets_one_stage: Read,
) -> None:
    estimates = wallets_one_stage("synthesis/estimates")
    assert len(estimates) == 200
    assert set(estimates["metric"]) == {"log_odds"}
    assert set(estimates["module"]) == {"honesty"}
    # Of two arms with half a person more in each count, as Firth's correction comes to.
    counts = pd.read_csv(ROOT / "examples/wallets/data/raw/lost_wallets/lost_wallets.csv")
    odds = [
        (counts[f"events_{arm}"] + 0.5) / (counts[f"n_{arm}"] - counts[f"events_{arm}"] + 0.5)
        for arm in ("treatment", "control")
    ]
    expected = np.log(odds[0] / odds[1]).set_axis(counts["finding_id"])
    found = estimates.set_index(estimates["country"] + "-" + estimates["sector"])["estimate"]
    np.testing.assert_allclose(found.loc[expected.index], expected, atol=1e-5)
    # The module has pooled them: they are one study's, which is all that there is.
    assert wallets_one_stage("synthesis/pooled").empty
    refused = wallets_one_stage("synthesis/structure").query("used_as == 'refused'").squeeze()
    assert refused["reason"] == "one study only; its own estimate is shown"


def test_the_two_experiments_say_what_their_reference_values_say(integrity: Read) -> None:
    table = integrity("synthesis/estimates").set_index("id")
    mine = table[table["exposure_name"] == "corrupt_officials"]
    assert mine["estimate"].tolist() == pytest.approx([-2.93, -3.54], abs=0.005)
    assert mine["se"].tolist() == pytest.approx([1.69, 1.46], abs=0.005)
    weight = mine["se"] ** -2.0
    mean, error = np.average(mine["estimate"], weights=weight), weight.sum() ** -0.5
    assert (mean, error) == pytest.approx((-3.28, 1.10), abs=0.005)
    # What they pool to is that, less what a spread that only its prior holds down makes uncertain.
    assert population(integrity)["mean"] == pytest.approx(mean, abs=0.25 * error)


def test_the_posterior_of_the_two_experiments_is_the_integrated_one(integrity: Read) -> None:
    table = integrity("synthesis/estimates")
    mine = table[table["exposure_name"] == "corrupt_officials"]
    y, v, unit = mine["estimate"].to_numpy(), mine["se"].to_numpy() ** 2, unit_of(mine)
    scale = PRIORS["tau"] * unit
    tau, mu = (np.arange(2000) + 0.5) / 2000 * 8 * scale, np.linspace(-60, 55, 4001)
    log = stats.halfnorm.logpdf(tau, scale=scale)[:, None] + law("effect", unit).logpdf(mu)
    for one, variance in zip(y, v, strict=True):
        whole = variance + tau[:, None] ** 2
        log = log - 0.5 * np.log(whole) - 0.5 * (one - mu) ** 2 / whole
    mass = np.exp(log - log.max())
    mass /= mass.sum()
    rows = [population(integrity), spreads(integrity).iloc[0]]
    for row, at, p in zip(rows, (mu, tau), (mass.sum(0), mass.sum(1)), strict=True):
        mean = p @ at
        assert row["mean"] == pytest.approx(mean, abs=CERTAIN * row["mcse"] + GRID)
        assert row["sd"] == pytest.approx(np.sqrt(p @ (at - mean) ** 2), rel=0.15)


def test_two_experiments_of_one_country_have_one_spread_that_their_prior_decides(
    integrity: Read,
) -> None:
    structure = integrity("synthesis/structure").query("exposure.str.startswith('corrupt')")
    said = structure.set_index("grouping")["reason"]
    assert said["country"] == "one level only: US"
    assert said["sector"].startswith("cannot be distinguished from study")
    assert spreads(integrity).index.tolist() == ["study+sector+setting"]
    pooled = integrity("synthesis/pooled")
    new = pooled[pooled["level"].str.startswith("new_")]
    assert "new_country" not in set(new["level"])
    assert set(new["note"]) == {"a standard deviation in it is decided by its prior"}


def test_effects_of_other_exposures_are_listed_and_not_pooled(integrity: Read) -> None:
    pooled, table = integrity("synthesis/pooled"), integrity("synthesis/estimates")
    assert set(pooled["exposure"]) == {"corrupt_officials_randomised"}
    others = table[table["exposure_name"] != "corrupt_officials"]
    assert len(table) == 13
    structure = integrity("synthesis/structure")
    refused = structure[structure["used_as"] == "refused"]
    assert set(refused["outcome"]) >= set(others["outcome"])
    assert refused["reason"].str.startswith("one study only").all()


@pytest.mark.parametrize("name", ["wallets", "wallets_one_stage", "integrity"])
def test_nothing_in_an_example_is_marked_as_simulated(
    name: str, request: pytest.FixtureRequest
) -> None:
    read: Read = request.getfixturevalue(name)
    assert set(read("synthesis/estimates")["provenance"]) == {"observed"}
    assert set(read("synthesis/pooled")["provenance"]) <= {"observed"}


@pytest.mark.parametrize("name", ["wallets", "integrity"])
def test_the_article_of_an_example_renders_and_its_captions_answer(
    name: str, folders: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(name)
    results = folders[name] / "results"
    assert faults(results) == []
    assert {path.suffix for path in (results / "manuscript").glob("manuscript.*")} == {
        *(".html", ".pdf", ".docx")
    }
    html = (results / "manuscript" / "manuscript.html").read_text("utf-8")
    assert "imulated" not in re.sub(r"Nothing is\s+simulated", "", html)
    assert "not about" in html
    text = (results / "tables" / "_part-data.md").read_text("utf-8")
    assert ("{#tbl-entered" in text) == (name == "integrity")


def test_the_article_of_the_wallets_shows_the_countries_that_were_left_out(
    wallets: Read, folders: dict[str, Path]
) -> None:
    """The committed result is about the estimates that the counts give today."""
    committed = pd.read_csv(ROOT / "examples/wallets/data/left_out_places.csv")
    assert len(committed) == 40
    inside = committed["estimate"].between(committed["lower"], committed["upper"])
    assert inside.sum() >= 35
    shown = pd.read_csv(folders["wallets"] / "results/figures/left_out.csv")
    assert len(shown) == 2 * len(committed)
    assert (shown["style"] == "filled").sum() == (~inside).sum()
    html = (folders["wallets"] / "results/manuscript/manuscript.html").read_text("utf-8")
    assert committed["commit"][0] in html
    assert committed["date"][0] in html
