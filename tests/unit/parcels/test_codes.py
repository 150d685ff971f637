"""Counts of codes come back to the bit, beside rows too, and what is no such count is refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from helpers.interview_parcels import CODES, PLANTED, even
from helpers.parcel_studies import parcel_of
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.harmonize.parcel import save_parcel
from metastudy.harmonized.study import Study, load_study
from metastudy.inference.fit import fit
from metastudy.models.aggregate import cells_of_one
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.join import join_codes
from metastudy.models.priors import priors_of
from metastudy.parcelling.older import check_against_older
from metastudy.parcels import container
from metastudy.parcels.folders import said_in
from metastudy.parcels.parcel import Parcel, read, sealed
from metastudy.parcels.request import of_config

CELLS = "cells/strain-main.json"
ALPHA = "alpha"
Documents = dict[str, Any]


def path_in(folder: Path, name: str = ALPHA) -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / name / f"{name}.parcel"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parcel of interviews of which nothing had to be merged."""
    path = path_in(tmp_path_factory.mktemp("good"))
    assert parcel_of(even(ALPHA), path).did["untouched"]
    return path


def came(path: Path, out: Path) -> Study:
    """The study of a parcel, as it is among the harmonized ones."""
    save_parcel(path, VOCABULARY, out / path.parent.name)
    return load_study(out / path.parent.name)


def test_cells_of_a_parcel_are_those_of_the_rows_and_mix_with_rows(
    good: Path, tmp_path: Path
) -> None:
    alpha, beta = even(ALPHA), even("beta", seed=2)
    study = came(good, tmp_path)
    assert not study.has_rows
    assert study.people == 240
    for variant in ("main", "folded"):
        own = cells_of_one(study, "strain", VOCABULARY, variant)
        assert own.identical(code_cells([alpha], "strain", VOCABULARY, variant == "folded"))
        other = cells_of_one(beta, "strain", VOCABULARY, variant)
        whole = code_cells([alpha, beta], "strain", VOCABULARY, variant == "folded")
        mixed = join_codes([other, own], VOCABULARY)
        assert mixed.identical(whole)
        whole.to_netcdf(tmp_path / "rows.nc")
        mixed.to_netcdf(tmp_path / "mixed.nc")
        assert (tmp_path / "rows.nc").read_bytes() == (tmp_path / "mixed.nc").read_bytes()


@pytest.mark.fit
@pytest.mark.slow
@pytest.mark.ci
def test_a_fit_from_parcels_is_that_of_the_rows_to_the_bit(good: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    short = {**config["sampling"], "chains": 2, "tune": 100, "draws": 50}
    studies = [even(ALPHA), even("beta", seed=2)]
    parcel_of(studies[1], path_in(tmp_path / "made", "beta"))
    parcels = [came(path, tmp_path) for path in (path_in(tmp_path / "made", "beta"), good)]
    cells = [
        code_cells(studies, "strain", VOCABULARY),
        join_codes([cells_of_one(s, "strain", VOCABULARY) for s in parcels], VOCABULARY),
    ]
    rows, from_parcels = (fit(one, priors_of(config["priors"]), short) for one in cells)
    for group in ("posterior", "error_free_posterior"):
        mine, theirs = rows[group].dataset, from_parcels[group].dataset
        assert set(mine.data_vars) == set(theirs.data_vars)
        assert mine.sizes["draw"] == 50
        for name in mine.data_vars:
            assert np.array_equal(mine[name].values, theirs[name].values), name


def test_a_parcel_of_codes_has_no_pattern_of_an_interview_and_no_name(good: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert all(planted not in text for planted in PLANTED)
    numbers = json.loads(zipfile.ZipFile(good).read(CELLS))["numbers"]
    assert set(numbers) == {"single", "double", "x"}
    assert np.array(numbers["double"]).shape == (4, len(CODES), 4), "each code by itself"


def test_a_parcel_without_the_folded_fit_that_is_wanted_says_so_at_once(
    good: Path, tmp_path: Path
) -> None:
    config = {"modules": "all", "privacy": {"smallest_cell": 5}}
    wanted = of_config({**config, "sensitivity": {"folded": ["strain"]}}, VOCABULARY)
    assert said_in(good.parent, VOCABULARY, wanted).parcel
    manifest, documents = opened(good)
    del documents["cells/strain-folded.json"]
    path = path_in(tmp_path)
    path.write_bytes(container.pack(sealed(manifest, documents)))
    with pytest.raises(BadInput, match="a parcel without strain, folded"):
        said_in(path.parent, VOCABULARY, wanted)
    plain = of_config({**config, "sensitivity": {"folded": []}}, VOCABULARY)
    assert said_in(path.parent, VOCABULARY, plain).parcel


# --- the corpus ----------------------------------------------------------------------------------


def opened(path: Path) -> tuple[dict[str, Any], Documents]:
    with zipfile.ZipFile(path) as archive:
        found = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    manifest = found.pop(container.MANIFEST)
    for made in ("format", "version", "files", "seal"):
        manifest.pop(made)
    return manifest, found


def set_to(*place: Any, to: Any) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        at: Any = documents[CELLS]
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = to

    return change


def turned(documents: Documents) -> None:
    x = documents[CELLS]["numbers"]["x"]
    documents[CELLS]["numbers"]["x"] = [[-value for value in row] for row in x]


def other_levels(documents: Documents) -> None:
    """Contrasts and levels turned round together, which agree with each other."""
    for name in (CELLS, CELLS.replace("main", "folded")):
        x = documents[name]["numbers"]["x"]
        documents[name]["numbers"]["x"] = [[-value for value in row] for row in x]
    documents["study.json"]["factors"]["arrangement"].reverse()


def swapped(documents: Documents) -> None:
    """Two codes in the other order, with all that is theirs."""
    cells = documents[CELLS]
    for of in (cells["coordinates"]["code"], cells["texts"]["family_of"]):
        of[0], of[1] = of[1], of[0]


CORPUS: dict[str, tuple[Callable[[Documents], None], str]] = {
    "few interviews": (set_to("numbers", "single", 0, 0, to=[4, 5]), "over 9 interviews"),
    "few of two": (set_to("numbers", "double", 0, 0, to=[2, 2, 2, 2]), "over 8 interviews"),
    "all have it": (set_to("numbers", "single", 0, 0, to=[30, 0]), "nearly all"),
    "few have it": (set_to("numbers", "single", 0, 0, to=[4, 26]), "few or nearly all"),
    "few by the second": (set_to("numbers", "double", 0, 0, to=[3, 12, 1, 14]), "few or nearly"),
    "a half": (set_to("numbers", "single", 0, 0, to=[10.5, 19.5]), "no whole number"),
    "less than nobody": (set_to("numbers", "single", 0, 0, to=[-5, 35]), "whole number"),
    "a count as text": (set_to("numbers", "single", 0, 0, 0, to="15"), "no float"),
    "missing": (set_to("numbers", "single", 0, 0, 0, to=None), "no float"),
    "huge": (set_to("numbers", "single", 0, 0, to=[10**400, 5]), "too large"),
    "three readings": (set_to("numbers", "single", 0, 0, to=[10, 10, 10]), "of the shape"),
    "no codes": (set_to("coordinates", "code", to=[]), "shape"),
    "a code twice": (set_to("coordinates", "code", 1, to=CODES[0]), "same name twice"),
    "out of order": (set_to("coordinates", "organisation", 0, to="zzz"), "out of order"),
    "another family": (set_to("texts", "family_of", 0, to="luck"), "families"),
    "contrasts turned": (turned, "not those of its levels"),
    "levels turned": (other_levels, "the levels"),
    "codes swapped": (swapped, "order"),
    "a contrast of 3": (set_to("numbers", "x", 0, to=[3.0]), "not -1/2"),
    "an unknown sector": (set_to("texts", "sector", 0, to="moon"), "among the sectors"),
    "another study": (set_to("texts", "study", 0, to="beta"), "another study"),
    "another model": (set_to("attributes", "model", to="answers"), "codings, strain, main"),
    "another module": (set_to("attributes", "module", to="threat"), "codings, strain, main"),
    "a key more": (set_to("rows", to=[]), "another structure"),
    "no list": (set_to("coordinates", "code", to={"a": 1}), "no list of names"),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_documents_that_are_wrong_are_refused_though_the_seal_is_right(
    good: Path, tmp_path: Path, name: str
) -> None:
    change, word = CORPUS[name]
    manifest, documents = opened(good)
    change(documents)
    path = path_in(tmp_path)
    path.write_bytes(container.pack(sealed(manifest, documents)))
    with pytest.raises(BadInput) as bad:
        came(path, tmp_path / "out")
    (problem,) = bad.value.problems
    assert word in str(problem), str(problem)
    assert problem.fix
    assert not (tmp_path / "out" / ALPHA).exists()


def test_a_code_that_the_vocabulary_has_elsewhere_is_refused(good: Path, tmp_path: Path) -> None:
    codes = dict(VOCABULARY["codes"])
    del codes[CODES[1]]
    words = Vocabulary({**VOCABULARY.sections, "codes": codes})
    with pytest.raises(BadInput, match=CODES[1]):
        save_parcel(good, words, tmp_path / "out")


def test_interviews_of_which_nobody_said_the_country_come_as_a_parcel(tmp_path: Path) -> None:
    """A country or sector that is not said is the study's own, and no word of a vocabulary."""
    study = even(ALPHA)
    unsaid = study.respondents.assign(country=None, sector=None)
    path = path_in(tmp_path / "made")
    parcel_of(study.with_tables(respondents=unsaid), path)
    found = cells_of_one(came(path, tmp_path / "out"), "strain", VOCABULARY)
    assert set(found.country.values) == set(found.sector.values) == {f"unknown in {ALPHA}"}


@pytest.mark.parametrize(
    ("place", "section"), [("country", "countries"), ("arrangement", "arrangements")]
)
def test_a_place_that_the_vocabulary_lacks_is_refused_with_what_to_run(
    good: Path, tmp_path: Path, place: str, section: str
) -> None:
    name = cells_of_one(even(ALPHA), "strain", VOCABULARY)[place].values[0]
    rest = {key: one for key, one in VOCABULARY[section].items() if key != name}
    with pytest.raises(BadInput) as bad:
        save_parcel(good, Vocabulary({**VOCABULARY.sections, section: rest}), tmp_path / "out")
    (problem,) = bad.value.problems
    assert problem.code == "vocabulary"
    assert f"'{name}', which is not among the {section}" in str(problem)
    assert "snakemake request" in problem.fix


# --- parcels of before ---------------------------------------------------------------------------


def with_counts(good: Path, change: Callable[[xr.Dataset], None]) -> tuple[Parcel, Documents]:
    """A parcel, and the documents of one whose counts are other ones."""
    parcel = read(good)
    documents: Documents = json.loads(json.dumps(dict(parcel.documents)))
    numbers = documents[CELLS]["numbers"]
    single, double = (np.array(numbers[name]) for name in ("single", "double"))
    change(xr.Dataset({"single": (("u", "c", "r"), single), "double": (("u", "c", "a"), double)}))
    numbers["single"], numbers["double"] = single.tolist(), double.tolist()
    return parcel, documents


def more(*by: float) -> Callable[[xr.Dataset], None]:
    """So many interviews more of one coder, with and without the first code."""

    def change(cells: xr.Dataset) -> None:
        cells.single.values[0, 0] += by

    return change


def second_found_more(cells: xr.Dataset) -> None:
    cells.double.values[0, 0] += (1, -1, 0, 0)


DIFFERENCES = {
    "nobody": (more(0, 0), None),
    "many": (more(10, 10), None),
    "one more": (more(1, 0), "few interviews"),
    "ten, all with it": (more(12, 0), "few interviews"),
    "ten, few with it": (more(3, 9), "few interviews"),
    "one changed": (more(1, -1), "what was found in them changed"),
    "come and gone": (more(30, -8), "few interviews"),
    "a second coder changed": (second_found_more, "coders' findings changed"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_two_parcels_differ_by_nobody_or_by_many(good: Path, name: str) -> None:
    change, word = DIFFERENCES[name]
    parcel, new = with_counts(good, change)
    if word is None:
        check_against_older(new, parcel, 10, good)
        return
    with pytest.raises(BadInput, match=word):
        check_against_older(new, parcel, 10, good)


def test_interviews_that_became_others_are_compared_with_their_organisation(good: Path) -> None:
    """A site of before is among the others now, with one interview more of all of them."""
    parcel, new = with_counts(good, more(0, 0))
    names = new[CELLS]["coordinates"]["organisation"]
    places = [
        i for i, side in enumerate(new[CELLS]["texts"]["arrangement"]) if side == "org_mission"
    ]
    first, second = places[:2]
    numbers = new[CELLS]["numbers"]
    for name in ("single", "double"):
        numbers[name][second] = (
            np.array(numbers[name][first]) + np.array(numbers[name][second])
        ).tolist()
        del numbers[name][first]
    del numbers["x"][first], names[first]
    for name in ("study", "country", "sector", "role", "arrangement", "site"):
        del new[CELLS]["texts"][name][first]
    names[second - 1] = "alpha-org-others-1"
    check_against_older(new, parcel, 10, good)
    numbers["single"][second - 1][0][0] += 1
    with pytest.raises(BadInput, match="sites that changed"):
        check_against_older(new, parcel, 10, good)


def test_the_same_interviews_give_the_same_bytes(good: Path, tmp_path: Path) -> None:
    parcel_of(even(ALPHA), path_in(tmp_path))
    again = hashlib.sha256(path_in(tmp_path).read_bytes())
    assert again.digest() == hashlib.sha256(good.read_bytes()).digest()
