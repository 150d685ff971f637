"""A folder of published effects alone: what the workflow pools is what grid integration gives.

The thirteen trials of the BCG vaccine against tuberculosis (Colditz et al. 1994) as log risk
ratios, once as studies of one country and once, invented, in four countries, so that there are two
and three levels. The reference integrates mean, total and shares out on a grid.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import norm
from statsmodels.stats.meta_analysis import combine_effects

from helpers.exact_pooling import Exact, law_of
from helpers.own_project import snakemake
from helpers.repository import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

TRIALS = """\
Aronson 1948,4,119,11,128
Ferguson and Simes 1949,6,300,29,274
Rosenthal 1960,3,228,11,209
Hart and Sutherland 1977,62,13536,248,12619
Frimodt-Moller 1973,33,5036,47,5761
Stein and Aronson 1953,180,1361,372,1079
Vandiviere 1973,8,2537,10,619
Madras 1980,505,87886,499,87892
Coetzee and Berjak 1968,29,7470,45,7232
Rosenthal 1961,17,1699,65,1600
Comstock 1974,186,50448,141,27197
Comstock and Webster 1969,5,2493,3,2338
Comstock 1976,27,16886,29,17825
"""  # trial, cases and others among the vaccinated, cases and others among the controls
COUNTRIES = ("one", "two", "three", "four")
PRIORS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"]


def trials() -> pd.DataFrame:
    """Log risk ratios and their standard errors."""
    rows = [line.split(",") for line in TRIALS.splitlines()]
    a, b, c, d = np.array([row[1:] for row in rows], dtype=float).T
    return pd.DataFrame(
        {
            "trial": [row[0].replace(" ", "_").replace("-", "_").lower() for row in rows],
            "estimate": np.log((a / (a + b)) / (c / (c + d))),
            "se": np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)),
            "n": a + b + c + d,
            "country": [COUNTRIES[i % 4] for i in range(len(rows))],
        }
    )


def codebook(columns: list[str]) -> dict:
    fields = {name: name for name in columns if name != "trial"}
    return {
        "study": {
            "id": "vaccine",
            "title": "Trials of a vaccine",
            "citation": "colditz1994",
            "design": "published",
            "provenance": "observed",
        },
        "file": {"name": "vaccine.csv", "format": "csv"},
        "variables": [
            {"name": "trial", "as": "id"},
            *({"name": n, "as": "finding", "field": f} for n, f in fields.items()),
        ],
        "vocabulary": {"countries": {name: {"label": name.title()} for name in COUNTRIES}},
    }


def run(folder: Path, countries: bool) -> pd.DataFrame:
    """Put the trials into a folder, run the workflow on it, give the pooled results."""
    found = trials()
    table = found.assign(
        citation=found["trial"],
        contrast="vaccine against none",
        exposure_type="randomised",
        outcome="tuberculosis",
        direction=np.where(found["estimate"] > 0, "positive", "negative"),
        metric="log_risk_ratio",
        verification="published_numeric",
        country=found["country"] if countries else "one",
    )
    raw = folder / "data" / "raw" / "vaccine"
    raw.mkdir(parents=True)
    table.to_csv(raw / "vaccine.csv", index=False)
    (raw / "codebook.yaml").write_text(yaml.safe_dump(codebook(list(table))), encoding="utf-8")
    (raw.parent / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    targets = [
        *("results/synthesis/pooled.parquet", "results/diagnostics/gates.json"),
        *("results/synthesis/structure.parquet", "results/figures/synthesis.svg"),
    ]
    snakemake(folder, targets, {})
    return pd.read_parquet(folder / "results" / "synthesis" / "pooled.parquet")


def integrated(countries: bool) -> Exact:
    """The posterior by integration; a trial is a study, its sector and its setting."""
    found = trials()
    own = [found["trial"].to_numpy(), found["country"].to_numpy()][: 1 + countries]
    y, v = found["estimate"].to_numpy(), np.diag(found["se"].to_numpy() ** 2)
    return Exact(y, v, own, law_of(PRIORS["effect_logit"]), PRIORS["tau_logit"])


def test_the_trials_are_those_of_the_literature() -> None:
    """A random-effects summary after DerSimonian and Laird: -0.71, between-trial variance 0.31."""
    found = trials()
    summary = combine_effects(found["estimate"], found["se"] ** 2, method_re="dl")
    assert summary.mean_effect_re == pytest.approx(-0.714, abs=0.001)
    assert summary.tau2 == pytest.approx(0.309, abs=0.001)
    assert (summary.q - 12) / summary.q == pytest.approx(0.921, abs=0.001)


def typical() -> float:
    """The typical sampling variance, by which the estimator of moments gives I² = (Q - 12) / Q."""
    found = trials()
    summary = combine_effects(found["estimate"], found["se"] ** 2, method_re="dl")
    return summary.tau2 * 12 / (summary.q - 12)


@pytest.mark.parametrize(
    "countries",
    [
        pytest.param(False, id="two levels"),
        pytest.param(True, id="three levels", marks=pytest.mark.ci),
    ],
)
def test_a_folder_of_published_effects_is_pooled_as_on_the_grid(
    tmp_path: Path, countries: bool
) -> None:
    pooled = run(tmp_path / "project", countries).set_index(["level", "group"])
    exact = integrated(countries)
    population = pooled.loc[("population", "")]
    mean, sd = exact.moments()
    assert abs(population["mean"] - mean) < 4 * population["mcse"]
    assert population["sd"] == pytest.approx(sd, rel=0.05)
    assert population["studies"] == 13
    assert population["provenance"] == "observed"
    levels = set(pooled.index.get_level_values("level"))
    assert ("country" in levels) == countries
    assert ("new_country" in levels) == countries
    spread = pd.read_parquet(tmp_path / "project/results/synthesis/heterogeneity.parquet")
    for which, name in enumerate(("study+setting", "country")[: 1 + countries]):
        row = spread[spread["parameter"].str.contains(f" {name}]", regex=False)].iloc[0]
        tau, square = exact.tau[:, which], exact.tau**2
        assert abs(row["mean"] - exact.weight @ tau) < 4 * row["mcse"] + 0.002, name
        i2 = exact.weight @ (square[:, which] / (square.sum(axis=1) + typical()))
        assert abs(row["i2"] - i2) < 4 * row["i2_mcse"] + 0.002, name
    total = spread[spread["parameter"].str.startswith("total_tau")]
    if countries:
        assert abs(total["mean"].item() - exact.weight @ exact.total) < 4 * total["mcse"].item()
    assert set(pooled["role"]) == {"not_stated"}
    new = pooled.loc[("new_study", "")]
    new_mean, new_sd = exact.new(0)
    assert abs(new["mean"] - new_mean) < 4 * new["mcse"]
    assert new["sd"] == pytest.approx(new_sd, rel=0.05)
    assert new["upper"] - new["lower"] > population["upper"] - population["lower"]
    assert norm.cdf(0, population["mean"], population["sd"]) > 0.97, "the vaccine protects"
