"""A site left out by weights of draws that know it, against a fit that never saw it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.special import logsumexp

from helpers.raw_studies import VOCABULARY, command, table_study
from helpers.repository import ROOT
from metastudy.common.result_tables import columns
from metastudy.harmonized.study import load_study
from metastudy.inference.netcdf import save
from metastudy.inference.sampling import compile_model, draw
from metastudy.model_checks.leave_group_out import FIXED, without
from metastudy.model_checks.left_out_organisations import densities
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.left_out_sites import several_sites
from metastudy.models.answers.model import build
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of

pytestmark = [pytest.mark.fit, pytest.mark.slow, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING = CONFIG["refits"] | {"seed": 8, "draws": 1000}
PRIORS = priors_of(CONFIG["priors"])
CODEBOOK = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: a, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: y, as: item, construct: threat_job, min: 1, max: 101}
outcomes: [threat_job]
exposures: [{factor: task_type, type: randomised}]
"""
HOMES, PEOPLE = 8, 160
APART = 5  # a home that differs from the others


def answers() -> str:
    rng = np.random.default_rng(21)
    a, home = rng.permutation(np.resize([1, 2], PEOPLE)), rng.permutation(PEOPLE) % HOMES
    level = np.where(home == APART, 18.0, rng.normal(0, 4, HOMES)[home])
    y = np.rint(45 + 5 * (a == 2) + level + 14 * rng.standard_normal(PEOPLE)).clip(1, 101)
    table = pd.DataFrame({"home": [f"h{k}" for k in home], "a": a, "y": y.astype(int)})
    return table.to_csv(index_label="nr")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The table that the command makes, and the model that it was made of."""
    folder = tmp_path_factory.mktemp("sites")
    raw = table_study(folder, rows=answers(), codebook=CODEBOOK)
    done = command(raw, folder / "harmonized")
    assert done.returncode == 0, done.stderr
    cells = answer_cells([load_study(folder / "harmonized")], "threat", VOCABULARY)
    cells.to_netcdf(folder / "threat.nc")
    compiled = compile_model(build(cells, PRIORS))
    scale = float(PRIORS["effect"].scale)
    fits = {"posterior": draw(compiled, SAMPLING)["posterior"].to_dataset()}
    for name, fixed in FIXED.items():
        given = pack(cells, PRIORS, fixed * scale)
        fits[f"{name}_posterior"] = draw(compiled, SAMPLING, given=given)["posterior"].to_dataset()
    save(xr.DataTree.from_dict(fits), folder / "fits.nc")
    out = {name: folder / f"{name}.parquet" for name in ("rows", "organisations")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.loo_comparison"),
            *("--cells", folder / "threat.nc", "--studies", folder / "harmonized"),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml", "--fits", folder / "fits.nc"),
            *("--priors", json.dumps(CONFIG["priors"])),
            *("--out", out["rows"], "--organisations", out["organisations"]),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tables = {name: pd.read_parquet(Path(path)) for name, path in out.items()}
    return {"cells": cells, "compiled": compiled, "fits": fits} | tables


def test_every_way_of_pooling_has_its_number_beside_that_by_row(compared: dict[str, Any]) -> None:
    table = compared["organisations"]
    assert list(table) == columns("organisations")
    assert table["pooling"].tolist() == ["pooled", "partial", "unpooled"]
    assert table["organisations"].eq(HOMES).all()
    assert table["people"].eq(PEOPLE).all()
    by_row = compared["rows"].set_index("pooling")["elpd_loo"]
    np.testing.assert_allclose(table.set_index("pooling")["elpd_rows"], by_row[table["pooling"]])
    found = table.set_index("pooling").loc["partial"]
    assert found["reason"] == ""
    assert found["elpd"] < found["elpd_rows"], "the others of a home tell more of a person"


def test_a_site_has_the_density_that_a_fit_without_it_gives(compared: dict[str, Any]) -> None:
    cells = compared["cells"]
    names = cells.site.values[several_sites(cells)].astype(str)
    posterior = compared["fits"]["posterior"]
    known = densities(cells, posterior, "partial", PRIORS).values.reshape(-1, len(names))
    inside = logsumexp(known, axis=0) - np.log(len(known))
    by_weights = -(logsumexp(-known, axis=0) - np.log(len(known)))
    at = int(np.argmax(inside - by_weights))  # the one that the fit leans on most
    assert inside[at] - by_weights[at] > 0.5
    for site in {at, (at + 1) % len(names)}:
        given = pack(without(cells, "organisation", names[site]), PRIORS)
        refit = draw(compared["compiled"], SAMPLING, given=given)["posterior"].to_dataset()
        left = densities(cells, refit, "partial", PRIORS).values.reshape(-1, len(names))[:, site]
        exact = logsumexp(left) - np.log(len(left))
        assert by_weights[site] == pytest.approx(exact, abs=0.2), names[site]
