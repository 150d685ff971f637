"""The command of the second stage takes what a codebook declares to its tables.

Six publications with ten effects between them, of which two are said to hang together and others
are assumed to; by latitude, in two laboratories.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.raw_studies import FINDINGS, harmonized, published_study
from helpers.repository import ROOT
from metastudy.harmonize.harmonize import save
from metastudy.inference.convergence import diagnose

pytestmark = [pytest.mark.fit, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
BOOK = (
    FINDINGS
    + """\
  - {name: north, as: moderator, moderator: latitude}
  - {name: south, as: moderator, moderator: distance}
  - {name: lab, as: nesting, nesting: laboratory}
dependence:
  - {findings: [f1, f2], covariance: 0.0042}
vocabulary:
  moderators:
    latitude: {label: Latitude, unit: degrees}
    distance: {label: Distance to the pole, unit: degrees}
"""
)
FEW = {"ebfmi": 0.3}
HEAD = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level,north,south,lab\n"
EFFECTS = [
    ("a", 0.10, 10, "x"), ("a", 0.20, 10, "x"), ("b", 0.30, 25, "x"), ("b", 0.60, 25, "x"),
    ("b", 0.20, 25, "x"), ("c", 0.40, 40, "y"), ("d", 0.35, 55, "y"), ("d", 0.80, 55, "y"),
    ("e", 0.60, 60, "y"), ("f", 0.90, 70, "x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("declared")
    text = HEAD + "".join(
        f"f{k},{paper},a to b,assigned,threat_job,+,{d},0.1,log_odds,90,DK,published_numeric,"
        f"{north},{90 - north},{lab}\n"
        for k, (paper, d, north, lab) in enumerate(EFFECTS, start=1)
    )
    return synthesized(folder, text, BOOK)


def synthesized(folder: Path, text: str, book: str) -> dict[str, pd.DataFrame]:
    """The tables that the command makes of a file of findings."""
    save(harmonized(published_study(folder, text, book)), folder / "harmonized")
    report = CONFIG["report"]
    environment = {"PYTHONPATH": str(ROOT / "workflow"), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.declare"),
            *("--published", folder / "harmonized"),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml"),
            *("--out", folder / "said"),
        ],
        check=True,
        env=environment,
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.synthesize"),
            *("--declared", folder / "said"),
            *("--priors", json.dumps(CONFIG["priors"])),
            *("--sampling", json.dumps(CONFIG["refits"] | {"seed": 1})),
            *("--refits", json.dumps(CONFIG["refits"] | {"seed": 1})),
            *("--gates", json.dumps(CONFIG["refit_gates"])),
            *("--correlation", "0.6", "--prior_decides", str(report["prior_decides"])),
            *("--interval", "0.95", "--rope_sd", "0.1", "--rope_logit", "0.18"),
            *("--out", folder / "out"),
        ],
        check=True,
        env=environment,
    )
    return {path.stem: pd.read_parquet(path) for path in (folder / "out").glob("*.parquet")}


def test_the_moderator_is_fitted_its_alias_refused_and_the_place_of_the_mean_said(
    tables: dict[str, pd.DataFrame],
) -> None:
    (row,) = tables["moderators"].to_dict("records")
    assert row["moderator"] == "latitude"
    assert float(row["at"]) == pytest.approx((10 + 25 + 40 + 55 + 60 + 70) / 6)
    assert row["between"]
    assert row["note"] == ""
    assert row["mean"] > 0
    structure = tables["structure"].set_index("grouping")
    assert structure.loc["distance", ["used_as", "aliased_with"]].tolist() == [
        "refused",
        "latitude",
    ]
    whole = tables["pooled"].query("level == 'population'").squeeze()
    assert "at the mean of latitude: 43.33 degrees" in whole["note"]


def test_effects_of_a_study_and_laboratories_have_spreads_of_their_own(
    tables: dict[str, pd.DataFrame],
) -> None:
    names = " ".join(tables["heterogeneity"].query("variant == 'pooled'")["parameter"])
    assert "laboratory" in names
    assert "effect]" in names
    assert "new_laboratory" in set(tables["pooled"]["level"])


def test_the_result_at_other_correlations_is_in_columns(tables: dict[str, pd.DataFrame]) -> None:
    (row,) = tables["dependence"].to_dict("records")
    assert [row[name] for name in ("given", "declared", "assumed")] == [1, 0, 4]
    assert (row["studies"], row["effects"], row["correlation"]) == (6, 10, 0.6)
    assert row["mean_30"] != row["mean"] != row["mean_90"]
    assert row["lower_90"] < row["mean_90"] < row["upper_90"]
    whole = tables["pooled"].query("level == 'population'").squeeze()
    assert row["mean"] == whole["mean"]


def test_each_study_has_its_influence_on_mean_and_total(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["influence"].set_index("study")
    assert len(found) == 6
    whole = tables["pooled"].query("level == 'population'").squeeze()
    assert (found["mean"] == whole["mean"]).all()
    moved = (found["mean_without"] - found["mean"]) / whole["sd"]
    np.testing.assert_allclose(found["shift"], moved)
    assert found["studies"].eq(6).all()
    assert found["total_without"].gt(0).all()


def test_each_prior_of_the_plan_is_halved_and_doubled(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["prior_scales"]
    keys = ["effect_logit", "tau_logit", "moderator_logit", "all"]
    assert list(zip(found["prior_key"], found["factor"], strict=True)) == [
        (key, factor) for key in keys for factor in (0.5, 2.0)
    ]
    whole = tables["pooled"].query("level == 'population'").squeeze()
    np.testing.assert_allclose(found["shift"], (found["mean"] - whole["mean"]) / whole["sd"])
    assert found["id"].eq(whole["id"]).all()
    assert found["rope"].between(0, 1).all()
    both = found[found["prior_key"] == "all"]["note"]
    assert both.str.count(";").eq(2).all()


def test_outcomes_of_a_family_are_beside_what_they_are_without_it_and_pass_the_gates(
    tmp_path: Path,
) -> None:
    """Two kinds of threat in publications of their own: the first is drawn towards the second."""
    found = {"threat_job": (0.9, 1.1, 0.8), "threat_quality": (0.1, 0.05, 0.2)}
    text = HEAD + "".join(
        f"f{at}{k},{outcome[7]}{k},a to b,assigned,{outcome},+,{d},0.2,log_odds,90,DK,"
        "published_numeric,1,2,perceived_threat\n"
        for at, (outcome, own) in enumerate(found.items())
        for k, d in enumerate(own)
    )
    book = FINDINGS + "  - {name: north, as: ignore}\n  - {name: south, as: ignore}\n"
    tables = synthesized(tmp_path, text, book + "  - {name: lab, as: finding, field: family}\n")
    pooled = tables["pooled"].set_index(["level", "outcome"])
    job, quality = (pooled.loc[("population", outcome)].squeeze() for outcome in found)
    assert job["mean"] < job["mean_apart"] - 0.01
    assert quality["mean"] > quality["mean_apart"] + 0.01
    family = pooled.loc[("family", "perceived_threat")].squeeze()
    assert quality["mean"] < family["mean"] < job["mean"]
    assert family["studies"] == 6
    spreads = tables["heterogeneity"].query("variant == 'pooled'")["parameter"]
    assert spreads.str.startswith("outcome_tau[").sum() == 1
    assert len(tables["influence"]) == 6
    scales = tables["prior_scales"]
    assert scales["kind"].value_counts().to_dict() == {"population": 12, "family": 6}
    gates = diagnose(tmp_path / "out" / "posterior.nc", "synthesis", CONFIG["refit_gates"] | FEW)
    assert all(gate["passed"] for gate in gates["gates"]), gates
    assert len({gate["draws"] for gate in gates["gates"]}) == 3, "family, apart, exploratory"
