"""The world of coping in several countries: files, codebooks and effects are as the world says."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.design.identification import SETTING, identify
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.models.answers.cells import answer_cells

sys.path.insert(0, str(ROOT / "data" / "generator"))

import coping
import coping_replications as replications
import generate
import prepare

WORLD = ROOT / "data" / "generator" / "world.yaml"
COUNTRIES = ROOT / "config" / "worlds" / "coping_countries.yaml"
DRAWN, ASKED = replications.EXPOSURES
GROUPINGS = ("study", "country", "sector", "place")


def world(*settings: str) -> dict[str, Any]:
    return generate.load_world(WORLD, settings, COUNTRIES)


def test_the_default_world_has_no_replications_of_coping() -> None:
    assert replications.truth(generate.load_world(WORLD)).empty


def test_a_misspelt_key_of_the_replications_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"coping_replications\.respondent"):
        world("coping_replications.respondent=[5,6]")


def test_the_design_tells_study_country_sector_and_setting_apart() -> None:
    known = replications.truth(world())
    known[SETTING] = known["study"] + known["country"] + known["sector"]
    found = identify(known, ["study", "country", "sector", SETTING]).table
    assert list(found["used_as"]) == ["varying"] * 4
    assert (known.groupby("country").size() > 1).all()


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_effects_spread_over_a_grouping_as_the_world_says(grouping: str) -> None:
    others = [g for g in GROUPINGS if g != grouping]
    made = world(*(f"coping_replications.true_effect_{g}_sd={{{DRAWN}: 0}}" for g in others))
    known = replications.truth(made).assign(place=lambda t: t["country"] + t["sector"])
    mine = made[replications.SECTION]
    for strategy in coping.STRATEGIES:
        means = known.groupby(grouping)[replications.column(DRAWN, strategy)].mean()
        assert means.std() == pytest.approx(mine[f"true_effect_{grouping}_sd"][DRAWN])
        assert means.mean() == pytest.approx(mine["true_effect_mean"][DRAWN].get(strategy, 0.0))


def test_a_scale_of_zero_takes_every_effect() -> None:
    made = world("true_effect_scale=0")
    place = replications.truth(made).iloc[4].to_dict()
    assert [
        replications.effect_in(made, place, exposure, strategy, conflict, role)
        for exposure in replications.EXPOSURES
        for strategy in coping.STRATEGIES
        for conflict in coping.CONFLICTS
        for role in (replications.CITIZENS, replications.PROFESSIONALS)
    ] == [0.0] * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world as it is, in a folder to run in."""
    made = tmp_path_factory.mktemp("world") / "coping_countries"
    prepare.prepare(COUNTRIES, made)
    return made


@pytest.fixture(scope="module")
def studies(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    """Its replications, harmonized by their own codebooks."""
    out, found = tmp_path_factory.mktemp("harmonized"), []
    for study in sorted((folder / "data" / "raw").glob("coping_replication_*")):
        save(harmonize_file(load(study, VOCABULARY), KEY), out / study.name)
        found.append(load_study(out / study.name, None))
    return found


def test_a_prepared_folder_lists_every_file_as_simulated(folder: Path) -> None:
    raw = folder / "data" / "raw"
    listed = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    assert set(listed) == {*generate.STUDIES, *(f"coping_replication_{k}" for k in range(1, 5))}
    for study, files in listed.items():
        book = yaml.safe_load((raw / study / "codebook.yaml").read_text("utf-8"))
        assert book["study"]["provenance"] == "simulated"
        for file, digest in files.items():
            assert hashlib.sha256((raw / study / file).read_bytes()).hexdigest() == digest


def test_preparing_again_makes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    prepare.prepare(COUNTRIES, tmp_path / "again")
    for path in (folder / "data" / "raw").rglob("coping_replication_*/*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


def test_the_studies_of_this_project_are_the_same_bytes_in_it(folder: Path) -> None:
    shipped = yaml.safe_load((ROOT / "data" / "raw" / "manifest.yaml").read_text("utf-8"))
    listed = yaml.safe_load((folder / "data" / "raw" / "manifest.yaml").read_text("utf-8"))
    assert shipped.items() <= listed.items()


def test_places_sizes_scales_and_roles_are_as_the_world_says(studies: list[Study]) -> None:
    made = world()
    mine, known = made[replications.SECTION], replications.truth(made)
    people = pd.concat([study.respondents for study in studies])
    assert set(people["role"]) == {replications.CITIZENS, replications.PROFESSIONALS}
    two = people[people["role"] == replications.PROFESSIONALS]["study_id"].unique()
    assert list(two) == [f"coping_replication_{k}" for k in mine["two_roles"]]
    citizens = people[people["role"] == replications.CITIZENS]
    where = ["study_id", "country", "sector"]
    sizes = known.set_index(["study", "country", "sector"])["respondents"]
    assert citizens.groupby(where).size().to_dict() == sizes.to_dict()
    assert (sizes.min(), sizes.max()) == tuple(mine["respondents"])
    scales = [
        study.measurements[["scale_min", "scale_max"]].drop_duplicates().to_numpy()
        for study in studies
    ]
    assert np.concatenate(scales).tolist() == mine["scales"]


def test_levels_and_the_spread_of_people_differ_between_the_places(studies: list[Study]) -> None:
    table = pd.concat(
        [
            s.measurements.merge(s.respondents[["respondent_id", "country", "sector"]])
            for s in studies
        ]
    )
    asked = table[table["construct"] == "coping_balancing"]
    within = asked.groupby(["study_id", "country", "sector"])["value_pomp"]
    level = within.mean().groupby("country").mean()
    assert np.ptp(level) > 20, "per cent of the scale"
    assert within.std().max() > 1.4 * within.std().min()


def test_cells_of_the_world_hold_every_setting_with_its_role(studies: list[Study]) -> None:
    cells = answer_cells(studies, "coping", VOCABULARY)
    known = replications.truth(world())
    two = known["study"].isin(["coping_replication_2"]).sum()
    assert cells.sizes["setting"] == len(known) + two
    assert list(cells.exposure.values) == [f"{DRAWN}_randomised", f"{ASKED}_measured"]
    assert cells.asked.values.all()


def test_effects_in_the_files_are_those_that_the_world_says(tmp_path: Path) -> None:
    # So many people that sampling error is small; answers on a scale attenuate by a factor.
    section = replications.SECTION
    made = world(f"{section}.respondents=[8000,8000]", f"{section}.countries=[DK,FI]")
    original = ROOT / "data" / "raw" / replications.LIKE / "codebook.yaml"
    replications.write(made, tmp_path, yaml.safe_load(original.read_text("utf-8")))
    true, found = [], []
    for place in replications.truth(made).to_dict("records"):
        data = pd.read_csv(tmp_path / place["study"] / f"{place['study']}.csv")
        here = (data["country"] == place["country"]) & (data["sector"] == place["sector"])
        answers = data[here & (data["role"] == replications.CITIZENS)]
        rated = answers.filter(regex="^c").mask(lambda t: t == replications.DONT_KNOW)
        trust = (
            answers.filter(like="trust").mask(lambda t: t == replications.DONT_KNOW).mean(axis=1)
        )
        high = answers["efficacy"] == "high"
        width = (place["high"] - place["low"]) / 5
        for c, conflict in enumerate(coping.CONFLICTS, start=1):
            for k, strategy in enumerate(coping.STRATEGIES, start=1):
                rating = rated[f"c{c}_{k}"] / width
                slope = trust.cov(rating) / trust.std()
                found.append((rating[high].mean() - rating[~high].mean(), slope))
                true.append(
                    [
                        replications.effect_in(
                            made, place, exposure, strategy, conflict, replications.CITIZENS
                        )
                        for exposure in replications.EXPOSURES
                    ]
                )
    for exposure, known, seen in zip(
        replications.EXPOSURES, np.transpose(true), np.transpose(found), strict=True
    ):
        factor, constant = np.polyfit(known, seen, 1)
        assert 0.7 < factor < 1.0, exposure
        assert constant == pytest.approx(0.0, abs=0.02), exposure
        assert np.std(seen - factor * known) < 0.06, exposure
