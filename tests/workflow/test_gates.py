"""The shipped chains pass the shipped gates, on the shipped data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT, copy_of_the_repository
from helpers.small_project import snakemake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.registry", "metastudy.inference.sampling")),
]
GATES = "results/diagnostics/gates.json"


def test_every_fit_passes_every_gate(tmp_path: Path) -> None:
    project = copy_of_the_repository(tmp_path / "project")
    done = snakemake(project, GATES, cores=2, timeout=None)
    assert done.returncode == 0, done.stdout[-6000:]
    gates = json.loads((project / GATES).read_text("utf-8"))
    assert len(gates) == 8
    assert all(gate["passed"] for fit in gates for gate in fit["gates"])
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    for fit in gates:
        asked = shipped["refit_gates"] if fit["fit"].endswith("-ordinal") else {}
        found = {gate["gate"]: gate["threshold"] for gate in fit["gates"]}
        assert found == shipped["gates"] | asked, fit["fit"]
