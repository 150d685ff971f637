"""Other worlds: files that say what differs, replications of known truth, a folder to run in."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.design.identification import identify
from metastudy.harmonize.harmonize import harmonize_file

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate
import prepare
import replications

WORLD = ROOT / "data" / "generator" / "world.yaml"
WORLDS = sorted((ROOT / "config" / "worlds").glob("*.yaml"))
MULTI = ROOT / "config" / "worlds" / "multi_country.yaml"


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_a_world_says_only_what_differs(path: Path) -> None:
    usual, other = generate.load_world(WORLD), generate.load_world(WORLD, (), path)
    assert other.keys() == usual.keys()
    assert other != usual


def test_a_world_that_changes_what_there_is_not_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("coping_survey: {analyzable: 5}\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"coping_survey\.analyzable"):
        generate.load_world(WORLD, (), path)


def test_the_default_world_has_no_replications() -> None:
    assert replications.truth(generate.load_world(WORLD)).empty


def test_effects_spread_between_countries_and_sectors_exactly_as_the_world_says() -> None:
    world = generate.load_world(
        WORLD, ["threat_replications.true_effect_study_sd.threat_quality=0"], MULTI
    )
    known = replications.truth(world)
    for grouping in ("country", "sector"):
        for construct, sd in world["threat_replications"][f"true_effect_{grouping}_sd"].items():
            means = known.groupby(grouping)[construct].mean()
            assert means.std() == pytest.approx(sd)
            assert means.mean() == pytest.approx(
                world["threat_replications"]["true_effect_task_type"][construct]
            )


def test_a_scale_of_nought_takes_the_spread_as_well() -> None:
    world = generate.load_world(WORLD, ["true_effect_scale=0"], MULTI)
    assert not replications.truth(world)[list(replications.ASKED)].any(axis=None)


@pytest.mark.parametrize("name", ["multi_country", "some_countries"])
def test_the_places_tell_studies_countries_and_sectors_apart(name: str) -> None:
    world = generate.load_world(WORLD, (), MULTI.with_name(f"{name}.yaml"))
    places = replications.truth(world)[["study", "country", "sector"]]
    default = {"study": replications.LIKE, "country": "DK", "sector": "elderly_care"}
    found = identify(
        pd.concat([places, pd.DataFrame([default])]), ["study", "country", "sector"]
    ).table.set_index("grouping")
    assert set(found["used_as"]) == {"varying"}
    assert found["levels"].to_dict() == {"study": 6, "country": 8, "sector": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("world") / "multi_country"
    prepare.prepare(MULTI, made, ("threat_replications.respondents=12",))
    return made


def contents(folder: Path) -> dict[str, bytes]:
    raw = folder / "data" / "raw"
    return {str(p.relative_to(raw)): p.read_bytes() for p in raw.rglob("*") if p.is_file()}


def test_a_prepared_folder_has_all_studies_and_replications_and_says_that_they_are_simulated(
    folder: Path,
) -> None:
    raw = folder / "data" / "raw"
    listed = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    assert set(listed) == {*generate.STUDIES, *(f"threat_replication_{k}" for k in range(1, 6))}
    for study, files in listed.items():
        book = yaml.safe_load((raw / study / "codebook.yaml").read_text("utf-8"))
        assert book["study"]["provenance"] == "simulated"
        for file, digest in files.items():
            assert hashlib.sha256((raw / study / file).read_bytes()).hexdigest() == digest
    findings = "published_findings/published_findings.csv"
    assert contents(folder)[findings] == (ROOT / "data" / "raw" / findings).read_bytes()


def test_all_but_the_data_are_the_projects_own(folder: Path) -> None:
    for name in ("config/config.yaml", "manuscript/manuscript.qmd", "data/appraisal.csv", ".store"):
        assert (folder / name).resolve() == (ROOT / name).resolve(), name


def test_preparing_again_makes_the_same_bytes_and_leaves_results_alone(folder: Path) -> None:
    before = contents(folder)
    result = folder / "results" / "kept.txt"
    result.parent.mkdir(exist_ok=True)
    result.write_text("kept", encoding="utf-8")
    prepare.prepare(MULTI, folder, ("threat_replications.respondents=12",))
    assert contents(folder) == before
    assert result.read_text("utf-8") == "kept"


def test_a_replication_is_harmonized_by_its_own_codebook(folder: Path) -> None:
    raw = folder / "data" / "raw"
    made = harmonize_file(load(raw / "threat_replication_2", VOCABULARY), KEY)
    people = made.tables["respondents"]
    world = generate.load_world(WORLD, (), MULTI)
    known = replications.truth(world).query("study == 'threat_replication_2'")
    places = set(zip(people["country"], people["sector"], strict=True))
    assert places == set(zip(known["country"], known["sector"], strict=True))
    assert made.report["rows_kept"] > 0.8 * 12 * len(known)
