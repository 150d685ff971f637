"""Parcels through the rules: made at an owner's, put in place of data files, fitted like rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
import yaml

from helpers.parcel_studies import PLANTED, raw_study
from helpers.repository import ROOT

pytestmark = pytest.mark.ci

CELLS = ("results/cells/threat.nc",)
NO_ANALYSES = {"ordinal": ["threat"], "folded": [], "interviews": []}


def project(folder: Path) -> Path:
    """A project folder of its own, without studies; one analysis counts single answers."""
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "data" / "raw").mkdir(parents=True)
    path = folder / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8")) | {"sensitivity": NO_ANALYSES}
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return folder


def snakemake(folder: Path, *arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
            *(*arguments, "--cores", "1", "--directory", str(folder)),
        ],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=800,
    )
    assert (done.returncode != 0) is fails, done.stdout
    return done.stdout


def test_parcels_give_the_cells_of_the_rows_to_the_byte_and_mix_with_them(tmp_path: Path) -> None:
    owner = project(tmp_path / "owner")
    raw_study(owner / "data" / "raw", "alpha", sites=2, seed=1)
    raw_study(owner / "data" / "raw", "beta", country="FI", seed=2)
    snakemake(owner, *CELLS)
    of_rows = (owner / CELLS[0]).read_bytes()

    said = snakemake(owner, "parcel", "--config", "study=alpha")
    assert "alpha: Disclosure control had nothing to do." in said
    snakemake(owner, "parcel", "--config", "study=beta")
    snakemake(owner, "verify_parcel", "--config", "study=alpha")
    assert (owner / "parcels" / "alpha.certificate.html").is_file()
    page = (owner / "parcels" / "alpha.html").read_text("utf-8")
    assert "Not in the file" in page
    assert all(text not in page for text in PLANTED)
    said = snakemake(owner, "parcel", "--config", "study=alpa", fails=True)
    assert "did you mean 'alpha'" in said.lower()
    assert "Traceback" not in said

    analyst = project(tmp_path / "analyst")
    data = analyst / "data" / "raw"
    for name in ("alpha", "beta"):
        (data / name).mkdir()
        shutil.copy(owner / "parcels" / f"{name}.parcel", data / name)
    shutil.copy(owner / "parcels" / "alpha.certificate.json", data / "alpha")
    said = snakemake(analyst, *CELLS, "results/data_report/index.html")
    assert "alpha, beta in threat-ordinal: not from a parcel" in said
    assert (analyst / CELLS[0]).read_bytes() == of_rows
    report = (analyst / "results" / "data_report" / "alpha.html").read_text("utf-8")
    assert "came as a parcel" in report

    shutil.rmtree(data / "beta")
    raw_study(data, "beta", country="FI", seed=2)
    snakemake(analyst, *CELLS)
    assert (analyst / CELLS[0]).read_bytes() == of_rows, "a parcel beside rows"

    whole = (data / "alpha" / "alpha.parcel").read_bytes()
    (data / "alpha" / "alpha.parcel").write_bytes(whole[:-100])
    said = snakemake(analyst, *CELLS, fails=True)
    assert "[wrong-format]" in said
    assert "Traceback" not in said
    assert (analyst / CELLS[0]).is_file(), "bad data cost nothing that was there"


def test_interviews_that_ship_are_a_parcel_that_mixes_with_rows(tmp_path: Path) -> None:
    """Of nine interviews an organisation: so all are others of their setting, and are counted."""
    owner, analyst = project(tmp_path / "owner"), project(tmp_path / "analyst")
    raw, name = ROOT / "data" / "raw", "frontline_interviews"
    known = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    for folder, study in ((owner, name), (analyst, "finnish_cases")):
        shutil.copytree(raw / study, folder / "data" / "raw" / study)
        text = yaml.safe_dump({study: known[study]})
        (folder / "data" / "raw" / "manifest.yaml").write_text(text, "utf-8")
    snakemake(analyst, "request")
    shutil.copy(analyst / "parcels" / "request.json", owner)
    said = snakemake(owner, "parcel", "--config", f"study={name}", "request=request.json")
    assert "others of a setting counted as one; " in said
    snakemake(owner, "verify_parcel", "--config", f"study={name}", "request=request.json")
    (analyst / "data" / "raw" / name).mkdir()
    shutil.copy(owner / "parcels" / f"{name}.parcel", analyst / "data" / "raw" / name)
    snakemake(analyst, "results/cells/strain.nc", "results/data_report/index.html")
    with xr.open_dataset(analyst / "results" / "cells" / "strain.nc") as cells:
        own = cells.sel(organisation=cells.study == name)
        read = own.single.sum("reading") + own.double.sum("agreement")
        by_country = read.groupby(own.country).sum().max("code")
        assert by_country.to_series().to_dict() == {"GB-SCT": 102, "US": 78}
        assert set(cells.study.values) == {name, "finnish_cases"}
    report = (analyst / "results" / "data_report" / f"{name}.html").read_text("utf-8")
    assert "came as a parcel" in report
    assert "org-others-1" in report


def test_what_is_wrong_with_the_data_is_the_last_error_of_an_owner(tmp_path: Path) -> None:
    owner = project(tmp_path / "owner")
    codebook = raw_study(owner / "data" / "raw", "alpha", sites=2) / "codebook.yaml"
    codebook.write_text(codebook.read_text("utf-8").replace("outcomes:", "outcmes:"), "utf-8")
    for target in ("parcel", "verify_parcel"):
        said = snakemake(owner, target, "--config", "study=alpha", fails=True)
        assert "the key 'outcmes'" in said.rpartition("error: ")[2]
    said = snakemake(owner, "parcel", "--config", "request=F", fails=True)
    assert "error: no study is named: give --config study=NAME, NAME being one of alpha\n" in said
