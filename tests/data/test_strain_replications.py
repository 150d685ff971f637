"""The world of interviews in several countries: files, codebooks and codes are as it says."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from helpers.repository import ROOT
from helpers.strain_worlds import NEW, cells_of, original, truths, world
from metastudy.design.identification import identify
from metastudy.models.codings.readings import interviews

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate
import prepare
import strain_replications as strain

WORLD = ROOT / "data" / "generator" / "world.yaml"
COUNTRIES = ROOT / "config" / "worlds" / "strain_countries.yaml"


def test_the_default_world_has_no_replications_of_the_interviews(tmp_path: Path) -> None:
    usual = generate.load_world(WORLD)
    assert strain.truth(usual).empty
    assert strain.write(usual, tmp_path, original()) == {}


def test_a_misspelt_key_of_the_interviews_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"strain_replications\.interview"):
        world(0, "strain_replications.interview=5")


def test_the_design_tells_studies_countries_and_sectors_apart() -> None:
    units = strain.units(world())
    found = identify(units, ["study", "country", "sector"], residual="organisation")
    assert [c.name for c in found.components] == ["study", "country", "sector"]
    assert [len(c.levels) for c in found.components] == [6, 6, 5]
    assert units.groupby("study")[["country", "sector"]].nunique().gt(1).all(axis=None)


def test_codebooks_overlap_and_none_has_all_codes() -> None:
    made = world()
    families, studies = strain.codes(made), strain.units(made)["study"].unique()
    of = {study: strain.asked(made, study) for study in studies}
    assert all(len(asked) < len(families) for asked in of.values())
    assert all(
        {families[code] for code in asked} == set(families.values()) for asked in of.values()
    )
    times = [sum(code in asked for asked in of.values()) for code in families]
    assert min(times) > 1
    assert max(times) < len(studies)


def test_one_study_speaks_with_people_of_two_roles_in_every_organisation() -> None:
    roles = strain.units(world()).groupby(["study", "organisation"])["role"].nunique()
    by_study = roles.groupby("study").agg(["min", "max"])
    assert sorted(zip(by_study["min"], by_study["max"], strict=True)) == [(1, 1)] * 5 + [(2, 2)]


def test_organisations_differ_in_size_and_studies_have_as_many_interviews_as_the_world_says() -> (
    None
):
    units = strain.units(world(0, "strain_replications.interviews=60"))
    assert units["interviews"].min() >= 2
    assert units["interviews"].max() > 3 * units["interviews"].min()
    total = units.groupby("study")["interviews"].sum()
    assert sorted(total) == [60] * 5 + [120]


def test_a_code_is_common_in_one_sector_in_five_and_a_little_rarer_in_the_others() -> None:
    made = world(0, "strain_replications.true_family_sd={sector: 0}")
    sd = made[strain.SECTION]["true_code_sd"]["sector"]
    own = np.stack([strain.part(made, "sector", f"sector {k}") for k in range(2000)])
    assert np.unique(own.round(9)) == pytest.approx([-sd / 2, 2 * sd])
    assert (own > 0).mean() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("grouping", ["study", "country", "sector"])
def test_codes_spread_over_a_grouping_as_the_world_says(grouping: str) -> None:
    made = world()
    mine, families = made[strain.SECTION], list(strain.codes(made).values())
    own = np.stack([strain.part(made, grouping, f"level {k}") for k in range(4000)])
    shift, each = mine["true_family_sd"][grouping], mine["true_code_sd"][grouping]
    assert own.mean(axis=0) == pytest.approx(np.zeros(len(families)), abs=0.05)
    assert own.std(axis=0) == pytest.approx(np.full(len(families), np.hypot(shift, each)), rel=0.1)
    together = np.corrcoef(own.T)[np.equal.outer(families, families)]
    expected = shift**2 / (shift**2 + each**2)
    assert together[together < 0.999].mean() == pytest.approx(expected, abs=0.03)


def test_a_scale_of_zero_takes_what_a_role_has_beyond_the_other() -> None:
    made = world(0, "true_effect_scale=0", "strain_replications.true_effect_role_code_sd=0")
    assert not strain.role_effect(made).any()
    assert strain.role_effect(world()).any()


def test_coders_find_what_is_there_as_often_as_the_world_says() -> None:
    made = world(0, "strain_replications.interviews=30000")
    known = strain.truth(made)
    own = known[known["study"] == "strain_replication_2"]
    held = [one for _, one in strain.hold(made, "strain_replication_2", own)]
    twice = [one for one in held if len(one.coders) == 2]
    assert len(twice) == round(0.25 * len(held))
    sensitivity, specificity = strain.accuracy(made)
    for code in strain.asked(made, "strain_replication_2"):
        c = list(strain.codes(made)).index(code)
        s, t = sensitivity[c], specificity[c]
        p = np.average(own[code], weights=own["interviews"])
        first = np.mean([one.coders[0] in one.applied.get(code, ()) for one in held])
        both = np.mean([len(one.applied.get(code, ())) == 2 for one in twice])
        assert first == pytest.approx(p * s + (1 - p) * (1 - t), abs=0.012)
        assert both == pytest.approx(p * s**2 + (1 - p) * (1 - t) ** 2, abs=0.025)


def test_truth_among_all_people_of_a_place_is_that_of_a_very_large_sample() -> None:
    made = world()
    mine, rng = made[strain.SECTION], np.random.default_rng(4)
    known = strain.truth(made)
    code = "Work intensification"
    c, found = list(strain.codes(made)).index(code), truths(made)
    asked = known["study"].map(lambda study: code in strain.asked(made, study))
    own = known[asked & (known["role"] == "professional")]
    there = own.sample(400_000, replace=True, weights="interviews", random_state=5)
    for level, places in (
        ("new_sector", there.assign(sector=NEW, study=NEW)),
        ("population", there),
    ):
        log_odds = strain.level(made, places)[:, c]
        log_odds += mine["true_organisation_sd"] * rng.standard_normal(len(places))
        log_odds += mine["true_organisation_code_sd"] * rng.standard_normal(len(places))
        sample = np.mean(rng.random(len(places)) < 1 / (1 + np.exp(-log_odds)))
        row = ("mean", level, "", "professional", "work_intensification", "probability")
        column = "truth" if level == "new_sector" else "everybody"
        assert sample == pytest.approx(found.loc[row, column], abs=0.003)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return cells_of(world(), tmp_path_factory.mktemp("strain"))


def test_files_of_both_formats_hold_the_interviews_of_the_world(cells: xr.Dataset) -> None:
    made = world()
    known, of = strain.truth(made), original()["codes"]
    for study, own in known.groupby("study"):
        held = [one for _, one in strain.hold(made, str(study), own)]
        mine = cells.sel(organisation=cells["study"] == study)
        for code in strain.codes(made):
            if of[code] not in cells["code"].values or code not in strain.asked(made, str(study)):
                assert not interviews(mine).sel(code=of[code]).any()
                continue
            found = mine.sel(code=of[code])
            by = [len(one.applied.get(code, ())) for one in held]
            single = [n for n, one in zip(by, held, strict=True) if len(one.coders) == 1]
            double = [n for n, one in zip(by, held, strict=True) if len(one.coders) == 2]
            assert found["single"].sum("organisation").values.tolist() == [
                single.count(1),
                single.count(0),
            ]
            both, one, other, none = found["double"].sum("organisation").values
            assert (both, one + other, none) == tuple(double.count(n) for n in (2, 1, 0))


def test_cells_have_the_places_and_roles_of_the_world(cells: xr.Dataset) -> None:
    names = ["study", "country", "sector", "role"]
    known = strain.units(world()).groupby(names)["interviews"].sum()
    read = interviews(cells).max("code").to_series()
    found = cells[names].to_dataframe()[names].assign(interviews=read)
    assert found.groupby(names)["interviews"].sum().to_dict() == known.to_dict()
    assert list(cells["exposure"].values) == ["role_measured"]


def test_a_prepared_folder_has_the_interviews_and_says_that_they_are_simulated(
    tmp_path: Path,
) -> None:
    def contents() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in (tmp_path / "w").rglob("strain_*/*")}

    prepare.prepare(COUNTRIES, tmp_path / "w")
    raw, before = tmp_path / "w" / "data" / "raw", contents()
    listed = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    studies = [f"strain_replication_{k}" for k in range(1, 7)]
    assert set(listed) >= set(studies)
    for study in studies:
        book = yaml.safe_load((raw / study / "codebook.yaml").read_text("utf-8"))
        assert book["study"]["provenance"] == "simulated"
        ((name, digest),) = listed[study].items()
        assert hashlib.sha256((raw / study / name).read_bytes()).hexdigest() == digest
    prepare.prepare(COUNTRIES, tmp_path / "w")
    assert contents() == before
