"""From the owner to the article: a survey and interviews as parcels, with rows of other studies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import xarray as xr
import yaml

from helpers import small_project
from helpers.grown_article import faults, with_skeleton
from helpers.repository import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(
        of=("metastudy.commands.parcel", "metastudy.article.make", "metastudy.harmonize.parcel")
    ),
]

PARCELS = {"coping_survey": "coping", "frontline_interviews": "strain"}
ROWS = ("coping_experiment", "finnish_cases")
RAW = ROOT / "data" / "raw"


def project(folder: Path, studies: tuple[str, ...]) -> Path:
    """A project with some of the studies that ship, short chains and an article that grows."""
    shutil.copytree(ROOT / "config", folder / "config")
    known = yaml.safe_load((RAW / "manifest.yaml").read_text("utf-8"))
    for study in studies:
        shutil.copytree(RAW / study, folder / "data" / "raw" / study)
    shutil.copy(ROOT / "data" / "appraisal.csv", folder / "data")
    small_project.write(
        folder / "data" / "raw" / "manifest.yaml", {study: known[study] for study in studies}
    )
    path = folder / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings |= {"sensitivity": {}, "primary": {}, "candidates": []}
    settings["modules"] = ["coping", "strain"]
    for section in ("sampling", "refits"):
        settings[section] |= small_project.CHAINS
    settings["gates"] |= small_project.LOOSE | {"ebfmi": 0}
    settings["refit_gates"] |= small_project.LOOSE
    settings["manuscript"]["formats"] = ["html"]
    small_project.write(path, settings)
    with_skeleton(folder)
    return folder


def snakemake(folder: Path, *arguments: str) -> str:
    where = ("--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder))
    done = small_project.snakemake(folder, *where, *arguments, timeout=None)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project of two parcels, each made at its owner's by the request, and two rows."""
    base = tmp_path_factory.mktemp("way")
    analyst = project(base / "analyst", ROWS)
    snakemake(analyst, "request")
    for study in PARCELS:
        owner = project(base / study, (study,))
        shutil.copy(analyst / "parcels" / "request.json", owner)
        asked = ("--config", f"study={study}", "request=request.json")
        snakemake(owner, "parcel", *asked)
        snakemake(owner, "verify_parcel", *asked)
        into = analyst / "data" / "raw" / study
        into.mkdir()
        for kind in ("parcel", "certificate.json"):
            shutil.copy(owner / "parcels" / f"{study}.{kind}", into)
    snakemake(analyst)
    return analyst


def table_of(results: Path) -> list[str]:
    """Lines of the article's table of parcels, a study each."""
    text = (results / "tables" / "_part-parcels.md").read_text("utf-8")
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_rows_and_parcels_of_both_kinds_are_in_one_article(analyst: Path) -> None:
    results = analyst / "results"
    assert faults(results) == []
    html = (results / "manuscript" / "manuscript.html").read_text("utf-8")
    words = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "Two studies came as parcels" in words
    assert "not from a parcel" in words
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table_of(results)]
    assert {row[0] for row in rows} == {"Coping survey", "Frontline interviews"}
    for row in rows:
        assert re.fullmatch(r"\d\.\d\d \(\d\.\d\d\)(; .* lost)?", row[-1]), "both say what it cost"
    for study in PARCELS:
        assert study in {path.name for path in (results / "harmonized").iterdir()}


def test_people_of_parcels_and_of_rows_are_in_the_cells_of_their_module(analyst: Path) -> None:
    for module, studies in (
        ("coping", {"coping_survey", "coping_experiment"}),
        ("strain", {"frontline_interviews", "finnish_cases"}),
    ):
        with xr.open_dataset(analyst / "results" / "cells" / f"{module}.nc") as cells:
            assert set(cells.study.values.astype(str).ravel()) >= studies


def test_no_row_and_no_codebook_of_an_owner_is_at_the_analysts(analyst: Path) -> None:
    for study in PARCELS:
        files = {path.name for path in (analyst / "data" / "raw" / study).iterdir()}
        assert files == {f"{study}.parcel", f"{study}.certificate.json"}
