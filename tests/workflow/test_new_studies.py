"""A study is a folder: what a new one unlocks, with no code touched and no model sampled."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.own_project import snakemake
from helpers.repository import ROOT
from metastudy.codebook import vocabulary as vocabularies
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import load_study
from metastudy.models.aggregate import check_required
from metastudy.models.codings.readings import studies_of_codes
from metastudy.synthesis.eligibility import module_structures
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.study_estimates import estimates

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate

# Minutes of builds up to cells: at each landing.
pytestmark = [pytest.mark.slow, pytest.mark.ci]

RAW = ROOT / "data" / "raw"
COUNTRIES = {"NO": {"label": "Norway"}, "SE": {"label": "Sweden"}}
OWN = "threat_pay"


def put(raw: Path, name: str, codebook: dict[str, Any], data: Path) -> None:
    """Make a study's folder and enter its file in the manifest of simulated ones."""
    codebook["study"]["id"] = name
    codebook["study"].pop("label", None)
    codebook["file"]["name"] = data.name
    (raw / name / "codebook.yaml").write_text(yaml.safe_dump(codebook), encoding="utf-8")
    manifest = raw / "manifest.yaml"
    listed = yaml.safe_load(manifest.read_text("utf-8")) or {} if manifest.exists() else {}
    listed[name] = {data.name: hashlib.sha256(data.read_bytes()).hexdigest()}
    manifest.write_text(yaml.safe_dump(listed), encoding="utf-8")


def again(raw: Path, name: str, like: str, seed: int, **study: str) -> None:
    """The same study once more: other people of the same world, other places in its codebook."""
    world = generate.load_world(ROOT / "data" / "generator" / "world.yaml", [f"seed={seed}"])
    file, write = generate.STUDIES[like]
    path = raw / name / file
    path.parent.mkdir(parents=True)
    write(world[like], generate.stream(seed, name), path)
    codebook = yaml.safe_load((RAW / like / "codebook.yaml").read_text("utf-8"))
    codebook["study"] |= study
    if study.get("country") in COUNTRIES:
        codebook["vocabulary"] = {"countries": {study["country"]: COUNTRIES[study["country"]]}}
    put(raw, name, codebook, path)


def own_construct(raw: Path) -> None:
    """A small experiment with an outcome that nobody else measured."""
    rng = np.random.default_rng(5)
    arm = rng.permutation(np.resize(["core", "complementary"], 120))
    table = pd.DataFrame({"person": range(120), "arm": arm, "pay": rng.integers(1, 8, 120)})
    path = raw / "pay_study" / "pay.csv"
    path.parent.mkdir(parents=True)
    table.to_csv(path, index=False)
    codebook = yaml.safe_load((RAW / "threat_experiment" / "codebook.yaml").read_text("utf-8"))
    study = {**codebook["study"], "country": "FI"}
    put(
        raw,
        "pay_study",
        {
            "study": study,
            "file": {"format": "csv"},
            "variables": [
                {"name": "person", "as": "id"},
                {
                    "name": "arm",
                    "as": "factor",
                    "randomised": True,
                    "factors": {"task_type": {"core": "core", "complementary": "complementary"}},
                },
                {"name": "pay", "as": "item", "construct": OWN, "min": 1, "max": 7},
            ],
            "outcomes": [OWN],
            "exposures": [{"factor": "task_type", "type": "randomised"}],
            "vocabulary": {
                "constructs": {
                    OWN: {
                        "label": "Threat to the pay",
                        "definition": "The respondent fears for the pay.",
                        "direction": "more threat",
                        "family": "perceived_threat",
                        "burden": 1,
                    }
                }
            },
        },
        path,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "project"
    raw = folder / "data" / "raw"
    again(raw, "first", "threat_experiment", 1)
    again(raw, "replication_north", "threat_experiment", 2, country="NO")
    again(raw, "replication_east", "threat_experiment", 3, country="SE", sector="social_care")
    again(raw, "interviews_one", "frontline_interviews", 4)
    again(raw, "interviews_two", "frontline_interviews", 5)
    own_construct(raw)
    snakemake(folder, ["results/cells/threat.nc", "results/cells/strain.nc"], {})
    return folder


def cells(built: Path, module: str) -> xr.Dataset:
    return xr.load_dataset(built / "results" / "cells" / f"{module}.nc")


def test_a_replication_in_two_more_countries_and_another_sector_unlocks_what_it_can(
    built: Path,
) -> None:
    found = module_structures(cells(built, "threat"))
    mine = found[found["exposure"] == "involvement_degree_randomised"]
    assert set(mine["outcome"]) == {""}, "the same for every outcome that it was asked with"
    mine = mine.set_index("grouping")
    assert mine["levels"].to_dict() == {"study": 3, "country": 3, "sector": 2, "setting": 3}
    assert set(mine["used_as"]) == {"varying"}
    assert mine["aliased_with"].to_dict() == {
        "study": "", "country": "study", "sector": "", "setting": "study",
    }  # fmt: skip


def test_asking_for_what_the_design_cannot_tell_names_the_alias(built: Path) -> None:
    threat = cells(built, "threat")
    check_required(threat, ["study", "sector"])
    with pytest.raises(BadInput) as caught:
        check_required(threat, ["country"])
    problems = caught.value.problems
    assert {problem.code for problem in problems} == {"aliased-term"}
    assert {problem.column for problem in problems} == {"require.threat"}
    assert all("cannot be distinguished from study" in problem.found for problem in problems)


def test_estimates_of_the_replications_are_pooled_and_the_construct_of_its_own_is_not(
    built: Path,
) -> None:
    threat = cells(built, "threat")
    vocabulary = vocabularies.of_studies(
        built / "config" / "vocabulary.yaml",
        [load_study(p).vocabulary for p in sorted((built / "results" / "harmonized").iterdir())],
    )
    table, covariance = estimates(threat, vocabulary)
    pooled = pd.concat([found.table for found in plans(table, covariance)])
    together = pooled.groupby("outcome")["study"].nunique()
    assert set(together) == {3}
    assert "threat_quality" in together
    assert OWN in set(table["outcome"])
    assert OWN not in set(together.index), "nobody else measured it"


def test_a_second_study_of_interviews_pools_the_codes_that_both_looked_for(built: Path) -> None:
    strain = cells(built, "strain")
    assert studies_of_codes(strain).sum("study_name").values.tolist() == [2] * strain.sizes["code"]
    found = module_structures(strain).set_index("grouping")
    assert found.loc["study", "used_as"] == "varying"
    assert strain.sizes["organisation"] == 40
