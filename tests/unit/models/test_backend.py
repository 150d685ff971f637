"""The flags of PyTensor count wherever the library is imported first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.repository import ROOT
from metastudy.models import backend


@pytest.mark.parametrize(
    "module", ["calibration.simulation_based", "inference.sampling", "synthesis.model"]
)
def test_a_module_that_imports_pymc_first_has_the_flags_of_the_library(module: str) -> None:
    code = (
        f"import metastudy.{module}, pytensor; "
        "print(pytensor.config.numba__fastmath, repr(pytensor.config.cxx))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if k != "PYTENSOR_FLAGS"}
        | {"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "''"]


@pytest.mark.parametrize("first", ["", "numpy, "])
def test_a_job_has_one_thread_of_blas_whoever_imports_numpy_first(first: str) -> None:
    """Its bits and its time would depend on the machine: a job run by hand has them, too."""
    code = (
        f"import {first}metastudy, numpy, threadpoolctl; "
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "{1}"


def test_the_flags_of_the_user_are_in_the_key_of_a_posterior(monkeypatch) -> None:
    def force(flags: str) -> str:
        monkeypatch.setenv("PYTENSOR_FLAGS", flags)
        return backend.flags_in_force()

    ours = ",".join(backend.FLAGS)
    plain = force(ours)
    assert plain == "blas__ldflags=,cxx=,numba__fastmath=False"
    assert force(f"{ours},numba__fastmath=True") != plain
    assert force(f"{ours},floatX=float32") != plain
    # The same flags however they came here, as a job of Snakemake's has them twice.
    assert force(f"{ours}, {ours}") == plain
    assert force(f"{ours},base_compiledir=/tmp/here") == plain
