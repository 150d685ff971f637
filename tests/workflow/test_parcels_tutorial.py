"""The tutorial of parcels: six owners, six parcels, and the posterior that their rows would give.

Its commands run as on the page. Only the last is changed: shorter chains, and no further than the
fit and the synthesis.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy import config as settings
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonize.pseudonyms import key

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.commands.parcel", "metastudy.models.answers.kind")),
]

PAGE = ROOT / "docs" / "parcels_tutorial.md"
STUDIES = [f"threat_replication_{i}" for i in range(1, 7)]
CHAINS = {"chains": 2, "tune": 100, "draws": 100, "retries": 0}
TARGETS = "results/fits/threat.nc results/synthesis/pooled.parquet results/data_report/index.html"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT / "workflow"),
    "PYTHONHASHSEED": "0",
}


def run(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder `six` that the commands of the page make, and what they said."""
    clone = tmp_path_factory.mktemp("parcels") / "clone"
    clone.mkdir()
    for name in ("Snakefile", "workflow", "config", "data", "manuscript", "envs", "profiles"):
        (clone / name).symlink_to(ROOT / name)
    *most, last = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert last.endswith("--directory ../six/analyst --cores 2\n")
    shorter = f"echo 'sampling: {json.dumps(CHAINS)}' >> ../six/analyst/config/config.yaml\n"
    script = "\n".join([*most, shorter, f"{last.rstrip()} {TARGETS}"])
    return clone.parent / "six", run(["bash", "-e", "-c", script], clone)


def test_no_cell_is_touched_and_the_analyst_gets_parcels_and_nothing_else(
    said: tuple[Path, str],
) -> None:
    six, log = said
    assert log.count("Disclosure control had nothing to do.") == len(STUDIES)
    (digest,) = {
        json.loads((six / f"owner_{i}" / "request.json").read_text("utf-8"))["digest"]
        for i in range(1, 7)
    }
    assert log.count(f"Request: {digest}") == len(STUDIES)
    assert "another request" not in log
    raw = six / "analyst" / "data" / "raw"
    assert not [*raw.rglob("*.csv"), *raw.rglob("codebook.yaml")]
    certificate = raw / STUDIES[0] / f"{STUDIES[0]}.certificate.json"
    assert json.loads(certificate.read_text("utf-8"))["request"] == digest


def test_six_parcels_end_in_one_pooled_effect(said: tuple[Path, str]) -> None:
    results = said[0] / "analyst" / "results"
    pooled = pd.read_parquet(results / "synthesis" / "pooled.parquet")
    assert (pooled["level"] == "population").any()
    page = (results / "data_report" / f"{STUDIES[0]}.html").read_text("utf-8")
    assert "it was made for the request" in page


def test_the_posterior_is_that_of_the_rows_to_the_bit(
    said: tuple[Path, str], tmp_path: Path
) -> None:
    six, _ = said
    analyst = yaml.safe_load((six / "analyst" / "config" / "config.yaml").read_text("utf-8"))
    whole = settings.completed(analyst, ROOT / "config" / "config.yaml")
    for i, study in enumerate(STUDIES, 1):
        raw = six / f"owner_{i}" / "data" / "raw"
        book = load(raw / study, VOCABULARY, raw / "manifest.yaml")
        save(harmonize_file(book, key(book, whole["pseudonyms"])), tmp_path / "rows" / study)
    rows = [str(tmp_path / "rows" / study) for study in STUDIES]
    command = [sys.executable, "-m"]
    run(
        [
            *(*command, "metastudy.commands.aggregate", "--module", "threat", "--variant", "main"),
            *("--studies", *rows, "--vocabulary", str(ROOT / "config" / "vocabulary.yaml")),
            *("--require", "--cells", str(tmp_path / "cells.nc")),
        ],
        tmp_path,
    )
    of_parcels = six / "analyst" / "results"
    assert (tmp_path / "cells.nc").read_bytes() == (of_parcels / "cells/threat.nc").read_bytes()
    run(
        [
            *(*command, "metastudy.commands.fit", "--cells", str(tmp_path / "cells.nc")),
            *("--priors", json.dumps(whole["priors"], sort_keys=True)),
            *("--sampling", json.dumps(whole["sampling"], sort_keys=True)),
            *("--cores", "1", "--posterior", str(tmp_path / "posterior.nc")),
        ],
        tmp_path,
    )
    with (
        xr.open_dataset(tmp_path / "posterior.nc", group="posterior") as mine,
        xr.open_dataset(of_parcels / "fits" / "threat.nc", group="posterior") as theirs,
    ):
        assert set(mine.data_vars) == set(theirs.data_vars)
        assert mine.sizes["draw"] == CHAINS["draws"]
        for name in mine.data_vars:
            assert np.array_equal(mine[name].values, theirs[name].values), name
